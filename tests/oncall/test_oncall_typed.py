"""How `oncall` and `override` are written."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from bot.model.answer import Refusal
from bot.model.command import Command, EndOverride, OnCall, SetOverride
from bot.slack.parse import parse
from tests.support.clock import NOON
from tests.support.configs import BOB

HOUR = 3_600_000
NIGHT = datetime.fromisoformat("2026-03-29T02:30")

COMMANDS: dict[str, Command] = {
    "oncall": OnCall(),
    "oncall primary": OnCall(schedule="primary"),
    "oncall --at 18:00": OnCall(at=time(18)),
    "oncall primary --at 2026-03-29T02:30": OnCall(schedule="primary", at=NIGHT),
    "oncall primary \u2014at 2026-03-29 02:30": OnCall(schedule="primary", at=NIGHT),
    "oncall at 2026-03-29T02:30Z": OnCall(at=NIGHT.replace(tzinfo=UTC)),
    "oncall --at 2026-03-29": OnCall(at=datetime.fromisoformat("2026-03-29T00:00")),
    f"override primary <@{BOB}|bob> 4h": SetOverride(
        schedule="primary", person=BOB, length=4 * HOUR
    ),
    f"override primary {BOB} 1h 30m": SetOverride(
        schedule="primary", person=BOB, length=HOUR * 3 // 2
    ),
    f"override primary <@{BOB}> 4h from 18:00": SetOverride(
        schedule="primary", person=BOB, length=4 * HOUR, start=time(18)
    ),
    f"override primary <@{BOB}> 2d from 2026-03-29 02:30": SetOverride(
        schedule="primary", person=BOB, length=48 * HOUR, start=NIGHT
    ),
    "override primary off": EndOverride(schedule="primary"),
    "override primary OFF": EndOverride(schedule="primary"),
}


@pytest.mark.parametrize("typed", COMMANDS)
def test_what_is_typed_is_understood(typed: str) -> None:
    assert parse(typed, ("iora",), NOON) == COMMANDS[typed]


REFUSED = {
    "oncall primary secondary": "`primary secondary` is no schedule.",
    "oncall --at": "Say which time: 18:00 or 2026-03-29T02:30, for example.",
    "oncall --at soon": "`soon` is no time such as 18:00 or 2026-03-29T02:30.",
    "oncall --at 0001-01-01": "`0001-01-01` is no time such as 18:00 or 2026-03-29T02:30.",
    "override": "Name a schedule and a person: type @ and pick.",
    "override primary": "Name a schedule and a person: type @ and pick.",
    "override primary bob 4h": "Name a schedule and a person: type @ and pick.",
    f"override primary <@{BOB}>": "Say for how long: 4h or 2d, for example.",
    f"override primary <@{BOB}> from 18:00": "Say for how long: 4h or 2d, for example.",
    f"override primary <@{BOB}> 4h from": "Say which time: 18:00 or 2026-03-29T02:30, for example.",
    f"override primary <@{BOB}> 0h": "`0h` is no duration such as 4h or 2d.",
    f"override primary <@{BOB}> long": "`long` is no duration such as 4h or 2d.",
    f"override primary <@{BOB}> 4h from noon": "`noon` is no time such as 18:00 or 2026-03-29T02:30.",
}


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_not_is_refused_with_the_way_to_write_it(typed: str) -> None:
    refusal = parse(typed, ("iora",), NOON)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == REFUSED[typed]
    assert refusal.remedy.startswith(f"Write `/iora {typed.split(maxsplit=1)[0]} ")
