"""Where alerts come from, how the config writes it, and what is opened for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.model.alert import HEARTBEATS, Labels
from bot.model.auth import Token
from bot.model.incident import Severity
from bot.model.record import Written, shaped
from bot.model.target import Name
from bot.model.units import Duration

MEANS_RESOLVED = ("resolved", "ok", "okay", "up", "recovered", "recovery", "closed", "success")
SEVERITIES: Mapping[str, Severity] = {
    **{str(one): one for one in Severity},
    "critical": Severity.SEV2,
    "page": Severity.SEV2,
    "error": Severity.SEV2,
    "high": Severity.SEV2,
    "warning": Severity.SEV3,
    "medium": Severity.SEV3,
    "info": Severity.SEV4,
    "low": Severity.SEV4,
    "none": Severity.SEV4,
}
_SIZE = re.compile(r"(\d{1,6}) ?(KB|MB)")
_BYTES = {"KB": 1_000, "MB": 1_000_000}


def _size(text: object) -> int:
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    size = int(found[1]) * _BYTES[found[2]] if found else 0
    if not 1_000 <= size <= 16_000_000:
        raise ValueError("expected a size from 1KB to 16MB")
    return size


def _every(every: int) -> int:
    if every < 10_000:
        raise ValueError("expected at least 10s")
    return every


Expression = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[
    str, shaped(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", "a label's name such as alertname or region")
]
Size = Annotated[
    int,
    BeforeValidator(
        _size, json_schema_input_type=Annotated[str, Field(pattern="^[0-9]{1,6} ?(?:KB|MB)$")]
    ),
]
Word = Annotated[str, Field(min_length=1, max_length=100)]


class Opening(Written):
    """What is opened for alerts. ``severity``: of those that say none that is known."""

    severity: Severity | None = None
    policy: Name | None = Field(None, description="default: the one of the severity")
    runbook: Name | None = None
    open: Literal["declare", "suggest"] = Field(
        "declare", description="an incident, or a message with a button that declares one"
    )


class Limits(Written):
    """How much a source may send."""

    rate: int = Field(1_000, ge=1, le=10_000, description="requests a second")
    size: Size = Field(4_000_000, description="of one request's body: 1KB to 16MB")


class AlertMap(Written):
    """Where each part of an alert is: JMESPath into one alert's JSON."""

    title: Expression | None = None
    fingerprint: Expression | None = Field(
        None, description="what stays the same while it is the same alert"
    )
    status: Expression | None = None
    target: Expression | None = None
    severity: Expression | None = None
    summary: Expression | None = None
    url: Expression | None = None
    since: Expression | None = Field(None, description="ISO 8601, or seconds since the epoch")
    labels: dict[Label, Expression] = {}


class AlertSource(Opening, Limits):
    """What both kinds of sources of alerts have."""

    token: Token
    map: AlertMap = AlertMap()
    resolved: tuple[Word, ...] = Field(
        MEANS_RESOLVED, min_length=1, description="words of the status that mean resolved"
    )
    firing: tuple[Word, ...] = Field(
        (), description="words that mean firing; default: all that don't mean resolved"
    )
    severities: dict[Word, Severity] = Field(
        {}, description="what a source's own words mean, beside critical, warning, info, ..."
    )
    group_by: tuple[Label, ...] | None = Field(
        None, description="labels; alerts of one target with the same ones are one incident"
    )

    def severity_of(self, word: str) -> Severity | None:
        """The severity that a word of the source means."""
        return self._severities.get(word.strip().lower(), self.severity)

    def means(self, word: str) -> bool | None:
        """Whether a word of the status means firing; None: it means neither."""
        word = word.strip().lower()
        if word in self._resolved:
            return False
        return True if not self.firing or word in self._firing else None

    @cached_property
    def _severities(self) -> Mapping[str, Severity]:
        return {**SEVERITIES, **{word.lower(): one for word, one in self.severities.items()}}

    @cached_property
    def _resolved(self) -> frozenset[str]:
        return frozenset(word.lower() for word in self.resolved)

    @cached_property
    def _firing(self) -> frozenset[str]:
        return frozenset(word.lower() for word in self.firing)


class AlertmanagerSource(AlertSource):
    """Prometheus's Alertmanager; without ``group_by`` its own grouping counts."""

    kind: Literal["alertmanager"]


class JsonSource(AlertSource):
    """Any JSON, read by ``map``. ``items``: JMESPath to the list of alerts in the body."""

    kind: Literal["json"]
    items: Expression | None = Field(None, description="default: the body, or each of its list")

    @model_validator(mode="after")
    def _has_a_title(self) -> Self:
        if self.map.title is None:
            raise ValueError("map: expected at least title, such as {title: message}")
        return self


class DeployMap(Written):
    """Where each part of a deploy is: JMESPath into one deploy's JSON."""

    title: Expression
    target: Expression | None = None
    status: Expression | None = None
    at: Expression | None = Field(
        None, description="ISO 8601, or seconds since the epoch; default: when it is told"
    )


class DeploySource(Limits):
    """Whatever deploys, telling of it: ``iora deploy`` by HTTP."""

    kind: Literal["deploys"]
    token: Token
    items: Expression | None = Field(None, description="default: the body, or each of its list")
    map: DeployMap
    target: Name | None = Field(None, description="where the map names none")
    done: tuple[Word, ...] = Field((), description="words of the status that count; default: all")

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.target is None and self.map.target is None:
            raise ValueError("expected target, or map.target")
        return self

    def counts(self, word: str) -> bool:
        """Whether a deploy of this status was done."""
        return not self.done or word.strip().lower() in {one.lower() for one in self.done}


class Job(Opening, Limits):
    """A job that must report: ``grace`` after ``every`` it is missed."""

    every: Annotated[Duration, AfterValidator(_every)]
    grace: Duration = 300_000
    token: Token
    target: Name | None = None
    rate: int = Field(10, ge=1, le=1_000, description="requests a second")
    size: Size = Field(64_000, description="of a report's body; what is more is left unread")


SourceSettings = Annotated[
    AlertmanagerSource | JsonSource | DeploySource, Field(discriminator="kind")
]


class Intake(Written):
    """What other tools may tell the bot."""

    sources: dict[Name, SourceSettings] = {}
    heartbeats: dict[Name, Job] = {}

    def opening(self, source: str, labels: Labels) -> Opening | None:
        """What is opened for a group of alerts; None: the config has no such source any more."""
        if source != HEARTBEATS:
            found = self.sources.get(source)
            return found if isinstance(found, AlertSource) else None
        name = dict(labels).get(HEARTBEATS)
        return Opening() if name is None else self.heartbeats.get(name)
