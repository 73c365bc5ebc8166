"""One message that is about to be sent, edited or looked up, with all that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.model.digest import Digest
from bot.model.incident import Entry
from bot.model.message import Message
from bot.model.outlook import Outlook
from bot.model.overview import Overview
from bot.model.report import Report
from bot.model.way import Event


@dataclass(frozen=True)
class Attempt:
    """``repeated``: the look-up was not to be had, so it may be there already.

    ``event``: what is told by another way than Slack (None: nothing new); ``card``: the incident's, for
    that; ``note``: what is said before it. ``also``: later entries that stand in the same reply.
    """

    message: Message
    what: Literal["post", "edit", "look up"]
    seen: Overview | None
    entry: Entry | None
    thread_ts: str | None
    repeated: bool = False
    event: Event | None = "page"
    also: tuple[Entry, ...] = ()
    digest: Digest | None = None
    card: Message | None = None
    note: str = ""
    report: Report | None = None
    outlook: Outlook | None = None
