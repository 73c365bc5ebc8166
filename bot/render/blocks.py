"""Block Kit pieces within Slack's limits: what is too long is cut, never refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.clock import at
from bot.text import cut

Block = dict[str, Any]

SECTION, CONTEXT, FIELD, HEADER, BUTTON = 3_000, 3_000, 2_000, 150, 75
FIELDS, ELEMENTS = 10, 10


def header(text: str) -> Block:
    """A plain-text heading."""
    return {"type": "header", "text": _plain(text, HEADER)}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text, SECTION)}


def fields(texts: Iterable[str]) -> Block:
    """Up to ten short paragraphs in two columns."""
    kept = list(texts)[:FIELDS]
    return {"type": "section", "fields": [_mrkdwn(text, FIELD) for text in kept]}


def context(*texts: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [_mrkdwn(text, CONTEXT) for text in texts[:ELEMENTS]]}


def actions(elements: Sequence[Block]) -> Block:
    """A row of buttons and menus."""
    return {"type": "actions", "elements": list(elements)}


def button(label: str, action: str, value: str, *, style: str | None = None) -> Block:
    """``action`` is ``iora:<noun>:<verb>``; ``value`` names what a late click must hit."""
    drawn: Block = {
        "type": "button",
        "text": _plain(label, BUTTON),
        "action_id": action,
        "value": value,
    }
    if style:
        drawn["style"] = style
    return drawn


def overflow(action: str, options: Iterable[tuple[str, str]]) -> Block:
    """The menu behind three dots: labels with their values, five at the most."""
    drawn = [{"text": _plain(label, BUTTON), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": action, "options": drawn}


def time(milliseconds: int) -> str:
    """A time of day that Slack shows in the reader's own zone."""
    return date(milliseconds, "{time}")


def day_and_time(milliseconds: int) -> str:
    """A day with its time, in the reader's own zone."""
    return date(milliseconds, "{date_short_pretty} {time}")


def date(milliseconds: int, form: str) -> str:
    """Slack's date token; the fallback is UTC, for readers that don't know it."""
    shown = at(milliseconds)
    fallback = f"{shown:%H:%M} UTC" if form == "{time}" else f"{shown:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{milliseconds // 1000}^{form}|{fallback}>"


def utc(milliseconds: int) -> str:
    """A time of day for plain text, where no token works."""
    return f"{at(milliseconds):%H:%M} UTC"


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit) or " ", "emoji": False}


def _mrkdwn(text: str, limit: int) -> Block:
    return {"type": "mrkdwn", "text": cut(text, limit) or " "}
