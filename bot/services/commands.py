"""Carries out what a person asked, from Slack or from the command line, and answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from bot import logs
from bot.clock import Clock
from bot.model.answer import Answer, Refusal
from bot.model.command import (
    Baseline,
    Command,
    Declare,
    Diagnose,
    Doctor,
    Drill,
    EndOverride,
    EndSilence,
    Health,
    Help,
    Incidents,
    LearnBaseline,
    OnCall,
    OnFinding,
    OnIncident,
    OnRun,
    Postmortem,
    RecordDeploy,
    Reports,
    Runbooks,
    SetOverride,
    SetSilence,
    Show,
    ShowChart,
    Silences,
    StartRun,
    Stats,
    Timeline,
)
from bot.model.config import Config
from bot.model.overview import Overview
from bot.model.postmortem import Draft
from bot.model.report import Wanted
from bot.model.runbook import Runbook
from bot.rules import access, statistics
from bot.services import (
    alert_suggestions,
    asking,
    baseline,
    deploys,
    doctor,
    healthy,
    incidents,
    oncall,
    postmortem,
    silencing,
    suggestions,
)
from bot.services.charts import Charts
from bot.services.diagnosis import Diagnosis
from bot.services.drill import Drills
from bot.services.incidents import Asked, Done
from bot.services.listing import listing
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.services.overview import overview, overview_of
from bot.services.postmortem import Postmortems
from bot.services.run_commands import RunCommands
from bot.store import incidents as store
from bot.store import outbox, reports
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

FIRST_WORDS_MS = 700
_LISTED = 30

Given = Answer | Refusal


class Commands:
    """One method a kind of command; the answer is drawn by whoever asked."""

    def __init__(
        self,
        database: Database,
        live: Live,
        monitoring: Monitoring,
        doctor: doctor.Doctor,
        diagnosis: Diagnosis,
        postmortems: Postmortems,
        runs: RunCommands,
        drills: Drills,
        clock: Clock,
    ) -> None:
        self._database = database
        self._live = live
        self._monitoring = monitoring
        self._doctor = doctor
        self._diagnosis = diagnosis
        self._postmortems = postmortems
        self._runs = runs
        self._clock = clock
        self._kinds: Mapping[type[Command], Callable[[Any, Asked], Awaitable[Given]]] = {
            Help: self._help,
            Baseline: self._baseline,
            LearnBaseline: self._learn_baseline,
            Diagnose: self._diagnose,
            ShowChart: Charts(database, live).show,
            RecordDeploy: self._deploy,
            Reports: self._reports,
            Doctor: self._examine,
            Declare: self._declare,
            Incidents: self._incidents,
            Stats: self._stats,
            Show: self._show,
            Timeline: self._timeline,
            Postmortem: self._postmortem,
            Runbooks: runs.list,
            StartRun: runs.start,
            OnRun: runs.act,
            Drill: drills.carry_out,
            OnFinding: self._finding,
            OnCall: self._oncall,
            SetOverride: self._writes(oncall.set_override),
            EndOverride: self._writes(oncall.end_override),
            SetSilence: self._writes(silencing.set_silence),
            EndSilence: self._writes(silencing.end_silence),
            Silences: self._silences,
        }

    async def carry_out(self, command: Command, asked: Asked) -> Given:
        """The answer; when it says that something was done, that is committed."""
        handler = self._kinds.get(type(command))
        # An outsider's refusal goes on the timeline.
        if handler is None and isinstance(command, OnIncident):
            return await self._change(command, asked)
        if isinstance(command, OnRun):
            return await self._runs.act(command, asked)
        outsider = access.refuse_outsider(self._live.config, asked.actor)
        if outsider is not None:
            return outsider
        if isinstance(command, Health):
            return await self._health(command, self._monitoring.time_limit(command.targets))
        assert handler is not None, command
        return await handler(command, asked)

    async def asks(self, command: StartRun, asked: Asked) -> Runbook | None:
        """The runbook that can't start before its form is filled in; not for outsiders."""
        outsider = access.refuse_outsider(self._live.config, asked.actor)
        return None if outsider is not None else await self._runs.asks(command, asked)

    async def refused(self, command: OnIncident | OnRun, asked: Asked) -> Refusal | None:
        """Why this would be refused; None if it would not. Asked before a form opens."""
        if isinstance(command, OnRun):
            return await self._runs.refused(command, asked)
        return await self._database.write(incidents.refused, self._live.config, command, asked)

    async def answers(self, command: Command, asked: Asked) -> AsyncIterator[Given]:
        """First words within a second where the whole takes longer, then the whole."""
        outsider = access.refuse_outsider(self._live.config, asked.actor)
        if isinstance(command, Health) and outsider is None:
            limit = self._monitoring.time_limit(command.targets)
            first = await self._health(command, FIRST_WORDS_MS)
            if isinstance(first, Answer) and first.facts["late"]:
                yield Answer(kind="health", facts={**first.facts, "complete": False})
                first = await self._health(command, limit - FIRST_WORDS_MS)
            yield first
        else:
            yield await self.carry_out(command, asked)

    async def shown(self, marks: str) -> Answer | None:
        """A health answer that was shown not long ago, by its ``target@time`` marks."""
        found = []
        for mark in marks.split(","):
            target, _, at = mark.partition("@")
            health = self._monitoring.shown(target, int(at) if at.isdigit() else 0)
            if health is None:
                return None
            found.append(health)
        targets = await self._database.read(healthy.compared, found)
        return Answer(kind="health", facts={"targets": targets})

    async def _health(self, command: Health, within_ms: int) -> Given:
        unknown = self._unknown_target(command.targets)
        if unknown is not None:
            return unknown
        names = command.targets or tuple(self._live.config.targets)
        healths = await self._monitoring.refresh(names, within_ms)
        return Answer(
            kind="health",
            facts={
                "targets": await self._database.read(healthy.compared, healths),
                "late": any(health.late for health in healths),
            },
            finding=any(str(health.verdict) != "healthy" for health in healths),
        )

    async def _baseline(self, command: Baseline, asked: Asked) -> Given:
        found = await self._health(
            Health(targets=command.targets), self._monitoring.time_limit(command.targets)
        )
        if isinstance(found, Refusal):
            return found
        # One at a time: a day of hours of each is read, and nobody's commit is to wait for a whole fleet.
        targets = [
            await self._database.read(baseline.beside, self._live.config, one)
            for one in found.facts["targets"]
        ]
        facts = {**found.facts, "targets": targets}
        return Answer(kind="baseline", facts=facts, finding=found.finding)

    async def _learn_baseline(self, command: LearnBaseline, asked: Asked) -> Given:
        return await baseline.learn(self._database, self._live.config, command, asked)

    async def _diagnose(self, command: Diagnose, asked: Asked) -> Given:
        """In Slack a message shows the progress and the result; in a terminal it is the answer."""
        report_id = self._diagnosis.new_id()
        config = self._live.config
        if asked.actor.person is not None:
            return await self._database.write(asking.begin, config, command, asked, report_id)
        if command.target not in config.targets:
            return Refusal(f"There is no target `{command.target}`.", "See `/iora health`.")
        incident = await self._database.read(asking.incident_of, command.target, asked)
        wanted = Wanted(
            id=report_id,
            target=command.target,
            description=command.description,
            by=asked.actor.text,
            incident=incident,
        )
        made = await self._diagnosis.report(wanted)
        await self._database.write(asking.keep, made, incident, config)
        return Answer(kind="report", facts=made.json(), finding=made.verdict != "healthy")

    async def _deploy(self, command: RecordDeploy, asked: Asked) -> Given:
        return await self._database.write(deploys.ask, self._live.config, command, asked)

    async def _reports(self, command: Reports, asked: Asked) -> Given:
        if command.id is None:
            kept = await self._database.read(reports.recent, _LISTED)
            return Answer(kind="reports", facts={"reports": [asdict(one) for one in kept]})
        found = await self._database.read(reports.get, command.id)
        if found is None:
            reason = f"There is no report `{command.id}` any more, or never was."
            return Refusal(reason, "See `/iora reports` for those that are kept.")
        return Answer(kind="report", facts=found.json())

    async def _examine(self, command: Doctor, asked: Asked) -> Given:
        lines = await self._doctor.lines()
        if command.test_ping is not None:
            key = f"test:{uuid.uuid4().hex}"
            await self._database.write(_add_test, key, command.test_ping)
            what = f"a test ping for {command.test_ping} is on its way: ask whether it arrived"
            lines.append(doctor.Line("ok", what))
        return Answer(
            kind="doctor",
            facts={"lines": [asdict(line) for line in lines]},
            finding=any(line.state == "bad" for line in lines),
        )

    async def _help(self, command: Help, asked: Asked) -> Given:
        return Answer(kind="help", facts={"topic": command.topic})

    async def _declare(self, command: Declare, asked: Asked) -> Given:
        if not command.title:
            return Refusal(
                "An incident needs a title.", "Write `/iora declare sev2 API slow`, for instance."
            )
        unknown = self._unknown_target(command.targets)
        if unknown is not None:
            return unknown
        done = await self._database.write(_declare, self._live.config, command, asked)
        return _answered(done, asked)

    async def _change(self, command: OnIncident, asked: Asked) -> Given:
        done = await self._database.write(_change, self._live.config, command, asked)
        return _answered(done, asked)

    async def _show(self, command: Show, asked: Asked) -> Given:
        return await self._database.read(_look, self._live.config, command, asked, "show")

    async def _timeline(self, command: Timeline, asked: Asked) -> Given:
        return await self._database.read(_look, self._live.config, command, asked, "timeline")

    async def _postmortem(self, command: Postmortem, asked: Asked) -> Given:
        """In Slack it comes into the thread; in a terminal the answer says where the files are."""
        if asked.actor.person is not None:
            return await self._database.write(postmortem.begin, command.incident, asked)
        found = await self._database.read(incidents.find, command.incident, asked)
        if isinstance(found, Refusal):
            return found
        given = await self._postmortems.draft(found.id, asked.actor.text)
        if not isinstance(given, Draft):
            return given
        paths = [str(self._postmortems.path_of(file)) for file in given.files]
        return Answer(kind="postmortem", facts={**asdict(given), "paths": paths})

    async def _incidents(self, command: Incidents, asked: Asked) -> Given:
        return await self._database.read(listing, command, asked.actor)

    async def _finding(self, command: OnFinding, asked: Asked) -> Given:
        of_alerts = command.key.startswith(f"{alert_suggestions.KIND}:")
        answered = alert_suggestions.answer if of_alerts else suggestions.answer
        return await self._database.write(answered, self._live.config, command, asked)

    async def _oncall(self, command: OnCall, asked: Asked) -> Given:
        return await self._database.read(oncall.ask, self._live.config, command)

    def _writes(
        self, function: Callable[[Tx, Config, Any, Asked], Given]
    ) -> Callable[[Any, Asked], Awaitable[Given]]:
        """What is all done in one transaction."""

        async def handle(command: Command, asked: Asked) -> Given:
            return await self._database.write(function, self._live.config, command, asked)

        return handle

    async def _silences(self, command: Silences, asked: Asked) -> Given:
        return await self._database.read(silencing.listed, self._live.config)

    async def _stats(self, command: Stats, asked: Asked) -> Given:
        found = await self._database.read(store.declared_since, self._clock.now() - command.window)
        return Answer(kind="stats", facts={"window": command.window, **statistics.summarize(found)})

    def _unknown_target(self, names: tuple[str, ...]) -> Refusal | None:
        """A reload, or a form that stood open for long, may name what is not watched any more."""
        unknown = [name for name in names if name not in self._live.config.targets]
        return (
            Refusal(f"There is no target `{unknown[0]}`.", "See `/iora health`.")
            if unknown
            else None
        )


