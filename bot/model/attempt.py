"""One message that is about to be sent, edited or looked up, with all that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.model.incident import Entry
from bot.model.message import Message
from bot.model.outlook import Outlook
from bot.model.overview import Overview
from bot.model.report import Report


@dataclass(frozen=True)
class Attempt:
    """``repeated``: the look-up was not to be had, so it may be there already."""

    message: Message
    what: Literal["post", "edit", "look up"]
    seen: Overview | None
    entry: Entry | None
    thread_ts: str | None
    repeated: bool = False
    report: Report | None = None
    outlook: Outlook | None = None
