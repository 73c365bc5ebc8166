"""What a workspace consists of: people, channels, messages, files and views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
"""A JSON object that somebody else made: its shape is what validation is about."""

PersonKind = Literal["member", "guest", "bot", "deactivated"]
ChannelKind = Literal["channel", "im"]
ChangeKind = Literal[
    "posted", "edited", "deleted", "ephemeral", "reaction", "pin", "file", "channel", "read", "view"
]


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the workspace; ``name`` is the handle that is typed after ``@``."""

    id: str
    name: str
    real_name: str
    tz: str = "Europe/Berlin"
    kind: PersonKind = "member"
    about: str = ""


@dataclass(kw_only=True)
class Channel:
    """A public channel, or a direct channel between two people (kind ``im``)."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: list[str] = field(default_factory=list)
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    creator: str = ""
    created: int = 0
    pins: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class File:
    """An uploaded file; ``content`` is kept in memory, ``shared_in`` are channel ids."""

    id: str
    name: str
    mimetype: str
    content: bytes
    title: str
    owner: str
    created: int = 0
    alt_text: str = ""
    shared_in: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Message:
    """A message; ``ts`` is its id within the channel, ``seq`` its order in the whole workspace.

    ``edited`` is the time of the last edit (a ``ts``), ``ephemeral_to`` the only person who sees it,
    ``thread_ts`` the parent's ``ts`` in a reply (and None in a parent).
    """

    channel: str
    ts: str
    author: str
    text: str
    seq: int
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    reply_broadcast: bool = False
    metadata: Json | None = None
    ephemeral_to: str | None = None
    edited: str | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    by_app: bool = False

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(kw_only=True)
class View:
    """A modal on a person's screen (or the app's Home); ``body`` is the view as the app sent it.

    ``errors`` maps a block id to the text that the app answered a submission with.
    """

    id: str
    hash: str
    person: str
    body: Json
    errors: dict[str, str] = field(default_factory=dict)
    root: str = ""
    previous: str | None = None

    @property
    def external_id(self) -> str:
        return str(self.body.get("external_id", ""))


@dataclass(frozen=True)
class Change:
    """Something visible changed; ``person`` is set where only that person can see it."""

    kind: ChangeKind
    channel: str | None = None
    person: str | None = None
