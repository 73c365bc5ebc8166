"""A runbook as it was read from its file: a run pins both, so that editing the file changes no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model.runbook import Runbook


@dataclass(frozen=True)
class Book:
    """``source`` is the file's text, ``hash`` its SHA-256 in hex, ``path`` where it was read."""

    runbook: Runbook
    source: str
    hash: str
    path: str


Books = Mapping[str, Book]
"""Every runbook by its id."""

Broken = Mapping[str, Sequence[str]]
"""The files that can't be used, by their path: what is wrong in each, as people read it."""
