"""Ways out beside Slack, each behind the same few words; what a send became is an ``Outcome``, as Slack's.

A way tries once a call. Whoever calls decides when to try again: after ``Failed`` and ``Limited`` it was
certainly not taken; after ``Unsure`` nobody knows, and there is nothing to look it up by. So where a way is
``idempotent`` it is sent again as it is, and elsewhere marked ``repeated``.
"""

from __future__ import annotations

from typing import Protocol

from bot.clock import Clock
from bot.http import Client
from bot.model.message import Outcome
from bot.model.way import EmailWay, Event, Page, PagerDutyWay, WaySettings
from bot.send.way.email import Email
from bot.send.way.pagerduty import PagerDuty
from bot.send.way.webhook import Webhook


class Way(Protocol):
    """``name`` is the config's. ``Sent.channel`` is that name, ``Sent.ts`` what it is known by there."""

    @property
    def name(self) -> str: ...

    @property
    def idempotent(self) -> bool:
        """Whether the same page, sent twice, is certain to wake nobody twice."""
        ...

    async def tell(self, event: Event, page: Page) -> Outcome:
        """Tell somebody; or those who were told that somebody is on it (``page.text`` says who), or that
        it is over."""
        ...


def way(name: str, settings: WaySettings, client: Client, clock: Clock) -> Way:
    """The way that the config describes. ``client`` must allow its URL; nothing is sent yet."""
    match settings:
        case PagerDutyWay():
            return PagerDuty(name, settings, client)
        case EmailWay():
            return Email(name, settings, clock)
    return Webhook(name, settings, client, clock)
