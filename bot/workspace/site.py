"""What every part of the server shares: the workspace, the app, and the records for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.workspace.app import App
from bot.workspace.clock import Clock
from bot.workspace.faults import Faults
from bot.workspace.limits import Limits
from bot.workspace.records import Json
from bot.workspace.state import Workspace
from bot.workspace.tickets import Tickets
from bot.workspace.uploads import Uploads

KEPT = 10_000
"""How many calls and rejections are remembered."""


@dataclass(frozen=True)
class Called:
    """One call of the Web API, as a test looks at it; ``result`` None: no answer was given."""

    method: str
    arguments: Json
    result: Json | None


@dataclass(frozen=True)
class Rejection:
    """A payload that Slack would not have taken, and why.

    ``where`` is a method, ``ack`` or ``response_url``.
    """

    where: str
    payload: Json
    reason: str


@dataclass(kw_only=True)
class Site:
    """``base_url`` is set once the server listens; ``without`` are methods that are not offered."""

    workspace: Workspace
    app: App
    tickets: Tickets
    limits: Limits
    faults: Faults
    clock: Clock
    base_url: str = ""
    without: set[str] = field(default_factory=set)
    keeps_metadata: bool = True
    calls: list[Called] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    uploads: Uploads

    def reject(self, where: str, payload: Json, reason: str) -> None:
        """Keep a payload that Slack would not have taken."""
        self.rejections.append(Rejection(where, payload, reason))
        del self.rejections[:-KEPT]

    def called(self, method: str, arguments: Json, result: Json | None) -> None:
        """Keep a call of the Web API."""
        self.calls.append(Called(method, arguments, result))
        if len(self.calls) > 2 * KEPT:
            del self.calls[:KEPT]

    @property
    def permalink_root(self) -> str:
        return f"{self.base_url}/archives"
