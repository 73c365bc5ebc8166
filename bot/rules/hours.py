"""When the working hours of a policy are: outside them its levels wait."""

from __future__ import annotations

from datetime import date, timedelta

from bot.model.calendar import minute_of
from bot.model.policy import WorkingHours
from bot.rules.wall_clock import instant, local

_LOOKED_AT = 9  # days from yesterday on: a week, and one whose hours the clocks skip


def opening(hours: WorkingHours | None, at: int) -> int:
    """The time itself where it is within the hours, else when they begin next (ms since the epoch)."""
    if hours is None:
        return at
    today = local(at, hours.zone).date()
    for ahead in range(-1, _LOOKED_AT):
        day = today + timedelta(ahead)
        if day.weekday() in hours.days:
            since, until = on(hours, day)
            if at < until:
                return max(at, since)
    raise AssertionError("hours have a day in every week")


def on(hours: WorkingHours, day: date) -> tuple[int, int]:
    """From when to when they are on a day; those that end before they begin go over midnight."""
    begin, end = minute_of(hours.begin), minute_of(hours.end)
    assert begin is not None
    assert end is not None
    last = day if end > begin else day + timedelta(1)
    return instant(day, begin, hours.zone), instant(last, end, hours.zone)
