"""A run as it is shown: with what only the config, and its incident, say of it now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.incident import Incident
from bot.model.run import Progress


@dataclass(frozen=True)
class Reversal:
    """What would take a step back: its position and title, and how, in words."""

    position: int
    title: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``reversals``: what can be taken back, in the order in which it would be.

    Of the step that the run is at: ``asked`` are the holders whose move it is, ``wanted`` how many must
    approve it (0: none need to), ``approved`` the actors whose yes counts, ``roles`` whose roles may.
    """

    progress: Progress
    incident: Incident | None
    reversals: tuple[Reversal, ...] = ()
    asked: tuple[str, ...] = ()
    wanted: int = 0
    approved: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
