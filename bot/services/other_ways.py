"""Tells a page by another way than Slack: whom, in which words, and what it has become meanwhile."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from bot.clock import Clock
from bot.http import Client
from bot.model.attempt import Attempt
from bot.model.message import Message, Outcome, Refused, Sent
from bot.model.way import Page
from bot.render import way as words
from bot.send.identity import Identity
from bot.send.way import Way, way
from bot.services.live import Live

log = logging.getLogger(__name__)

NOWHERE = "nowhere"
"""The way of what only has to go through the machinery."""


class OtherWays:
    """``identity``: who the bot is in Slack, once that is known. ``told`` counts what arrived, by way."""

    def __init__(
        self, client: Client, live: Live, identity: Callable[[], Identity | None], clock: Clock
    ) -> None:
        self._client = client
        self._live = live
        self._identity = identity
        self._clock = clock
        self.told: Counter[str] = Counter()

    async def __call__(self, attempt: Attempt) -> Outcome:
        """Once. A way that the config does not name any more is refused."""
        if attempt.message.via == NOWHERE:
            return Sent(NOWHERE, attempt.message.key)
        out = self.way(attempt.message.via)
        if out is None:
            return Refused(f"there is no way {attempt.message.via} any more")
        page = self._page(attempt, repeated=attempt.repeated and not out.idempotent)
        if attempt.note:
            page = replace(page, text=f"{attempt.note} {page.text}")
        assert attempt.event is not None, "what has nothing new to say is not sent"
        outcome = await out.tell(attempt.event, page)
        self.told[out.name] += attempt.event == "page" and isinstance(outcome, Sent)
        return outcome

    def way(self, name: str) -> Way | None:
        """The way as the config describes it now."""
        settings = self._live.config.ways.get(name)
        return None if settings is None else way(name, settings, self._client, self._clock)

    @property
    def house(self) -> str:
        """The team's id, by the config or by the token."""
        known = self._identity()
        return self._live.config.slack.team or (known.team if known else "")

    def _page(self, attempt: Attempt, *, repeated: bool) -> Page:
        contacts = self._live.config.people
        if attempt.digest is not None:
            return words.digest_page(
                attempt.digest,
                attempt.message,
                house=self.house,
                contacts=contacts,
                repeated=repeated,
            )
        assert attempt.seen is not None
        return words.page(
            attempt.seen,
            attempt.message,
            house=self.house,
            contacts=contacts,
            link=self._link(attempt.card),
            repeated=repeated,
        )

    def _link(self, card: Message | None) -> str | None:
        """Where it can be answered in Slack: the card, once it is there and we know where that is."""
        known = self._identity()
        if known is None or card is None or card.channel is None or card.ts is None:
            return None
        if not known.url.startswith("https://"):
            return None
        return f"{known.url.rstrip('/')}/archives/{card.channel}/p{card.ts.replace('.', '')}"
