"""What was deployed on an incident's targets shortly before it, as entries of its timeline."""

from __future__ import annotations

from bot.model.actor import BOT
from bot.model.deploy import Deploy
from bot.model.incident import Facts, Incident
from bot.store import deploys, incidents
from bot.store.database import Tx

KIND = "deployed"
WITHIN_MS = 3_600_000
_MOST = 3  # a target; the newest


def tell(tx: Tx, incident: Incident) -> None:
    """An entry for each deploy within an hour before the declaration; none in a drill."""
    if incident.drill:
        return
    first, last = incident.declared_at - WITHIN_MS, incident.declared_at
    for target in incident.targets:
        for deploy in deploys.between(tx, target, first, last)[-_MOST:]:
            incidents.add_entry(tx, incident.id, BOT, KIND, facts(deploy, incident))


def facts(deploy: Deploy, incident: Incident) -> Facts:
    """``before``: by how many milliseconds it was before the declaration; below 0 it came later."""
    return {
        "target": deploy.target,
        "title": deploy.title,
        "source": deploy.source,
        "at": deploy.at,
        "before": incident.declared_at - deploy.at,
    }
