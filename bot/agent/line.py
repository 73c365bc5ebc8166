"""One line of a service's log, as JSON or as plain text: when, how bad, what, how long it took."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")

LONGEST = 65_536  # characters of a line that are looked at
LATEST_MS = 253_402_300_799_000  # the end of the year 9999: a calendar has no later time
MAX_DURATION_MS = 86_400_000  # longer is no duration: services write 2^64 - 1 for "none"
ERROR, WARNING = "error", "warn"

_LEVELS = {
    **dict.fromkeys(
        ("error", "err", "fatal", "critical", "crit", "panic", "emerg", "alert"), ERROR
    ),
    **dict.fromkeys(("warn", "warning"), WARNING),
    **dict.fromkeys(("info", "information", "notice"), "info"),
    **dict.fromkeys(("debug", "trace", "verbose"), "debug"),
}
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname")
_MESSAGE_KEYS = ("message", "msg", "event", "error", "err")
_TIME_KEYS = ("timestamp", "time", "ts", "@timestamp", "at", "datetime")
_STATUS_KEYS = ("status", "status_code", "statusCode")
_DURATION_KEYS = {
    **dict.fromkeys(
        ("duration_ms", "durationMs", "elapsed_ms", "latency_ms", "response_time_ms", "took_ms"),
        1.0,
    ),
    **dict.fromkeys(("responseTime",), 1.0),
    **dict.fromkeys(("duration_s", "elapsed_s", "latency_s", "duration_seconds"), 1000.0),
}
_WORDED_KEYS = ("duration", "latency", "elapsed")
_WORDED = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|\u00b5s|ms|s)")
_UNIT_MS = {"ns": 1e-6, "us": 1e-3, "\u00b5s": 1e-3, "ms": 1.0, "s": 1000.0}
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\s?(?:Z|[+-]\d\d:?\d\d))?"
)
_STAMP_WITHIN = 60
# A level stands in capitals, in brackets, or behind ``level=``: a text may hold the word "error" too.
_TEXT_LEVEL = re.compile(
    r"\b(ERROR|ERR|FATAL|CRITICAL|CRIT|PANIC|EMERG|ALERT|WARN|WARNING|INFO|NOTICE|DEBUG|TRACE)\b"
    r"|\[(?i:(error|err|fatal|critical|crit|panic|warn|warning|info|notice|debug|trace))\]"
    r"|\b(?:level|lvl|severity)=\"?(\w+)"
)
_LEVEL_WITHIN = 200


@dataclass(frozen=True)
class Line:
    """``at`` in ms since the epoch. ``failed`` is None where the line is no request's."""

    message: str
    at: int | None = None
    level: str | None = None
    duration_ms: float | None = None
    failed: bool | None = None


def parse(text: str) -> Line:
    """Any text is a line: what it doesn't say stays None."""
    text = text[:LONGEST].strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return plain(text)
        return structured(found, text)
    return plain(text)


def plain(text: str) -> Line:
    """A time without a zone is of this machine's zone."""
    stamp = _STAMP.search(text, 0, _STAMP_WITHIN)
    found = _TEXT_LEVEL.search(text, 0, _LEVEL_WITHIN)
    word = next((group for group in found.groups() if group), "") if found else ""
    return Line(text, stamp and moment(stamp[0]), _LEVELS.get(word.lower()))


def structured(found: Mapping[str, object], text: str) -> Line:
    """``status`` from 500 on, or an ``exitCode`` that is not 0, is a failed request."""
    status = _status(found)
    duration_ms = _duration(found)
    exit_code = found.get("exitCode")
    failed: bool | None = None
    if status is not None or duration_ms is not None or isinstance(exit_code, int):
        failed = (status or 0) >= 500 or (isinstance(exit_code, int) and exit_code != 0)
    level = _first(found, _LEVEL_KEYS, _level)
    return Line(
        _message(found, text, status, duration_ms),
        _first(found, _TIME_KEYS, moment),
        level or (ERROR if failed else None),
        duration_ms,
        failed,
    )


