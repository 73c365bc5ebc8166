"""What Slack makes of the text that a person types: escapes, mentions and links."""

from __future__ import annotations

import re

from bot.workspace.state import Workspace

_TOKEN = re.compile(
    r"(?<![\w<])@(?P<person>[\w.-]+)|(?<![\w<&])#(?P<channel>[\w-]+)|(?P<url>https?://[^\s<>]+)"
)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_WRITTEN = re.compile(r"<([@#!][^<>]+|https?://[^<>\s]+)>")


def escape(text: str) -> str:
    """``&``, ``<`` and ``>`` as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_command(workspace: Workspace, text: str) -> str:
    """A command's text as it arrives with ``should_escape``: ``<@U01ALICE|alice>``, ``<#C..|name>``."""
    return _typed(workspace, text, named=True)


def in_message(workspace: Workspace, text: str) -> str:
    """A message's text as Slack stores it: ``<@U01ALICE>``, ``<#C01INCIDENTS|incidents>``."""
    return _typed(workspace, text, named=False)


def mentioned(text: str) -> set[str]:
    """The ids of the people whom a stored text mentions."""
    return set(_MENTION.findall(text))


def _typed(workspace: Workspace, text: str, named: bool) -> str:
    """Replace what names somebody; what is written as a mention already stays one."""
    parts = _WRITTEN.split(text)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<{part}>"
        else:
            parts[place] = _TOKEN.sub(lambda found: _token(workspace, found, named), escape(part))
    return "".join(parts)


def _token(workspace: Workspace, found: re.Match[str], named: bool) -> str:
    if found["url"]:
        return f"<{found['url']}>"
    if found["channel"]:
        channel = workspace.channel_named(found["channel"])
        return f"<#{channel.id}|{channel.name}>" if channel else found[0]
    name = found["person"].rstrip(".-")
    for person in workspace.people.values():
        if person.name == name.lower():
            rest = found["person"][len(name) :]
            return f"<@{person.id}|{person.name}>{rest}" if named else f"<@{person.id}>{rest}"
    return found[0]
