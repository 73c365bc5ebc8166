"""Who the app is, and where its socket is."""

from __future__ import annotations

from bot.workspace.api.call import Call
from bot.workspace.records import Json
from bot.workspace.refusal import Refusal


def test(call: Call) -> Json:
    """``auth.test``: the app's user, in this team."""
    app, workspace = call.site.app, call.workspace
    return {
        "url": f"{call.site.base_url}/",
        "team": workspace.name,
        "user": workspace.people[app.user].name,
        "team_id": workspace.team,
        "user_id": app.user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(call: Call) -> Json:
    """``apps.connections.open``: a socket address that is good for one connection."""
    ticket = call.site.tickets.socket()
    base = call.site.base_url.replace("http://", "ws://", 1)
    return {"url": f"{base}/link/?ticket={ticket}&app_id={call.site.app.id}"}


def bots_info(call: Call) -> Json:
    """``bots.info``: the app's own bot, and no other."""
    app = call.site.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise Refusal("bot_not_found")
    return {
        "bot": {
            "id": app.bot_id,
            "deleted": False,
            "name": app.name,
            "app_id": app.id,
            "user_id": app.user,
            "icons": {},
        }
    }