def moment(value: object) -> int | None:
    """ISO 8601, or a number since the epoch in s, ms, us or ns (told apart by its size)."""
    if isinstance(value, str):
        try:
            # Nanoseconds are more than Python's clock has; it reads the first six digits.
            return round(datetime.fromisoformat(value.replace(",", ".")).timestamp() * 1000)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    if value > LATEST_MS * 1e6:
        return None
    for above, per_ms in ((1e17, 1e6), (1e14, 1e3), (1e11, 1.0), (1e8, 1e-3)):
        if value >= above:
            return round(value / per_ms)
    return None


def _first(
    found: Mapping[str, object], keys: tuple[str, ...], read: Callable[[object], T | None]
) -> T | None:
    return next(
        (got for key in keys if key in found and (got := read(found[key])) is not None), None
    )


def _level(value: object) -> str | None:
    """Words, or the numbers of pino and bunyan."""
    if isinstance(value, str):
        return _LEVELS.get(value.lower())
    if isinstance(value, int) and not isinstance(value, bool):
        return (
            ERROR if value >= 50 else WARNING if value >= 40 else "info" if value >= 30 else "debug"
        )
    return None


def _status(found: Mapping[str, object]) -> int | None:
    value = next((found[key] for key in _STATUS_KEYS if key in found), None)
    return value if isinstance(value, int) and 100 <= value <= 599 else None


def _duration(found: Mapping[str, object]) -> float | None:
    for key, factor in _DURATION_KEYS.items():
        value = found.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _sane(value, factor)
    return next((ms for key in _WORDED_KEYS if (ms := _worded(found.get(key))) is not None), None)


def _worded(value: object) -> float | None:
    """``12.5ms``, or Rust's {"secs", "nanos"}."""
    if isinstance(value, str) and (match := _WORDED.fullmatch(value)):
        return _sane(float(match[1]), _UNIT_MS[match[2]])
    if isinstance(value, dict):
        secs, nanos = value.get("secs"), value.get("nanos")
        if isinstance(secs, int) and isinstance(nanos, int):
            return _sane(secs * 1_000_000_000 + nanos, 1e-6)
    return None


def _sane(value: float, factor: float) -> float | None:
    """Milliseconds; None for what is no duration, also an integer that is too large for a float."""
    try:
        milliseconds = value * factor
    except OverflowError:
        return None
    ok = math.isfinite(milliseconds) and 0 <= milliseconds <= MAX_DURATION_MS
    return milliseconds if ok else None


def _message(
    found: Mapping[str, object], text: str, status: int | None, duration_ms: float | None
) -> str:
    """Its own words; a request without any is told as ``GET /path 500 12 ms``; else the whole line."""
    said = next(
        (one for key in _MESSAGE_KEYS if isinstance(one := found.get(key), str) and one), None
    )
    asked = [str(found[key]) for key in ("method", "path", "url", "tool") if key in found]
    if said is not None or not asked:
        return said or text
    asked += [str(status)] if status is not None else []
    return " ".join(asked + ([f"{duration_ms:.0f} ms"] if duration_ms is not None else []))


def unwrapped(text: str) -> tuple[str, int | None, bool]:
    """What a container's engine wrapped: the text, its time, and whether the line ends here.

    Docker: {"log", "stream", "time"}, a line that is too long is several; CRI (containerd, CRI-O):
    ``TIME stdout F text``, P for a part.
    """
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return text, None, True
        inner = found.get("log")
        if isinstance(inner, str):
            return inner.rstrip("\n"), moment(found.get("time")), inner.endswith("\n")
        return text, None, True
    words = text.split(" ", 3)
    if len(words) == 4 and words[1] in ("stdout", "stderr") and words[2][:1] in ("F", "P"):
        return words[3], moment(words[0]), words[2].startswith("F")
    return text, None, True
