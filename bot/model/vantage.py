"""A target as it looks from its own host, where the bot got no answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.reading import Check


class Sight(StrEnum):
    """What the agent on the host could tell."""

    ASKED = "asked"
    """It asked the service: ``check`` is what came of that."""
    LISTENS = "listens"
    """It asked nothing, but the process lives and listens on the health URL's port."""
    RUNS = "runs"
    """It asked nothing, and the process lives."""
    GONE = "gone"
    """There is no such process."""
    MUTE = "mute"
    """The agent gave no answer itself."""
    UNSURE = "unsure"
    """The agent can't tell, for a reason of its own."""


@dataclass(frozen=True, kw_only=True)
class Vantage:
    """What was seen there; ``problem``: why nothing was, in words. ``elapsed_ms``: of asking the agent."""

    sight: Sight
    elapsed_ms: float
    check: Check | None = None
    problem: str = ""
