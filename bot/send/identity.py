"""Who the bot is in Slack, what it may do there, and who is a guest."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.send.client import CALL_ERRORS

log = logging.getLogger(__name__)

# Each scope of manifest.yaml with the feature that needs it.
SCOPES = {
    "commands": "the /iora command",
    "app_mentions:read": "commands by mention, in threads where slash commands don't work",
    "chat:write": "cards, threads and pings",
    "chat:write.public": "announcing in the incidents channel when joining it failed",
    "channels:read": "finding the incidents channel by its name",
    "channels:join": "joining it, which its history wants",
    "channels:history": "looking up whether a message arrived, before it is sent again",
    "files:write": "diagnostic reports and charts as files",
    "im:write": "opening a direct message for a ping",
    "im:history": "looking up whether a ping arrived, before it is sent again",
    "dnd:read": "paging by another way whoever is in do-not-disturb",
    "users:read": "telling guests from full members",
}


@dataclass(frozen=True)
class Identity:
    """The answer of ``auth.test``, with the scopes that the token was granted."""

    team: str
    team_name: str
    user: str
    bot: str
    url: str
    scopes: frozenset[str] | None

    @property
    def lacks(self) -> tuple[str, ...]:
        """The scopes that are wanted and not granted; none where the server doesn't tell."""
        if self.scopes is None:
            return ()
        return tuple(scope for scope in SCOPES if scope not in self.scopes)


async def identify(client: AsyncWebClient) -> Identity:
    """Raises one of ``CALL_ERRORS``."""
    answer = await client.auth_test()
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    granted = headers.get("x-oauth-scopes")
    return Identity(
        team=str(answer["team_id"]),
        team_name=str(answer.get("team") or ""),
        user=str(answer["user_id"]),
        bot=str(answer.get("bot_id") or ""),
        url=str(answer.get("url") or ""),
        scopes=None if granted is None else frozenset(s.strip() for s in granted.split(",")),
    )


@dataclass(frozen=True)
class Who:
    """What Slack says of a person; before it was asked, they count as a full member."""

    guest: bool = False
    zone: str | None = None


class Directory:
    """Who is a guest or someone of a connected team, and their time zone. Asked once an hour a person."""

    KEPT, KEPT_MS = 5_000, 3_600_000

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[str, tuple[Who, int]] = OrderedDict()

    async def is_guest(self, person: str) -> bool:
        """Where Slack can't be asked, what it said last counts; before that, a full member."""
        return (await self._who(person)).guest

    async def zone(self, person: str) -> str | None:
        """The name of the person's time zone, where Slack tells it."""
        return (await self._who(person)).zone

    async def _who(self, person: str) -> Who:
        now = self._clock.now()
        known, asked_at = self._known.get(person, (Who(), now - self.KEPT_MS))
        if now - asked_at < self.KEPT_MS:
            return known
        try:
            user = (await self._client.users_info(user=person))["user"]
        except CALL_ERRORS as error:
            log.warning("users.info of %s: %s", person, error)
            return known
        marks = ("is_restricted", "is_ultra_restricted", "is_stranger")
        found = Who(any(map(user.get, marks)), user.get("tz") or None)
        self._known[person] = found, now
        while len(self._known) > self.KEPT:
            self._known.popitem(last=False)
        return found
