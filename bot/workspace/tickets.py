"""What Slack hands out for a while: trigger ids, response URLs, socket addresses, upload addresses."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TypeVar

from bot.workspace.clock import Clock
from bot.workspace.refusal import Refusal

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5
KEPT_SECONDS = 2 * 3600.0


@dataclass
class Trigger:
    """The right to open one view for a person; ``view`` is the modal that it came from."""

    person: str
    given_at: float
    view: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """The right to answer a person up to five times within half an hour.

    ``message`` is the message that was pressed (or the answer to a command, once there is one).
    """

    person: str
    channel: str
    given_at: float
    message: str | None = None
    thread_ts: str | None = None
    uses: int = 0


Given = TypeVar("Given", Trigger, ResponseUrl)


def _forget_old(given: dict[str, Given], now: float) -> None:
    """Drop what nobody can use any more, so that a workspace may run for weeks."""
    while given and now - next(iter(given.values())).given_at > KEPT_SECONDS:
        del given[next(iter(given))]


class Tickets:
    """Everything that was handed out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.trigger_seconds = TRIGGER_SECONDS
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseUrl] = {}
        self._sockets: set[str] = set()

    def trigger(self, person: str, view: str | None = None) -> str:
        trigger_id = (
            f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        )
        _forget_old(self._triggers, self._clock.now())
        self._triggers[trigger_id] = Trigger(person, self._clock.now(), view)
        return trigger_id

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Take a trigger up, once, within 3 s; otherwise a Refusal with Slack's code."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if self._clock.now() - trigger.given_at > self.trigger_seconds:
            raise Refusal("expired_trigger_id")
        trigger.used = True
        return trigger

    def response(
        self, person: str, channel: str, message: str | None = None, thread_ts: str | None = None
    ) -> str:
        """The last part of a new response URL."""
        _forget_old(self._responses, self._clock.now())
        ticket = secrets.token_urlsafe(18)
        self._responses[ticket] = ResponseUrl(
            person, channel, self._clock.now(), message, thread_ts
        )
        return ticket

    def use_response(self, ticket: str) -> ResponseUrl:
        """Count one use; a Refusal when the URL is unknown, 30 minutes old, or used five times."""
        response = self._responses.get(ticket)
        if response is None:
            raise Refusal("invalid_url")
        if self._clock.now() - response.given_at > RESPONSE_SECONDS:
            raise Refusal("expired_url")
        if response.uses >= RESPONSE_USES:
            raise Refusal("used_url")
        response.uses += 1
        return response

    def socket(self) -> str:
        """A single-use ticket for a Socket Mode connection."""
        ticket = secrets.token_hex(16)
        self._sockets.add(ticket)
        return ticket

    def use_socket(self, ticket: str) -> bool:
        if ticket not in self._sockets:
            return False
        self._sockets.remove(ticket)
        return True
