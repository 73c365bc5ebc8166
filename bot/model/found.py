"""What the bot found by itself, and opens an incident for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.incident import Severity

LOST = "unknown:"
"""What the key of lost data begins with: one thing a target, whoever misses it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One conclusion that is worth an incident. Times are milliseconds since the epoch.

    ``key`` says what it is about, such as ``rule:cpu-critical:iora``: one open incident a key.
    ``because`` is what decided it, a line each. ``policy`` None is the one of the severity.
    ``reopen_within``: an incident of the key that was resolved no longer ago (ms) is opened again.
    """

    key: str
    title: str
    severity: Severity
    targets: tuple[str, ...]
    since: int
    because: tuple[str, ...] = ()
    policy: str | None = None
    runbook: str | None = None
    reopen_within: int = 0
