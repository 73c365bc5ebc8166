"""Every way in which a call of Slack fails: nothing is lost, nothing arrives twice."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.model.message import State
from bot.send import client
from bot.store.database import Tx
from bot.workspace import faults
from tests.support.delivered import (
    TELL_ALICE,
    arrived,
    escalating,
    nothing_lost_or_twice,
    outbox_of,
    row,
    settle,
)
from tests.support.house import ALICE, BOB, INCIDENTS, House, config_for, living, standing, text_of

CARD, PING, EVIDENCE = "card:1", f"ping:1:2:{ALICE}", "entry:1:3"
KINDS = {
    "429": faults.rate_limited(1),
    "500 before the effect": faults.error_before,
    "500 after the effect": faults.error_after,
    "a hang before the effect": faults.hang_before,
    "a hang after the effect": faults.hang_after,
    "a reset before the effect": faults.reset_before,
    "a reset after the effect": faults.reset_after,
    "an error inside Slack": faults.api_error("internal_error"),
    "a token that is revoked for a while": faults.api_error("token_revoked"),
}


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging call is given up after half a second instead of ten: nothing else depends on it."""
    monkeypatch.setattr(client, "TIME_LIMIT_S", 0.5)


SENDS = {
    "the card": ("chat.postMessage", 0),
    "the ping": ("chat.postMessage", 1),
    "the reply": ("chat.postMessage", 2),
    "the card's edit": ("chat.update", 0),
    "the opening of the direct message": ("conversations.open", 0),
}
AROUND = ("conversations.list", "conversations.join", "auth.test")
CASES = [(*where, kind) for where in SENDS.values() for kind in KINDS] + [
    (method, 0, kind)
    for method in AROUND
    for kind in ("429", "500 before the effect", "a hang before the effect")
]


@pytest.mark.parametrize(("method", "spared", "kind"), CASES)
async def test_a_call_that_fails_loses_nothing_and_doubles_nothing(
    tmp_path, method, spared, kind
) -> None:
    async with standing(tmp_path) as house:
        house.slack.faults.add(method, KINDS[kind], 1, after=spared)
        async with living(house, config_for(house.target, escalation=TELL_ALICE)):
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await settle(house, CARD, PING, EVIDENCE)
            await nothing_lost_or_twice(house, CARD, PING, EVIDENCE)
            assert "Evidence" in text_of(house.card()), "the last edit arrived too"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
@pytest.mark.parametrize("arrives", [True, False], ids=["it had arrived", "it had not arrived"])
async def test_a_look_up_that_fails_is_repeated_until_it_says_what_arrived(
    tmp_path, method, arrives, kind
) -> None:
    lost = faults.reset_after if arrives else faults.reset_before
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        house.slack.faults.add("chat.postMessage", lost, 3)
        house.slack.faults.add(method, KINDS[kind], 1)
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await settle(house, CARD, PING, EVIDENCE)
        await nothing_lost_or_twice(house, CARD, PING, EVIDENCE)
        assert "possible repeat" not in house.pings(ALICE)[0].text


async def test_after_a_429_nobody_else_goes_first_to_that_destination_and_others_go_on(
    tmp_path,
) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        calls = house.slack.calls

        def posts_in_the_channel() -> int:
            return sum(
                call.method == "chat.postMessage" and call.arguments["channel"] == INCIDENTS
                for call in calls
            )

        await house.bot._slack.conversation("channel:incidents")
        house.slack.faults.add("chat.postMessage", faults.rate_limited(8), 1)
        began = time.monotonic()
        assert (await house.slash(BOB, "declare sev4 First")).ok
        await house.until(lambda: posts_in_the_channel() == 1, "the post that is refused")
        assert (await house.slash(BOB, "declare sev2 Second")).ok
        await house.until(lambda: len(house.pings(ALICE)) == 2, "Alice's pings")
        assert posts_in_the_channel() == 1, "her direct messages were not held up"
        await house.until(lambda: posts_in_the_channel() > 1, "the post is tried again")
        assert time.monotonic() - began >= 8
        await settle(house, "card:1", "card:2")
        cards = [message for message in house.messages() if not message.is_reply]
        assert [card.text.split()[0] for card in cards] == ["INC-1", "INC-2"]
        await nothing_lost_or_twice(house)


def refused_edits(house: House) -> int:
    return sum(c.method == "chat.update" and c.result is None for c in house.slack.calls)


