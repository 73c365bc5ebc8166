"""From a check of the health URL and the readings to a target's verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bot.model.reading import Check, Finding, Health, Reach, Reading, Result, Verdict
from bot.model.target import Bound, HealthSource
from bot.model.units import METRIC_UNITS, format_value

_DEGRADED_WORDS = {"degraded", "warn", "warning", "partial"}
_WORD = 60  # characters of a status word that are repeated; it comes from outside
_TITLES = {
    "response_time_p95_ms": "P95",
    "error_rate_percent": "error rate",
    "memory_mb": "memory",
    "cpu_percent": "CPU",
    "cpu_core_percent": "CPU of one core",
    "test_coverage_percent": "coverage",
    "overall_score": "overall score",
    "throughput_rps": "throughput",
    "uptime_s": "uptime",
    "uss_mb": "memory of its own",
    "open_files": "open files",
}


def title(metric: str) -> str:
    """A metric's name as people say it."""
    return _TITLES.get(metric, metric.replace("_", " "))


@dataclass(frozen=True)
class Said:
    """What the health URL alone says; ``failed``: the poll counts as an error of the target.

    ``counts`` False: the poll says nothing of the target, neither a time nor an error.
    """

    verdict: Verdict
    reason: str
    failed: bool
    counts: bool = True


def said(check: Check, source: HealthSource) -> Said:
    """Tell down, wrong URL, unreachable from here and busy with us apart."""
    match check.reach:
        case Reach.REFUSED | Reach.TIMED_OUT | Reach.BROKEN:
            return Said(Verdict.DOWN, check.problem or "no answer", failed=True)
        case Reach.UNREACHABLE:
            reason = f"unreachable from here: {check.problem}"
            return Said(Verdict.UNKNOWN, reason, failed=False, counts=False)
        case Reach.TOLD:
            return _said_by_prometheus(check)
        case Reach.TOO_LARGE:
            reason = f"{check.problem}: check `health.url` in the config"
            return Said(Verdict.UNKNOWN, reason, failed=False)
    status = check.http_status or 0
    if status >= 400 or not 200 <= status < 300:
        return _said_by_status(check, status)
    if check.denies:
        return Said(Verdict.UNHEALTHY, f"it says {check.says or 'ok: false'}", failed=True)
    if source.status is None:
        return Said(Verdict.HEALTHY, f"HTTP {status}", failed=False)
    if check.word is None:
        reason = check.problem or f"no status word at `{source.status}` in the answer"
        return Said(Verdict.UNKNOWN, f"{reason}: check `health.status` in the config", failed=False)
    word = check.word.strip().lower()
    if word in {one.strip().lower() for one in source.healthy}:
        return Said(Verdict.HEALTHY, _quoted(check.word), failed=False)
    verdict = Verdict.DEGRADED if word in _DEGRADED_WORDS else Verdict.UNHEALTHY
    return Said(verdict, _quoted(check.word), failed=False)


def _said_by_prometheus(check: Check) -> Said:
    """1 is healthy, 0 down, and what lies between, such as the share of instances, degraded."""
    if check.up is None:
        return Said(Verdict.UNKNOWN, f"Prometheus can't tell: {check.problem}", failed=False)
    if check.up in {0.0, 1.0}:
        verdict = Verdict.HEALTHY if check.up else Verdict.DOWN
        return Said(verdict, f"Prometheus says {'up' if check.up else 'down'}", failed=not check.up)
    share = format_value(100 * check.up, "%")
    return Said(Verdict.DEGRADED, f"Prometheus says {share} up", failed=False)


def _said_by_status(check: Check, status: int) -> Said:
    match status:
        case 404 | 405 | 410:
            reason = f"endpoint not there (HTTP {status}): check `health.url` in the config"
            return Said(Verdict.UNKNOWN, reason, failed=False)
        case 401 | 403:
            reason = f"access refused (HTTP {status}): it wants a key, check `auth` in the config"
            return Said(Verdict.UNKNOWN, reason, failed=False)
        case 429:
            wait = asked_wait(check.retry_after)
            return Said(Verdict.UNKNOWN, f"busy with us (HTTP 429{wait})", failed=False)
    if status >= 500 and not check.has_body:
        return Said(Verdict.DOWN, f"HTTP {status} without a body", failed=True)
    if status >= 400:
        told = _quoted(check.word) if check.word else check.says
        return Said(Verdict.UNHEALTHY, f"HTTP {status}{told and f', {told}'}", failed=True)
    reason = f"it redirects (HTTP {status}): put the final URL into `health.url` in the config"
    return Said(Verdict.UNKNOWN, reason, failed=False)


