"""When a window of maintenance is: on the wall clock, past midnight, and when the clocks change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.model.silence import Window
from bot.rules.maintenance import Round, next_round, round_at

BERLIN = "Europe/Berlin"


def window(days: str, begin: str, end: str, timezone: str = BERLIN) -> Window:
    known = {"name": "backup", "reason": "nightly backup", "timezone": timezone}
    return Window.model_validate(known | {"days": days, "from": begin, "to": end})


def ms(text: str, timezone: str = BERLIN) -> int:
    """A time on the wall clock, or with an offset."""
    when = datetime.fromisoformat(text)
    local = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(timezone))
    return round(local.timestamp() * 1000)


WHEN = [
    # days, from, to, asked at, begins, ends
    ("mon-fri", "09:00", "10:00", "2026-01-05T09:00", "2026-01-05T09:00", "2026-01-05T10:00"),
    ("mon-fri", "09:00", "10:00", "2026-01-05T08:59", None, None),
    ("mon-fri", "09:00", "10:00", "2026-01-05T10:00", None, None),
    ("mon-fri", "09:00", "10:00", "2026-01-04T09:30", None, None),
    # past midnight: it belongs to the day on which it begins
    ("sun", "23:00", "02:00", "2026-01-05T01:59", "2026-01-04T23:00", "2026-01-05T02:00"),
    ("sun", "23:00", "02:00", "2026-01-05T02:00", None, None),
    ("sun", "23:00", "02:00", "2026-01-04T01:00", None, None),
    # a whole day, and days that meet
    ("sat", "00:00", "00:00", "2026-01-03T12:00", "2026-01-03T00:00", "2026-01-04T00:00"),
    ("sat-sun", "00:00", "00:00", "2026-01-04T12:00", "2026-01-03T00:00", "2026-01-05T00:00"),
    ("mon-fri", "06:00", "06:00", "2026-01-09T12:00", "2026-01-05T06:00", "2026-01-10T06:00"),
    # the clocks go forward over 02:30 on 29 March 2026: what begins then begins at 03:00
    ("sun", "02:30", "04:00", "2026-03-29T03:00+02:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00"),
    ("sun", "02:30", "04:00", "2026-03-29T01:59+01:00", None, None),
    ("sat", "23:00", "04:00", "2026-03-29T03:59", "2026-03-28T23:00", "2026-03-29T04:00"),
    ("sun", "02:10", "02:50", "2026-03-29T03:00+02:00", None, None),  # skipped: it is not at all
    # they go back on 25 October: 02:30 comes twice, what begins then begins the first time
    ("sun", "02:30", "04:00", "2026-10-25T02:30+02:00", "2026-10-25T02:30+02:00", "2026-10-25T04:00"),
    ("sun", "02:30", "04:00", "2026-10-25T02:15+01:00", "2026-10-25T02:30+02:00", "2026-10-25T04:00"),
]  # fmt: skip


@pytest.mark.parametrize(("days", "begin", "end", "at", "since", "until"), WHEN)
def test_when_a_window_is(
    days: str, begin: str, end: str, at: str, since: str | None, until: str | None
) -> None:
    found = round_at(window(days, begin, end), ms(at))
    expected = Round(ms(since), ms(until)) if since and until else None
    assert found == expected


def test_a_night_with_a_change_of_the_clocks_is_an_hour_shorter_or_longer() -> None:
    night = window("sat", "23:00", "04:00")
    hours = {}
    for at in ("2026-03-28T23:30", "2026-10-24T23:30", "2026-01-10T23:30"):
        found = round_at(night, ms(at))
        assert found is not None
        hours[at[5:7]] = (found.until - found.since) / 3_600_000
    assert hours == {"03": 4, "10": 6, "01": 5}


def test_each_window_goes_by_the_clock_of_its_own_time_zone() -> None:
    there, here = window("mon", "02:00", "03:00", "Asia/Tokyo"), window("mon", "02:00", "03:00")
    at = ms("2026-01-05T02:30", "Asia/Tokyo")
    assert round_at(there, at) is not None
    assert round_at(here, at) is None


def test_the_next_round_is_the_first_that_begins_later() -> None:
    night = window("sun", "23:00", "02:00")
    assert next_round(night, ms("2026-01-05T00:30")) == Round(
        ms("2026-01-11T23:00"), ms("2026-01-12T02:00")
    )
    assert next_round(night, ms("2026-01-04T22:59")) == Round(
        ms("2026-01-04T23:00"), ms("2026-01-05T02:00")
    )


def test_the_hours_that_the_clocks_skip_are_looked_past() -> None:
    found = next_round(window("sun", "02:10", "02:50"), ms("2026-03-23T00:00"))
    assert found is not None
    assert found.since == ms("2026-04-05T02:10")


def test_a_window_that_never_ends_has_no_next_round() -> None:
    always = window("mon-sun", "06:00", "06:00")
    assert always.for_ever
    assert round_at(always, ms("2026-01-05T05:59")) is not None
    assert next_round(always, ms("2026-01-05T05:59")) is None
