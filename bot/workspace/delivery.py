"""What takes a command, an interaction or an event to the app and brings its acknowledgement back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.workspace.records import Json

EnvelopeKind = Literal["slash_commands", "interactive", "events_api"]

ACK_SECONDS = 3.0
TIMED_OUT = "operation_timeout"
NOT_CONNECTED = "app not connected"


@dataclass(frozen=True)
class Retry:
    """Which repetition of an event this is, and why it is repeated."""

    attempt: int
    reason: str


@dataclass(frozen=True)
class Ack:
    """``ok``: acknowledged in time, with this payload (None: empty).

    Otherwise ``why`` not, as a person sees it, and the ``reason`` that a repeated event gives.
    """

    ok: bool
    why: str = ""
    payload: Json | None = None
    reason: str = ""


class Delivery(Protocol):
    """Socket Mode or signed HTTP."""

    async def deliver(self, kind: EnvelopeKind, payload: Json, retry: Retry | None = None) -> Ack:
        """Hand it over and wait for the acknowledgement, at most 3 seconds."""
        ...
