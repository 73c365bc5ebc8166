"""Whether a target is well enough to resolve its incident: what still fails, or is not known."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.reading import Finding, Health, Result, Verdict
from bot.model.units import format_duration
from bot.rules import window
from bot.rules.verdict import Said, explain

POLLS = 3
"""A reading that is older than so many polls says nothing of now."""


@dataclass(frozen=True)
class Latest:
    """A target at its last poll: what its health URL said, and all of it together."""

    said: Said
    health: Health


def failing(target: str, latest: Latest | None, stale_ms: int, now: int) -> tuple[str, ...]:
    """One line each of what speaks against resolving, worst first; none where all is well.

    ``latest`` None: there was no poll; ``stale_ms``: the age from which on it does not count. That the
    bot's own polls are too few for P95 and error rate, as after each start, speaks against nothing.
    """
    if latest is None:
        return (f"{target} is UNKNOWN: it was not read yet",)
    health, said = latest.health, latest.said
    age = now - health.at
    if age > stale_ms:
        last = f"it was {health.verdict.upper()} then: {health.reason}"
        return (f"{target} is UNKNOWN: nothing was read for {format_duration(age)}, {last}",)
    lines = [f"{target} {_found(one, now)}" for one in health.findings if _counts(one)]
    if said.verdict is not Verdict.HEALTHY:
        lines.insert(0, f"{target} is {said.verdict.upper()}: {said.reason}, {_old(age)}")
    return tuple(lines)


def _counts(finding: Finding) -> bool:
    if finding.result is Result.FAIL:
        return True
    reading = finding.reading
    return (
        finding.result is Result.UNKNOWN and reading is not None and reading.source != window.SOURCE
    )


def _found(finding: Finding, now: int) -> str:
    assert finding.reading is not None
    return f"{explain(finding)}, {_old(now - finding.reading.at)}"


def _old(age_ms: int) -> str:
    return f"read {format_duration(max(0, age_ms))} ago"
