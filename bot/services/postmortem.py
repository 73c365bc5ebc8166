"""Drafts of post-mortems: read the record, write the files, and bring them into the incident's thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.model.actor import BOT
from bot.model.answer import Answer, Refusal
from bot.model.chart import Point
from bot.model.config import Config
from bot.model.incident import Facts, Incident
from bot.model.postmortem import Account, Draft, Record, Series
from bot.model.timer import Timer
from bot.render.postmortem import Figure, Sheet, figures, html, markdown, sheet
from bot.rules import picture
from bot.rules.postmortem import account
from bot.services import charts
from bot.services.incidents import Asked, add_reply, find
from bot.services.live import Live
from bot.services.overview import overview_of
from bot.store import folder, incidents, outbox, postmortems, runs, samples, timers
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

KIND = "postmortem"
FOLDER = "postmortems"
SHARED_CHARTS = 3
_ATTEMPTS = 3
_MOST = 1_000  # edited drafts of one incident


class Postmortems:
    """Writes drafts into ``postmortems`` in the data folder, one at a time."""

    def __init__(self, database: Database, live: Live, data: Path) -> None:
        self._database = database
        self._live = live
        self._data = data
        self._folder = data / FOLDER
        self._alone = asyncio.Lock()

    async def draft(self, incident_id: int, by: str, timer: Timer | None = None) -> Draft | Refusal:
        """A draft for ``by`` (an actor), written and on its way to the thread; or why there is none.

        With a ``timer`` it is told of only if that is still ours.
        """
        async with self._alone:
            config = self._live.config
            record = await self._database.read(read, incident_id, config)
            if record is None:
                return Refusal(f"There is no INC-{incident_id}.", "See `/iora incidents all`.")
            drawn = await asyncio.to_thread(_drawn, record, config)
            try:
                written = await self._write(drawn, by)
            except OSError as error:
                log.warning("the post-mortem of %s was not written: %s", record.incident.key, error)
                return _cant_write(record.incident, error)
            await self._database.write(tell, record.incident, written, by, timer)
            return written

    def path_of(self, file: str) -> Path:
        """Where one of a draft's files is, as the database's own path was given."""
        return self._data / file

    async def work(self, timer: Timer) -> None:
        """Somebody asked in Slack: the draft, or why there is none, comes into the thread."""
        assert timer.incident_id is not None
        if timer.attempts > _ATTEMPTS:
            given: Draft | Refusal = Refusal("It failed: see the bot's log.")
        else:
            given = await self.draft(timer.incident_id, timer.detail["by"], timer)
        if isinstance(given, Refusal):
            await self._database.write(tell_refusal, timer, given)

    async def _write(self, drawn: _Drawn, by: str) -> Draft:
        """Under the first name whose files nobody edited."""
        key, kept = drawn.account.incident.key, None
        for number in range(1, _MOST):
            name = key if number == 1 else f"{key}-{number}"
            files = drawn.files(name)
            hashes = {one: folder.digest(content) for one, content in files.items()}
            ours = await self._database.write(
                postmortems.keep, drawn.account.incident.id, by, hashes
            )
            edited = await asyncio.to_thread(folder.write, self._folder, files, ours)
            if edited is None:
                return drawn.draft(name, tuple(files), kept)
            kept = edited
        raise FileExistsError(f"{_MOST} drafts of {key} were edited")


@dataclass(frozen=True)
class _Drawn:
    """A draft before it has a name."""

    account: Account
    sheet: Sheet
    figures: tuple[Figure, ...]

    def files(self, name: str) -> Mapping[str, bytes]:
        """The Markdown, the page, and the charts that the Markdown shows."""
        charts = {f"{name}-{one.name}": one.png for one in self.figures if one.png is not None}
        return {
            f"{name}.md": markdown(self.sheet, name).encode(),
            f"{name}.html": html(self.sheet).encode(),
            **charts,
        }

    def draft(self, name: str, files: tuple[str, ...], kept: str | None) -> Draft:
        """What was written under that name."""
        return Draft(
            incident=self.account.incident.key,
            name=name,
            files=tuple(f"{FOLDER}/{file}" for file in files),
            kept=kept,
            sections=self.sheet.recorded,
            entries=len(self.account.entries),
            charts=len(self.figures),
            live=self.account.incident.live,
        )


def begin(tx: Tx, incident_id: int | None, asked: Asked) -> Answer | Refusal:
    """Somebody asks in Slack: the timer that does the work, due now."""
    incident = find(tx, incident_id, asked)
    if isinstance(incident, Refusal):
        return incident
    timers.arm(tx, KIND, str(incident.id), tx.now, incident_id=incident.id, by=asked.actor.text)
    return Answer(kind="drafting", facts={"incident": incident.key})


def read(tx: Tx, incident_id: int, config: Config) -> Record | None:
    """All that a draft may tell of an incident, or None if there is no such one."""
    incident = incidents.get(tx, incident_id)
    if incident is None:
        return None
    seen = overview_of(tx, config, incident)
    start, end = picture.window(incident.started_at, incident.resolved_at, tx.now)
    return Record(
        incident=incident,
        entries=seen.entries,
        pings=seen.pings,
        runs=tuple(runs.of_incident(tx, incident.id)),
        series=tuple(
            Series(target, metric, _points(tx, target, metric, start, end))
            for target in incident.targets
            for metric in picture.metrics(config)
        ),
        start=start,
        end=end,
        kept_since=tx.now - config.samples.raw,
        now=tx.now,
        marks={target: charts.marks(tx, config, target, start, end) for target in incident.targets},
    )


def tell(tx: Tx, incident: Incident, draft: Draft, by: str, timer: Timer | None) -> None:
    """The entry, its reply in the thread, and the files below it."""
    if timer is not None and not timers.fire(tx, timer):
        return
    facts = {
        "name": draft.name,
        "file": draft.files[0],
        "kept": draft.kept,
        "sections": draft.sections,
        "entries": draft.entries,
        "charts": draft.charts,
        "live": draft.live,
    }
    seq = incidents.add_entry(tx, incident.id, by, KIND, facts)
    outbox.revise(tx, incident.id, ("card",))
    add_reply(tx, incident, seq)
    card = outbox.by_key(tx, f"card:{incident.id}")
    for path in draft.files[: 2 + SHARED_CHARTS]:
        outbox.add(
            tx,
            f"file:{incident.id}:{seq}:{path}",
            "file",
            f"channel:{incident.channel}",
            _file(path, draft, seq),
            incident_id=incident.id,
            parent_id=card.id if card else None,
        )


def tell_refusal(tx: Tx, timer: Timer, refusal: Refusal) -> None:
    """Say in the thread that there is no draft, and why."""
    if timer.incident_id is None or not timers.fire(tx, timer):
        return
    incident = incidents.get(tx, timer.incident_id)
    if incident is None:
        return
    seq = incidents.add_entry(tx, incident.id, BOT, KIND, {"refused": str(refusal)})
    add_reply(tx, incident, seq)


def _file(path: str, draft: Draft, seq: int) -> Facts:
    """Two drafts of the same name are two files in Slack, where the name is what is looked up."""
    name = Path(path)
    shared = f"{name.stem}-entry-{seq}{name.suffix}"
    kinds = {".md": "Markdown", ".html": "page", ".png": "chart"}
    title = f"Post-mortem of {draft.incident}, draft ({kinds[name.suffix]})"
    return {"path": path, "name": shared, "title": title}


def _points(tx: Tx, target: str, metric: str, start: int, end: int) -> tuple[Point, ...]:
    found = samples.between(tx, target, metric, start, end)
    return tuple(Point(one.at, one.value) for one in found)


def _drawn(record: Record, config: Config) -> _Drawn:
    told = account(record, config)
    charts = figures(told)
    return _Drawn(told, sheet(told, charts), charts)


def _cant_write(incident: Incident, error: OSError) -> Refusal:
    reason = (error.strerror or str(error)).lower()
    return Refusal(
        f"The post-mortem of {incident.key} could not be written: {reason}.",
        f"Its record is kept: see to the folder `{FOLDER}` beside the database, and ask again.",
    )
