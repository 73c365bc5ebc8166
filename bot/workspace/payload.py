"""The shapes in which Slack writes down messages, people, channels, files and views."""

from __future__ import annotations

from bot.workspace.app import App
from bot.workspace.records import Channel, File, Json, Message, Person, View
from bot.workspace.site import Site
from bot.workspace.state import Workspace


def message_json(site: Site, message: Message, metadata: bool = False) -> Json:
    """A message as ``conversations.history``, events and interactions show it."""
    body: Json = {
        "type": "message",
        "user": message.author,
        "team": site.workspace.team,
        "ts": message.ts,
        "text": message.text,
    }
    if message.by_app:
        body |= {
            "bot_id": site.app.bot_id,
            "app_id": site.app.id,
            "bot_profile": bot_profile(site.app, site.workspace),
        }
    if message.blocks:
        body["blocks"] = message.blocks
    if message.edited:
        body["edited"] = {"user": message.author, "ts": message.edited}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ]
    if message.files:
        body |= {
            "subtype": "file_share",
            "files": [file_json(site, file) for file in message.files],
        }
    if message.reply_broadcast and message.is_reply:
        body["subtype"] = "thread_broadcast"
    _add_thread(site, message, body)
    if metadata and message.metadata is not None and site.keeps_metadata:
        body["metadata"] = message.metadata
    return body


def _add_thread(site: Site, message: Message, body: Json) -> None:
    if message.is_reply:
        body["thread_ts"] = message.thread_ts
        return
    replies = site.workspace.replies(message)
    if replies:
        people = list(dict.fromkeys(reply.author for reply in replies))
        body |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": people,
            "reply_users_count": len(people),
            "latest_reply": replies[-1].ts,
        }


def bot_profile(app: App, workspace: Workspace) -> Json:
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.user,
        "name": app.name,
        "team_id": workspace.team,
        "deleted": False,
    }


def person_json(workspace: Workspace, person: Person) -> Json:
    """A person as ``users.info`` shows them."""
    return {
        "id": person.id,
        "team_id": workspace.team,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.kind == "deactivated",
        "tz": person.tz,
        "is_admin": False,
        "is_owner": False,
        "is_bot": person.kind == "bot",
        "is_app_user": False,
        "is_restricted": person.kind == "guest",
        "is_ultra_restricted": False,
        "profile": {
            "real_name": person.real_name,
            "display_name": person.name,
            "title": person.about,
            "team": workspace.team,
        },
    }


def channel_json(channel: Channel, user: str) -> Json:
    """A channel as ``conversations.info`` shows it to the app's user."""
    body: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_private": channel.kind == "im",
        "is_org_shared": False,
    }
    if channel.kind == "im":
        others = [member for member in channel.members if member != user]
        return body | {"user": others[0] if others else user, "is_open": True}
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "creator": channel.creator,
        "is_channel": True,
        "is_group": False,
        "is_general": channel.name == "general",
        "is_member": user in channel.members,
        "is_shared": False,
        "is_ext_shared": False,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
        "purpose": {
            "value": channel.purpose,
            "creator": channel.creator,
            "last_set": channel.created,
        },
        "num_members": len(channel.members),
    }


def file_json(site: Site, file: File) -> Json:
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2],
        "size": len(file.content),
        "user": file.owner,
        "mode": "hosted",
        "is_external": False,
        "url_private": f"{site.base_url}/files/{file.id}",
        "permalink": f"{site.base_url}/files/{file.id}",
        "channels": file.shared_in,
    }


def view_json(site: Site, view: View, state: Json | None = None) -> Json:
    """A view as ``views.*`` and view interactions show it; ``state`` holds what was typed."""
    body = view.body
    modal = body["type"] == "modal"
    shown: Json = {
        "id": view.id,
        "team_id": site.workspace.team,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": view.external_id,
        "hash": view.hash,
        "state": {"values": state or {}},
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "app_id": site.app.id,
        "app_installed_team_id": site.workspace.team,
        "bot_id": site.app.bot_id,
    }
    if modal:
        shown |= {
            "title": body["title"],
            "submit": body.get("submit"),
            "close": body.get("close"),
            "clear_on_close": body.get("clear_on_close", False),
            "notify_on_close": body.get("notify_on_close", False),
            "submit_disabled": body.get("submit_disabled", False),
        }
    return shown
