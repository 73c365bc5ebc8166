"""An action that was called, or may have been, can be taken back whatever became of its step."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.run import StepState
from bot.rules import outcome, undo
from bot.rules.outcome import Seen
from tests.support.clock import NOON
from tests.support.progress import progress
from tests.support.runs import step
from tests.support.stage import settings

BREAKER = step("action", "open", action="circuit_breaker_open")
CONFIG = settings()
CALLED = {"called": True}


@pytest.mark.parametrize(
    ("state", "output", "can"),
    [
        (StepState.OK, CALLED, True),
        (StepState.FAILED, CALLED, True),
        (StepState.FAILED, {"called": False}, False),
        (StepState.FAILED, {}, False),
        (StepState.STUCK, CALLED, True),
        (StepState.WATCHING, {**CALLED, "verifying": True}, True),
        (StepState.SKIPPED, {**CALLED, "verifying": True}, True),
        (StepState.SKIPPED, CALLED, True),
        (StepState.SKIPPED, {}, False),
        (StepState.APPROVING, {}, False),
        (StepState.WAITING, {}, False),
    ],
)
def test_what_was_called_or_may_have_been_can_be_taken_back(
    state: StepState, output: dict[str, Any], can: bool
) -> None:
    made = progress((BREAKER, {"state": state, "output": output}))
    assert undo.possible(CONFIG, made, made.steps[0]) is can


def test_an_action_that_a_crash_cut_off_can_be_taken_back_though_its_run_was_cancelled() -> None:
    made = progress((BREAKER, {"state": StepState.STARTED}))
    (stuck,) = outcome.orphan(Seen(made, CONFIG, None, NOON), made.steps[0]).steps
    assert stuck.state is StepState.STUCK
    cancelled = progress((BREAKER, {"state": StepState.SKIPPED, "output": stuck.output}))
    assert undo.possible(CONFIG, cancelled, cancelled.steps[0])