async def test_a_429_for_edits_holds_no_page(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        assert (await house.slash(BOB, "declare sev2 First")).ok
        await settle(house, CARD, PING, EVIDENCE)
        house.slack.faults.add("chat.update", faults.rate_limited(60), 1)
        (ping,) = house.pings(ALICE)
        assert (await house.press(ALICE, ping, "iora:incident:ack")).ok
        await house.until(lambda: refused_edits(house), "the edit that is refused")
        edits = sum(call.method == "chat.update" for call in house.slack.calls)
        assert (await house.slash(BOB, "declare sev2 Second")).ok
        await house.until(lambda: len(house.pings(ALICE)) == 2, "the page, although edits wait")
        await house.until(lambda: house.card(2), "the second card")
        assert sum(call.method == "chat.update" for call in house.slack.calls) == edits
        house.advance(61_000)
        await settle(house)
        assert all("acknowledged" in m.text for m in house.pings(ALICE)[:1])
        await nothing_lost_or_twice(house)


async def test_where_the_look_up_is_not_to_be_had_a_page_goes_after_a_minute_and_a_card_does_not(
    tmp_path,
) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        house.slack.without("conversations.history", "conversations.replies")
        house.slack.faults.add("chat.postMessage", faults.reset_before, 2)
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await unsure(house, CARD, PING)
        began = (await row(house, PING)).sending_at
        while house.clock.now() - began < 13_000 + 50_000:
            await looked_up(house, CARD, PING)
            assert not house.pings(ALICE), "a minute has not passed"
            house.advance(5_000)
        house.advance(10_000)
        await house.until(lambda: house.pings(ALICE), "the page")
        assert house.pings(ALICE)[0].text.startswith("(possible repeat) INC-1")
        assert house.card() is None
        assert (await row(house, CARD)).state is State.UNSURE
        await settle(house, CARD)
        assert house.clock.now() - began > 600_000
        assert arrived(house)[CARD] == 1, "in the end the channel hears of it too"


async def test_after_an_acknowledgement_nobody_is_told_again_blindly(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        house.slack.without("conversations.history")
        house.slack.faults.add("chat.postMessage", faults.reset_before, 1, after=1)
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await house.until(house.card, "the card")
        await until_row(house, PING, State.UNSURE)
        assert (await house.slash(BOB, "ack INC-1 take over")).ok
        await settle(house, CARD)
        assert (await row(house, PING)).state is State.WITHDRAWN
        assert not house.pings(ALICE)


async def unsure(house: House, *keys: str) -> None:
    await until_row(house, *(part for key in keys for part in (key, State.UNSURE)))


async def until_row(house: House, *keys_and_states: str) -> None:
    """Until each key is in the state that is named after it."""
    pairs = list(zip(keys_and_states[::2], keys_and_states[1::2], strict=True))
    async with asyncio.timeout(60):
        while True:
            rows = [await row(house, key) for key, _ in pairs]
            if [found.state if found else None for found in rows] == [state for _, state in pairs]:
                return
            await asyncio.sleep(0.01)


async def looked_up(house: House, *keys: str) -> None:
    """Until none of them is due: what could be looked up by now was."""
    async with asyncio.timeout(60):
        while True:
            rows = [await row(house, key) for key in keys]
            if all(found is not None and found.due_at > house.clock.now() for found in rows):
                return
            await asyncio.sleep(0.01)


async def test_blocks_that_slack_does_not_take_go_as_text(tmp_path) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        house.slack.faults.add("chat.postMessage", faults.api_error("invalid_blocks"), 1, after=1)
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await settle(house, CARD, PING)
        await nothing_lost_or_twice(house, CARD, PING)
        assert "API slow" in house.pings(ALICE)[0].text


async def test_when_an_outcome_could_not_be_stored_the_message_is_looked_up_not_sent_again(
    tmp_path, monkeypatch
) -> None:
    from bot.services import delivery

    stored = delivery.finish
    left = iter([True])

    def finish(tx, attempt, outcome, config):
        if attempt.message.kind == "ping" and next(left, False):
            raise RuntimeError("a bug, or a full disk")
        stored(tx, attempt, outcome, config)

    monkeypatch.setattr(delivery, "finish", finish)
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)),
    ):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await until_row(house, PING, State.UNSURE)
        assert len(house.pings(ALICE)) == 1
        await settle(house, CARD, PING)
        await nothing_lost_or_twice(house, CARD, PING)


def spoil_incident(tx: Tx) -> None:
    """What no version of the bot would have written."""
    tx.run("UPDATE incidents SET policy = '{}' WHERE id = 1")


def spoil_page(tx: Tx) -> None:
    """A page for nobody."""
    tx.run("UPDATE outbox SET facts = '{}' WHERE kind = 'ping' AND incident_id = 1")


@pytest.mark.parametrize("spoil", [spoil_incident, spoil_page], ids=lambda one: one.__name__)
async def test_a_message_that_cant_be_read_holds_up_nobody_elses(tmp_path, spoil) -> None:
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=TELL_ALICE)) as bot,
    ):
        house.slack.without("chat.postMessage")
        assert (await house.slash(BOB, "declare sev2 First")).ok
        await until_tried_in_vain(house, 2)  # the card and the ping: none is on its way now
        await bot.database.write(spoil)
        house.slack.site.without.clear()
        house.advance(60_000)  # what failed before is due again, and goes first
        assert (await house.slash(BOB, "declare sev2 Second")).ok
        await house.until(lambda: house.pings(ALICE), "the ping of the other incident")
        await house.until(lambda: house.card(2), "its card")
        if spoil is spoil_incident:
            assert not house.card(1)


async def until_tried_in_vain(house: House, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            failed = [
                one for one in await outbox_of(house) if one.attempts and one.state is State.WAITING
            ]
            if len(failed) >= count:
                return
            await asyncio.sleep(0.01)


async def test_what_waited_while_slack_was_away_is_one_message_a_person(tmp_path) -> None:
    levels = escalating(
        ("0s", ["channel", f"user:{ALICE}"]),
        ("5m", [f"user:{ALICE}", f"user:{BOB}"]),
        ("15m", [f"user:{ALICE}"]),
    )
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=levels)),
    ):
        house.slack.without("chat.postMessage")
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        for fired, minutes in enumerate((0, 5, 10), start=1):
            house.advance(minutes * 60_000)
            await until_levels_fired(house, fired)
        house.slack.site.without.clear()
        await settle(house, CARD)
        assert len(house.pings(ALICE)) == 1
        assert len(house.pings(BOB)) == 1


async def until_levels_fired(house: House, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            fired = await house.bot.database.read(
                lambda tx: tx.all("SELECT seq FROM timeline WHERE kind = 'escalation'")
            )
            if len(fired) == count:
                return
            await asyncio.sleep(0.01)
