"""What a target reads now by name, with how much more that is than it was."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.operand import change_of
from bot.model.reading import Health, Reading
from bot.rules import known
from bot.store import samples
from bot.store.database import Tx


def values(tx: Tx, health: Health, names: Iterable[str]) -> known.Values:
    """All that a health says, with the changes over time among the names."""
    changes = dict.fromkeys(name for name in names if change_of(name) is not None)
    measured = {name: change(tx, health.target, health, name) for name in changes}
    return {**known.of_health(health), **measured}


def change(tx: Tx, target: str, health: Health, name: str) -> known.Known:
    """``METRIC.change_5m`` of a health that was read just now."""
    found = change_of(name)
    assert found is not None
    metric, span = found
    now = next((one for one in health.readings if one.metric == metric), None)
    before = samples.last_before(tx, target, metric, health.at - span)
    then = (
        Reading(
            metric=metric,
            value=before.value,
            unit=now.unit if now is not None else "",
            reason=before.reason,
            at=before.at,
            source="",
        )
        if before is not None
        else None
    )
    return known.of_change(name, now, then)
