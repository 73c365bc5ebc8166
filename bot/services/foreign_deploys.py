"""Deploys that a tool tells of by HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.answer import Refusal
from bot.model.config import Config
from bot.rules.foreign import Unreadable
from bot.rules.foreign_deploy import Deployed
from bot.services import deploys
from bot.store import alerts
from bot.store.database import Tx


def record(tx: Tx, config: Config, source: str, told: Sequence[Deployed]) -> None:
    """Keep all of them. Raises ``Unreadable``, and keeps none, where one can't be."""
    alerts.hear(tx, source)
    for one in told:
        done = deploys.record(tx, config, one.target, one.at or tx.now, one.title, source)
        if isinstance(done, Refusal):
            raise Unreadable(f"{done.reason} {done.remedy}".strip())
