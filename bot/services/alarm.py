"""Pages about the bot itself: at once, from memory, through every way, for the outbox may be what is stuck."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.errors import StoreError
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.message import Drawing, Message, Outcome, Refused, Sent, State, Unsure
from bot.model.policy import Destination
from bot.model.way import SLACK, EmailWay, Page
from bot.render.blocks import section
from bot.send.slack import Slack
from bot.services.live import Live
from bot.services.other_ways import OtherWays
from bot.services.roster import roster
from bot.store.database import Database, Tx
from bot.text import escape

log = logging.getLogger(__name__)

CHANNEL = "channel"
READS_WITHIN_S = 2.0


@dataclass
class _Episode:
    """One time of trouble of one kind. ``told``: who needs nothing any more, by way."""

    kind: str
    began: int
    reason: str
    told: set[tuple[str, str]] = field(default_factory=set)

    def key(self, person: str) -> str:
        """What a person is told of it is known by."""
        return f"bot:{self.kind}:{self.began}:{person}"


class Alarm:
    """Tells the last resort once an episode; what could not be told is tried again while it lasts.

    Each kind of trouble has episodes of its own: one that does not end keeps no other from being told.
    """

    def __init__(
        self, database: Database, live: Live, slack: Slack, ways: OtherWays, clock: Clock
    ) -> None:
        self._database = database
        self._live = live
        self._slack = slack
        self._ways = ways
        self._clock = clock
        self._episodes: dict[str, _Episode] = {}
        self._people: tuple[str, ...] = ()
        self.episodes = 0

    async def raised(self, kind: str, reason: str) -> None:
        """There is trouble; the first reason of an episode is the one that is told."""
        if kind not in self._episodes:
            self.episodes += 1
            self._episodes[kind] = _Episode(kind, self._clock.now(), reason)
            log.error("the bot itself is in trouble: %s", reason)
        episode = self._episodes[kind]
        left = [one for one in await self._copies() if one not in episode.told]
        await asyncio.gather(*(self._tell(episode, *one) for one in left))

    async def over(self, kind: str) -> None:
        """Nothing of this kind is wrong any more: say so where an alert would stay open."""
        episode = self._episodes.pop(kind, None)
        if episode is None:
            return
        log.warning("the bot is well again: %s is over", episode.reason)
        for person, name in episode.told:
            out = self._ways.way(name)
            if out is not None and out.idempotent:
                await out.tell("resolved", self._page(episode, person, name))

    async def _copies(self) -> list[tuple[str, str]]:
        """Whom to tell, each by every way that can reach them."""
        config = self._live.config
        try:
            async with asyncio.timeout(READS_WITHIN_S):
                self._people = await self._database.read(last_resort, config)
        except (StoreError, TimeoutError):  # as it was read last, or as the config alone says
            self._people = self._people or named_people(config)
        return [
            (person, name)
            for person in self._people
            for name in (SLACK, *(() if person == CHANNEL else config.ways))
            if self._reaches(config, person, name)
        ]

    def _reaches(self, config: Config, person: str, name: str) -> bool:
        return not isinstance(config.ways.get(name), EmailWay) or (
            config.contact(person).email is not None
        )

    async def _tell(self, episode: _Episode, person: str, name: str) -> None:
        if name == SLACK:
            outcome = await self._in_slack(episode, person)
        else:
            out = self._ways.way(name)
            page = self._page(episode, person, name)
            outcome = await out.tell("page", page) if out else Refused("no way")
        if isinstance(outcome, Sent | Refused | Unsure):
            episode.told.add((person, name))  # of what nobody knows there is no second one
        if not isinstance(outcome, Sent):
            log.error("%s was not told by %s: %s", person, name, outcome)

    async def _in_slack(self, episode: _Episode, person: str) -> Outcome:
        config = self._live.config
        to = f"channel:{config.slack.channel}" if person == CHANNEL else f"user:{person}"
        text = _words(episode.reason)
        drawing = Drawing(escape(text), (section(f"*{escape(text)}*"),))
        message = _message(episode.key(person), to, episode.began)
        return await self._slack.post(message, drawing, thread_ts=None, broadcast=False)

    def _page(self, episode: _Episode, person: str, name: str) -> Page:
        contact = self._live.config.contact(person)
        return Page(
            key=episode.key(person),
            thread=f"iora:{self._ways.house}:bot:{episode.kind}:{episode.began}",
            incident="iora-bot",
            severity=Severity.SEV1,
            title="the incident bot itself is in trouble",
            text=_words(episode.reason),
            reason=episode.reason,
            at=episode.began,
            person=person,
            address=contact.email,
        )


def last_resort(tx: Tx, config: Config) -> tuple[str, ...]:
    """Who is told when everything else failed; where the config names nobody, commanders or the channel."""
    behind = roster(tx, config)
    found = [
        person
        for text in config.escalation.last_resort
        for person in ((CHANNEL,) if text == CHANNEL else behind.people(text, tx.now))
    ]
    return tuple(dict.fromkeys(found)) or named_people(config)


def named_people(config: Config) -> tuple[str, ...]:
    """The same by the config alone, where the store can't be read."""
    parsed = map(Destination.parse, config.escalation.last_resort)
    people = [one.name for one in parsed if one.kind == "user"]
    commanders = [one for one in config.holders("commander") if not one.startswith("cli:")]
    return tuple(dict.fromkeys(people or commanders)) or (CHANNEL,)


def _words(reason: str) -> str:
    return (
        f"The incident bot itself is in trouble: {reason}. Pings may come late or not at all: look at "
        "it now (iora doctor, and its log)."
    )


def _message(key: str, destination: str, at: int) -> Message:
    """A message that is in no table."""
    return Message(
        id=0,
        key=key,
        kind="bot",
        incident_id=None,
        destination=destination,
        via=SLACK,
        parent_id=None,
        page=True,
        facts={},
        revision=1,
        delivered=0,
        state=State.SENDING,
        due_at=at,
        sending_at=at,
        lookup_failed_at=None,
        attempts=1,
        channel=None,
        ts=None,
        sent_at=None,
        error=None,
    )
