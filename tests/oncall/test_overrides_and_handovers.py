"""Overrides and handovers in the store: who may, what counts, and that each person is told once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import Command, EndOverride, OnCall, SetOverride
from bot.model.config import Config
from bot.model.message import Message, Sent
from bot.rules.oncall import Roster
from bot.services import due, handover, oncall
from bot.services.incidents import Asked
from bot.services.roster import roster
from bot.services.sending import begin, finish
from bot.slack.parse import parse
from bot.store import outbox, timers
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import ALICE, BOB, MALLORY, config
from tests.support.incidents import alice, bob, mallory
from tests.support.schedules import ms, rotation

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONDAY = ms("2026-06-01T12:00+02:00")  # Alice's week; Bob's begins on the 8th at 09:00
CONFIG = config(
    oncall={
        "primary": {"timezone": "Europe/Berlin", "rotation": rotation(ALICE, BOB)},
        "secondary": {"timezone": "UTC", "rotation": rotation(BOB, ALICE)},
    }
)
WITHOUT = config()


class Rota:
    """The store, in which people say things and time goes by."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock

    async def says(self, actor: Actor, text: str, settings: Config = CONFIG) -> Answer | Refusal:
        command = parse(text, (), self.clock.now())
        assert isinstance(command, OnCall | SetOverride | EndOverride), command
        return await self.database.write(carry_out, settings, command, Asked(actor))

    async def start(self, settings: Config = CONFIG) -> None:
        """As at a start of the bot, and after a reload."""
        await self.database.write(due.schedule, settings)
        await self.go_on(0, settings)

    async def go_on(self, milliseconds: int, settings: Config = CONFIG) -> None:
        """Fire each handoff at its time."""
        end = self.clock.now() + milliseconds
        while (at := await self.database.read(next_handoff)) is not None and at <= end:
            self.clock.advance(max(0, at - self.clock.now()))
            await self.database.write(fire, settings)
        self.clock.advance(end - self.clock.now())

    async def on_call(self, schedule: str = "primary") -> str | None:
        behind: Roster = await self.database.read(roster, CONFIG)
        found = behind.people(f"oncall:{schedule}", self.clock.now())
        return found[0] if found else None

    async def handovers(self, schedule: str = "primary") -> list[tuple[str, str | None]]:
        """Whom a handover told, and who was named as the one before, in order."""
        found = await self.database.read(outbox.with_prefix, f"handover:{schedule}:")
        return [
            (one.facts["duty"]["person"], (one.facts["before"] or {}).get("person"))
            for one in found
        ]

    async def channel(self) -> list[Message]:
        """What the channel is told."""
        return await self.database.read(outbox.with_prefix, "override:")


def carry_out(tx: Tx, settings: Config, command: Command, asked: Asked) -> Answer | Refusal:
    match command:
        case OnCall():
            return oncall.ask(tx, settings, command)
        case SetOverride():
            return oncall.set_override(tx, settings, command, asked)
        case EndOverride():
            return oncall.end_override(tx, settings, command, asked)
    raise AssertionError(command)


def next_handoff(tx: Tx) -> int | None:
    row = tx.one("SELECT MIN(due_at) AS at FROM timers WHERE kind = 'handoff'")
    return row["at"] if row else None


def fire(tx: Tx, settings: Config) -> None:
    for timer in timers.claim(tx, 10, handover.KIND):
        handover.hand_over(tx, timer, settings)


@pytest.fixture
async def rota(database: Database, clock: ManualClock) -> Rota:
    clock.advance(MONDAY - clock.now())
    return Rota(database, clock)


def facts(given: Answer | Refusal) -> Any:
    assert isinstance(given, Answer), given
    return given.facts


def refusal(given: Answer | Refusal) -> str:
    assert isinstance(given, Refusal), given
    return str(given)


