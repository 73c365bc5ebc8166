"""A page goes by the person's own order of ways, and on to the next one where one is of no use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.model.message import State
from bot.services import paging
from bot.workspace import faults
from tests.support.delivered import escalating, outbox_of, row, settle
from tests.support.house import ALICE, BOB, INCIDENTS, House, config_for, living, standing, text_of
from tests.support.pagerduty import KEY, PagerDutyServer

THREAD = "iora:T01TEAM:INC-1"
PING = f"ping:1:2:{BOB}"
TELL_BOB = escalating(("0s", ["channel", f"user:{BOB}"]), every="24h")


@asynccontextmanager
async def told_by(
    folder: Path, *ways: str, escalation: Any = TELL_BOB, **more: Any
) -> AsyncIterator[tuple[House, PagerDutyServer]]:
    """A bot whose Bob has these ways; ``pagerduty`` is a server on this machine."""
    async with standing(folder) as house, PagerDutyServer().listening() as pagerduty:
        known = {
            "pagerduty": {"kind": "pagerduty", "routing_key": KEY, "url": pagerduty.url},
            **more.pop("others", {}),
        }
        config = config_for(
            house.target,
            escalation=escalation,
            ways=known,
            people={BOB: {"ways": list(ways), "name": "Bob"}},
            **more,
        )
        async with living(house, config):
            yield house, pagerduty


def actions(pagerduty: PagerDutyServer) -> list[str]:
    return [event["event_action"] for event in pagerduty.events]


async def declared(house: House) -> None:
    assert (await house.slash(ALICE, "declare sev2 API slow")).ok


async def whichever(house: House) -> list[tuple[str | None, str]]:
    """Which ways the timeline says that Bob was told by, and why."""
    return [(entry.facts["way"], entry.facts["reason"]) for entry in await house.entries(1, "way")]


async def test_whoever_says_nothing_is_paged_by_slack_alone(tmp_path):
    async with told_by(tmp_path, "slack") as (house, pagerduty):
        await declared(house)
        await settle(house, "card:1", PING)
        assert (len(house.pings(BOB)), pagerduty.events) == (1, [])
        assert await whichever(house) == []


async def test_the_first_way_need_not_be_slack(tmp_path):
    async with told_by(tmp_path, "pagerduty", "slack") as (house, pagerduty):
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        assert (actions(pagerduty), house.pings(BOB)) == (["trigger"], [])
        await house.until(lambda: "by pagerduty: paged" in text_of(house.card()), "the card")


async def test_do_not_disturb_sends_the_next_way_at_once_and_the_card_says_so(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        house.slack.workspace.snoozed_until[BOB] = house.clock.now() // 1000 + 3_600
        await declared(house)
        await settle(house, PING, f"{PING}:pagerduty")
        assert pagerduty.alerts == {THREAD: "triggered"}
        assert len(house.pings(BOB)) == 1, "silent there, with its buttons"
        assert await whichever(house) == [("pagerduty", paging.QUIET)]
        await house.until(lambda: paging.QUIET in text_of(house.card()), "the card")


async def test_do_not_disturb_without_another_way_is_said_too(tmp_path):
    async with told_by(tmp_path, "slack") as (house, _):
        house.slack.workspace.snoozed_until[BOB] = house.clock.now() // 1000 + 3_600
        await declared(house)
        await settle(house, PING)
        assert await whichever(house) == [(None, paging.QUIET)]


@pytest.mark.parametrize("scopeless", [False, True], ids=["hangs", "is not granted"])
async def test_where_slack_does_not_say_it_the_ping_goes_as_ever(tmp_path, scopeless):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        if scopeless:
            house.slack.app.scopes.discard("dnd:read")
        else:
            house.slack.faults.add("dnd.info", faults.hang_before)
        await declared(house)
        await settle(house, PING)
        assert (len(house.pings(BOB)), pagerduty.events) == (1, [])


async def test_whoever_cant_receive_in_slack_is_told_by_the_next_way(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        house.slack.faults.add("conversations.open", faults.api_error("user_not_found"), 9)
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        assert pagerduty.alerts == {THREAD: "triggered"}
        assert await whichever(house) == [("pagerduty", "user_not_found")]
        assert [entry.kind for entry in await house.entries(1, "unreached")] == ["unreached"]


async def test_when_every_way_refuses_the_next_level_is_told_at_once(tmp_path):
    ladder = escalating(("0s", ["channel", f"user:{BOB}"]), ("1h", [f"user:{ALICE}"]), every="24h")
    async with told_by(tmp_path, "slack", "pagerduty", escalation=ladder) as (house, pagerduty):
        pagerduty.answers = [(400, {})] * 9
        house.slack.faults.add("conversations.open", faults.api_error("user_not_found"), 1)
        await declared(house)
        await house.until(lambda: house.pings(ALICE), "the next level")
        ways = [entry.facts.get("way") for entry in await house.entries(1, "unreached")]
        assert ways == ["slack", "pagerduty"]


async def away(house: House) -> None:
    """Slack answers nothing any more."""
    house.slack.faults.add("*", faults.error_before, 100_000)


async def until_seconds_pass(house: House, seconds: int) -> None:
    """Move the clock a second at a time, with time for the loops in between."""
    for _ in range(seconds):
        house.advance(1_000)
        await asyncio.sleep(0.02)


async def test_without_an_answer_for_30_s_the_page_leaves_by_the_next_way(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        house.advance(paging.PASS_ON_AFTER_MS)
        await declared(house)
        await settle(house, "card:1", PING)
        await house.slash(BOB, "resolve INC-1")
        await settle(house)
        pagerduty.events.clear()
        pagerduty.alerts.clear()
        await away(house)
        due = house.clock.now()
        assert (await house.slash(ALICE, "declare sev2 Worse")).ok
        await until_seconds_pass(house, 25)
        assert pagerduty.events == []
        await until_seconds_pass(house, 10)
        await house.until(lambda: pagerduty.events, "the page by the next way")
        assert house.clock.now() - due < 60_000
        (entry,) = await house.entries(2, "way")
        assert entry.facts["way"] == "pagerduty"
        assert "30 s" in entry.facts["reason"]


async def test_what_slack_gets_afterwards_says_that_it_is_a_copy(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        house.advance(paging.PASS_ON_AFTER_MS)
        await away(house)
        await declared(house)
        await until_seconds_pass(house, 35)
        await house.until(lambda: pagerduty.events, "the page by the next way")
        house.slack.faults.clear()
        await settle(house, PING, f"{PING}:pagerduty")
        (ping,) = house.pings(BOB)
        assert "copy: paged by pagerduty" in ping.text
        assert actions(pagerduty) == ["trigger"]


async def test_after_an_acknowledgement_slack_gets_no_copy_at_all(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, pagerduty):
        house.advance(paging.PASS_ON_AFTER_MS)
        house.slack.faults.add("chat.postMessage", faults.error_before, 100_000)
        await declared(house)
        await until_seconds_pass(house, 35)
        await house.until(lambda: pagerduty.events, "the page by the next way")
        assert (await house.slash(ALICE, "ack INC-1 take over")).ok
        await house.until(lambda: actions(pagerduty) == ["trigger", "acknowledge"], "its end there")
        house.slack.faults.clear()
        await settle(house, "card:1")
        assert house.pings(BOB) == []


async def test_an_acknowledgement_and_the_end_reach_every_copy_once(tmp_path):
    async with told_by(tmp_path, "pagerduty", "slack") as (house, pagerduty):
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        assert (await house.slash(BOB, "ack INC-1")).ok
        await settle(house)
        assert (await house.slash(BOB, "assign INC-1 <@U01ALICE> commander")).ok
        await settle(house)
        assert (await house.slash(BOB, "resolve INC-1")).ok
        await settle(house)
        assert actions(pagerduty) == ["trigger", "acknowledge", "resolve"]
        assert pagerduty.alerts == {THREAD: "resolved"}


async def test_what_goes_on_after_an_acknowledgement_calls_anew_in_pagerduty(tmp_path):
    ladder = escalating(("0s", ["channel", f"user:{BOB}"]), ("5m", [f"user:{BOB}"]), every="24h")
    async with told_by(tmp_path, "pagerduty", escalation=ladder) as (house, pagerduty):
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        assert (await house.slash(ALICE, "ack INC-1 take over")).ok
        await settle(house)
        assert (pagerduty.calls, pagerduty.alerts) == (1, {THREAD: "acknowledged"})
        house.advance(30 * 60_000)
        asked = await house.until_entry(1, "asked")
        await settle(house)
        house.advance(5 * 60_000)
        await house.until(lambda: pagerduty.calls == 2, "the phone rings anew")
        acknowledged = await house.until_entry(1, "acknowledged")
        assert pagerduty.alerts == {
            THREAD: "acknowledged",
            f"{THREAD}:{acknowledged.seq}": "triggered",
        }
        assert asked.seq > acknowledged.seq
        assert (await house.slash(BOB, "resolve INC-1")).ok
        await settle(house)
        assert set(pagerduty.alerts.values()) == {"resolved"}


async def test_what_is_reopened_after_it_was_mitigated_calls_anew_in_pagerduty(tmp_path):
    async with told_by(tmp_path, "pagerduty") as (house, pagerduty):
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        assert (await house.slash(BOB, "mitigate INC-1")).ok
        await settle(house)
        assert pagerduty.alerts == {THREAD: "acknowledged"}
        assert (await house.slash(BOB, "reopen INC-1 back again")).ok
        await house.until(lambda: pagerduty.calls == 2, "the phone rings anew")
        await settle(house)
        assert (await house.slash(BOB, "resolve INC-1")).ok
        await settle(house)
        assert set(pagerduty.alerts.values()) == {"resolved"}


async def test_nobody_is_paged_after_an_acknowledgement_that_came_before_the_send(tmp_path):
    async with told_by(tmp_path, "pagerduty") as (house, pagerduty):
        pagerduty.answers = [(429, {"Retry-After": "5"})]
        await declared(house)
        await house.until(lambda: not pagerduty.answers, "the first try")
        assert (await house.slash(ALICE, "ack INC-1 take over")).ok
        await settle(house)
        assert pagerduty.events == []
        found = await row(house, f"{PING}:pagerduty")
        assert found is not None
        assert found.state is State.WITHDRAWN


async def test_an_unsure_page_is_sent_again_where_that_wakes_nobody_twice(tmp_path):
    async with told_by(tmp_path, "pagerduty") as (house, pagerduty):
        pagerduty.answers = [(500, {})]
        await declared(house)
        await settle(house, f"{PING}:pagerduty")
        (event,) = pagerduty.events
        assert "possible repeat" not in event["payload"]["custom_details"]["text"]


async def test_elsewhere_an_unsure_page_is_marked_as_a_possible_repeat(tmp_path):
    heard: list[dict[str, Any]] = []
    answers = iter([500])

    async def hook(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=next(answers, 200))

    app = web.Application()
    app.router.add_post("/", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    others = {"hook": {"kind": "webhook", "url": url, "secret": "a secret"}}
    try:
        async with told_by(tmp_path, "hook", others=others) as (house, _):
            await declared(house)
            await settle(house, f"{PING}:hook")
    finally:
        await runner.cleanup()
    assert [one["repeated"] for one in heard] == [False, True]


async def test_many_pages_for_one_person_are_one_message(tmp_path):
    async with told_by(tmp_path, "slack", "pagerduty") as (house, _):
        house.slack.faults.add("conversations.open", faults.rate_limited(16), 1)
        for number in range(12):
            assert (await house.slash(ALICE, f"declare sev2 Trouble {number}")).ok
        await settle(house, *(f"card:{number + 1}" for number in range(12)))
        (digest,) = house.pings(BOB)
        assert "12 incidents need you" in digest.text
        assert (await house.slash(ALICE, "ack INC-3 take over")).ok
        await settle(house)
        assert "11 of 12 incidents still need somebody" in house.pings(BOB)[0].text


async def test_who_is_called_for_in_an_acknowledged_incident_is_paged_for_each(tmp_path):
    ladder = escalating(("0s", ["channel"]), ("1h", [f"user:{BOB}"]), every="24h")
    async with told_by(tmp_path, "slack", escalation=ladder) as (house, _):
        for number in range(8):
            assert (await house.slash(ALICE, f"declare sev2 Trouble {number}")).ok
            await house.until_entry(number + 1, "escalation")
            assert (await house.slash(ALICE, f"ack INC-{number + 1}")).ok
        await settle(house, "card:8")
        house.slack.faults.add("conversations.open", faults.rate_limited(8), 1)
        for number in range(8):
            assert (await house.slash(ALICE, f"escalate INC-{number + 1}")).ok
            await house.until_entry(number + 1, "escalated")
        async with asyncio.timeout(60):
            while sum([one.kind == "ping" for one in await outbox_of(house)]) < 8:
                await asyncio.sleep(0.02)
        await settle(house)
        assert len(house.pings(BOB)) == 8


async def test_replies_that_waited_long_are_told_in_one(tmp_path):
    async with told_by(tmp_path, "slack") as (house, _):
        await declared(house)
        await settle(house, "card:1", PING)
        house.slack.faults.add("chat.postMessage", faults.error_before, 100_000)
        for words in ("ack INC-1", "mitigate INC-1 rolled back", "reopen INC-1 again", "ack INC-1"):
            assert (await house.slash(ALICE, words)).ok
        house.advance(90_000)
        await asyncio.sleep(0.1)
        house.slack.faults.clear()
        await settle(house)
        late = [one for one in house.messages(INCIDENTS) if "told late" in text_of(one)]
        assert len(late) <= 1
        told = " ".join(text_of(one) for one in house.messages(INCIDENTS))
        assert "rolled back" in told
        assert "reopened it: again" in told