def _declare(
    tx: Tx, config: Config, command: Declare, asked: Asked
) -> tuple[Done, Overview] | Refusal:
    return _with_overview(tx, config, incidents.declare(tx, config, command, asked))


def _change(
    tx: Tx, config: Config, command: OnIncident, asked: Asked
) -> tuple[Done, Overview] | Refusal:
    return _with_overview(tx, config, incidents.change(tx, config, command, asked))


def _with_overview(tx: Tx, config: Config, done: Done | Refusal) -> tuple[Done, Overview] | Refusal:
    if isinstance(done, Refusal):
        return done
    seen = overview(tx, config, done.incident.id)
    assert seen is not None
    return done, seen


def _answered(done: tuple[Done, Overview] | Refusal, asked: Asked) -> Given:
    if isinstance(done, Refusal):
        log.info("refused to %s: %s", asked.actor.text, done.reason)
        return done
    what, seen = done
    logs.on_incident(what.incident.id)
    log.info("%s by %s", what.kind, asked.actor.text)
    return Answer(kind="done", facts={"done": what.kind, "fresh": what.fresh, "overview": seen})


def _look(tx: Tx, config: Config, command: OnIncident, asked: Asked, kind: str) -> Given:
    found = incidents.find(tx, command.incident, asked)
    if isinstance(found, Refusal):
        return found
    return Answer(kind=kind, facts={"overview": overview_of(tx, config, found)})


def _add_test(tx: Tx, key: str, person: str) -> None:
    outbox.add(tx, key, "test", f"user:{person}", {"person": person}, page=True)
