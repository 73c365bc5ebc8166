"""Durations as people write them, and the units of the metrics."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_LIMIT = 366 * _UNITS["d"]

METRIC_UNITS = {
    "overall_score": "",
    "response_time_p95_ms": "ms",
    "error_rate_percent": "%",
    "memory_mb": "MB",
    "uss_mb": "MB",
    "cpu_percent": "%",
    "cpu_core_percent": "%",
    "test_coverage_percent": "%",
    "throughput_rps": "/s",
    "uptime_s": "s",
    "threads": "",
    "open_files": "",
}

_UNIT_OF_ENDING = {
    "_percent": "%",
    "_ms": "ms",
    "_mb": "MB",
    "_rps": "/s",
    "_s": "s",
}


def unit_of(metric: str) -> str:
    """The unit of a metric; of one that only the config names, its name's ending says it."""
    if metric in METRIC_UNITS:
        return METRIC_UNITS[metric]
    return next((unit for end, unit in _UNIT_OF_ENDING.items() if metric.endswith(end)), "")


def parse_duration(text: object) -> int:
    """``90s``, ``1h30m``, ``2d`` as milliseconds; ``0s`` is allowed, a bare number is not.

    Raises ``ValueError`` with what was expected.
    """
    expected = "a duration such as 30s, 5m, 1h30m or 2d"
    if not isinstance(text, str):
        raise ValueError(f"expected {expected}")
    compact = text.strip().lower().replace(" ", "")
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError(f"expected {expected}")
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if total > _LIMIT:
        raise ValueError("expected a duration of at most a year")
    return round(total)


def format_duration(milliseconds: int) -> str:
    """Short words for a person: ``45 s``, ``6 min``, ``2 h 05 min``, ``3 d 4 h``."""
    seconds = max(0, round(milliseconds / 1000))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def duration_text(milliseconds: int) -> str:
    """As people write it in YAML: ``90s``, ``5m``, ``2d``."""
    for unit in ("w", "d", "h", "m", "s"):
        if milliseconds and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"


DURATION_PATTERN = r"(?:[0-9]+(?:\.[0-9]+)? ?(?:ms|[smhdw]) ?)+"
"""For editors; in lower case, as people should write it."""
Duration = Annotated[
    int,
    BeforeValidator(
        parse_duration,
        json_schema_input_type=Annotated[
            str, Field(pattern=f"^{DURATION_PATTERN}$", examples=["30s", "5m", "1h30m"])
        ],
    ),
    PlainSerializer(duration_text, return_type=str),
]
"""Milliseconds in a record, ``5m`` in a file."""


def format_value(value: float, unit: str) -> str:
    """A value with its unit: ``96 %``, ``910 ms``, ``0.25 %``, ``212 MB``."""
    magnitude = abs(value)
    digits = 0 if magnitude >= 100 or value == round(value) else 1 if magnitude >= 10 else 2
    number = f"{value:,.{digits}f}"
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".rstrip()
