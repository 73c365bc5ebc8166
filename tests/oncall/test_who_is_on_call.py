"""Who is on call when the clocks change, where hours and weekdays end, and under overrides: one table."""

from __future__ import annotations

import pytest

from bot.model.schedule import Duty
from bot.rules.oncall import gaps, upcoming, who
from tests.support.schedules import A, B, C, ms, override, rotation, schedule

# In Europe/Berlin the clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25;
# in America/Havana from 00:00 to 01:00 on 2026-03-08, and from 01:00 to 00:00 on 2026-11-01.
WEEKLY = schedule(rotation=rotation(A, B))
SUNDAYS = schedule(rotation=rotation(A, B, handoff="Sun 02:30"))
DAILY = schedule(rotation=rotation(A, B, handoff="02:30", every="day"))
MIDNIGHT = schedule("America/Havana", rotation=rotation(A, B, handoff="00:00", every=1))
NEW_YORK = schedule("America/New_York", rotation=rotation(A, B))
OFFICE = schedule(layers=[{"rotation": rotation(A), "hours": "09:00-17:00", "weekdays": "mon-fri"}])
NIGHTS = schedule(
    layers=[
        {"rotation": rotation(A)},
        {"rotation": rotation(C), "hours": "22:00-06:00", "weekdays": ["fri"]},
    ]
)
SHORT = schedule(layers=[{"rotation": rotation(A), "hours": "01:30-02:30"}])
SKIPPED = schedule(layers=[{"rotation": rotation(A), "hours": "02:00-03:00"}])
NEW = schedule(rotation=rotation(A, B, start="2026-06-03"))
EMPTY = schedule(rotation=rotation())
BY_DAY = schedule(rotation=rotation(A, B, C, handoff="08:00", every=2, start="2026-06-02"))

NOON = override(1, C, "2026-06-02T12:00+02:00", "2026-06-02T16:00+02:00")
NEWER = override(2, B, "2026-06-02T14:00+02:00", "2026-06-02T15:00+02:00")
OFF = override(3, B, "2026-06-02T12:00+02:00", "2026-06-02T16:00+02:00", "2026-06-02T13:00+02:00")
NEVER = override(4, B, "2026-06-02T12:00+02:00", "2026-06-02T16:00+02:00", "2026-06-02T11:00+02:00")
NIGHT = override(5, C, "2026-03-29T01:00+01:00", "2026-03-29T05:00+02:00")
IN_GAP = override(6, C, "2026-06-06T12:00+02:00", "2026-06-06T16:00+02:00")

