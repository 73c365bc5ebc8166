"""How a target was when it was last polled, out of what is stored: nothing is measured for it."""

from __future__ import annotations

from bot.model.config import Config
from bot.model.reading import Reading, Verdict
from bot.model.units import unit_of
from bot.rules import verdict
from bot.rules.closing import Latest
from bot.rules.verdict import Said
from bot.services.monitoring import SAID, sources
from bot.store import samples
from bot.store.database import Tx


def latest(tx: Tx, config: Config, name: str) -> Latest | None:
    """A target at its last poll, with each reading's own time; None where there was no poll.

    The bounds are those of the config now; a metric that has no source any more is left out.
    """
    said = samples.newest(tx, name, SAID)
    if said is None or said.value is None:
        return None
    word = Said(list(Verdict)[int(said.value)], said.reason or "", failed=False)
    readings: dict[str, Reading] = {}
    for metric, source in sources(config.targets[name], config):
        kept = samples.newest(tx, name, metric)
        if kept is not None and metric not in readings:
            readings[metric] = Reading(
                metric=metric,
                value=kept.value,
                unit=unit_of(metric),
                reason=kept.reason,
                at=kept.at,
                source=source,
            )
    bounds = config.baselines, config.critical
    judged = verdict.judge(name, word, None, tuple(readings.values()), *bounds, said.at)
    return Latest(word, judged)
