"""Does the steps of runs that need the world outside: measures, collects, probes, calls actions once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from bot.clock import Clock
from bot.collect import probe
from bot.http import Client
from bot.model.action import Done, Failed, Unclear
from bot.model.answer import Refusal
from bot.model.incident import Facts
from bot.model.probe import Artifact, ProbeFailed, ProbeOutcome, ProbeRun
from bot.model.reading import Health
from bot.model.report import Report, Wanted
from bot.model.run import Result, Work
from bot.model.step import (
    ActionStep,
    AnalyzeStep,
    CollectStep,
    PostmortemStep,
    ProbeStep,
)
from bot.model.target import AgentSource
from bot.model.timer import Timer
from bot.rules import check, facts, verdict
from bot.rules.known import Values
from bot.rules.runbook import Look
from bot.send import action
from bot.services import runbooks, trend
from bot.services.diagnosis import Diagnosis
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.services.postmortem import Postmortems
from bot.store import reports, runs
from bot.store.database import Database, Tx
from bot.text import clean, plain

log = logging.getLogger(__name__)

BUSY_AGAIN_S = 0.5
_LAST = 8_000  # characters of output that are kept; the whole is a file
_BY_HAND = {"unreachable", "unauthorized", "not_offered", "no_agent", "not_runnable"}


class Running:
    """The handler of a run's timer. ``folder`` keeps what probes leave, beside the database."""

    def __init__(
        self,
        database: Database,
        client: Client,
        monitoring: Monitoring,
        diagnosis: Diagnosis,
        postmortems: Postmortems,
        live: Live,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._database = database
        self._client = client
        self._monitoring = monitoring
        self._diagnosis = diagnosis
        self._postmortems = postmortems
        self._live = live
        self._clock = clock
        self._folder = folder

    async def due(self, timer: Timer) -> None:
        """Read what the next decision needs, decide, and do what was decided."""
        config = self._live.config
        run_id = int(timer.subject)
        look = await self._database.read(runbooks.looks_at, run_id, config)
        healths = await self._look(look)
        changes = await self._database.read(_changes, run_id, healths)
        work = await self._database.write(runbooks.advance, timer, config, healths, changes)
        if work is not None:
            result = await self._within(work)
            await self._database.write(runbooks.finish, work, result, self._live.config)

    async def _look(self, look: Look | None) -> Mapping[str, Health]:
        if look is None:
            return {}
        config = self._live.config
        if look.target not in config.targets:
            return {look.target: verdict.not_watched(look.target, self._clock.now())}
        within = self._monitoring.time_limit((look.target,))
        (health,) = await self._monitoring.refresh((look.target,), within, look.since)
        return {look.target: health}

    async def _within(self, work: Work) -> Result:
        """The result within the step's time; an action has its own limit, and is never cut off by this."""
        if isinstance(work.definition, ActionStep):
            return await self._called(work)
        try:
            async with asyncio.timeout(work.within_ms / 1000):
                return await self._done(work)
        except TimeoutError:
            return Result(state="failed", text=f"not done within {work.within_ms / 1000:g} s")
        except Exception:
            log.exception("%s: “%s” failed in the bot", work.run.key, work.definition.title)
            return Result(state="failed", text="the bot failed at it: see its log")

    async def _done(self, work: Work) -> Result:
        match work.definition:
            case CollectStep(profile="quick"):
                return await self._measure(work)
            case CollectStep():
                return await self._collect(work)
            case ProbeStep():
                return await self._probe(work)
            case AnalyzeStep():
                return await self._analyze(work)
            case PostmortemStep():
                return await self._open_draft(work)
        raise AssertionError(work.definition.kind)

    async def _called(self, work: Work) -> Result:
        try:
            return await self._call(work)
        except Exception:
            log.exception(
                "%s: the call of “%s” failed in the bot", work.run.key, work.definition.title
            )
            text = "nobody knows whether it was done: the bot failed in the call, see its log"
            return Result(state="unknown", text=text, facts={"called": True})

    async def _call(self, work: Work) -> Result:
        definition = work.definition
        assert isinstance(definition, ActionStep)
        target = self._live.config.targets.get(work.target)
        if target is None:
            return Result(state="failed", text=f"there is no target {work.target} any more")
        match await action.call(self._client, target, definition.action):
            case Done(status, said):
                text = f"{target.action_title(definition.action)}: done (HTTP {status})"
                return Result(state="ok", text=text, facts={"called": True, "said": said})
            case Failed(reason):
                return Result(state="failed", text=f"not done: {reason}", facts={"called": False})
            case Unclear(reason):
                text = f"nobody knows whether it was done: {reason}"
                return Result(state="unknown", text=text, facts={"called": True})

    async def _measure(self, work: Work) -> Result:
        (health,) = (await self._look(Look(work.target, work.step.started_at or 0))).values()
        text = f"{work.target} is {health.verdict}: {health.reason}"
        return Result(state="ok", text=text, readings=check.readings_of(health))

    async def _collect(self, work: Work) -> Result:
        """A report; one that belongs to the incident says so, and holds what else is open."""
        emergency = (
            isinstance(work.definition, CollectStep) and work.definition.profile == "emergency"
        )
        wanted = Wanted(
            id=self._diagnosis.new_id(),
            target=work.target,
            description=await self._database.read(_issue, work),
            by=work.run.by,
            incident=work.run.incident_id if emergency else None,
        )

        async def progress(done: int, total: int) -> None:
            await self._database.write(runbooks.told, work, f"{done} of {total} parts read")

        made = await self._diagnosis.report(wanted, within_ms=work.within_ms, progress=progress)
        return _collected(made)

    async def _probe(self, work: Work) -> Result:
        assert isinstance(work.definition, ProbeStep)
        target = self._live.config.targets.get(work.target)
        source = target.agent if target is not None else None
        if source is None:
            return Result(state="by_hand", text=f"{work.target} has no agent in the config")
        match ran := await self._run_probe(work, source):
            case ProbeFailed("needs_approval"):
                return Result(state="approval", text=ran.reason)
            case ProbeFailed(kind) if kind in _BY_HAND:
                return Result(state="by_hand", text=ran.reason)
            case ProbeFailed():
                return Result(state="failed", text=ran.reason)
        files, left_out = await self._keep(work, ran)
        return _ran(ran, files, left_out)

    async def _run_probe(self, work: Work, source: AgentSource) -> ProbeOutcome:
        """An agent runs one probe at a time: another run's is waited for, within the step's time."""
        assert isinstance(work.definition, ProbeStep)
        name = work.definition.probe
        while True:
            ran = await probe.run(self._client, source, name, approved=work.approved)
            if not (isinstance(ran, ProbeFailed) and ran.kind == "busy"):
                return ran
            await self._database.write(runbooks.told, work, f"waits: {ran.reason}")
            await asyncio.sleep(BUSY_AGAIN_S)

    async def _keep(self, work: Work, ran: ProbeRun) -> tuple[list[Facts], dict[str, str]]:
        """What the probe left, in a folder of this attempt; what can't be kept is said."""
        place = Path("runs") / work.run.key / f"{work.step.step}-{work.step.attempt}"
        target = self._live.config.targets[work.target]
        assert target.agent is not None
        files: list[Facts] = []
        left_out = dict(ran.left_out)
        whole = f"{ran.stdout}\n{ran.stderr}".strip() if len(ran.stdout) > _LAST else ""
        if whole:
            await asyncio.to_thread(_write, self._folder / place / "output.txt", whole.encode())
            files.append({"path": str(place / "output.txt"), "name": "output.txt"})
        for one in ran.artifacts:
            content = await probe.artifact(self._client, target.agent, one)
            if isinstance(content, ProbeFailed):
                left_out[one.name] = content.reason
                continue
            await asyncio.to_thread(_write, self._folder / place / one.name, content)
            files.append(_file(place, one))
        return files, left_out

    async def _analyze(self, work: Work) -> Result:
        found = await self._database.read(_newest_report, work.run.id, work.target)
        if found is None:
            text = f"nothing was collected of {work.target}: a collect step comes first"
            return Result(state="failed", text=text)
        lines = [str(one["text"]) for one in found.findings]
        text = "; ".join(lines[:3]) if lines else f"nothing stands out; {found.reason}"
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        findings = [dict(one) for one in found.findings]
        return Result(state="ok", text=text + more, facts={"findings": findings})

    async def _open_draft(self, work: Work) -> Result:
        if work.run.incident_id is None:
            return Result(
                state="failed", text="this run belongs to no incident: there is no record"
            )
        draft = await self._postmortems.draft(work.run.incident_id, work.run.by)
        if isinstance(draft, Refusal):
            return Result(state="failed", text=str(draft))
        return Result(
            state="ok", text=f"drafted: {draft.files[0]}", facts={"draft": draft.files[0]}
        )


def _collected(made: Report) -> Result:
    lines = [str(one["text"]) for one in made.findings[:2]]
    missing = f" ({len(made.partial)} parts could not be read)" if made.partial else ""
    text = f"{made.target} is {made.verdict}: {'; '.join(lines) or made.reason}{missing}"
    readings = made.details["health"]["readings"]
    return Result(
        state="ok",
        text=text,
        readings=readings,
        facts={"report": made.id, "partial": dict(made.partial)},
        report=made,
    )


def _ran(ran: ProbeRun, files: list[Facts], left_out: Mapping[str, str]) -> Result:
    out = ran.stdout.strip() or ran.stderr.strip()
    lines = out.splitlines()
    ended = (
        f"ended by signal {ran.signal}" if ran.exit_code is None else f"exit code {ran.exit_code}"
    )
    text = clean(lines[0], 200) if ran.ok and lines else ended
    if not ran.ok:  # what it says last is mostly why
        text = f"{ran.stopped or ended}: {clean(lines[-1], 200)}" if lines else ran.stopped or ended
    kept = {
        "stdout": out[-_LAST:],
        "exit_code": ran.exit_code,
        "files": files,
        "left_out": dict(left_out),
    }
    return Result(state="ok" if ran.ok else "failed", text=text, facts=kept)


def _file(place: Path, one: Artifact) -> Facts:
    return {"path": str(place / one.name), "name": one.name, "size": one.size}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)


def _issue(tx: Tx, work: Work) -> str:
    """What is wrong, as the step says it; else why the report is made."""
    progress = runs.progress(tx, work.run.id)
    said = progress.steps[work.step.position].output.get("issue") if progress else None
    return plain(said) if said else f"{work.run.key} {work.run.runbook}: {work.definition.title}"


def _newest_report(tx: Tx, run_id: int, target: str) -> Report | None:
    """Of what the run collected of the target; else of what the incident's declaration did."""
    progress = runs.progress(tx, run_id)
    assert progress is not None
    for step in reversed(progress.steps):
        found = reports.get(tx, step.output["report"]) if step.output.get("report") else None
        if found is not None and found.target == target:
            return found
    return reports.newest(tx, target, progress.run.incident_id)


def _changes(tx: Tx, run_id: int, healths: Mapping[str, Health]) -> Mapping[str, Values]:
    """How much more each reading is than it was, where the runbook's conditions ask for it."""
    if not healths:
        return {}
    progress = runs.progress(tx, run_id)
    assert progress is not None
    names = facts.changes_named(progress.run.book)
    return {
        target: {name: trend.change(tx, target, health, name) for name in names}
        for target, health in healths.items()
    }
