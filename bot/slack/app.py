"""The Bolt app: one listener a kind of request, a table of ours behind each."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.send.identity import Identity
from bot.slack.click import Click
from bot.slack.desk import Desk
from bot.slack.mentioned import Mentioned
from bot.slack.submission import Submitted
from bot.slack.typed import Typed

log = logging.getLogger(__name__)

COMMAND = "/iora"
_OURS = re.compile(r"^iora:")


def build(client: AsyncWebClient, desk: Desk, identity: Callable[[], Identity | None]) -> AsyncApp:
    """``process_before_response``: a listener runs to its end, then its ack is sent.

    Signatures are checked before Bolt, on the raw bytes; who the bot is was asked once, at the start.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        known = identity()
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=known.team if known else team_id,
            bot_id=known.bot if known else None,
            bot_user_id=known.user if known else None,
            bot_token=client.token,
        )

    app = AsyncApp(
        logger=logging.getLogger("slack_bolt"),  # else Bolt takes the root's level
        client=client,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
    )
    app.command(COMMAND)(_listener(desk, Typed(desk, client)))
    app.action(_OURS)(_listener(desk, Click(desk, client)))
    app.event("app_mention")(_listener(desk, Mentioned(desk, client)))
    app.view(_OURS)(_listener(desk, Submitted(desk)))
    return app


def _listener(
    desk: Desk,
    handler: Callable[[Any, dict[str, Any]], Awaitable[None]],
) -> Callable[..., Awaitable[None]]:
    """Bolt reads a listener's arguments by their names. Nobody is left without an answer."""

    async def listener(ack: Any, body: dict[str, Any]) -> None:
        logs.about(request=secrets.token_hex(6))
        try:
            await handler(ack, body)
        except Exception as error:
            log.exception("a request failed: %s", _named(body))
            await desk.apologize(ack, body, error)

    return listener


def _named(body: dict[str, Any]) -> str:
    """What was asked, in a few words for the log."""
    if "command" in body:
        return f"{body['command']} {body.get('text', '')}"[:100]
    if "event" in body:
        return f"a mention: {body['event'].get('text', '')}"[:100]
    actions = body.get("actions") or [{}]
    return str(actions[0].get("action_id") or body.get("view", {}).get("callback_id"))
