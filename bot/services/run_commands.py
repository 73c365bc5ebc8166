"""Commands about runbooks: which fit, start one, show what it would do, and what people say to a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePath

from bot.clock import Clock
from bot.model.answer import Answer, Refusal
from bot.model.book import Book, Books
from bot.model.command import OnRun, Runbooks, StartRun
from bot.model.config import Config
from bot.model.incident import Incident
from bot.model.nearest import nearest
from bot.model.outlook import Outlook
from bot.model.reading import Health
from bot.model.run import Progress
from bot.model.runbook import Runbook
from bot.rules import fit, inputs, known
from bot.rules.outlook import outlook
from bot.services import preview, runbooks, steering
from bot.services.incidents import Asked
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store import incidents, runs
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

Given = Answer | Refusal


class RunCommands:
    """One method a kind of command; the answer is drawn by whoever asked."""

    def __init__(
        self, database: Database, live: Live, monitoring: Monitoring, clock: Clock
    ) -> None:
        self._database = database
        self._live = live
        self._monitoring = monitoring
        self._clock = clock

    async def list(self, command: Runbooks, asked: Asked) -> Given:
        """Every runbook, ranked by what the targets read now, and what is running."""
        config, books = self._live.config, self._live.books
        names = (command.target,) if command.target else tuple(config.targets)
        healths = await self._monitoring.refresh(names, self._monitoring.time_limit(names))
        running = await self._database.read(_running)
        return Answer(
            kind="runbooks",
            facts={
                "targets": [_ranked(books, health, self._clock.now()) for health in healths],
                "running": [summary(one) for one in running],
                "broken": {path: list(why) for path, why in self._live.broken.items()},
            },
        )

    async def start(self, command: StartRun, asked: Asked) -> Given:
        """The run as it begins; a dry run, or a runbook on trial, only shows what it would do."""
        book = self._live.books.get(command.runbook)
        if book is None:
            return self._unknown(command.runbook)
        if command.dry_run or book.runbook.trial:
            return await self._database.read(_preview, self._live.config, book, command, asked)
        if not book.runbook.triggers.manual:
            return Refusal(
                f"`{book.runbook.id}` starts by itself only, when an incident is opened."
            )
        started = await self._database.write(_start, self._live.config, book, command, asked)
        if isinstance(started, Refusal):
            return started
        log.info("%s started by %s", started.progress.run.key, asked.actor.text)
        return _told(started, "start")

    async def act(self, command: OnRun, asked: Asked) -> Given:
        """What a person says to a run, and the run after it; of a preview, what it would do."""
        done = await self._database.write(_act, self._live.config, command, asked)
        if not isinstance(done, Outlook):
            return done
        return _told(done, command.verb)

    async def asks(self, command: StartRun, asked: Asked) -> Runbook | None:
        """The runbook, where it can't start before somebody says with what. Asked before a form opens."""
        book = self._live.books.get(command.runbook)
        if book is None or command.dry_run or book.runbook.trial:
            return None
        missing = await self._database.read(_missing, self._live.config, book, command, asked)
        return book.runbook if missing else None

    async def refused(self, command: OnRun, asked: Asked) -> Refusal | None:
        """Why a word would be refused; None if it would not. Asked before a form opens."""
        return await self._database.read(steering.refused, self._live.config, command, asked)

    def _unknown(self, name: str) -> Refusal:
        """Not there, or there with a problem in its file."""
        live = self._live
        for path, problems in live.broken.items():
            if PurePath(path).stem == name:
                return Refusal(f"`{name}` can't be used: {problems[0]}.", "Run `iora check`.")
        if not live.books:
            hint = (
                "`iora init` writes those that come with the bot; IORA_RUNBOOKS names their folder."
            )
            return Refusal("There are no runbooks.", hint)
        near = nearest(name, list(live.books))
        hint = f"Did you mean `/iora run {near}`?" if near else "See `/iora runbooks`."
        return Refusal(f"There is no runbook `{name}`.", hint)


def summary(progress: Progress) -> dict[str, object]:
    """A run in one line, for lists."""
    run, current = progress.run, progress.current
    return {
        "run": run.key,
        "runbook": run.runbook,
        "title": run.book.title,
        "target": run.target,
        "incident": f"INC-{run.incident_id}" if run.incident_id is not None else None,
        "by": run.by,
        "state": str(run.state),
        "started_at": run.started_at,
        "step": progress.definition(current).title if current is not None else None,
        "step_state": str(current.state) if current is not None else None,
        "done": progress.done,
        "steps": len(progress.steps),
    }


def outlook_of(tx: Tx, config: Config, progress: Progress) -> Outlook:
    """The run as it is shown."""
    return outlook(config, progress, _incident(tx, progress))


def _told(seen: Outlook, verb: str) -> Answer:
    return Answer(kind="run", facts={"progress": seen.progress, "outlook": seen, "verb": verb})


def _incident(tx: Tx, progress: Progress) -> Incident | None:
    incident_id = progress.run.incident_id
    return incidents.get(tx, incident_id) if incident_id is not None else None


def _start(
    tx: Tx, config: Config, book: Book, command: StartRun, asked: Asked
) -> Outlook | Refusal:
    started = runbooks.start(tx, config, book, command, asked)
    if isinstance(started, Refusal):
        return started
    progress = runs.progress(tx, started.id)
    assert progress is not None
    return outlook_of(tx, config, progress)


def _act(tx: Tx, config: Config, command: OnRun, asked: Asked) -> Outlook | Answer | Refusal:
    done = steering.act(tx, config, command, asked)
    if isinstance(done, Refusal):
        return done
    if command.verb != "preview":
        return outlook_of(tx, config, done)
    position = command.mark.position if command.mark is not None else None
    left = [one.position for one in done.steps if not one.state.over]
    if not done.run.state.live or not left or position not in {None, *left}:
        return Refusal(f"{done.run.key} has nothing left to do there.")
    return preview.of_run(done, position, _incident(tx, done), config)


def _missing(tx: Tx, config: Config, book: Book, command: StartRun, asked: Asked) -> bool:
    incident = runbooks.incident_meant(tx, command, asked)
    if isinstance(incident, Refusal):
        return False
    return inputs.missing(book.runbook, command, incident, config)


def _preview(
    tx: Tx, config: Config, book: Book, command: StartRun, asked: Asked
) -> Answer | Refusal:
    incident = runbooks.incident_meant(tx, command, asked)
    if isinstance(incident, Refusal):
        return incident
    wanted = inputs.settle(book.runbook, command, incident, config)
    if isinstance(wanted, Refusal):
        return wanted
    return preview.preview(book, wanted, incident, config, asked.actor.text, tx.now)


def _running(tx: Tx) -> Sequence[Progress]:
    found = [runs.progress(tx, run.id) for run in runs.live(tx)]
    return [one for one in found if one is not None]


def _ranked(books: Books, health: Health, now: int) -> dict[str, object]:
    ranked = fit.rank(books, {**known.of_health(health), **known.of_time(now)}, now)
    return {
        "target": health.target,
        "verdict": str(health.verdict),
        "runbooks": [
            {
                "runbook": one.runbook,
                "title": one.title,
                "fits": one.fits,
                "because": list(one.because),
                "unknown": one.unknown,
                "trial": one.trial,
            }
            for one in ranked
        ],
    }
