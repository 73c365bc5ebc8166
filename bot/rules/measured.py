"""From what was found in an answer to a reading: a value that counts, or unknown with the reason."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.model.reading import Reading
from bot.model.target import Value
from bot.model.units import format_duration, format_value, unit_of

SKEW_MS = 300_000
"""How far another machine's clock may be ahead of ours; beyond that its time is no time."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOTHING = float(2**64 - 1)  # u64::MAX, which services give where they have no value
_SHOWN = 40
# A time as a number is in seconds, ms, us or ns, and of our age.
_PER_MS = ((1e11, 1e-3), (1e14, 1.0), (1e17, 1e3), (math.inf, 1e6))


@dataclass(frozen=True)
class Found:
    """What an answer holds at a value's place, with its time there, both as they came.

    ``reason``: there is nothing at its place.
    """

    raw: object = None
    stamp: object = None
    reason: str | None = None


def measured(metric: str, spec: Value, found: Found, now: int, source: str) -> Reading:
    """Missing, no number, out of range, without a needed time or too old: unknown."""
    at, value, reason = now, None, found.reason
    if reason is None:
        try:
            at = _time(spec, found, now)
            value = _checked(metric, spec, _number(found.raw))
        except ValueError as error:
            reason = str(error)
    return Reading(
        metric=metric,
        value=value,
        unit=unit_of(metric),
        reason=reason and f"{source}: {reason}",
        at=at,
        source=source,
    )


def first_known(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """One reading a metric: the first that has a value; where none has, the first."""
    chosen: dict[str, Reading] = {}
    for reading in readings:
        before = chosen.get(reading.metric)
        if before is None or (before.value is None and reading.value is not None):
            chosen[reading.metric] = reading
    return tuple(chosen.values())


def moment(raw: object) -> int:
    """Milliseconds since the epoch, of ISO 8601 (any number of fractional digits, Z; without a zone
    it is UTC) or of a number of seconds, ms, us or ns. Raises ``ValueError``."""
    if isinstance(raw, str) and not _NUMBER.fullmatch(raw.strip()):
        try:
            time = datetime.fromisoformat(raw.strip().replace(" UTC", "Z"))
        except ValueError:
            raise ValueError(f"{shown(raw)} is no time") from None
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    number = _number(raw)
    per_ms = next(factor for limit, factor in _PER_MS if abs(number) < limit)
    return round(number / per_ms)


def shown(raw: object) -> str:
    """What came, in a few characters."""
    match raw:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            text = raw
        case _:
            text = json.dumps(raw, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _number(raw: object) -> float:
    """Also of a text, and of a duration such as {"secs": 1, "nanos": 500}. Raises ``ValueError``."""
    match raw:
        case {"secs": int(secs), "nanos": int(nanos)}:
            return _finite(secs) + _finite(nanos) / 1e9
        case bool() | None:
            raise ValueError(f"{shown(raw)} is no number")
        case int() | float():
            return _finite(raw)
        case str() if _NUMBER.fullmatch(raw.strip()):
            return _finite(float(raw))
    raise ValueError(f"{shown(raw)} is no number")


def _finite(raw: float) -> float:
    try:
        number = float(raw)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown(raw)} is no number that can be used")
    if number == _NOTHING:
        raise ValueError(f"{shown(raw)} stands for no value")
    return number


def _checked(metric: str, spec: Value, raw: float) -> float:
    value = float(f"{raw * spec.scale:.12g}")  # without the last digits that a factor adds
    if not math.isfinite(value):
        raise ValueError("too large, after `scale`")
    if spec.range is not None and not spec.range[0] <= value <= spec.range[1]:
        low, high = (format_value(limit, "") for limit in spec.range)
        raise ValueError(f"{format_value(value, unit_of(metric))} is outside {low} to {high}")
    return value


def _time(spec: Value, found: Found, now: int) -> int:
    """When it was measured. Without ``at`` and ``max_age`` a time that can't be read is left out."""
    needed = spec.at is not None or spec.max_age is not None
    try:
        if found.stamp is None:
            raise ValueError(f"no time at `{spec.at}`" if spec.at else "no time beside it")
        at = moment(found.stamp)
        if at < 0:  # services write the year 1 where they have no time
            raise ValueError(f"its time {shown(found.stamp)} is before 1970")
        if at > now + SKEW_MS:
            raise ValueError(f"its time {shown(found.stamp)} is in the future")
    except (ValueError, OverflowError) as error:
        if needed:
            raise ValueError(str(error)) from None
        return now
    if spec.max_age is not None and now - at > spec.max_age:
        old, most = format_duration(now - at), format_duration(spec.max_age)
        raise ValueError(f"{old} old, at most {most}")
    return min(at, now)
