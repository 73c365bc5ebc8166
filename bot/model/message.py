"""Messages: what should exist in the world outside, and what became of a send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.model.incident import Facts

Block = Mapping[str, Any]


class State(StrEnum):
    """What is known about a message's delivery. ``DIGESTED``: another message tells it too."""

    WAITING = "waiting"
    SENDING = "sending"
    UNSURE = "unsure"
    SENT = "sent"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DIGESTED = "digested"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A row of the outbox: facts, not blocks, so that it is drawn from the state when it is sent.

    ``wanted_at``: since when it should be there as it is wanted. ``passed_on``: the person's next way was
    taken, or there is none.
    """

    id: int
    key: str
    kind: str
    incident_id: int | None
    destination: str
    via: str
    parent_id: int | None
    page: bool
    facts: Facts
    revision: int
    delivered: int
    state: State
    due_at: int
    sending_at: int | None
    lookup_failed_at: int | None
    attempts: int
    channel: str | None
    ts: str | None
    sent_at: int | None
    error: str | None
    wanted_at: int = 0
    passed_on: bool = False


@dataclass(frozen=True)
class Drawing:
    """A message as Slack takes it: the text carries the whole meaning, the blocks show it."""

    text: str
    blocks: Sequence[Block] = field(default=())


@dataclass(frozen=True)
class Upload:
    """A file that is to be shared; ``name`` is unique, and what it is looked up by.

    ``alt``: what an image shows, in words.
    """

    name: str
    title: str
    content: bytes
    alt: str = ""


@dataclass(frozen=True)
class Sent:
    """It is there; ``ts`` of a file is the file's id."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Limited:
    """Not taken now; nobody else goes first to that destination for ``retry_ms``."""

    retry_ms: int


@dataclass(frozen=True)
class Refused:
    """It won't ever be taken as it is: ``reason`` is the other side's word."""

    reason: str


@dataclass(frozen=True)
class Unsure:
    """Nobody knows whether it arrived: look it up before it is sent again."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """It certainly was not taken, and may be tried again."""

    reason: str


Outcome = Sent | Limited | Refused | Unsure | Failed
