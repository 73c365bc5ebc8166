"""The steps of a runbook, as people write them: what each kind does, and what must hold around it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.model.condition import ConditionText
from bot.model.config import Role
from bot.model.policy import DestinationText
from bot.model.record import Written, shaped
from bot.model.target import Bound, MetricName, Name
from bot.model.units import DURATION_PATTERN, Duration, duration_text, parse_duration

ON_FAILURE = ("stop", "continue", "escalate")
_INPUT = "inputs."


def _duration_or_input(value: object) -> object:
    if isinstance(value, str) and value.startswith(_INPUT):
        return value
    return parse_duration(value)


def _written(value: int | str) -> str:
    return value if isinstance(value, str) else duration_text(value)


Length = Annotated[
    int | str,
    BeforeValidator(
        _duration_or_input,
        json_schema_input_type=Annotated[
            str,
            Field(
                pattern=f"^(?:inputs\\.[a-z][a-z0-9_-]*|{DURATION_PATTERN})$",
                examples=["5m", "inputs.hold"],
            ),
        ],
    ),
    PlainSerializer(_written, return_type=str),
]
"""Milliseconds, or ``inputs.NAME``: an input of the type duration."""

TargetOf = Annotated[
    str,
    shaped(
        r"inputs\.[a-z][a-z0-9_-]{0,62}|[a-z][a-z0-9_-]{0,62}",
        "a target of the config, or inputs.NAME",
    ),
]
StepName = Annotated[
    str,
    shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a step's id of lower-case letters, digits, - and _ that begins with a letter",
    ),
]


class Item(Written):
    """One line that a person ticks."""

    text: str = Field(min_length=1, max_length=1000)
    note: bool = Field(False, description="a note is asked for")
    owner: bool = Field(False, description="somebody must take it")


class Retry(Written):
    """Try again what failed. Never an action: nobody knows what the first call did."""

    attempts: int = Field(ge=2, le=10, description="how often in all")
    backoff: Duration = Field(
        5_000, description="before the second attempt; doubled before each more"
    )
    on: tuple[Literal["failed", "unknown"], ...] = Field(("failed", "unknown"), min_length=1)


class Approval(Written):
    """Who must say yes before the step is done."""

    roles: tuple[Role, ...] = Field(("commander",), min_length=1)
    min: int = Field(1, ge=1, le=5, description="how many people")
    expires: Duration = 1_800_000
    on_expire: Literal["fail", "skip", "escalate"] = Field(
        "fail", description="escalate: tell the next level, and ask anew"
    )
    not_requester: bool = Field(False, description="whoever started the run can't approve")


class Recovery(Written):
    """A condition that must hold for a while, within a time: ``verify``, and ``wait_for``."""

    that: ConditionText
    hold: Length = 0
    within: Length = 300_000


class Undo(Written):
    """What takes the step back: a named action of the target, or what a person does."""

    action: Name | None = None
    text: str | None = Field(None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.action is None) == (self.text is None):
            raise ValueError("expected exactly one of action and text")
        return self


def _undo_in_full(value: object) -> object:
    return {"action": value} if isinstance(value, str) else value


class BaseStep(Written):
    """What every kind of step has. ``text`` (a template) says what is done, and why."""

    id: StepName
    title: str = Field(min_length=1, max_length=150)
    text: str = Field("", max_length=4_000)
    when: ConditionText | None = Field(
        None, description="the step is skipped where it does not hold; unknown asks a person"
    )
    timeout: Duration | None = None
    on_failure: str | None = Field(None, description="stop, continue, escalate or a later step")
    always: bool = Field(False, description="also when an earlier step stopped the run")
    approval: Approval | None = None
    verify: Recovery | None = None
    undo: (
        Annotated[Undo, BeforeValidator(_undo_in_full, json_schema_input_type=Name | Undo)] | None
    ) = None


class RetriedStep(BaseStep):
    """A step that changes nothing, so it may be done again."""

    retry: Retry | None = None
    target: TargetOf | None = Field(None, description="another target than the run's")


class CheckStep(RetriedStep):
    """Reads a target's health, its baselines, or named metrics against bounds."""

    kind: Literal["check"]
    of: Literal["health", "baselines", "metrics"] = "health"
    bounds: dict[MetricName, Bound] = Field({}, description="metrics: what each must stay within")

    @model_validator(mode="after")
    def _bounds_suit(self) -> Self:
        if (self.of == "metrics") != bool(self.bounds):
            raise ValueError("bounds: expected with `of: metrics`, and only there")
        return self


class CollectStep(RetriedStep):
    """Runs a diagnostic collection; ``emergency``: with what belongs to the incident."""

    kind: Literal["collect"]
    profile: Literal["quick", "full", "emergency"] = "full"
    issue: str = Field(
        "", max_length=1_000, description="what is wrong, for the report; a template"
    )


class ProbeStep(RetriedStep):
    """Runs a named probe on the target's agent. Where there is none, ``text`` is done by hand."""

    kind: Literal["probe"]
    probe: Name


class AnalyzeStep(RetriedStep):
    """Findings from the newest report that the run collected of the target."""

    kind: Literal["analyze"]


class ChecklistStep(BaseStep):
    """A person does it and ticks it."""

    kind: Literal["checklist"]
    items: tuple[Item, ...] = Field(min_length=1, max_length=20)
    remind: Duration | None = Field(None, description="ask again after each so long")


class ActionStep(BaseStep):
    """A named action of the target, always behind approval, called once."""

    kind: Literal["action"]
    action: Name
    target: TargetOf | None = Field(None, description="another target than the run's")

    @property
    def asks(self) -> Approval:
        """An action is never without approval."""
        return self.approval or Approval()


class NotifyStep(BaseStep):
    """A message from a template to named destinations."""

    kind: Literal["notify"]
    to: tuple[DestinationText, ...] = Field(min_length=1, max_length=20)
    message: str = Field(min_length=1, max_length=3_000)


class WaitStep(BaseStep):
    """Until a condition holds for a while, or the time is up."""

    kind: Literal["wait_for"]
    that: ConditionText
    hold: Length = 0
    within: Length = 900_000
    target: TargetOf | None = Field(None, description="another target than the run's")


class Advice(Written):
    """One cause with its solution, shown when the condition matches, or always without one."""

    cause: str = Field(min_length=1, max_length=150)
    when: ConditionText | None = None
    solution: str = Field(min_length=1, max_length=1_500)
    example: str | None = Field(None, max_length=6_000, description="code, shown folded")


class AdviseStep(BaseStep):
    """Causes and solutions: the guide's "Common Causes and Solutions"."""

    kind: Literal["advise"]
    causes: tuple[Advice, ...] = Field(min_length=1, max_length=20)
    target: TargetOf | None = Field(None, description="another target than the run's")


class PostmortemStep(BaseStep):
    """Opens the draft of the incident's post-mortem."""

    kind: Literal["postmortem"]


Step = Annotated[
    CheckStep
    | CollectStep
    | ProbeStep
    | AnalyzeStep
    | ChecklistStep
    | ActionStep
    | NotifyStep
    | WaitStep
    | AdviseStep
    | PostmortemStep,
    Field(discriminator="kind"),
]
KINDS: tuple[str, ...] = (
    "check",
    "collect",
    "probe",
    "analyze",
    "checklist",
    "action",
    "notify",
    "wait_for",
    "advise",
    "postmortem",
)


def target_of(step: Any) -> str | None:
    """The other target that a step names, as it is written; None: the run's."""
    target: str | None = getattr(step, "target", None)
    return target
