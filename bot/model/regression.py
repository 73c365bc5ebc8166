"""A metric that is worse than it was: the config's key for it, and what is known of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.model.calendar import Timezone
from bot.model.record import Written
from bot.model.units import Duration

_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*%")
HOUR_MS = 3_600_000


def parse_percent(text: object) -> float:
    """``10%`` as 0.1. Raises ``ValueError``."""
    found = _PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected a percentage such as 10%")
    return float(found[1]) / 100


Percent = Annotated[
    float,
    BeforeValidator(
        parse_percent,
        json_schema_input_type=Annotated[
            str, Field(pattern=r"^[0-9]{1,4}(?:\.[0-9]{1,3})? ?%$", examples=["10%"])
        ],
    ),
    PlainSerializer(lambda ratio: f"{ratio * 100:g}%", return_type=str),
]
"""A ratio in a record, ``10%`` in a file."""


class RegressionSettings(Written):
    """When a metric counts as worse than its baseline (the guide's "Performance Regression Detection")."""

    window: Duration = Field(
        24 * HOUR_MS, description="over which the mean is held against the baseline"
    )
    min_samples: int = Field(10, ge=1, le=100_000, description="fewer of them say nothing")
    threshold: Percent = Field(0.1, description="worse by more than that is a regression")
    timezone: Timezone = Field(
        "UTC", description="of the hours of the day that are learned: whose clocks its load follows"
    )

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not HOUR_MS <= self.window <= 31 * 24 * HOUR_MS:
            raise ValueError("window: expected between 1h and 31d")
        if not 0.01 <= self.threshold <= 10:
            raise ValueError("threshold: expected between 1% and 1000%")
        return self


Method = Literal["guide", "learned"]
Statistic = Literal["mean", "p95"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """How much worse a metric is by one way of telling; below 0: better.

    ``degradation`` is a ratio: 0.2 is 20 % worse than ``before``, which is the bound (``guide``), or the
    learned hours (``learned``). ``hours``: how many were compared. ``left_out``: those that the learned
    window does not have. ``shows``: it is a regression; ``gone``: one that was open is over.
    """

    metric: str
    method: Method
    statistic: Statistic
    now: float
    before: float
    degradation: float
    confidence: float
    samples: int
    hours: int = 0
    left_out: int = 0
    shows: bool = False
    gone: bool = False


@dataclass(frozen=True, kw_only=True)
class Untold:
    """Nothing can be said by this way of telling, and why."""

    metric: str
    method: Method
    reason: str


def hour_of_day(at: int, timezone: str) -> int:
    """The hour, 0 to 23, that clocks show there at a time in milliseconds since the epoch."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(timezone)).hour


@dataclass(frozen=True)
class Usual:
    """An hour of the day as it was learned."""

    count: int
    mean: float
    p95: float

    def of(self, statistic: Statistic) -> float:
        """One of the two figures."""
        return self.mean if statistic == "mean" else self.p95


@dataclass(frozen=True)
class Learned:
    """A metric's healthy window: its hours of the day, and how much an hour scatters.

    ``noise``: the standard deviation of an hour's figure around its neighbours', as a ratio. ``timezone``:
    of the hours, so that load which follows people's clocks is compared with itself when those change.
    """

    hours: Mapping[int, Usual]
    noise: Mapping[str, float]
    timezone: str = "UTC"

    def usual(self, at: int) -> Usual | None:
        """The same hour of the day as that which begins at ``at`` (milliseconds), if it was learned."""
        return self.hours.get(hour_of_day(at, self.timezone))

    def json(self) -> dict[str, Any]:
        """As it is stored; ``parse`` reads it."""
        hours = {str(hour): [one.count, one.mean, one.p95] for hour, one in self.hours.items()}
        return {"hours": hours, "noise": dict(self.noise), "timezone": self.timezone}

    @classmethod
    def parse(cls, facts: Mapping[str, Any]) -> Self:
        """What ``json`` gave."""
        hours = {int(hour): Usual(*figures) for hour, figures in facts["hours"].items()}
        return cls(hours, facts["noise"], facts["timezone"])


@dataclass(frozen=True, kw_only=True)
class LearnedWindow:
    """What somebody had learned of a target, and when; ``first`` to ``last`` in ms, whole hours."""

    id: int
    target: str
    first: int
    last: int
    learned_by: str
    learned_at: int
    metrics: Mapping[str, Learned]


@dataclass(frozen=True, kw_only=True)
class Regression:
    """One that was found: open until ``closed_at``. ``facts`` is what its message shows.

    ``method``: who spoke, ``guide``, ``learned`` or ``both``; ``announced_at`` None: nobody was told yet.
    """

    id: int
    target: str
    metric: str
    method: str
    since: int
    announced_at: int | None
    closed_at: int | None
    facts: Mapping[str, Any] = field(default_factory=dict)
