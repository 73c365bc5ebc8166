"""Runs of runbooks with their steps and approvals, in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from bot.model.run import Choice, Progress, Run, RunState, StepRun, StepState
from bot.store.database import Row, Tx

_RUN = """id, runbook, version, hash, pinned, target, incident_id, started_by, inputs, state, reason,
    started_at, ends_by, paused_at, ended_at, ended_by"""
_STEP = """run_id, position, step, state, attempt, actor, started_at, ended_at, due_at, held_since,
    reason, output, undoes"""


def add(
    tx: Tx,
    *,
    runbook: str,
    version: int,
    digest: str,
    source: str,
    pinned: str,
    target: str,
    incident_id: int | None,
    by: str,
    inputs: Mapping[str, str | float],
    steps: Sequence[str],
    ends_by: int,
) -> int:
    """A new run, all steps waiting; its id. A second of the runbook and target is the caller's to refuse."""
    row = tx.all(
        """INSERT INTO runs (runbook, version, hash, source, pinned, target, incident_id, started_by,
            inputs, state, started_at, ends_by)
        VALUES (:runbook, :version, :hash, :source, :pinned, :target, :incident_id, :by,
            :inputs, :state, :now, :ends_by)
        RETURNING id""",
        runbook=runbook,
        version=version,
        hash=digest,
        source=source,
        pinned=pinned,
        target=target,
        incident_id=incident_id,
        by=by,
        inputs=json.dumps(dict(inputs)),
        state=RunState.RUNNING,
        now=tx.now,
        ends_by=ends_by,
    )[0]
    run_id: int = row["id"]
    for position, step in enumerate(steps):
        add_step(tx, StepRun(run_id=run_id, position=position, step=step, state=StepState.WAITING))
    return run_id


def add_step(tx: Tx, step: StepRun) -> None:
    """One more step at the end of a run."""
    tx.run(
        """INSERT INTO steps (run_id, position, step, state, attempt, reason, output, undoes)
        VALUES (:run_id, :position, :step, :state, :attempt, :reason, :output, :undoes)""",
        run_id=step.run_id,
        position=step.position,
        step=step.step,
        state=step.state,
        attempt=step.attempt,
        reason=step.reason,
        output=json.dumps(dict(step.output)),
        undoes=step.undoes,
    )


def progress(tx: Tx, run_id: int) -> Progress | None:
    """A run with all that belongs to it, or None."""
    row = tx.one(f"SELECT {_RUN} FROM runs WHERE id = :id", id=run_id)
    return _progress(tx, row) if row else None


def live_of(tx: Tx, runbook: str, target: str) -> Run | None:
    """The run of a runbook on a target that is under way."""
    row = tx.one(
        f"""SELECT {_RUN} FROM runs
        WHERE runbook = :runbook AND target = :target AND state IN ('running', 'paused')""",
        runbook=runbook,
        target=target,
    )
    return _run(row) if row else None


def live(tx: Tx) -> list[Run]:
    """Every run that is under way, oldest first."""
    rows = tx.all(f"SELECT {_RUN} FROM runs WHERE state IN ('running', 'paused') ORDER BY id")
    return [_run(row) for row in rows]


def unfinished(tx: Tx) -> list[int]:
    """The runs that have a step under a lease, live or not: after a crash nobody works on it."""
    rows = tx.all(
        "SELECT DISTINCT run_id FROM steps WHERE state = :started", started=StepState.STARTED
    )
    return [row["run_id"] for row in rows]


def recent(tx: Tx, limit: int) -> list[Run]:
    """The newest runs first."""
    rows = tx.all(f"SELECT {_RUN} FROM runs ORDER BY id DESC LIMIT :limit", limit=limit)
    return [_run(row) for row in rows]


def of_incident(tx: Tx, incident_id: int) -> list[Progress]:
    """Every run that belongs to the incident, oldest first."""
    rows = tx.all(
        f"SELECT {_RUN} FROM runs WHERE incident_id = :incident_id ORDER BY id",
        incident_id=incident_id,
    )
    return [_progress(tx, row) for row in rows]


def save(tx: Tx, step: StepRun) -> None:
    """A step as it is now."""
    tx.run(
        """UPDATE steps SET state = :state, attempt = :attempt, actor = :actor, started_at = :started_at,
            ended_at = :ended_at, due_at = :due_at, held_since = :held_since, reason = :reason,
            output = :output
        WHERE run_id = :run_id AND position = :position""",
        run_id=step.run_id,
        position=step.position,
        state=step.state,
        attempt=step.attempt,
        actor=step.by,
        started_at=step.started_at,
        ended_at=step.ended_at,
        due_at=step.due_at,
        held_since=step.held_since,
        reason=step.reason,
        output=json.dumps(dict(step.output)),
    )


def set_state(
    tx: Tx,
    run_id: int,
    state: RunState,
    *,
    reason: str,
    ends_by: int,
    paused_at: int | None = None,
    ended_at: int | None = None,
    ended_by: str | None = None,
) -> None:
    """A run as it is now."""
    tx.run(
        """UPDATE runs SET state = :state, reason = :reason, ends_by = :ends_by, paused_at = :paused_at,
            ended_at = :ended_at, ended_by = :ended_by
        WHERE id = :id""",
        id=run_id,
        state=state,
        reason=reason,
        ends_by=ends_by,
        paused_at=paused_at,
        ended_at=ended_at,
        ended_by=ended_by,
    )


def approve(tx: Tx, step: StepRun, actor: str) -> None:
    """Somebody's yes to this asking of a step."""
    tx.run(
        """INSERT INTO approvals (run_id, position, actor, attempt, choice, at)
        VALUES (:run_id, :position, :actor, :attempt, 'yes', :now)
        ON CONFLICT (run_id, position, actor) DO UPDATE
        SET attempt = excluded.attempt, at = excluded.at""",
        run_id=step.run_id,
        position=step.position,
        actor=actor,
        attempt=step.attempt,
        now=tx.now,
    )


def source(tx: Tx, run_id: int) -> str:
    """The text of the file that the run pinned."""
    row = tx.one("SELECT source FROM runs WHERE id = :id", id=run_id)
    return row["source"] if row else ""


def _progress(tx: Tx, row: Row) -> Progress:
    run = _run(row)
    steps = tx.all(
        f"SELECT {_STEP} FROM steps WHERE run_id = :run_id ORDER BY position", run_id=run.id
    )
    choices = tx.all(
        """SELECT position, actor, attempt, at FROM approvals
        WHERE run_id = :run_id ORDER BY at, actor""",
        run_id=run.id,
    )
    return Progress(
        run,
        tuple(_step(one) for one in steps),
        tuple(Choice(one["position"], one["actor"], one["attempt"], one["at"]) for one in choices),
    )


def _run(row: Row) -> Run:
    return Run(
        id=row["id"],
        runbook=row["runbook"],
        version=row["version"],
        hash=row["hash"],
        pinned=row["pinned"],
        target=row["target"],
        incident_id=row["incident_id"],
        by=row["started_by"],
        inputs=json.loads(row["inputs"]),
        state=RunState(row["state"]),
        reason=row["reason"],
        started_at=row["started_at"],
        ends_by=row["ends_by"],
        paused_at=row["paused_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


def _step(row: Row) -> StepRun:
    return StepRun(
        run_id=row["run_id"],
        position=row["position"],
        step=row["step"],
        state=StepState(row["state"]),
        attempt=row["attempt"],
        by=row["actor"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        due_at=row["due_at"],
        held_since=row["held_since"],
        reason=row["reason"],
        output=json.loads(row["output"]),
        undoes=row["undoes"],
    )
