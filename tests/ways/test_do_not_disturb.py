"""Whether somebody is in do-not-disturb, as Slack's own hours say it: asked seldom, right to the second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.send.client import session, web_client
from bot.send.quiet import KEPT_MS, Quiet
from tests.support.clock import NOON, ManualClock
from tests.support.configs import BOB

BEGINS, ENDS = NOON // 1_000 + 10, NOON // 1_000 + 30
HOURS = {
    "ok": True,
    "dnd_enabled": True,
    "next_dnd_start_ts": BEGINS,
    "next_dnd_end_ts": ENDS,
    "snooze_enabled": False,
}
SNOOZE = {**HOURS, "dnd_enabled": False, "snooze_enabled": True, "snooze_endtime": ENDS}


class Asked:
    """What ``dnd.info`` answers, and how often it was asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.times = 0

    async def info(self, _request: web.Request) -> web.Response:
        self.times += 1
        return web.json_response(self.answer)


@asynccontextmanager
async def quiet(clock: ManualClock, answer: dict[str, Any]) -> AsyncIterator[tuple[Quiet, Asked]]:
    asked, app = Asked(answer), web.Application()
    app.router.add_route("*", "/dnd.info", asked.info)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with session() as pool:
            yield Quiet(web_client("xoxb-test", url, pool), clock), asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "second", "is_quiet"),
    [
        pytest.param(HOURS, 9, False, id="just before the hours"),
        pytest.param(HOURS, 10, True, id="as they begin"),
        pytest.param(HOURS, 29, True, id="to their last second"),
        pytest.param(HOURS, 30, False, id="not after them"),
        pytest.param({**HOURS, "dnd_enabled": False}, 20, False, id="hours that are switched off"),
        pytest.param(SNOOZE, 20, True, id="snoozed"),
        pytest.param(SNOOZE, 30, False, id="not longer than that"),
        pytest.param({"ok": True}, 20, False, id="nothing said"),
    ],
)
async def test_it_is_by_the_hours_or_the_snooze_also_by_an_answer_of_a_moment_ago(
    answer: dict[str, Any], second: int, is_quiet: bool
) -> None:
    clock = ManualClock()
    async with quiet(clock, answer) as (ask, asked):
        await ask(BOB)
        clock.advance(second * 1_000)
        assert await ask(BOB) is is_quiet
        assert asked.times == 1


async def test_after_a_minute_it_is_asked_again() -> None:
    clock = ManualClock()
    async with quiet(clock, HOURS) as (ask, asked):
        await ask(BOB)
        clock.advance(KEPT_MS)
        asked.answer = {**SNOOZE, "snooze_endtime": ENDS + 3_600}
        assert await ask(BOB)
        assert asked.times == 2