TABLE = [
    # the case; the schedule and its overrides; a time on the wall clock; who is on call
    ("a week begins with its handoff", WEEKLY, (), "2026-06-01T09:00+02:00", A),
    ("a moment before it is the week before", WEEKLY, (), "2026-06-01T08:59:59.999+02:00", B),
    ("a handoff is at the same time of day in winter", WEEKLY, (), "2026-01-12T09:00+01:00", A),
    ("and an hour earlier on the time line in summer", WEEKLY, (), "2026-06-01T07:00+00:00", A),
    ("turns were counted the same before the anchor", WEEKLY, (), "2023-12-31T12:00+01:00", B),
    ("spring: before the clocks go forward over the handoff", SUNDAYS, (), "2026-03-29T01:59+01:00", B),
    ("spring: 02:30 does not exist and happens at 03:00", SUNDAYS, (), "2026-03-29T03:00+02:00", A),
    ("spring: the week after hands over at 02:30 again", SUNDAYS, (), "2026-04-05T02:29+02:00", A),
    ("spring: and no turn is left out", SUNDAYS, (), "2026-04-05T02:30+02:00", B),
    ("spring: a daily turn is not left out either", DAILY, (), "2026-03-29T01:59+01:00", B),
    ("spring: the next begins when the clocks change", DAILY, (), "2026-03-29T03:00+02:00", A),
    ("spring: and ends the next day at its time", DAILY, (), "2026-03-30T02:30+02:00", B),
    ("autumn: before 02:30 comes the first time", SUNDAYS, (), "2026-10-25T02:29+02:00", B),
    ("autumn: the first 02:30 hands over", SUNDAYS, (), "2026-10-25T02:30+02:00", A),
    ("autumn: between the two", SUNDAYS, (), "2026-10-25T02:10+01:00", A),
    ("autumn: the second 02:30 hands nothing over", SUNDAYS, (), "2026-10-25T02:30+01:00", A),
    ("autumn: a daily turn is not taken twice", DAILY, (), "2026-10-25T02:31+01:00", A),
    ("autumn: nor the next one left out", DAILY, (), "2026-10-26T02:30+01:00", B),
    ("midnight that is skipped: until then the day before", MIDNIGHT, (), "2026-03-07T23:59-05:00", A),
    ("midnight that is skipped happens at 01:00", MIDNIGHT, (), "2026-03-08T01:00-04:00", B),
    ("midnight twice: the first hands over", MIDNIGHT, (), "2026-11-01T00:00-04:00", B),
    ("midnight twice: the second doesn't", MIDNIGHT, (), "2026-11-01T00:00-05:00", B),
    ("another zone changes on another day: still Alice there", NEW_YORK, (), "2026-03-16T08:59-04:00", A),
    ("another zone: Bob at its own nine o'clock", NEW_YORK, (), "2026-03-16T09:00-04:00", B),
    ("hours: the first moment", OFFICE, (), "2026-06-05T09:00+02:00", A),
    ("hours: the end is not among them", OFFICE, (), "2026-06-05T17:00+02:00", None),
    ("weekdays: nobody on a Saturday", OFFICE, (), "2026-06-06T12:00+02:00", None),
    ("overnight: Friday's begins on Friday", NIGHTS, (), "2026-06-05T22:00+02:00", C),
    ("overnight: and lasts into Saturday", NIGHTS, (), "2026-06-06T05:59+02:00", C),
    ("overnight: the layer below has the rest", NIGHTS, (), "2026-06-06T06:00+02:00", A),
    ("overnight: Thursday's night is no Friday's", NIGHTS, (), "2026-06-05T03:00+02:00", A),
    ("hours that end when the clocks change", SHORT, (), "2026-03-29T01:59+01:00", A),
    ("hours that end in a skipped hour end when it begins", SHORT, (), "2026-03-29T03:00+02:00", None),
    ("hours that end in a doubled hour end the first time", SHORT, (), "2026-10-25T02:30+02:00", None),
    ("hours that end in a doubled hour don't come again", SHORT, (), "2026-10-25T02:15+01:00", None),
    ("hours that are skipped are nobody's", SKIPPED, (), "2026-03-29T03:00+02:00", None),
    ("hours that come twice are covered both times", SKIPPED, (), "2026-10-25T02:59+01:00", A),
    ("before the start nobody", NEW, (), "2026-06-08T08:59+02:00", None),
    ("the first handoff since the start is the first person's", NEW, (), "2026-06-08T09:00+02:00", A),
    ("turns of two days: the first", BY_DAY, (), "2026-06-04T07:59+02:00", A),
    ("turns of two days: the second", BY_DAY, (), "2026-06-04T08:00+02:00", B),
    ("turns of two days: after the last the first again", BY_DAY, (), "2026-06-08T08:00+02:00", A),
    ("no people, nobody", EMPTY, (), "2026-06-02T12:00+02:00", None),
    ("an override begins", WEEKLY, (NOON,), "2026-06-02T12:00+02:00", C),
    ("before it the rotation", WEEKLY, (NOON,), "2026-06-02T11:59+02:00", A),
    ("after it too", WEEKLY, (NOON,), "2026-06-02T16:00+02:00", A),
    ("the newest counts where two overlap", WEEKLY, (NOON, NEWER), "2026-06-02T14:30+02:00", B),
    ("in whatever order they are given", WEEKLY, (NEWER, NOON), "2026-06-02T14:30+02:00", B),
    ("and then the older one again", WEEKLY, (NOON, NEWER), "2026-06-02T15:00+02:00", C),
    ("one that was taken back counted until then", WEEKLY, (OFF,), "2026-06-02T12:59+02:00", B),
    ("and doesn't from then on", WEEKLY, (OFF,), "2026-06-02T13:00+02:00", A),
    ("one taken back before it began never counts", WEEKLY, (NEVER,), "2026-06-02T12:30+02:00", A),
    ("an override goes over a change of the clocks", SUNDAYS, (NIGHT,), "2026-03-29T03:00+02:00", C),
    ("and over a handoff, which is kept beneath it", SUNDAYS, (NIGHT,), "2026-03-29T05:00+02:00", A),
    ("an override fills a gap", OFFICE, (IN_GAP,), "2026-06-06T12:00+02:00", C),
    ("it is in front of every layer", NIGHTS, (IN_GAP,), "2026-06-06T13:00+02:00", C),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "overrides", "at", "person"),
    [row[1:] for row in TABLE],
    ids=[str(row[0]) for row in TABLE],
)
def test_who_is_on_call(plan, overrides, at, person):
    assert who(plan, overrides, ms(at)).person == person


