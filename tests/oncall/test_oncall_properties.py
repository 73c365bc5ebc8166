"""What holds for every schedule: it agrees with a plain enumeration of a year, and tiles the time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.model.schedule import ANCHOR, Layer, Override, Rotation, Schedule
from bot.rules.oncall import gaps, who
from bot.rules.wall_clock import instant
from tests.support.schedules import A, B, C, D, schedule

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # changes at midnight
    "Africa/Cairo",  # so does this one, in autumn back over it
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "UTC",
)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
BEGIN, END = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (2026, 2027))
DAY_MS = 86_400_000


@cache
def reached(day: date, minute: int, zone: str) -> int:
    """The first minute at which the wall clock shows that time, or a later one: looked for one by one."""
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    tz = ZoneInfo(zone)
    offset = (wanted - timedelta(days=1)).replace(tzinfo=tz).utcoffset()
    at = (wanted - offset - timedelta(hours=3)).replace(tzinfo=UTC)
    while at.astimezone(tz).replace(tzinfo=None) < wanted:
        at += timedelta(minutes=1)
    return round(at.timestamp() * 1000)


@st.composite
def rotations(draw):
    every = draw(st.sampled_from([1, 2, 3, 7, 14]))
    clock = draw(st.sampled_from(["00:00", "00:30", "01:30", "02:30", "03:00", "09:00", "23:59"]))
    named = draw(st.sampled_from(["", "Mon ", "Sun "])) if every % 7 == 0 else ""
    written = {
        "people": draw(st.lists(st.sampled_from([A, B, C, D]), max_size=3)),
        "handoff": f"{named}{clock}",
        "every": every,
    }
    start = draw(st.none() | st.dates(date(2025, 11, 1), date(2026, 6, 1)))
    return written | ({"start": start.isoformat()} if start else {})


@st.composite
def layers(draw):
    clocks = st.sampled_from(["00:00", "01:00", "02:30", "06:00", "17:45", "22:00"])
    written = {"rotation": draw(rotations())}
    if draw(st.booleans()):
        written["hours"] = f"{draw(clocks)}-{draw(clocks)}"
    if draw(st.booleans()):
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        written["weekdays"] = draw(st.lists(st.sampled_from(days), min_size=1, unique=True))
    return written


@st.composite
def overrides(draw):
    found = []
    for number in range(draw(st.integers(0, 4))):
        since = BEGIN + draw(st.integers(0, 364 * DAY_MS))
        until = since + draw(st.integers(1, 40 * DAY_MS))
        ended = draw(st.none() | st.integers(since - DAY_MS, until))
        person = draw(st.sampled_from([A, B, C, D]))
        found.append(
            Override(
                id=number, schedule="primary", person=person, since=since, until=until,
                made_by="bot", made_at=0, ended_by="bot" if ended else None, ended_at=ended,
            )
        )  # fmt: skip
    return found


plans = st.builds(
    lambda zone, listed: schedule(zone, layers=listed),
    st.sampled_from(ZONES),
    st.lists(layers(), min_size=1, max_size=3),
)


def turns(rotation: Rotation, zone: str) -> list[tuple[int, str | None]]:
    """Every handoff up to the end of the year, one after the other, with whose turn begins."""
    day, number, found = rotation.first_day, 0, []
    assert rotation.first_day >= (rotation.start or ANCHOR)
    while day <= LAST + timedelta(2):
        person = rotation.people[number % len(rotation.people)] if rotation.people else None
        found.append((reached(day, rotation.minute, zone), person))
        day, number = day + timedelta(rotation.every), number + 1
    return found


def covered(layer: Layer, zone: str) -> list[tuple[int, int]]:
    """Every stretch that the hours and weekdays of a layer cover in the year."""
    found, day = [], FIRST - timedelta(2)
    while day <= LAST + timedelta(2):
        if day.weekday() in layer.weekdays:
            following = day if layer.end > layer.begin else day + timedelta(1)
            found.append((reached(day, layer.begin, zone), reached(following, layer.end, zone)))
        day += timedelta(1)
    return found


class Enumerated:
    """The same question, answered from lists of everything that happens in the year."""

    def __init__(self, plan: Schedule, over: list[Override]) -> None:
        self.over = over
        self.layers = [(turns(one.rotation, plan.timezone), covered(one, plan.timezone))
                       for one in plan.covers]  # fmt: skip

    def person(self, at: int) -> str | None:
        for one in reversed(self.over):
            if one.since <= at < one.end:
                return one.person
        for handoffs, windows in reversed(self.layers):
            turn = bisect_right([begin for begin, _ in handoffs], at) - 1
            person = handoffs[turn][1] if turn >= 0 else None
            window = bisect_right([begin for begin, _ in windows], at) - 1
            # One that is skipped may begin when the one before it has not ended.
            inside = any(
                begin <= at < end for begin, end in windows[max(0, window - 1) : window + 1]
            )
            if person and inside:
                return person
        return None

    def changes(self) -> Iterator[int]:
        for one in self.over:
            yield from (one.since, one.end)
        for handoffs, windows in self.layers:
            yield from (begin for begin, _ in handoffs)
            yield from (at for window in windows for at in window)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans, overrides(), st.randoms(use_true_random=False))
def test_it_agrees_with_an_enumeration_of_a_year(plan, over, random):
    every = Enumerated(plan, over)
    times = sorted({at + step for at in every.changes() for step in (-1, 0) if BEGIN <= at < END})
    times = random.sample(times, min(len(times), 150))  # in no order: no answer depends on another
    times += [random.randrange(BEGIN, END) for _ in range(50)]
    for at in times:
        assert who(plan, over, at).person == every.person(at), datetime.fromtimestamp(
            at / 1000, UTC
        )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans, overrides(), st.integers(BEGIN, END))
def test_stretches_tile_the_time(plan, over, at):
    """Each ends when the next begins, the person is another then, and all of it says the same."""
    for _ in range(20):
        now = who(plan, over, at)
        assert now.since is None or now.since <= at
        if now.since is not None:
            assert who(plan, over, now.since - 1).person != now.person
        if now.until is None:
            return
        assert now.until > at
        assert who(plan, over, now.until - 1).person == now.person
        following = who(plan, over, now.until)
        assert following.since == now.until
        assert following.person != now.person
        at = now.until


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans, overrides(), st.integers(BEGIN, END - 30 * DAY_MS))
def test_gaps_are_where_nobody_is_on_call(plan, over, since):
    until = since + 30 * DAY_MS
    found = list(gaps(plan, over, since, until))
    assert found == sorted(found)
    assert all(since <= begin < end <= until for begin, end in found)
    for at in range(since, until, DAY_MS // 5):
        inside = any(begin <= at < end for begin, end in found)
        assert inside == (who(plan, over, at).person is None)


@given(st.sampled_from(ZONES), st.dates(date(2020, 1, 1), date(2037, 12, 31)), st.integers(0, 1439))
@settings(max_examples=80, deadline=None)
def test_a_time_of_the_wall_clock_is_when_it_is_first_reached(zone, day, minute):
    assert instant(day, minute, ZoneInfo(zone)) == reached(day, minute, zone)
