"""People: who they are, and whether they want to be disturbed."""

from __future__ import annotations

from bot.workspace.api.call import Call
from bot.workspace.api.pages import cut
from bot.workspace.payload import person_json
from bot.workspace.records import Json


def info(call: Call) -> Json:
    """One person; deactivated people too (``deleted``)."""
    call.require("user")
    return {"user": person_json(call.workspace, call.person())}


def list_all(call: Call) -> Json:
    """Everybody, a page at a time."""
    page, metadata, _ = cut(call, list(call.workspace.people.values()))
    members = [person_json(call.workspace, person) for person in page]
    return {
        "members": members,
        "cache_ts": int(call.site.clock.now()),
        "response_metadata": metadata,
    }


def do_not_disturb(call: Call) -> Json:
    """``dnd.info``: whether a person has paused their notifications, and until when (seconds)."""
    call.require("user")
    until = call.workspace.snoozed_until.get(call.person().id, 0)
    now = int(call.site.clock.now())
    return {
        "dnd_enabled": until > now,
        "next_dnd_start_ts": now if until > now else 1,
        "next_dnd_end_ts": until if until > now else 1,
        "snooze_enabled": until > now,
        "snooze_endtime": until if until > now else 0,
    }


def groups(_call: Call) -> Json:
    """``usergroups.list``: this workspace has none."""
    return {"usergroups": []}
