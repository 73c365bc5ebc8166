"""Schedules in `config.yaml`: what is wrong is told at its place, what is unwise becomes a note."""

from __future__ import annotations

from datetime import date

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config_text
from bot.files.schedule_note import schedule_notes
from bot.model.calendar import handoff_of
from bot.model.schedule import ANCHOR
from tests.support.schedules import A, B, ms, rotation, schedule

HEAD = """\
version: 1
targets: {iora: {health: {url: http://127.0.0.1:8080/api/health}}}
escalation:
  default: page
  last_resort: ["role:commander"]
  policies:
    page: {levels: [{after: 0s, notify: [channel, "oncall:primary"]}]}
roles: {commander: [U01ALICE]}
oncall:
"""
GOOD = "  primary: {timezone: Europe/Berlin, rotation: {people: [U01ALICE, U02BOB]}}\n"
OFFICE = (
    "  primary: {timezone: Europe/Berlin, layers: [{rotation: {people: [U02BOB]},"
    " hours: 09:00-17:00, weekdays: mon-fri}]}\n"
)
MONDAY = ms("2026-06-01T12:00+02:00")


def first_lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config_text(text, "c.yaml", {})
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


WRONG = {
    "a schedule that nobody defined": (
        ('"oncall:primary"', '"oncall:pirmary"'),
        "c.yaml:7:51: there is no schedule of this name; did you mean primary?",
    ),
    "a role that there is not": (
        ('"role:commander"', '"role:comander"'),
        "c.yaml:5:17: there is no role of this name; did you mean commander?",
    ),
    "a time zone with a slip": (
        ("Europe/Berlin", "Europe/Berlni"),
        "c.yaml:10:23: there is no such time zone; did you mean Europe/Berlin?",
    ),
    "no time zone at all": (
        ("Europe/Berlin", "../../etc/passwd"),
        "c.yaml:10:23: there is no such time zone; expected a name such as Europe/Berlin or UTC",
    ),
    "somebody by name": (
        ("U02BOB]", "bob]"),
        (
            "c.yaml:10:68: got text 'bob'; expected a Slack member id such as U02BOB (profile, More,"
            " Copy member ID)"
        ),
    ),
    "neither a rotation nor layers": (
        (", rotation: {people: [U01ALICE, U02BOB]}", ""),
        "c.yaml:10:12: got a mapping; expected either a rotation or layers",
    ),
    "both": (
        ("U02BOB]}", "U02BOB]}, layers: [{rotation: {people: []}}]"),
        "c.yaml:10:12: got a mapping; expected either a rotation or layers",
    ),
    "a handoff that is no time": (
        ("U02BOB]", 'U02BOB], handoff: "Mon 25:00"'),
        (
            "c.yaml:10:86: got text 'Mon 25:00'; expected a time of day such as 09:00, or with its"
            " weekday: Mon 09:00"
        ),
    ),
    "a weekday, where turns are no weeks": (
        ("U02BOB]", "U02BOB], handoff: Mon 09:00, every: 3d"),
        (
            "c.yaml:10:86: got text 'Mon 09:00'; expected a time without a weekday, as every is no"
            " number of weeks"
        ),
    ),
    "turns of no length": (
        ("U02BOB]", "U02BOB], every: 0d"),
        (
            "c.yaml:10:84: got text '0d'; expected day, week, days such as 3d or weeks such as 2w, a"
            " year at most"
        ),
    ),
    "a start that is no day": (
        ("U02BOB]", "U02BOB], start: 2026-02-30"),
        "c.yaml:10:84: got text '2026-02-30'; expected a day such as 2026-01-05",
    ),
    "hours that are none": (
        (
            "rotation: {people: [U01ALICE, U02BOB]}",
            "layers: [{rotation: {people: []}, hours: 9-17}]",
        ),
        (
            "c.yaml:10:79: got text '9-17'; expected hours such as 09:00-17:00, or overnight"
            " 22:00-06:00"
        ),
    ),
    "a weekday that is none": (
        (
            "rotation: {people: [U01ALICE, U02BOB]}",
            "layers: [{rotation: {people: []}, weekdays: [mon, fry]}]",
        ),
        "c.yaml:10:82: got a list; expected weekdays such as [mon, tue] or mon-fri",
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_at_its_place(change: tuple[str, str], expected: str) -> None:
    text = HEAD + GOOD
    assert change[0] in text
    assert first_lines(text.replace(*change, 1)) == [expected]


def notes(schedules: str) -> list[str]:
    config = load_config_text(HEAD + schedules, "c.yaml", {})
    return [str(note) for note in schedule_notes(config, MONDAY)]


NOTES = {
    "a schedule that always has somebody": (GOOD, []),
    "people who are unknown to the rest of the file": (GOOD.replace("U02BOB", "U77STRANGER"), []),
    "office hours": (
        OFFICE,
        [
            (
                "note: oncall.primary: nobody is on call from Mon 2026-06-01 17:00 to Tue 2026-06-02"
                " 09:00 (Europe/Berlin), and 21 more times in 30 days; add people or a layer"
            )
        ],
    ),
    "nobody at all": (
        "  primary: {timezone: UTC, rotation: {people: []}}\n",
        [("note: oncall.primary: nobody is on call in the next 30 days; add people or a layer")],
    ),
    "a schedule that nothing uses": (
        GOOD + GOOD.replace("primary", "spare"),
        [
            (
                "note: oncall.spare: no level and no last_resort names it: nobody is told by it; add"
                " oncall:spare to a level's notify"
            )
        ],
    ),
}


@pytest.mark.parametrize(("schedules", "expected"), NOTES.values(), ids=NOTES.keys())
def test_what_is_unwise_becomes_a_note(schedules: str, expected: list[str]) -> None:
    assert notes(schedules) == expected


EVERY = {"day": 1, "1d": 1, "3d": 3, "week": 7, "1w": 7, "2w": 14, 10: 10, "10": 10, "Week": 7}


@pytest.mark.parametrize("written", EVERY)
def test_turns_are_days_or_weeks(written: object) -> None:
    found = schedule(rotation=rotation(A, handoff="09:00", every=written)).rotation
    assert found is not None
    assert found.every == EVERY[written]


WEEKDAYS = {
    "mon-fri": (0, 1, 2, 3, 4),
    "Sat-Mon": (0, 5, 6),
    "wednesday": (2,),
    "tue, thu": (1, 3),
}


@pytest.mark.parametrize("written", WEEKDAYS)
def test_weekdays_are_written_in_many_ways(written: str) -> None:
    (layer,) = schedule(layers=[{"rotation": rotation(A), "weekdays": written}]).layers
    assert layer.weekdays == WEEKDAYS[written]


FIRST_DAYS = {
    # handoff, start: the day of the first handoff
    ("Mon 09:00", None): ANCHOR,
    ("Sun 09:00", None): date(2024, 1, 7),
    ("09:00", "2026-06-03"): date(2026, 6, 3),
    ("Wed 09:00", "2026-06-03"): date(2026, 6, 3),
    ("Mon 09:00", "2026-06-03"): date(2026, 6, 8),
}


@pytest.mark.parametrize(("handoff", "start"), FIRST_DAYS)
def test_the_first_turn_begins_at_the_first_handoff(handoff: str, start: str | None) -> None:
    more = {"start": start} if start else {}
    found = schedule(rotation=rotation(A, B, handoff=handoff, **more)).rotation
    assert found is not None
    assert found.first_day == FIRST_DAYS[handoff, start]
    assert handoff_of(found.handoff)[1] == 9 * 60
