"""A whole house for a test: the embedded workspace, a target that can be broken, and the real bot.

All of it is real but Slack; time is one clock for the bot and the workspace, moved by ``advance``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import web

from bot.model.book import Books
from bot.model.config import Config
from bot.model.incident import Entry
from bot.model.settings import Settings
from bot.services import commands
from bot.store import incidents
from bot.wiring import Bot
from bot.workspace.records import Message
from bot.workspace.server import Server, serve

INCIDENTS = "C01INCIDENTS"
ALICE, BOB, MALLORY, BOT = "U01ALICE", "U02BOB", "U03MALLORY", "U00IORA"
PATIENCE_S = 60.0


class MovableClock:
    """The real time, plus what tests moved it by; for the bot (milliseconds) and the workspace (seconds)."""

    def __init__(self) -> None:
        self._moved_ms = 0
        self.drift = 0

    def now(self) -> int:
        return round(time.time() * 1000) + self._moved_ms

    def monotonic(self) -> float:
        return time.monotonic() + self._moved_ms / 1000

    def drift_ms(self) -> int:
        return self.drift

    def move(self, milliseconds: int) -> None:
        self._moved_ms += milliseconds


class Seconds:
    """The same clock as the workspace reads it."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now() / 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FakeTarget:
    """A service with a health URL and an agent beside it, both answering what the test says."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"status": "ok"}
        self.cpu: float | None = 12.0
        self.memory: float | None = 120.0
        self.delay: Callable[[], Awaitable[None]] | None = None
        self.parts: dict[str, Any] = {}
        self.calls: list[tuple[str, Any]] = []
        self.op: Callable[[str], Awaitable[web.Response | None]] | None = None
        self.url = ""

    async def _health(self, request: web.Request) -> web.Response:
        if self.delay is not None:
            await self.delay()
        if self.body is None:
            return web.Response(status=self.status)
        return web.json_response(self.body, status=self.status)

    async def _part(self, request: web.Request) -> web.Response:
        """A part of an agent's diagnostics: what the test says, or a callable that waits first."""
        name = request.match_info["part"]
        if name not in self.parts:
            refusal = {"kind": "no_such_path", "error": "Not Found", "next": "GET /v1/health"}
            return web.json_response(refusal, status=404)
        given = self.parts[name]
        data = await given() if callable(given) else given
        return web.json_response({"part": name, "ok": True, "took_ms": 1.0, "data": data})

    async def _ops(self, request: web.Request) -> web.Response:
        """An action: it is noted with its body, and answered as the test says."""
        name = request.match_info["name"]
        self.calls.append((name, await request.json()))
        said = await self.op(name) if self.op is not None else None
        return said or web.json_response({"done": name})

    async def _metrics(self, request: web.Request) -> web.Response:
        now = round(time.time() * 1000)
        readings = [
            {"metric": "cpu_percent", "value": self.cpu, "unit": "%", "reason": None, "at": now},
            {"metric": "memory_mb", "value": self.memory, "unit": "MB", "reason": None, "at": now},
        ]
        return web.json_response({"readings": readings, "at": now})

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[FakeTarget]:
        app = web.Application()
        app.router.add_get("/api/health", self._health)
        app.router.add_post("/api/ops/{name}", self._ops)
        app.router.add_get("/v1/metrics", self._metrics)
        app.router.add_get("/v1/{part}", self._part)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


class House:
    """What a test holds: the workspace (``slack``), the ``target``, the ``bot`` and the clock."""

    def __init__(
        self, slack: Server, target: FakeTarget, clock: MovableClock, folder: Path
    ) -> None:
        self.slack = slack
        self.target = target
        self.clock = clock
        self.folder = folder
        self.bot: Bot | None = None

    async def until(self, condition: Callable[[], Any], what: str = "it") -> Any:
        """What the condition returns once it is true; fails with ``what`` after a while."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (found := condition()):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from None
        return found

    def advance(self, milliseconds: int) -> None:
        """Move the clock, and let the loops look at it."""
        self.clock.move(milliseconds)
        if self.bot is not None:
            self.bot.timer_loop.alarm.ring()
            self.bot.delivery_loop.alarm.ring()

    async def slash(self, person: str, text: str, channel: str = INCIDENTS) -> Any:
        """Type ``/iora text``; the outcome of the workspace."""
        return await self.slack.acts.slash(person, channel, "/iora", text)

    def messages(self, channel: str = INCIDENTS) -> list[Message]:
        """What everybody in a channel sees, oldest first, replies included."""
        return [
            message
            for message in self.slack.workspace.messages[channel]
            if not message.deleted and message.ephemeral_to is None
        ]

    def whispers(self, person: str) -> list[Message]:
        """The ephemeral messages that a person got, oldest first."""
        return [
            message
            for messages in self.slack.workspace.messages.values()
            for message in messages
            if message.ephemeral_to == person
        ]

    def pings(self, person: str) -> list[Message]:
        """The direct messages of the bot to a person, oldest first."""
        return [
            message
            for channel in self.slack.workspace.channels.values()
            if channel.kind == "im" and set(channel.members) == {person, BOT}
            for message in self.messages(channel.id)
            if message.author == BOT
        ]

    async def until_reading(self, metric: str, suits: Callable[[float], bool]) -> None:
        """Until the bot reads a value of the target that suits."""
        assert self.bot is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                (health,) = await self.bot.monitoring.refresh(("iora",), 5_000)
                values = [one.value for one in health.readings if one.metric == metric]
                if any(value is not None and suits(value) for value in values):
                    return
                await asyncio.sleep(0.1)

    async def until_sent(self) -> None:
        """Until nothing waits to be sent."""
        assert self.bot is not None
        async with asyncio.timeout(PATIENCE_S):
            while await self.bot.waiting():
                await asyncio.sleep(0.01)

    async def entries(self, incident: int, *kinds: str) -> list[Entry]:
        """The timeline of an incident, of these kinds only if any are named."""
        assert self.bot is not None
        found = await self.bot.database.read(incidents.timeline, incident)
        return [entry for entry in found if not kinds or entry.kind in kinds]

    async def until_entry(self, incident: int, *kinds: str) -> Entry:
        """The first entry of one of these kinds, once it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await self.entries(incident, *kinds)):
                await asyncio.sleep(0.01)
        return found[0]

    def card(self, number: int = 1) -> Message | None:
        """The card of an incident in the channel, if it is there."""
        return self.keyed(f"card:{number}")

    def keyed(self, key: str, channel: str = INCIDENTS) -> Message | None:
        """The message of the outbox's row with this key, if it is there."""
        for message in self.messages(channel):
            payload = (message.metadata or {}).get("event_payload", {})
            if payload.get("key") == key:
                return message
        return None

    async def press(self, person: str, message: Message, action: str, chosen: Any = None) -> Any:
        """Press the button (or choose in the menu) with this action id: once it is there, if it isn't."""

        def block() -> Any:
            now = (m for m in self.slack.workspace.messages[message.channel] if m.ts == message.ts)
            return next(
                (
                    block
                    for seen in (message, *now)
                    for block in seen.blocks
                    for element in block.get("elements", ())
                    if element.get("action_id") == action
                ),
                None,
            )

        found = await self.until(block, f"a button {action}")
        return await self.slack.acts.press(
            person, message.channel, message.ts, found["block_id"], action, chosen
        )


