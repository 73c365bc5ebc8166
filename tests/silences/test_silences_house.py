"""Silences in Slack, from the typed word to what nobody is pinged for, with a clock that moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model.actor import Actor
from bot.model.found import Found
from bot.model.incident import Severity
from bot.model.message import State
from bot.services import found
from bot.workspace import faults
from bot.workspace.records import Message
from tests.support.delivered import row, settle
from tests.support.house import (
    ALICE,
    BOB,
    MALLORY,
    House,
    config_for,
    living,
    standing,
    text_of,
)

MINUTE = 60_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Without a bot: each test starts its own."""
    async with standing(tmp_path) as built:
        yield built


async def finds(house: House) -> int:
    """What detection does when a rule holds."""
    assert house.bot is not None
    what = Found(
        key="rule:cpu-critical:iora",
        title="iora: CPU 96 %",
        severity=Severity.SEV1,
        targets=("iora",),
        since=house.clock.now(),
    )
    done = await house.bot.database.write(found.declare, house.bot.live.config, what)
    house.bot.timer_loop.alarm.ring()
    house.bot.delivery_loop.alarm.ring()
    return done.incident.id


async def said(house: House, words: str) -> Message:
    return await house.until(
        lambda: next((m for m in house.messages() if words in text_of(m)), None),
        f"a message in the channel with {words!r}",
    )


async def test_what_the_bot_finds_while_it_is_silenced_pings_nobody_until_the_end(
    house: House,
) -> None:
    async with living(house, config_for(house.target)):
        answer = await house.slash(BOB, "silence iora 30m deploy")
        assert "what the bot finds on iora is not told until" in answer.message.text
        made = await said(house, f"<@{BOB}> silenced iora until")
        assert "(30 min): deploy." in made.text
        number = await finds(house)
        entry = await house.until_entry(number, "silenced")
        assert entry.facts["reason"] == "deploy"
        await house.until(
            lambda: (card := house.card(number)) and f"by <@{BOB}> until" in text_of(card),
            "a card that says so",
        )
        house.advance(29 * MINUTE)
        await house.until_sent()
        assert house.pings(ALICE) == []
        house.advance(MINUTE)
        ping = await house.until(lambda: house.pings(ALICE), "a ping after the end")
        assert "the silence is over" in text_of(ping[0])
        over = await said(house, "The silence of iora is over (deploy, 30 min)")
        assert "nothing was muted" in over.text
        card = await house.until(
            lambda: (card := house.card(number)) and "*Silenced*" not in text_of(card) and card,
            "a card that says so no more",
        )
        assert "SEV1" in text_of(card)


async def test_what_a_person_declares_pings_all_the_same(house: House) -> None:
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "silence iora 30m deploy")
        await house.slash(BOB, "declare sev1 iora it is really down")
        await house.until(lambda: house.pings(ALICE), "a ping")
        assert await house.entries(1, "silenced") == []


async def test_a_drill_pings_all_the_same(house: House) -> None:
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "silence all 30m move to another rack")
        await house.slash(ALICE, "drill critical start")
        await house.until(lambda: house.pings(ALICE), "a ping of the drill")


@pytest.mark.parametrize("fault", [faults.error_before, faults.reset_before])
async def test_a_ping_that_waits_while_slack_is_away_is_taken_back(
    house: House, fault: faults.Fault
) -> None:
    settings = config_for(house.target, roles={"responder": [BOB, "cli:ops"]})
    async with living(house, settings) as bot:
        house.slack.faults.add("conversations.open", fault, count=1_000)
        house.slack.faults.add("chat.postMessage", fault, count=1_000)
        number = await finds(house)
        told = await house.until_entry(number, "escalation")
        key = f"ping:{number}:{told.seq}:{ALICE}"
        assert told.facts["people"] == [ALICE]
        made = await bot.answer(Actor.login("ops"), "silence iora 30m deploy")
        assert "what the bot finds on iora is not told" in str(made["text"])
        house.slack.faults.clear()
        await said(house, "ops (command line) silenced iora until")
        await settle(house, key)
        ping = await row(house, key)
        assert ping is not None
        assert ping.state is State.WITHDRAWN
        assert house.pings(ALICE) == []


