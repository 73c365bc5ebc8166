"""How many incidents, and how long they took: count, median and P90."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

from bot.model.incident import Incident

DURATIONS = ("time_to_detect", "time_to_acknowledge", "time_to_mitigate", "time_to_resolve")


def summarize(found: Sequence[Incident]) -> dict[str, object]:
    """Counts by severity and status; median and nearest-rank P90 of each duration, milliseconds.

    Drills are left out; a duration that an incident does not have yet is not counted.
    """
    real = [incident for incident in found if not incident.drill]
    return {
        "count": len(real),
        "by_severity": dict(sorted(Counter(str(one.severity) for one in real).items())),
        "by_status": dict(sorted(Counter(str(one.status) for one in real).items())),
        "durations": {name: _duration(real, name) for name in DURATIONS},
    }


def _duration(found: Sequence[Incident], name: str) -> dict[str, int | None]:
    known = sorted(took for one in found if (took := getattr(one, name)) is not None)
    if not known:
        return {"count": 0, "median": None, "p90": None}
    return {
        "count": len(known),
        "median": round(median(known)),
        "p90": known[math.ceil(0.9 * len(known)) - 1],
    }