def judge(
    target: str,
    word: Said,
    status: str | None,
    readings: Sequence[Reading],
    baselines: Mapping[str, Bound],
    critical: Mapping[str, Bound],
    now: int,
) -> Health:
    """The verdict: the worst that is known; unknown where a source can't be read; else healthy.

    A metric that has only a critical bound is held against that one.
    """
    by_metric = {reading.metric: reading for reading in readings}
    findings = sorted(
        (
            _finding(metric, bound, critical.get(metric), by_metric.get(metric))
            for metric, bound in {**critical, **baselines}.items()
        ),
        key=lambda finding: (not finding.critical, list(Result).index(finding.result)),
    )
    candidates = [(word.verdict, word.reason)]
    candidates += [
        (verdict, explain(finding))
        for finding in findings
        if (verdict := _weight(finding)) is not Verdict.HEALTHY
    ]
    verdict, reason = max(candidates, key=lambda candidate: candidate[0].rank)
    return Health(
        target=target,
        verdict=verdict,
        reason=reason,
        status=status if status is None else _short(status),
        at=now,
        readings=tuple(readings),
        findings=tuple(findings),
    )


def asked_wait(retry_after: str | None) -> str:
    """What a busy target asks for, in words; ``Retry-After`` is a number of seconds or a date."""
    if not retry_after:
        return ""
    wait = f"{retry_after} s" if retry_after.isdigit() else f"until {_short(retry_after)}"
    return f", asks to wait {wait}"


def _quoted(word: str) -> str:
    return f'status word "{_short(word)}"'


def _short(word: str) -> str:
    return word if len(word) <= _WORD else f"{word[: _WORD - 1]}…"


def explain(finding: Finding) -> str:
    """The finding in a few words: ``CPU 96 % (critical above 90)``."""
    name = title(finding.metric)
    reading = finding.reading
    if reading is None:
        return f"{name} not measured"
    if reading.value is None:
        return f"{name} unknown: {reading.reason}"
    value = format_value(reading.value, reading.unit)
    limit = format_value(finding.bound.limit, "")
    if finding.critical:
        side = "above" if finding.bound.direction == "under" else "below"
        return f"{name} {value} (critical {side} {limit})"
    if finding.result is Result.FAIL:
        return f"{name} {value} (must be {finding.bound.direction} {limit})"
    return f"{name} {value}"


def _finding(metric: str, bound: Bound, critical: Bound | None, reading: Reading | None) -> Finding:
    if reading is None:
        return Finding(metric=metric, result=Result.NOT_MEASURED, bound=bound)
    if reading.value is None:
        result = Result.INFO if bound.informative else Result.UNKNOWN
        return Finding(metric=metric, result=result, bound=bound, reading=reading)
    if critical is not None and not bound.informative and not critical.holds(reading.value):
        return Finding(
            metric=metric, result=Result.FAIL, bound=critical, critical=True, reading=reading
        )
    if bound.informative:
        return Finding(metric=metric, result=Result.INFO, bound=bound, reading=reading)
    result = Result.PASS if bound.holds(reading.value) else Result.FAIL
    return Finding(metric=metric, result=result, bound=bound, reading=reading)


def _weight(finding: Finding) -> Verdict:
    if finding.critical:
        return Verdict.UNHEALTHY
    if finding.result is Result.FAIL:
        return Verdict.DEGRADED
    return Verdict.UNKNOWN if finding.result is Result.UNKNOWN else Verdict.HEALTHY


def missing(metric: str, at: int, source: str, reason: str) -> Reading:
    """An unknown reading of a metric that has a source."""
    return Reading(
        metric=metric,
        value=None,
        unit=METRIC_UNITS.get(metric, ""),
        reason=reason,
        at=at,
        source=source,
    )


def not_watched(target: str, now: int) -> Health:
    """Of a target that the config does not name any more: unknown, with nothing read."""
    return Health(
        target=target,
        verdict=Verdict.UNKNOWN,
        reason=f"the config names no target {target} any more",
        status=None,
        at=now,
        readings=(),
        findings=(),
    )


def facts(health: Health) -> dict[str, object]:
    """A target's health as JSON: what ``--json`` prints, evidence keeps, and drawings read."""
    return {
        "target": health.target,
        "verdict": str(health.verdict),
        "reason": health.reason,
        "status": health.status,
        "at": health.at,
        "readings": [asdict(reading) for reading in health.readings],
        "findings": [_finding_facts(finding) for finding in health.findings],
        **({"views": [asdict(view) for view in health.views]} if health.views else {}),
    }


def _finding_facts(finding: Finding) -> dict[str, object]:
    return {
        "metric": finding.metric,
        "result": str(finding.result),
        "critical": finding.critical,
        "bound": finding.bound.model_dump(exclude_none=True, exclude_defaults=True),
        "text": explain(finding),
    }
