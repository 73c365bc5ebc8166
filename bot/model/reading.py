"""What was measured, and what it means for a target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.target import Bound


class Verdict(StrEnum):
    """How a target is, as one word."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    DOWN = "down"

    @property
    def rank(self) -> int:
        """The worse, the higher: what is known to be bad counts more than what is not known."""
        return list(Verdict).index(self)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One metric's value at a time, or unknown (``value`` None) with the reason."""

    metric: str
    value: float | None
    unit: str
    reason: str | None
    at: int
    source: str
    samples: int | None = None


class Reach(StrEnum):
    """How far a request to a health URL got."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    TOO_LARGE = "too large"
    TOLD = "told"  # not asked itself: a Prometheus told of it, or couldn't


@dataclass(frozen=True, kw_only=True)
class Check:
    """One request to a health URL. ``word`` is the status word, where the config says how to find it.

    ``says`` is the error that a JSON answer tells of; ``denies``: it holds ``ok: false``. ``up``: 0 to 1,
    as a Prometheus says.
    """

    at: int
    reach: Reach
    elapsed_ms: float
    http_status: int | None = None
    has_body: bool = False
    word: str | None = None
    problem: str | None = None
    says: str = ""
    denies: bool = False
    retry_after: str | None = None
    up: float | None = None


class Result(StrEnum):
    """A reading against its bound."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105 - not a password
    INFO = "info"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One conclusion: the reading, the bound that decided, and whether it is a critical one."""

    metric: str
    result: Result
    bound: Bound
    critical: bool = False
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class View:
    """What the health URL said to somebody: the bot, ``here``, or the agent on ``its host``."""

    place: str
    said: str
    elapsed_ms: float


@dataclass(frozen=True, kw_only=True)
class Health:
    """A target's verdict with all that led to it. ``late``: it was not read in time.

    ``silent``: its health URL gave no answer at all, so that it is polled more and more rarely.
    ``views``: where the bot got no answer, what it saw and what the agent on the target's host did.
    """

    target: str
    verdict: Verdict
    reason: str
    status: str | None
    at: int
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]
    late: bool = False
    silent: bool = False
    views: tuple[View, ...] = ()
