"""The table of the Web API: each method's scopes, tier and handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.workspace.api import auth, chat, conversations, files, history, marks, users, views
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
    caller: Literal["bot", "app"] = "bot"


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(auth.open_connection, ("connections:write",), 1, "app"),
    "auth.test": Method(auth.test, (), None),
    "bots.info": Method(auth.bots_info, ("users:read",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.getPermalink": Method(chat.get_permalink, (), None),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",), 4),
    "chat.postMessage": Method(chat.post_message, ("chat:write",), None),
    "chat.update": Method(chat.update, ("chat:write",)),
    "conversations.create": Method(conversations.create, ("channels:manage",), 2),
    "conversations.history": Method(history.history, HISTORY),
    "conversations.info": Method(conversations.info, READ),
    "conversations.invite": Method(conversations.invite, ("channels:manage",)),
    "conversations.join": Method(conversations.join, ("channels:join",)),
    "conversations.list": Method(conversations.list_all, READ, 2),
    "conversations.members": Method(conversations.members, READ, 4),
    "conversations.open": Method(conversations.open_direct, ("im:write",)),
    "conversations.replies": Method(history.replies, HISTORY),
    "conversations.setTopic": Method(conversations.set_topic, ("channels:manage",), 2),
    "dnd.info": Method(users.do_not_disturb, ("dnd:read",)),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",), 4),
    "files.getUploadURLExternal": Method(files.upload_url, ("files:write",), 4),
    "pins.add": Method(marks.add_pin, ("pins:write",), 2),
    "reactions.add": Method(marks.add_reaction, ("reactions:write",)),
    "reactions.remove": Method(marks.remove_reaction, ("reactions:write",), 2),
    "usergroups.list": Method(users.groups, ("usergroups:read",), 2),
    "users.info": Method(users.info, ("users:read",), 4),
    "users.list": Method(users.list_all, ("users:read",), 2),
    "views.open": Method(views.open_modal, (), 4),
    "views.publish": Method(views.publish, (), 4),
    "views.push": Method(views.push, (), 4),
    "views.update": Method(views.update, (), 4),
}

OTHER_SCOPES = frozenset({"chat:write.public", "commands", "app_mentions:read"})
"""What an app may be granted beside the scopes of the methods."""


def offered() -> dict[str, set[str]]:
    """Every method that is offered, with the scopes that it may need."""
    return {name: set(method.scopes) for name, method in METHODS.items()}


def all_scopes() -> set[str]:
    """Every scope of a bot token that means something here."""
    bots = (method.scopes for method in METHODS.values() if method.caller == "bot")
    return {scope for scopes in bots for scope in scopes} | OTHER_SCOPES
