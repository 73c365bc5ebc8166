"""Mail: what a page is as a message, and how it is handed to the server.

It needs the extra ``email`` (aiosmtplib), which is imported when it is first used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.headerregistry import BaseHeader, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib import import_module
from typing import cast
from urllib.parse import quote

from bot.clock import Clock, at
from bot.model.message import Failed, Outcome, Refused, Sent, Unsure
from bot.model.way import EmailWay, Event, Page
from bot.text import clean

INSTALL = "the extra email is not installed: pip install 'iora-bot[email]'"
_SUBJECT, _TEXT = 250, 20_000
Handed = Failed | Refused | Unsure | None
Hand = Callable[[EmailWay, str, bytes], Awaitable[Handed]]


# Left whole where they are longer than a line. The registry makes a BaseHeader of the class itself.
_ID = cast("type[BaseHeader]", MessageIDHeader)
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", _ID)
_HEADERS.map_to_type("references", _ID)
_POLICY = SMTP.clone(header_factory=_HEADERS)


class Email:
    """One server. Its receivers may drop a message whose id they know; nothing makes them."""

    idempotent = False

    def __init__(self, name: str, settings: EmailWay, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock

    async def tell(self, event: Event, page: Page) -> Outcome:
        if page.address is None:
            return Refused("no email address is known: add email: to the person below people")
        try:
            conversation = await asyncio.to_thread(import_module, "bot.send.way.smtp")
        except ImportError:
            return Refused(INSTALL)
        hand: Hand = conversation.hand
        mail = message(self._settings, event, page, page.address, self._clock.now())
        outcome = await hand(self._settings, page.address, mail.as_bytes())
        return Sent(self.name, mail["Message-ID"]) if outcome is None else outcome


def message(settings: EmailWay, event: Event, page: Page, address: str, now: int) -> EmailMessage:
    """Plain text in UTF-8. All mail about an incident answers the same id, so it is one thread.

    Whatever a title holds, it stays within its one line. ``Auto-Submitted`` (RFC 3834) keeps those who
    are on holiday from answering.
    """
    mail = EmailMessage(policy=_POLICY)
    thread = _id(settings, page.thread)
    mail["From"] = settings.sender
    mail["To"] = address
    mail["Subject"] = _line(f"{'' if event == 'page' else 'Re: '}{page.subject}")
    mail["Date"] = format_datetime(at(now))
    mail["Message-ID"] = _id(settings, page.key if event == "page" else f"{page.key}:{event}")
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(clean(page.text, _TEXT), charset="utf-8", cte="quoted-printable")
    return mail


def _line(text: str) -> str:
    """One line. What would begin an encoded word is broken: the library would decode it, line ends and all."""
    return " ".join(clean(text, _SUBJECT).split()).replace("=?", "= ?")


def _id(settings: EmailWay, key: str) -> str:
    """A message's id of a key, the same every time; what an id can't hold is written as ``%3A``."""
    return f"<{quote(key, safe='').replace('.', '%2E')}@{settings.domain}>"
