"""Builds a bot from its settings, starts it, and ends it. Nothing happens at import."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from bot.clock import SystemClock
from bot.files.loading import read_files, tell
from bot.http import Client
from bot.loops import DeliveryLoop, TimerLoop, UpkeepLoop
from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.book import Books, Broken
from bot.model.command import Declare, Incidents
from bot.model.config import Config
from bot.model.settings import Settings
from bot.render import plain, terminal
from bot.send.client import session, socket_client, web_client
from bot.send.identity import Directory, Identity, identify
from bot.send.quiet import Quiet
from bot.send.slack import Slack
from bot.services import delivery, digest, due, elsewhere, runbooks, sending
from bot.services.backups import Backups
from bot.services.commands import Commands
from bot.services.delivery import Delivery
from bot.services.diagnosis import Diagnosis
from bot.services.doctor import Doctor
from bot.services.drill import Drills
from bot.services.incidents import Asked
from bot.services.intake import Intake
from bot.services.keeper import Keeper
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.services.other_ways import OtherWays
from bot.services.postmortem import Postmortems
from bot.services.run_commands import RunCommands
from bot.services.running import Running
from bot.slack import app
from bot.slack.desk import Desk
from bot.slack.link import Link
from bot.slack.parse import parse
from bot.store import outbox, timers
from bot.store.database import Database, Tx
from bot.store.lock import OwnerLock
from bot.web.condition import Condition
from bot.web.control import Control
from bot.web.events import handler as events_handler
from bot.web.intake import IntakeDoor
from bot.web.listening import listen
from bot.web.pagerduty import Acknowledgement, PagerDutyIntake
from bot.web.signature import Signature

log = logging.getLogger(__name__)

# A stop may take ten seconds in all.
LOOPS_END_S, DRAIN_S = 1, 7


class Bot:
    """A running bot. ``after_commit`` is called on the database's thread after every commit."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        books: Books | None = None,
        broken: Broken | None = None,
        *,
        clock: SystemClock | None = None,
        after_commit: Callable[[], None] | None = None,
        pace_ms: int = delivery.PACE_MS,
        digest_over: int = digest.OVER,
    ) -> None:
        self.settings = settings
        self.live = Live(config, books or {}, broken or {})
        self.clock = clock or SystemClock()
        self.port = settings.port
        self._after_commit = after_commit
        self._pace_ms = pace_ms
        self._digest_over = digest_over
        self._serving = False
        self._stack = AsyncExitStack()

    async def start(self, *, serving: bool = True, program: str = "") -> None:
        """Take the database and build everything; ``serving`` False answers commands only."""
        self._serving = serving
        program = program or ("iora serve" if serving else "an iora command")
        lock = OwnerLock(self.settings.database, program).take()
        self._stack.callback(lock.release)
        try:
            await self._build(serving=serving)
            if serving:
                await self._serve()
        except BaseException:
            await self._stack.aclose()
            raise

    async def take_runs(self) -> None:
        """Without serving: nobody else works on the runs, so what a crash left of them is settled."""
        await self.database.write(_recover_runs, self.live.config)

    async def host_runs(self) -> None:
        """Without serving: runs go on here, and other terminals may speak to them. Nothing else is done.

        What should be in Slack waits for the bot, and so do levels and polls.
        """
        self.timer_loop = TimerLoop(
            self.database, {runbooks.KIND: self.running.due}, self.clock, only=runbooks.KIND
        )
        self.database.on_commit(self.timer_loop.alarm.ring)
        control = Control(self.settings.database, self.answer)
        await control.start()
        self._stack.push_async_callback(control.stop)
        running = asyncio.create_task(self.timer_loop.run(), name="timer loop")
        self._stack.push_async_callback(self._end_runs, running)

    async def _end_runs(self, running: asyncio.Task[None]) -> None:
        self.timer_loop.stop()
        await asyncio.wait((running,), timeout=LOOPS_END_S)
        await self.timer_loop.drain(DRAIN_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def stop(self) -> None:
        """Not ready, take nothing new, let what is under way end (10 s), close."""
        await self._stack.aclose()

    async def reload(self) -> None:
        """Read the config again; a bad file raises ``ConfigError`` and the old one stays."""
        config, books, broken = await asyncio.to_thread(read_files, self.settings)
        self.live.config, self.live.books, self.live.broken = config, books, broken
        tell(broken)
        await self.database.write(due.schedule, self.live.config)
        await self.database.write(runbooks.look_again)
        await self.database.write(outbox.retry_refused_cards, self.live.config.slack.channel)
        if self.link.identity is not None:
            await self._slack.join(self.live.config.slack.channel)

    async def answer(self, actor: Actor, text: str) -> dict[str, object]:
        """A command of the command line: the same grammar, the same services."""
        command = parse(text, self.live.config.targets, self.clock.now())
        untitled = isinstance(command, Declare) and not command.title  # Slack opens a form then
        wrong = untitled or isinstance(command, Refusal)
        if isinstance(command, Incidents):
            command = replace(command, timelines=True)
        given = (
            command
            if isinstance(command, Refusal)
            else await self.commands.carry_out(command, Asked(actor))
        )
        return {
            "text": terminal.words(given, self.clock.now()),
            "json": plain.json_of(given),
            "refused": isinstance(given, Refusal),
            "wrong_use": wrong,
            "finding": isinstance(given, Answer) and given.finding,
            "waiting": 0 if self._serving else await self.waiting(),
        }

    async def waiting(self) -> int:
        """How many messages are not in Slack yet."""
        return await self.database.read(outbox.waiting)

    async def _build(self, *, serving: bool) -> None:
        settings, stack = self.settings, self._stack
        # Opening checks the file, which takes a while where it is large.
        self.database = await asyncio.to_thread(
            Database, settings.database, self.clock, after_commit=self._after_commit
        )
        stack.push_async_callback(self.database.close)
        await asyncio.to_thread(self.database.reserve.refill)
        pool = await stack.enter_async_context(session())
        client = await stack.enter_async_context(Client(self._allows))
        self._client = client
        self.monitoring = Monitoring(self.database, client, self.live, self.clock)
        stack.push_async_callback(self.monitoring.close)
        self._web_client = web_client(settings.bot_token, settings.slack_api, pool)
        opening = (
            socket_client(settings.app_token, settings.slack_api, pool)
            if settings.app_token
            else None
        )
        self._slack = Slack(self._web_client)
        self.link = Link(self._web_client, opening, self._on_identity)
        asking = partial(identify, self._web_client) if settings.bot_token else None
        link = self._link_problem if serving else _no_link_wanted
        self.backups = Backups(self.database, self.live, self.clock)
        self._doctor = Doctor(
            self.database, self.live, self.monitoring, asking, link, self.clock, self.backups
        )
        self.diagnosis = Diagnosis(self.database, client, self.monitoring, self.live, self.clock)
        self.postmortems = Postmortems(self.database, self.live, settings.database.parent)
        self.running = Running(
            self.database,
            client,
            self.monitoring,
            self.diagnosis,
            self.postmortems,
            self.live,
            self.clock,
            settings.database.parent,
        )
        directory = Directory(self._web_client, self.clock)
        run_commands = RunCommands(self.database, self.live, self.monitoring, self.clock)
        self.commands = Commands(
            self.database,
            self.live,
            self.monitoring,
            self._doctor,
            self.diagnosis,
            self.postmortems,
            run_commands,
            Drills(self.database, self.live, directory.zone),
            self.clock,
        )
        self.desk = Desk(self.commands, directory, self.live, pool, self.clock)

    async def _serve(self) -> None:
        tell(self.live.broken)
        await self.database.write(_recover, self.live.config)
        bolt = app.build(self._web_client, self.desk, lambda: self.link.identity)
        other_ways = OtherWays(self._client, self.live, lambda: self.link.identity, self.clock)
        self.keeper = Keeper(
            self.database,
            self.live,
            self._slack,
            other_ways,
            self.backups,
            self._client,
            self.clock,
            asyncio.get_running_loop().time,
        )
        self._stack.push_async_callback(self.keeper.heartbeat.close)
        sending = Delivery(
            self.database,
            self._slack,
            self.live,
            self.clock,
            elsewhere=other_ways,
            quiet=Quiet(self._web_client, self.clock),
            told=self.keeper.unrecorded.told,
            came_through=self.keeper.came_through,
            pace_ms=self._pace_ms,
            digest_over=self._digest_over,
        )
        handlers = due.Due(
            self.database,
            self.monitoring,
            self.diagnosis,
            self.postmortems,
            self.running,
            self.backups,
            self.live,
        ).handlers()
        self.timer_loop = TimerLoop(self.database, handlers, self.clock)
        self.delivery_loop = DeliveryLoop(sending, self.clock)
        self.upkeep_loop = UpkeepLoop(self.keeper, self.clock)
        for loop in (self.timer_loop, self.delivery_loop):
            self.database.on_commit(loop.alarm.ring)
        loops = (self.timer_loop, self.delivery_loop, self.upkeep_loop)
        self.condition = Condition(
            self.database,
            loops,
            self._link_problem,
            lambda: self.keeper.counts(sending.paged, self.link.sockets),
            self.clock,
        )
        await self._listen(bolt)
        control = Control(self.settings.database, self.answer)
        await control.start()
        self._stack.push_async_callback(control.stop)
        running = [asyncio.create_task(loop.run(), name=f"{loop.name} loop") for loop in loops]
        linking = asyncio.create_task(self.link.run(bolt), name="Slack link")
        self._stack.push_async_callback(self._wind_down, sending, running, linking)

    async def _listen(self, bolt: AsyncApp) -> None:
        routes = web.Application()
        routes.add_routes(self.condition.routes())
        intake = PagerDutyIntake(self.live, self._team, self._acknowledged, self.clock)
        routes.add_routes(intake.routes())
        self.intake = Intake(self.database, self.live)
        door = IntakeDoor(self.database, self.live, self.intake, self.clock)
        self._stack.callback(door.close)
        routes.add_routes(door.routes())
        if self.settings.signing_secret:
            signature = Signature(self.settings.signing_secret, self.clock)
            routes.router.add_post("/slack/events", events_handler(bolt, signature))
        runner, self.port = await listen(routes, self.settings.host, self.settings.port)
        self._stack.push_async_callback(runner.cleanup)

    async def _wind_down(
        self, sending: Delivery, running: list[asyncio.Task[None]], linking: asyncio.Task[None]
    ) -> None:
        self.condition.stopping = True
        self.timer_loop.stop()
        self.delivery_loop.stop()
        self.upkeep_loop.stop()
        # A loop in the middle of a claim still starts what it claimed: drain only after its end.
        await asyncio.wait(running, timeout=LOOPS_END_S)
        await asyncio.gather(
            self.timer_loop.drain(DRAIN_S), self.desk.drain(DRAIN_S), sending.drain(DRAIN_S)
        )
        for task in (linking, *running):
            task.cancel()  # the loops have ended already, unless one hangs
        await asyncio.gather(linking, *running, return_exceptions=True)
        await self.link.close()

    def _allows(self, url: str) -> bool:
        return self.live.config.allows(url)

    def _team(self) -> str | None:
        """The team that is served: by the config, or by the token once Slack has said so."""
        known = self.link.identity
        return self.live.config.slack.team or (known.team if known else None)

    async def _acknowledged(self, heard: Acknowledgement) -> None:
        """Somebody acknowledged an incident in PagerDuty."""
        await self.database.write(
            elsewhere.acknowledge, self.live.config, heard.incident_id, heard.actor, heard.at
        )

    def _link_problem(self) -> str | None:
        return self.link.problem()

    async def _on_identity(self, known: Identity) -> None:
        """Now it is known whose full members may ask; and the channel's history wants a member."""
        self.desk.team = known.team
        await self._slack.join(self.live.config.slack.channel)


def _no_link_wanted() -> str | None:
    """A command that runs without the bot has no link to Slack, and misses none."""
    return None


def _recover(tx: Tx, config: Config) -> None:
    """What a crash left: claims are free again, what was being sent is unsure."""
    _recover_runs(tx, config)
    sending.recover(tx)
    outbox.retry_refused_cards(tx, config.slack.channel)
    due.schedule(tx, config)


def _recover_runs(tx: Tx, config: Config) -> None:
    timers.release_claims(tx)
    runbooks.recover(tx, config)