async def test_an_override_counts_from_now_until_it_is_over(rota: Rota) -> None:
    assert await rota.on_call() == ALICE
    made = facts(await rota.says(alice, f"override primary {BOB} 4h"))
    assert (made["person"], made["instead"], made["until"]) == (BOB, ALICE, MONDAY + 4 * HOUR)
    assert await rota.on_call() == BOB
    assert await rota.on_call("secondary") == BOB  # by its own rotation
    await rota.go_on(4 * HOUR)
    assert await rota.on_call() == ALICE


async def test_an_override_may_begin_later_on_the_wall_clock_of_its_schedule(rota: Rota) -> None:
    made = facts(await rota.says(alice, f"override primary {BOB} 4h from 18:00"))
    assert made["since"] == ms("2026-06-01T18:00+02:00")
    assert await rota.on_call() == ALICE
    tomorrow = facts(await rota.says(alice, f"override secondary {ALICE} 1h from 09:30"))
    assert tomorrow["since"] == ms("2026-06-02T09:30+00:00")


async def test_the_newest_counts_and_the_older_one_comes_back(rota: Rota) -> None:
    await rota.says(alice, f"override primary {BOB} 4h")
    await rota.says(alice, f"override primary {MALLORY} 1h")
    assert await rota.on_call() == MALLORY
    ended = facts(await rota.says(alice, "override primary off"))
    assert (ended["person"], ended["instead"]) == (MALLORY, BOB)
    assert await rota.on_call() == BOB


async def test_off_takes_back_the_next_one_where_none_counts_now(rota: Rota) -> None:
    await rota.says(alice, f"override primary {BOB} 4h from 20:00")
    await rota.says(alice, f"override primary {MALLORY} 1h from 18:00")
    assert facts(await rota.says(alice, "override primary off"))["person"] == MALLORY
    assert facts(await rota.says(alice, "override primary off"))["person"] == BOB
    assert refusal(await rota.says(alice, "override primary off")) == (
        "No override of `primary` counts now or is to come. See `/iora oncall primary`."
    )


async def test_what_is_over_stays_for_the_record(rota: Rota) -> None:
    await rota.says(alice, f"override primary {BOB} 4h")
    await rota.go_on(HOUR)
    await rota.says(alice, "override primary off")
    await rota.go_on(DAY)
    before = facts(await rota.says(alice, "oncall primary --at 2026-06-01T12:30"))
    (then,) = before["schedules"]
    assert then["now"] == {
        "person": BOB, "since": MONDAY, "until": MONDAY + HOUR, "because": "override",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("actor", "text", "may"),
    [
        (alice, f"override primary {BOB} 4h", True),
        (bob, f"override primary {MALLORY} 4h", True),
        (mallory, f"override primary {MALLORY} 4h", True),
        (mallory, f"override primary {BOB} 4h", False),
        (Actor.login("ops"), f"override primary {BOB} 4h", False),
        (Actor.slack("T99OTHER", "U09EVE"), f"override primary {BOB} 4h", False),
    ],
)
async def test_who_may_put_somebody_on_call(rota: Rota, actor: Actor, text: str, may: bool) -> None:
    given = await rota.says(actor, text)
    assert isinstance(given, Answer) is may
    if not may:
        said = (
            f"You may not put somebody else on call. Who may: the person themself; <@{ALICE}> and"
            f" <@{BOB}>."
        )
        hint = " To be one of them, add cli:ops under `roles` in the config."
        assert refusal(given) == (said if actor.person else said + hint)
        assert await rota.channel() == []


@pytest.mark.parametrize(
    ("made_by", "person", "ended_by", "may"),
    [
        (alice, MALLORY, mallory, True),  # the person themself
        (mallory, MALLORY, bob, True),  # a responder
        (alice, BOB, mallory, False),
    ],
)
async def test_who_may_take_it_back(
    rota: Rota, made_by: Actor, person: str, ended_by: Actor, may: bool
) -> None:
    await rota.says(made_by, f"override primary {person} 4h")
    given = await rota.says(ended_by, "override primary off")
    assert isinstance(given, Answer) is may
    assert (await rota.on_call() == person) is not may


