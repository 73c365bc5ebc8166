"""The config as it is now: a reload replaces it whole, what is under way keeps what it read."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.config import Config


@dataclass
class Live:
    """Holds the one config that everything reads at its start."""

    config: Config
