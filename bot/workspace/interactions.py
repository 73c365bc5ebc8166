"""The payloads of commands and interactions, as Slack writes them."""

from __future__ import annotations

from bot.workspace import mentions
from bot.workspace.payload import message_json, view_json
from bot.workspace.records import Channel, Json, Message, View
from bot.workspace.site import Site

VERIFICATION_TOKEN = "local-verification"  # noqa: S105


def command(site: Site, person: str, channel: Channel, name: str, text: str) -> Json:
    """A slash command. It carries no thread."""
    if site.app.should_escape:
        text = mentions.in_command(site.workspace, text)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": site.workspace.team,
        "team_domain": site.workspace.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "im" else channel.name,
        "user_id": person,
        "user_name": site.workspace.people[person].name,
        "command": name,
        "text": text,
        "api_app_id": site.app.id,
        "is_enterprise_install": "false",
        "response_url": response_url(site, site.tickets.response(person, channel.id)),
        "trigger_id": site.tickets.trigger(person),
    }


def message_action(site: Site, person: str, message: Message, action: Json, values: Json) -> Json:
    """``block_actions`` of a message."""
    channel = site.workspace.channels[message.channel]
    thread_ts = message.thread_ts
    ticket = site.tickets.response(person, channel.id, message.ts, thread_ts)
    ephemeral = message.ephemeral_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if thread_ts is not None:
        container["thread_ts"] = thread_ts
    body = _who(site, person) | {
        "type": "block_actions",
        "container": container,
        "trigger_id": site.tickets.trigger(person),
        "channel": {
            "id": channel.id,
            "name": "directmessage" if channel.kind == "im" else channel.name,
        },
        "state": {"values": values},
        "response_url": response_url(site, ticket),
        "actions": [action],
    }
    # Slack does not hand an ephemeral message back: the app must know what it said.
    return body if ephemeral else body | {"message": message_json(site, message)}


def view_action(site: Site, person: str, view: View, action: Json, values: Json) -> Json:
    """``block_actions`` of a modal or of the Home."""
    return _who(site, person) | {
        "type": "block_actions",
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": site.tickets.trigger(person, view.id),
        "view": view_json(site, view, values),
        "actions": [action],
    }


def submission(site: Site, person: str, view: View, values: Json) -> Json:
    """``view_submission``."""
    return _who(site, person) | {
        "type": "view_submission",
        "trigger_id": site.tickets.trigger(person, view.id),
        "view": view_json(site, view, values),
        "response_urls": [],
    }


def closing(site: Site, person: str, view: View, cleared: bool = False) -> Json:
    """``view_closed``."""
    return _who(site, person) | {
        "type": "view_closed",
        "view": view_json(site, view),
        "is_cleared": cleared,
    }


def action(site: Site, block_id: str, element: Json, selected: Json) -> Json:
    """One entry of ``actions``."""
    entry: Json = {
        "type": element["type"],
        "block_id": block_id,
        "action_id": element["action_id"],
        "action_ts": site.workspace.new_ts(),
        **selected,
    }
    for key in ("text", "value", "style", "url") if element["type"] == "button" else ():
        if key in element:
            entry[key] = element[key]
    if "placeholder" in element:
        entry["placeholder"] = element["placeholder"]
    return entry


def response_url(site: Site, ticket: str) -> str:
    return f"{site.base_url}/respond/{ticket}"


def _who(site: Site, person: str) -> Json:
    workspace = site.workspace
    return {
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {
            "id": person,
            "username": workspace.people[person].name,
            "name": workspace.people[person].name,
            "team_id": workspace.team,
        },
        "api_app_id": site.app.id,
        "token": VERIFICATION_TOKEN,
    }