async def test_ended_early_by_the_button_it_goes_on_at_once(house: House) -> None:
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "silence iora 30m deploy")
        number = await finds(house)
        await house.until_entry(number, "silenced")
        made = await said(house, "silenced iora until")
        await house.press(ALICE, made, "iora:silence:end")
        over = await said(house, f"ended early by <@{ALICE}>")
        assert "The silence of iora is over (deploy" in over.text
        await house.until(lambda: house.pings(ALICE), "a ping at once")
        await house.until(
            lambda: "That is over." in text_of(house.keyed("silence:1:made") or made),
            "nothing to press any more",
        )


async def test_who_has_no_role_is_refused(house: House) -> None:
    async with living(house, config_for(house.target)):
        answer = await house.slash(MALLORY, "silence iora 30m I sleep")
        assert "You may not silence anything." in answer.message.text
        await house.slash(BOB, "silence iora 30m deploy")
        made = await said(house, "silenced iora until")
        await house.press(MALLORY, made, "iora:silence:end")
        await house.until(
            lambda: any("You may not end this" in text_of(m) for m in house.whispers(MALLORY)),
            "a refusal",
        )
        assert not any("is over" in m.text for m in house.messages())


async def test_the_list_names_what_runs_and_what_comes(house: House) -> None:
    begin = datetime.fromtimestamp(house.clock.now() / 1000 + 7_200, UTC)
    window = {
        "name": "backup",
        "timezone": "UTC",
        "reason": "nightly backup",
        "from": f"{begin:%H:%M}",
        "to": f"{datetime.fromtimestamp(begin.timestamp() + 600, UTC):%H:%M}",
    }
    async with living(house, config_for(house.target, maintenance=[window])):
        assert "*backup* (next) everything" in text_of((await house.slash(BOB, "silences")).message)
        await house.slash(BOB, "silence iora 30m deploy")
        shown = text_of((await house.slash(MALLORY, "silences")).message)
        assert "*1* iora until" in shown
        assert f"by <@{BOB}>: deploy" in shown
        assert "iora:silence:end" in shown


async def test_the_silence_outlives_a_restart_and_still_expires_aloud(house: House) -> None:
    settings = config_for(house.target)
    async with living(house, settings):
        await house.slash(BOB, "silence iora 30m deploy")
        await said(house, "silenced iora until")
    house.clock.move(45 * MINUTE)
    async with living(house, settings):
        over = await said(house, "The silence of iora is over (deploy, 30 min)")
        assert "iora is unknown: P95 unknown: 1 timed answers" in over.text


async def test_what_still_holds_is_said_at_the_end(house: House) -> None:
    async with living(house, config_for(house.target)):
        await house.slash(BOB, "silence iora 30m deploy")
        house.target.cpu = 96.0
        house.advance(30 * MINUTE)
        over = await said(house, "The silence of iora is over")
        assert "iora is still unhealthy: CPU 96 %" in over.text


async def test_the_command_line_does_the_same_and_the_doctor_tells(house: House) -> None:
    settings = config_for(house.target, roles={"responder": [BOB, "cli:ops"]})
    ops = Actor.login("ops")
    async with living(house, settings) as bot:
        made = await bot.answer(ops, "silence iora 30m deploy")
        assert made["json"]["silence"] == 1
        listed = await bot.answer(ops, "silences")
        assert [one["reason"] for one in listed["json"]["running"]] == ["deploy"]
        lines = [one["what"] for one in (await bot.answer(ops, "doctor"))["json"]["lines"]]
        assert "silence 1: iora for 30 min yet, by ops (deploy)" in lines
        ended = await bot.answer(ops, "silence end")
        assert "Silence 1 of iora is ended" in str(ended["text"])
        await said(house, "ended early by ops (command line)")
