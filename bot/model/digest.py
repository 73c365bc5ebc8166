"""Many pages of one person in one message."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.incident import Incident

SHOWN = 20


@dataclass(frozen=True)
class Digest:
    """``listed``: how many incidents it is about; ``asking``: how many of them are open still.

    ``first``: those of them that matter most, 20 at the most; ``resolved``: whether all of them are.
    """

    listed: int
    asking: int
    first: tuple[Incident, ...]
    resolved: bool
