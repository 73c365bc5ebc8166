"""Runs as records, for rules and drawings: a runbook of some steps, each in the state that a test says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.model.run import Choice, Progress, Run, RunState, StepRun, StepState
from bot.model.runbook import Runbook
from tests.support.clock import NOON
from tests.support.incidents import alice
from tests.support.runs import book

HOUR = 3_600_000


def progress(
    *steps: tuple[Mapping[str, Any], Mapping[str, Any]],
    choices: tuple[Choice, ...] = (),
    written: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Progress:
    """Each step as people write it, with what is different about its state; then about the run."""
    runbook = Runbook.model_validate_json(
        json.dumps(book(*(step for step, _ in steps), **(written or {})))
    )
    run = {
        "id": 5,
        "runbook": runbook.id,
        "version": 1,
        "hash": "0" * 64,
        "pinned": runbook.model_dump_json(by_alias=True),
        "target": "iora",
        "incident_id": None,
        "by": alice.text,
        "inputs": {"target": "iora"},
        "state": RunState.RUNNING,
        "reason": "",
        "started_at": NOON,
        "ends_by": NOON + 4 * HOUR,
        "paused_at": None,
        "ended_at": None,
    }
    return Progress(
        Run(**(run | changes)),
        tuple(
            StepRun(
                **(
                    {"run_id": 5, "position": at, "step": written["id"], "state": StepState.WAITING}
                    | state
                )
            )
            for at, (written, state) in enumerate(steps)
        ),
        choices,
    )
