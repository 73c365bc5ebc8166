"""What is collected of a target: the agent's example answer, changed where a test says so."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bot.model.config import GUIDE_BASELINES
from bot.model.report import Collected, Part, Report, Snapshot, Wanted
from bot.rules.report import assemble
from tests.support.clock import NOON
from tests.support.health import health, reading

EXAMPLE = Path(__file__).with_name("diagnostics.json")
UNITS = {"cpu_percent": "%", "memory_mb": "MB", "response_time_p95_ms": "ms"}


@cache
def _example() -> str:
    return EXAMPLE.read_text()


def parts() -> dict[str, Part]:
    """Every part of the example that was read, and the one that was not."""
    return {
        name: Part(name=name, data=one["data"], error=one.get("error"), took_ms=one["took_ms"])
        for name, one in json.loads(_example())["parts"].items()
    }


def example() -> dict[str, Any]:
    """The data of the example's parts, as the house's agent gives them."""
    return {name: part.data for name, part in parts().items() if part.ok and name != "probes"}


def collected(**changes: Any) -> Collected:
    """The example at ``NOON``. ``"snapshot.resources.cpu_percent": 96`` changes that field.

    ``database`` replaces that part's data, ``parts`` all parts, ``readings`` are the bot's own,
    ``verdict`` is the health's.
    """
    readings = changes.pop("readings", {"cpu_percent": 12.4, "memory_mb": 212.3})
    verdict = changes.pop("verdict", None)
    given = changes.pop("parts", None)
    said = dict(
        health(*(reading(name, value, UNITS.get(name, "")) for name, value in readings.items()))
    )
    if verdict is not None:
        said["verdict"] = verdict
    changed = parts() if given is None else dict(given)
    if given is None:
        changes = {"logs.0.error_rate_percent": 0.05, **changes}  # else it is over the baseline
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        data = copy.deepcopy(changed[name].data)
        changed[name] = Part(name=name, data=_put(data, rest, value) if rest else value)
    return Collected(target="iora", at=NOON, health=said, parts=changed)


def report(
    *, before: Snapshot | None = None, incident: int | None = None, **changes: Any
) -> Report:
    """A report that Alice asked for."""
    wanted = Wanted(
        id="diag_1750000000_a1b2c3d4e5f6",
        target="iora",
        description="API slow",
        by="slack:T01TEAM:U01ALICE",
        incident=incident,
    )
    return assemble(wanted, collected(**changes), before, GUIDE_BASELINES)


def _put(data: Any, path: str, value: Any) -> Any:
    *way, last = path.split(".")
    place = data
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    assert isinstance(place, Mapping)
    assert last in place or last == "disks", f"{path} is not in the example"
    place[last] = value
    return data
