"""Who is behind a destination, by the config and by the overrides in the store."""

from __future__ import annotations

from bot.model.config import Config
from bot.rules.oncall import Roster
from bot.store import overrides
from bot.store.database import Tx


def roster(tx: Tx, config: Config, since: int | None = None) -> Roster:
    """As it is in this transaction; right about times from ``since`` on, by default from now on."""
    if not config.oncall:
        return Roster(config)
    return Roster.of(config, overrides.since(tx, tx.now if since is None else since))