def text_of(message: Message) -> str:
    """All the words of a message: its text and its blocks."""
    return message.text + " " + json.dumps(list(message.blocks), ensure_ascii=False)


def config_for(target: FakeTarget, **changes: Any) -> Config:
    """One target, a quick policy for sev1 and sev2, announcements for the rest."""
    written: dict[str, Any] = {
        "version": 1,
        "slack": {"team": "T01TEAM", "channel": "incidents"},
        "targets": {
            "iora": {
                "poll": "1h",
                "health": {"url": f"{target.url}/api/health", "status": "status", "timeout": "2s"},
                "agent": {"url": target.url},
            }
        },
        "escalation": {
            "default": "critical",
            "by_severity": {"sev3": "announce", "sev4": "announce"},
            "last_resort": [f"user:{ALICE}"],
            "policies": {
                "announce": {"levels": [{"after": "0s", "notify": ["channel"]}]},
                "critical": {
                    "levels": [
                        {"after": "0s", "notify": ["channel", f"user:{ALICE}"]},
                        {"after": "5m", "notify": ["group:engineering"]},
                        {"after": "15m", "notify": ["channel", f"user:{BOB}"]},
                    ],
                    "repeat": {"every": "15m", "times": 2},
                },
            },
        },
        "groups": {"engineering": [ALICE, BOB]},
        "roles": {"responder": [ALICE, BOB], "commander": [ALICE]},
    }
    return Config.model_validate_json(json.dumps(written | changes))


@asynccontextmanager
async def living(
    house: House,
    config: Config,
    environ: Mapping[str, str] | None = None,
    books: Books | None = None,
    settle_s: float = 600.0,
    first_words_ms: int = 20_000,
    **options: Any,
) -> AsyncIterator[Bot]:
    """The bot, for as long as the block runs; start it again in another block to restart it.

    ``settle_s``: for how long it catches up with what is late before it pages about itself. Tests move the
    clock by hours, and a loaded machine may take its time with what is due then. ``first_words_ms``: for how
    long who asks for the health waits for the whole answer; so no answer of a test comes in two parts.
    """
    settings = Settings.read(
        {
            "SLACK_BOT_TOKEN": house.slack.bot_token,
            "SLACK_APP_TOKEN": house.slack.app_token,
            "SLACK_API_URL": house.slack.api_url,
            "IORA_DATABASE_URL": f"sqlite:///{house.folder}/iora.db",
            "PORT": "0",
            **(environ or {}),
        }
    )
    bot = Bot(settings, config, books, clock=house.clock, **({"pace_ms": 0} | options))
    await bot.start()
    bot.keeper.auditor._settle_s = settle_s
    house.bot = bot
    try:
        with patch.object(commands, "FIRST_WORDS_MS", first_words_ms):
            await house.until(lambda: bot.link.problem() is None, "the link to the workspace")
            yield bot
    finally:
        house.bot = None
        await bot.stop()


@asynccontextmanager
async def standing(folder: Path, **options: Any) -> AsyncIterator[House]:
    """The workspace and the target, without a bot yet. Rate limits are off unless a test wants them.

    The workspace waits longer than Slack does for acks and forms: a loaded machine is no fault of the bot.
    """
    clock = MovableClock()
    usual = {"events": ["app_mention"], "ack_seconds": PATIENCE_S}
    async with (
        FakeTarget().listening() as target,
        serve(0, clock=Seconds(clock), **(usual | options)) as slack,
    ):
        slack.limits.enabled = False
        slack.site.tickets.trigger_seconds = PATIENCE_S
        yield House(slack, target, clock, folder)