async def test_the_channel_is_told_of_both(rota: Rota) -> None:
    await rota.says(alice, f"override primary {BOB} 4h")
    await rota.says(bob, "override primary off")
    told = [(one.destination, one.facts["what"], one.facts["by"]) for one in await rota.channel()]
    assert told == [
        ("channel:incidents", "made", alice.text),
        ("channel:incidents", "ended", bob.text),
    ]


async def test_the_same_words_typed_again_at_once_are_done_once(rota: Rota) -> None:
    first = facts(await rota.says(alice, f"override primary {BOB} 4h"))
    rota.clock.advance(30_000)
    again = facts(await rota.says(alice, f"override primary {BOB} 4h"))
    assert (again["override"], again["instead"]) == (first["override"], ALICE)
    assert (first["fresh"], again["fresh"]) == (True, False)
    assert len(await rota.channel()) == 1
    other = facts(await rota.says(alice, f"override primary {BOB} 4h from 18:00"))
    assert other["fresh"]
    assert not facts(await rota.says(alice, f"override primary {BOB} 4h from 18:00"))["fresh"]
    later = facts(await rota.says(alice, f"override primary {BOB} 4h from 22:00"))
    assert later["fresh"], "another beginning is another override"
    assert later["since"] == ms("2026-06-01T22:00+02:00")
    rota.clock.advance(MINUTE)
    assert facts(await rota.says(alice, f"override primary {BOB} 4h"))["fresh"]


REFUSED = {
    f"override pirmary {BOB} 4h": "There is no schedule `pirmary`. Did you mean `primary`?",
    f"override x {BOB} 4h": "There is no schedule `x`. There are: primary, secondary.",
    "override x off": "There is no schedule `x`. There are: primary, secondary.",
    "oncall x": "There is no schedule `x`. There are: primary, secondary.",
    f"override primary {BOB} 4h from 2026-06-01T11:00": (
        "An override begins now or within a year. Give another time."
    ),
    f"override primary {BOB} 4h from 2028-01-01": (
        "An override begins now or within a year. Give another time."
    ),
}


@pytest.mark.parametrize("text", REFUSED)
async def test_what_is_refused_says_why(rota: Rota, text: str) -> None:
    assert refusal(await rota.says(alice, text)) == REFUSED[text]


@pytest.mark.parametrize("text", ["oncall", f"override primary {BOB} 4h", "override primary off"])
async def test_without_schedules_there_is_nothing_to_ask(rota: Rota, text: str) -> None:
    assert refusal(await rota.says(alice, text, WITHOUT)) == (
        "No schedule is configured. Add one below `oncall` in the config."
    )


async def test_on_call_now_and_next(rota: Rota) -> None:
    asked = facts(await rota.says(alice, "oncall"))
    primary, secondary = asked["schedules"]
    assert (primary["schedule"], primary["timezone"]) == ("primary", "Europe/Berlin")
    assert primary["now"]["person"] == ALICE
    assert primary["now"]["until"] == ms("2026-06-08T09:00+02:00")
    assert [duty["person"] for duty in primary["next"]] == [BOB, ALICE, BOB]
    assert secondary["now"]["until"] == ms("2026-06-08T09:00+00:00")


async def test_a_time_that_the_clocks_skip_is_when_they_change(rota: Rota) -> None:
    asked = facts(await rota.says(alice, "oncall primary --at 2026-03-29T02:30"))
    assert asked["schedules"][0]["at"] == ms("2026-03-29T03:00+02:00")


async def test_a_gap_is_a_finding(rota: Rota) -> None:
    nobody = config(oncall={"primary": {"timezone": "UTC", "rotation": rotation()}})
    given = await rota.says(alice, "oncall", nobody)
    assert isinstance(given, Answer)
    assert given.finding
    assert given.facts["schedules"][0]["now"]["person"] is None


async def test_whoever_goes_on_call_is_told_once_and_who_was_before(rota: Rota) -> None:
    await rota.start()
    assert await rota.handovers() == [(ALICE, BOB)]
    await rota.go_on(14 * DAY)
    assert await rota.handovers() == [(ALICE, BOB), (BOB, ALICE), (ALICE, BOB)]
    keys = [one.key for one in await rota.database.read(outbox.with_prefix, "handover:primary:")]
    assert f"handover:primary:{ms('2026-06-08T09:00+02:00')}:{BOB}" in keys


