"""Deploys that a tool tells of by HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.answer import Refusal
from bot.model.config import Config
from bot.rules.foreign_deploy import Deployed
from bot.services import deploys
from bot.store import alerts
from bot.store.database import Tx


def record(tx: Tx, config: Config, source: str, told: Sequence[Deployed]) -> list[str]:
    """Keep each; why not, for those that can't be."""
    alerts.hear(tx, source)
    done = [
        deploys.record(tx, config, one.target, one.at or tx.now, one.title, source) for one in told
    ]
    return [f"{one.reason} {one.remedy}".strip() for one in done if isinstance(one, Refusal)]
