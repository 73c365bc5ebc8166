"""Short answers to a person: the payload of an acknowledgement, and what is posted to a response URL."""

from __future__ import annotations

import logging

from bot.workspace.posting import Draft, draft
from bot.workspace.records import Json, Message
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site
from bot.workspace.tickets import ResponseUrl

log = logging.getLogger(__name__)

KEYS = frozenset(
    {
        "text",
        "blocks",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "mrkdwn",
        "metadata",
    }
)


class Responses:
    """Shows the app's answers, after the same checks as any other message."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def acknowledge(self, person: str, channel: str, payload: Json) -> Message | None:
        """Show a command's acknowledgement; a Refusal (kept as a rejection) when it is not valid."""
        try:
            return self._show(person, channel, payload, None)
        except Refusal as refusal:
            self._rejected("ack", payload, refusal)
            raise

    def respond(self, ticket: str, payload: Json) -> Message | None:
        """One use of a response URL."""
        try:
            url = self._site.tickets.use_response(ticket)
            return self._answer(url, payload)
        except Refusal as refusal:
            self._rejected("response_url", payload, refusal)
            raise

    def _rejected(self, where: str, payload: Json, refusal: Refusal) -> None:
        log.warning("%s was refused: %s", where, refusal)
        self._site.reject(where, payload, str(refusal))

    def _answer(self, url: ResponseUrl, payload: Json) -> Message | None:
        """Replacing and deleting mean the message that was pressed; a command has none."""
        original = None
        if url.message is not None:
            original = self._site.workspace.message(url.channel, url.message)
        if payload.get("delete_original"):
            if original is None:
                raise Refusal("message_not_found")
            self._site.workspace.delete(original)
            return None
        if payload.get("replace_original") and original is not None:
            checked = self._checked(payload)
            self._site.workspace.edit(original, checked.text, checked.blocks)
            return original
        return self._show(url.person, url.channel, payload, url.thread_ts)

    def _show(
        self, person: str, channel: str, payload: Json, thread_ts: str | None
    ) -> Message | None:
        checked = self._checked(payload)
        public = payload.get("response_type") == "in_channel"
        return self._site.workspace.post(
            channel,
            self._site.app.user,
            checked.text,
            blocks=checked.blocks,
            thread_ts=payload.get("thread_ts") or thread_ts,
            ephemeral_to=None if public else person,
            by_app=True,
        )

    def _checked(self, payload: Json) -> Draft:
        unknown = set(payload) - KEYS
        if unknown:
            raise Refusal("invalid_arguments", [f"unknown field: {key}" for key in sorted(unknown)])
        if payload.get("response_type", "ephemeral") not in ("ephemeral", "in_channel"):
            raise Refusal("invalid_arguments", ["unknown response_type"])
        return draft(self._site, payload)
