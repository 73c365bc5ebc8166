"""One execution of a runbook: the run, its steps, who approved what. ``RUN-5`` for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from bot.model.incident import Facts
from bot.model.report import Report
from bot.model.runbook import Runbook
from bot.model.step import ActionStep, ChecklistStep, Item, Step, target_of


class RunState(StrEnum):
    """Whether a run goes on. The last four are ends."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def live(self) -> bool:
        """Not at an end."""
        return self in {RunState.RUNNING, RunState.PAUSED}


class StepState(StrEnum):
    """Where a step is. The last four are its result, which conditions and templates read."""

    WAITING = "waiting"
    ASKING = "asking"  # its `when` is unknown: a person says whether it is done
    APPROVING = "approving"
    STARTED = "started"  # the bot does it, under a lease
    DOING = "doing"  # a person does it
    WATCHING = "watching"  # a condition must hold for a while: wait_for, or verify
    STUCK = "stuck"  # an action of which nobody knows what it did: a person decides
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether it has its result."""
        return self in {StepState.OK, StepState.FAILED, StepState.SKIPPED, StepState.UNKNOWN}

    @property
    def for_a_person(self) -> bool:
        """Whether it goes on only when a person says so."""
        return self in {StepState.ASKING, StepState.APPROVING, StepState.DOING, StepState.STUCK}


@dataclass(frozen=True, kw_only=True)
class Run:
    """``pinned`` is the runbook as JSON, ``source`` its file's text with its SHA-256 ``hash``.

    ``paused_at`` is set while it is paused; ``ends_by`` is when ``run_timeout`` is over.
    """

    id: int
    runbook: str
    version: int
    hash: str
    pinned: str
    target: str
    incident_id: int | None
    by: str
    inputs: Mapping[str, str | float]
    state: RunState
    reason: str
    started_at: int
    ends_by: int
    paused_at: int | None
    ended_at: int | None
    ended_by: str | None = None

    @property
    def key(self) -> str:
        """How people name it."""
        return f"RUN-{self.id}"

    @property
    def book(self) -> Runbook:
        """The runbook that was pinned at the start."""
        return Runbook.from_pinned(self.pinned)


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """One step of a run. ``attempt`` counts every time it is asked or tried anew, from 1.

    ``due_at`` is when its time is over, or when it is tried again; ``held_since`` since when a watched
    condition has held. ``output`` is what came out: ``text`` in one line, ``readings``, and what its kind
    adds. ``undoes`` is the position of the step that this one takes back.
    """

    run_id: int
    position: int
    step: str
    state: StepState
    attempt: int = 1
    by: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    due_at: int | None = None
    held_since: int | None = None
    reason: str = ""
    output: Facts = field(default_factory=dict)
    undoes: int | None = None


class Choice(NamedTuple):
    """Somebody's yes to a step's approval; ``attempt`` is the asking that it answers."""

    position: int
    actor: str
    attempt: int
    at: int


@dataclass(frozen=True)
class Progress:
    """A run with its steps in order and the approvals: all that a decision or a drawing needs."""

    run: Run
    steps: tuple[StepRun, ...]
    choices: tuple[Choice, ...] = ()

    def definition(self, step: StepRun) -> Step:
        """What the runbook says of a step; of one that takes another back, what its ``undo`` says."""
        if step.undoes is None:
            return next(one for one in self.run.book.steps if one.id == step.step)
        return _undoing(self.definition(self.steps[step.undoes]), step)

    def undone(self, step: StepRun) -> bool:
        """Whether a later step takes it back, or did; one that was certainly not called did not."""
        return any(
            one.undoes == step.position
            and (
                one.state not in {StepState.SKIPPED, StepState.FAILED}
                or bool(one.output.get("called"))
            )
            for one in self.steps
        )

    @property
    def current(self) -> StepRun | None:
        """The step that the run is at: the first that has no result."""
        return next((one for one in self.steps if not one.state.over), None)

    @property
    def done(self) -> int:
        """How many steps have their result."""
        return sum(one.state.over for one in self.steps)

    def approvers(self, step: StepRun) -> tuple[str, ...]:
        """Who said yes to this asking of the step, in order."""
        return tuple(
            one.actor
            for one in self.choices
            if one.position == step.position and one.attempt == step.attempt
        )


def _undoing(original: Step, step: StepRun) -> Step:
    undo: Mapping[str, str] = step.output["undo"]
    title, text = f"Undo: {original.title}"[:150], f"Takes “{original.title}” back."
    if "action" not in undo:
        return ChecklistStep(
            id=step.step,
            kind="checklist",
            title=title,
            text=text,
            on_failure="continue",
            items=(Item(text=undo["text"], note=False, owner=False),),
            remind=None,
        )
    return ActionStep(
        id=step.step,
        kind="action",
        title=title,
        text=text,
        on_failure="continue",
        action=undo["action"],
        approval=original.asks if isinstance(original, ActionStep) else original.approval,
        target=target_of(original),
    )


class Mark(NamedTuple):
    """What a button means: the run, the step's position and the asking that it was drawn for."""

    run_id: int
    position: int
    attempt: int

    def __str__(self) -> str:
        return f"RUN-{self.run_id}/{self.position}/{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """``RUN-5/3/1``; None if it is something else."""
        found = _MARK.fullmatch(text)
        return cls(*(int(part) for part in found.groups())) if found else None

    @classmethod
    def of(cls, step: StepRun) -> Mark:
        """The mark of a step as it is now."""
        return cls(step.run_id, step.position, step.attempt)


_MARK = re.compile(r"RUN-([0-9]{1,15})/([0-9]{1,4})/([0-9]{1,6})")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the bot is to do outside for a step that is committed as started.

    ``approved``: somebody said yes to it; ``within_ms``: its time limit.
    """

    run: Run
    step: StepRun
    definition: Step
    target: str
    within_ms: int
    approved: bool


ResultState = Literal["ok", "failed", "unknown", "by_hand", "approval"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of the work, in one line of ``text``.

    ``unknown``: of an action, nobody knows whether it was done. ``by_hand``: the target does not offer
    it, so a person does what the step's text says. ``approval``: it is done only after somebody's yes.
    ``report``: what was collected, which is to be kept; ``files``: what a probe left, by its path below
    the data folder.
    """

    state: ResultState
    text: str
    readings: Sequence[Facts] = ()
    facts: Facts = field(default_factory=dict)
    report: Report | None = None
