"""Slack's `rich_text` block as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from bot.workspace.page import dates, emoji, mrkdwn
from bot.workspace.page.reader import Reader
from bot.workspace.page.tag import tag
from bot.workspace.records import Json

STYLES = {"code": "code", "bold": "strong", "italic": "em", "strike": "s", "underline": "u"}


def draw(elements: Sequence[Json], reader: Reader) -> Markup:
    """The elements of a `rich_text` block."""
    return Markup().join(part(element, reader) for element in elements)


def part(element: Json, reader: Reader) -> Markup:
    inside: Sequence[Json] = element.get("elements") or []
    match element.get("type"):
        case "rich_text_section":
            return tag("p", inline(inside, reader))
        case "rich_text_preformatted":
            return tag(
                "pre",
                tag("code", "".join(str(one.get("text", one.get("url", ""))) for one in inside)),
            )
        case "rich_text_quote":
            return tag("blockquote", inline(inside, reader))
        case "rich_text_list":
            items = Markup().join(
                tag("li", inline(item.get("elements") or [], reader)) for item in inside
            )
            name = "ol" if element.get("style") == "ordered" else "ul"
            start = int(element.get("offset", 0)) + 1 if name == "ol" else None
            indent = min(int(element.get("indent", 0)), 8)
            return tag(name, items, start=start, class_=f"indent-{indent}" if indent else None)
    return tag("p", f"[{element.get('type')}: not drawn here]", class_="not-drawn")


def inline(elements: Sequence[Json], reader: Reader) -> Markup:
    return Markup().join(styled(element, reader) for element in elements)


def styled(element: Json, reader: Reader) -> Markup:
    """One inline element in its styles."""
    drawn = word(element, reader)
    for style, name in STYLES.items():
        if (element.get("style") or {}).get(style):
            drawn = tag(name, drawn)
    return drawn


def word(element: Json, reader: Reader) -> Markup:
    match element.get("type"):
        case "text":
            return Markup("<br>").join(str(element.get("text", "")).split("\n"))
        case "link":
            url = str(element.get("url", ""))
            return mrkdwn.link(url, str(element.get("text") or url))
        case "user":
            return mrkdwn.person(str(element.get("user_id", "")), reader)
        case "channel":
            return mrkdwn.channel(str(element.get("channel_id", "")), reader)
        case "usergroup":
            return mrkdwn.mention(str(element.get("usergroup_id", "")))
        case "broadcast":
            return mrkdwn.mention(str(element.get("range", "")), mine=True)
        case "emoji":
            return emoji.draw_or_name(str(element.get("name", "")))
        case "color":
            return tag("code", str(element.get("value", "")))
        case "date":
            form, seconds = str(element.get("format", "")), int(element.get("timestamp", 0))
            return escape(dates.write(seconds, form, reader) or str(element.get("fallback", "")))
    return escape(f"[{element.get('type')}]")
