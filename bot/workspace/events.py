"""Events for the app: messages, mentions, a look at the Home; repeated as Slack repeats them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.workspace import mentions
from bot.workspace.delivery import Delivery, Retry
from bot.workspace.interactions import VERIFICATION_TOKEN
from bot.workspace.payload import message_json
from bot.workspace.records import Json, Message
from bot.workspace.site import Site

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.0, 60.0, 300.0)
"""When an event that was not acknowledged is sent again: at once, after 1 minute, after 5 minutes."""

SCOPES = {
    "message.channels": "channels:history",
    "message.im": "im:history",
    "app_mention": "app_mentions:read",
}


class Events:
    """Sends events in tasks of their own; a person who posts does not wait for the app."""

    def __init__(
        self, site: Site, delivery: Delivery, retry_seconds: Sequence[float] = RETRY_SECONDS
    ) -> None:
        self._site = site
        self._delivery = delivery
        self._retry_seconds = retry_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, message: Message, before: Message | None) -> None:
        """Tell the app of a message in a channel that it is in: new, or not as it was before."""
        channel = self._site.workspace.channels[message.channel]
        if message.ephemeral_to is not None or self._site.app.user not in channel.members:
            return
        direct = channel.kind == "im"
        event = self._new(message) if before is None else self._changed(message, before)
        event |= {"channel": channel.id, "channel_type": "im" if direct else "channel"}
        self._send("message.im" if direct else "message.channels", event)
        mentioned = self._site.app.user in mentions.mentioned(message.text)
        if before is None and mentioned and not direct:
            self._send("app_mention", event | {"type": "app_mention"})

    def _new(self, message: Message) -> Json:
        return message_json(self._site, message) | {"event_ts": message.ts}

    def _changed(self, message: Message, before: Message) -> Json:
        """An edit or a deletion; the app's own edits come back to it like anybody's."""
        ts = self._site.workspace.new_ts()
        event: Json = {
            "type": "message",
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "previous_message": message_json(self._site, before),
        }
        if message.deleted:
            return event | {"subtype": "message_deleted", "deleted_ts": message.ts}
        return event | {"subtype": "message_changed", "message": message_json(self._site, message)}

    def home_opened(self, person: str) -> None:
        """Tell the app that somebody looks at its Home."""
        event: Json = {
            "type": "app_home_opened",
            "user": person,
            "channel": self._site.workspace.direct(person, self._site.app.user).id,
            "tab": "home",
            "event_ts": self._site.workspace.new_ts(),
        }
        self._send("app_home_opened", event)

    def _send(self, subscription: str, event: Json) -> None:
        app = self._site.app
        scope = SCOPES.get(subscription)
        if subscription not in app.events or (scope is not None and scope not in app.scopes):
            return
        task = asyncio.get_running_loop().create_task(self._deliver(self._envelope(event)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _envelope(self, event: Json) -> Json:
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": self._site.workspace.team,
            "api_app_id": self._site.app.id,
            "event": event,
            "type": "event_callback",
            "event_id": self._site.workspace.new_id("Ev"),
            "event_time": int(self._site.clock.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self._site.workspace.team,
                    "user_id": self._site.app.user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    async def _deliver(self, payload: Json) -> None:
        ack = await self._delivery.deliver("events_api", payload)
        for attempt, seconds in enumerate(self._retry_seconds, start=1):
            if ack.ok:
                return
            await self._site.clock.sleep(seconds)
            retry = Retry(attempt, ack.reason)
            ack = await self._delivery.deliver("events_api", payload, retry)
        if not ack.ok:
            log.warning("the app never took event %s: %s", payload["event_id"], ack.why)

    async def close(self) -> None:
        """Give up what is still to be repeated."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