async def test_a_restart_or_a_reload_tells_nobody_again(rota: Rota) -> None:
    await rota.start()
    await rota.go_on(HOUR)
    await rota.start()
    assert await rota.handovers() == [(ALICE, BOB)]


async def test_handoffs_while_the_bot_was_down_are_not_told_one_by_one(rota: Rota) -> None:
    await rota.start()
    rota.clock.advance(21 * DAY)  # Bob's week, Alice's, and the first day of Bob's second
    await rota.start()
    assert await rota.handovers() == [(ALICE, BOB), (BOB, ALICE)]


async def test_who_is_on_call_before_and_after_a_downtime_hears_nothing(rota: Rota) -> None:
    await rota.start()
    rota.clock.advance(14 * DAY)
    await rota.start()
    assert await rota.handovers() == [(ALICE, BOB)]


async def test_a_handover_that_comes_too_late_for_the_turn_is_not_told(rota: Rota) -> None:
    """Slack was away; whoever is on call by now has a handover of their own."""
    await rota.start()
    await rota.says(alice, f"override primary {BOB} 4h")
    await rota.go_on(5 * HOUR)
    told: list[str] = []
    for person in (BOB, ALICE):
        while attempt := await rota.database.write(begin, f"user:{person}", CONFIG):
            told.append(attempt.message.key)
            await rota.database.write(finish, attempt, Sent("D01", attempt.message.key), CONFIG)
    back = MONDAY + 4 * HOUR
    assert f"handover:primary:{MONDAY}:{BOB}" not in told
    assert f"handover:primary:{back}:{ALICE}" in told


async def test_an_override_hands_over_at_once_and_back(rota: Rota) -> None:
    await rota.start()
    await rota.says(alice, f"override primary {BOB} 4h")
    await rota.go_on(HOUR)
    await rota.says(alice, "override primary off")
    await rota.go_on(0)
    assert await rota.handovers() == [(ALICE, BOB), (BOB, ALICE), (ALICE, BOB)]


async def test_an_override_that_comes_later_hands_over_at_its_time(rota: Rota) -> None:
    await rota.start()
    await rota.says(alice, f"override primary {BOB} 4h from 18:00")
    await rota.go_on(5 * HOUR)
    assert await rota.handovers() == [(ALICE, BOB)]
    await rota.go_on(HOUR)
    assert await rota.handovers() == [(ALICE, BOB), (BOB, ALICE)]


async def test_another_config_tells_who_is_on_call_by_it(rota: Rota) -> None:
    await rota.start()
    changed = config(oncall={"primary": {"timezone": "UTC", "rotation": rotation(MALLORY)}})
    await rota.start(changed)
    assert (await rota.handovers())[-1][0] == MALLORY
    assert await rota.database.read(timers.armed, handover.KIND) == ["primary"]


async def test_a_schedule_that_never_changes_keeps_its_timer(rota: Rota) -> None:
    alone = config(oncall={"primary": {"timezone": "UTC", "rotation": rotation(MALLORY)}})
    await rota.start(alone)
    await rota.go_on(30 * DAY, alone)
    assert await rota.handovers() == [(MALLORY, None)]
    assert await rota.database.read(timers.armed, handover.KIND) == ["primary"]


async def test_roles_and_schedules_have_people_behind_them(rota: Rota) -> None:
    roles = {"responder": [ALICE, "cli:ops", BOB]}
    behind = Roster(config(oncall={"primary": {"timezone": "UTC", "rotation": rotation(BOB)}},
                           roles=roles))  # fmt: skip
    assert behind.people("role:responder", MONDAY) == (ALICE, BOB)
    assert behind.people("role:commander", MONDAY) == ()
    assert behind.people("oncall:primary", MONDAY) == (BOB,)
    assert behind.people("oncall:gone-after-a-reload", MONDAY) == ()