STRETCHES = [
    # the case; the schedule and its overrides; a time; from when to when it is the same person, and why
    ("a week with a change of the clocks has an hour less", WEEKLY, (), "2026-03-25T12:00+01:00",
     "2026-03-23T09:00+01:00", "2026-03-30T09:00+02:00", "rotation"),
    ("and in autumn an hour more", WEEKLY, (), "2026-10-22T12:00+02:00",
     "2026-10-19T09:00+02:00", "2026-10-26T09:00+01:00", "rotation"),
    ("a gap lasts over the weekend", OFFICE, (), "2026-06-06T12:00+02:00",
     "2026-06-05T17:00+02:00", "2026-06-08T09:00+02:00", "nobody"),
    ("a layer above cuts the one below", NIGHTS, (), "2026-06-06T12:00+02:00",
     "2026-06-06T06:00+02:00", "2026-06-12T22:00+02:00", "layer 1"),
    ("a layer above has its own hours", NIGHTS, (), "2026-06-06T01:00+02:00",
     "2026-06-05T22:00+02:00", "2026-06-06T06:00+02:00", "layer 2"),
    ("an override", WEEKLY, (NOON, NEWER), "2026-06-02T13:00+02:00",
     "2026-06-02T12:00+02:00", "2026-06-02T14:00+02:00", "override"),
    ("an override by the one who is on call changes nothing", WEEKLY,
     (override(1, A, "2026-06-02T12:00+02:00", "2026-06-02T16:00+02:00"),),
     "2026-06-02T13:00+02:00", "2026-06-01T09:00+02:00", "2026-06-08T09:00+02:00", "override"),
    ("somebody alone is always on call", schedule(rotation=rotation(A)), (),
     "2026-06-02T12:00+02:00", None, None, "rotation"),
    ("nobody ever, and nobody comes", EMPTY, (), "2026-06-02T12:00+02:00", None, None, "nobody"),
    ("before the start, however long ago", NEW, (), "2026-06-02T12:00+02:00",
     None, "2026-06-08T09:00+02:00", "nobody"),
    ("weekdays next to each other are one stretch",
     schedule(layers=[{"rotation": rotation(A), "weekdays": "mon-fri"}]), (),
     "2026-06-03T12:00+02:00", "2026-06-01T00:00+02:00", "2026-06-06T00:00+02:00", "rotation"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "overrides", "at", "since", "until", "because"),
    [row[1:] for row in STRETCHES],
    ids=[str(row[0]) for row in STRETCHES],
)
def test_from_when_to_when_it_is_the_same_person(plan, overrides, at, since, until, because):
    found = who(plan, overrides, ms(at))
    assert (found.since, found.until, found.because) == (
        ms(since) if since else None,
        ms(until) if until else None,
        because,
    )


def test_what_is_upcoming_are_the_next_changes_gaps_among_them():
    friday = ms("2026-06-05T12:00+02:00")
    assert upcoming(OFFICE, (), friday, 2) == (
        Duty(
            person=None,
            since=ms("2026-06-05T17:00+02:00"),
            until=ms("2026-06-08T09:00+02:00"),
            because="nobody",
        ),
        Duty(
            person=A,
            since=ms("2026-06-08T09:00+02:00"),
            until=ms("2026-06-08T17:00+02:00"),
            because="rotation",
        ),
    )
    assert upcoming(schedule(rotation=rotation(A)), (), friday, 2) == ()


def test_gaps_are_cut_to_what_was_asked_about():
    assert list(gaps(OFFICE, (), ms("2026-06-05T18:00+02:00"), ms("2026-06-09T08:00+02:00"))) == [
        (ms("2026-06-05T18:00+02:00"), ms("2026-06-08T09:00+02:00")),
        (ms("2026-06-08T17:00+02:00"), ms("2026-06-09T08:00+02:00")),
    ]
    assert list(gaps(WEEKLY, (), ms("2026-01-01T00:00+00:00"), ms("2026-12-31T00:00+00:00"))) == []
    assert list(gaps(EMPTY, (), 0, 1_000)) == [(0, 1_000)]
