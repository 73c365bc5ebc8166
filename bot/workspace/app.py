"""The one app that is installed in the workspace: its ids, tokens, scopes and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.workspace.state import BOT_USER

APP_ID = "A01IORA"
BOT_ID = "B01IORA"
BOT_TOKEN = "xoxb-local-development"  # noqa: S105
APP_TOKEN = "xapp-local-development"  # noqa: S105
SIGNING_SECRET = "local-development-signing-secret"  # noqa: S105

EVENTS = frozenset({"message.channels", "message.im", "app_mention", "app_home_opened"})
"""The events that the app subscribes to; each needs its scope, see ``events``."""


@dataclass(kw_only=True)
class App:
    """The installed app. ``should_escape`` is the command's setting of the same name."""

    scopes: set[str]
    app_scopes: set[str] = field(default_factory=lambda: {"connections:write"})
    events: frozenset[str] = EVENTS
    commands: frozenset[str] = frozenset({"/iora"})
    should_escape: bool = True
    id: str = APP_ID
    bot_id: str = BOT_ID
    user: str = BOT_USER
    name: str = "I.O.R.A."
    bot_token: str = BOT_TOKEN
    app_token: str = APP_TOKEN
    signing_secret: str = SIGNING_SECRET
