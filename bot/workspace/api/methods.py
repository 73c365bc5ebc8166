"""The table of the Web API: each method's scopes, tier and handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.workspace.api import auth, chat
from bot.workspace.api.call import Call
from bot.workspace.records import Json

HISTORY = ("channels:history", "im:history")
READ = ("channels:read", "im:read")


@dataclass(frozen=True)
class Method:
    """``scopes``: one of them must be granted (which one may depend on the channel's kind).

    ``tier`` is Slack's, None where the method has a limit of its own.
    """

    handler: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    tier: int | None = 3
    token: Literal["bot", "app"] = "bot"


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(auth.open_connection, ("connections:write",), 1, "app"),
    "auth.test": Method(auth.test, (), None),
    "bots.info": Method(auth.bots_info, ("users:read",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.getPermalink": Method(chat.get_permalink, (), None),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",), 4),
    "chat.postMessage": Method(chat.post_message, ("chat:write",), None),
    "chat.update": Method(chat.update, ("chat:write",)),
}

OTHER_SCOPES = frozenset({"chat:write.public", "commands", "app_mentions:read"})
"""What an app may be granted beside the scopes of the methods."""


def offered() -> dict[str, set[str]]:
    """Every method that is offered, with the scopes that it may need."""
    return {name: set(method.scopes) for name, method in METHODS.items()}


def all_scopes() -> set[str]:
    """Every scope of a bot token that means something here."""
    bots = (method.scopes for method in METHODS.values() if method.token == "bot")
    return {scope for scopes in bots for scope in scopes} | OTHER_SCOPES
