"""Hours without Slack: every page leaves by the next way in time, and Slack catches up in order afterwards."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bot.store.database import Tx
from bot.workspace import faults
from tests.support.delivered import settle
from tests.support.house import ALICE, BOB, INCIDENTS, House, config_for, living, standing
from tests.support.scale import scaled, told

MINUTE, HOUR = 60_000, 3_600_000
AWAY_MS = scaled(1, 6) * HOUR
NUMBER = scaled(3, 12)
CAROL = "U04CAROL"


class Hook:
    """A webhook of the team's own, which notes when each page arrived by the house's clock."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.at: dict[str, int] = {}
        self.pages: Counter[str] = Counter()
        self.url = ""

    async def _heard(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said["event"] == "page":
            self.at.setdefault(said["key"], self._house.clock.now())
            self.pages[said["key"]] += 1
        return web.Response()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Hook]:
        app = web.Application()
        app.router.add_post("/", self._heard)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield self
        finally:
            await runner.cleanup()


def settings(house: House, hook: Hook) -> Any:
    everybody = (ALICE, BOB, CAROL)
    policy = {
        "levels": [
            {"after": "0s", "notify": ["channel", f"user:{ALICE}"]},
            {"after": "5m", "notify": [f"user:{BOB}"]},
            {"after": "15m", "notify": ["channel", f"user:{CAROL}"]},
        ],
        "repeat": {"every": "15m", "times": 3},
    }
    targets = config_for(house.target).targets
    return config_for(
        house.target,
        escalation={
            "default": "ladder",
            "last_resort": [f"user:{ALICE}"],
            "policies": {"ladder": policy},
        },
        ways={"hook": {"kind": "webhook", "url": hook.url, "secret": "a secret"}},
        people={person: {"ways": ["slack", "hook"]} for person in everybody},
        groups={},
    ).model_copy(update={"targets": {**targets, "other": targets["iora"]}})


def next_event(tx: Tx) -> int | None:
    """When something is due next, or is to be passed on."""
    rows = tx.all(
        """SELECT MIN(at) AS at FROM (
            SELECT due_at AS at FROM timers WHERE kind IN ('level', 'collect')
            UNION ALL SELECT due_at FROM outbox WHERE delivered < revision AND via <> 'slack'
            UNION ALL SELECT wanted_at + 30000 FROM outbox WHERE page = 1 AND ts IS NULL
                AND passed_on = 0 AND state IN ('waiting', 'sending', 'unsure'))"""
    )
    at: int | None = rows[0]["at"]
    return at


async def pass_time(house: House, until: int) -> None:
    """Move the clock from one due moment to the next; a moment is over when nothing of it is left."""
    while True:
        at = await house.bot.database.read(next_event)
        now = house.clock.now()
        if at is not None and at <= now:
            await asyncio.sleep(0.005)
            house.advance(0)
            continue
        if at is None or at >= until:
            house.clock.move(max(0, until - now))
            return
        house.advance(at - now)


async def declare_all(house: House) -> None:
    for number in range(NUMBER):
        assert (await house.slash(BOB, f"declare sev2 Trouble {number}")).ok
        await pass_time(house, house.clock.now() + 2 * MINUTE)


async def test_every_page_goes_by_the_next_way_and_the_channel_catches_up(tmp_path):
    async with standing(tmp_path) as house:
        hook = Hook(house)
        async with (
            hook.listening(),
            living(house, settings(house, hook), digest_over=1_000_000, pace_ms=1_000) as bot,
        ):
            began = time.monotonic()
            house.advance(31_000)
            house.slack.limits.enabled = True
            house.slack.faults.add("*", faults.error_before, 10**9)
            end = house.clock.now() + AWAY_MS
            await declare_all(house)
            await pass_time(house, end)
            pings = await bot.database.read(_pings)
            waits = {row["key"]: hook.at.get(f"{row['key']}:hook") for row in pings}
            lost = [key for key, at in waits.items() if at is None]
            took = [at - row["wanted_at"] for row in pings if (at := waits[row["key"]]) is not None]
            twice = [key for key, count in hook.pages.items() if count > 1]
            assert (lost, twice) == ([], [])
            assert max(took) <= 60_000
            entries = await bot.database.read(_ways)
            assert entries == len(pings), "the incident says which way each went"
            house.slack.faults.clear()
            house.slack.calls.clear()
            await settle(house)
            messages = house.messages(INCIDENTS)
            figures = caught_up(house, messages)
            told(
                "Slack away",
                f"{AWAY_MS // HOUR} h, {NUMBER} incidents, {len(pings)} pages by the next way at most"
                f" {max(took) / 1000:.1f} s after they were due, 0 lost, 0 twice; {figures}; "
                f"{time.monotonic() - began:.0f} s",
            )


def caught_up(house: House, messages: list[Any]) -> str:
    """In order, collapsed, within the rate."""
    cards = [one for one in messages if not one.thread_ts]
    numbers = [int(key_of(one).rpartition(":")[2]) for one in cards]
    assert numbers == sorted(numbers) == [*range(1, NUMBER + 1)]
    replies = Counter(one.thread_ts for one in messages if one.thread_ts)
    assert max(replies.values(), default=0) <= 1, "what waited is told in one"
    stamps = sorted(float(one.ts) for one in messages)
    in_a_second = max(sum(at <= one < at + 1 for one in stamps) for at in stamps)
    assert in_a_second <= 2, stamps
    assert not house.slack.rejections
    limited = [call for call in house.slack.calls if getattr(call, "error", None) == "ratelimited"]
    direct = {person: len(house.pings(person)) for person in (ALICE, BOB, CAROL)}
    assert all(count <= NUMBER + 1 for count in direct.values()), "the latest of each incident"
    return (
        f"then {len(cards)} cards and {sum(replies.values())} replies in order, "
        f"{in_a_second} a second at most, {sum(direct.values())} direct messages, "
        f"{len(limited)} times limited"
    )


def key_of(message: Any) -> str:
    return str(message.metadata["event_payload"]["key"])


def _pings(tx: Tx) -> list[Any]:
    return tx.all(
        "SELECT key, wanted_at FROM outbox WHERE kind = 'ping' AND via = 'slack' ORDER BY id"
    )


def _ways(tx: Tx) -> int:
    return len(tx.all("SELECT seq FROM timeline WHERE kind = 'way'"))
