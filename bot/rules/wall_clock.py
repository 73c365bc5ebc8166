"""From the wall clock of a time zone to the one time line, and back.

A wall time that does not exist, because the clocks go forward over it, is when they go forward: 02:30 on
that Sunday in Berlin happens at 03:00. One that exists twice happens once, the first time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@lru_cache(maxsize=4_096)
def instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """When a wall clock shows a minute of a day, in milliseconds since the epoch."""
    return _instant(datetime.combine(day, time(minute // 60, minute % 60), zone))


def moment(when: datetime | time, zone: ZoneInfo, now: int) -> int:
    """A time that a person named, in milliseconds since the epoch.

    A ``datetime`` without a zone of its own is on this zone's wall clock, and so is a time of day: the
    next one, from now on.
    """
    if isinstance(when, datetime):
        return _instant(when if when.tzinfo is not None else when.replace(tzinfo=zone))
    today = local(now, zone).date()
    at = _instant(datetime.combine(today, when, zone))
    return at if at >= now else _instant(datetime.combine(today + timedelta(1), when, zone))


def local(at: int, zone: ZoneInfo) -> datetime:
    """What the wall clock shows at a time."""
    return datetime.fromtimestamp(at / 1000, zone)


def _instant(wall: datetime) -> int:
    before, after = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    if after > before:  # the clocks go forward over it
        return _ms(_change(wall.replace(fold=1), wall))
    return _ms(wall)


def _change(early: datetime, late: datetime) -> datetime:
    """When the clocks change between two times, to the second."""
    zone = late.tzinfo
    first, last = early.astimezone(UTC), late.astimezone(UTC)
    offset = last.astimezone(zone).utcoffset()
    while last - first > timedelta(seconds=1):
        middle = first + timedelta(seconds=(last - first) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            last = middle
        else:
            first = middle
    return last


def _ms(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // _MS
