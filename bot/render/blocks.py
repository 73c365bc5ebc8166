"""Block Kit pieces within Slack's limits: what is too long is cut, never refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.clock import at
from bot.model import message
from bot.model.message import Drawing
from bot.text import cut, cut_mrkdwn

Block = dict[str, Any]

SECTION, CONTEXT, FIELD, HEADER, BUTTON, VALUE = 3_000, 3_000, 2_000, 150, 75, 2_000
FIELDS, ELEMENTS, BLOCKS = 10, 10, 50
TEXT = 4_000  # Slack's advice for a message's text
MESSAGE = (
    12_000  # of all texts in a message's blocks; Slack refuses some more, and doesn't say how much
)
_TEXTS = {"header": "text", "section": "text", "context": "elements"}


def fit(drawing: Drawing) -> Drawing:
    """The drawing within the limits of a whole message: what is read last is cut first.

    The last block, where the buttons are, stays.
    """
    room, kept = MESSAGE, []
    for block in drawing.blocks:
        drawn, room = _within(block, room)
        if drawn is not None:
            kept.append(drawn)
    if len(kept) > BLOCKS:
        kept = [*kept[: BLOCKS - 1], kept[-1]]
    return Drawing(cut_mrkdwn(drawing.text, TEXT), kept)


def _within(block: message.Block, room: int) -> tuple[message.Block | None, int]:
    """The block with at most ``room`` characters, or None if nothing of it is left; the room after it."""
    key = "fields" if "fields" in block else _TEXTS.get(block["type"])
    if key is None:
        return block, room
    parts = block[key] if isinstance(block[key], list) else [block[key]]
    shown = []
    for part in parts:
        if room > 0:
            text = cut_mrkdwn(part["text"], room)
            shown.append({**part, "text": text})
            room -= len(text)
    if not shown:
        return None, room
    return {**block, key: shown if isinstance(block[key], list) else shown[0]}, room


def header(text: str) -> Block:
    """A plain-text heading."""
    return {"type": "header", "text": _plain(text, HEADER)}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text, SECTION)}


def paragraphs(lines: Iterable[str]) -> list[Block]:
    """Lines in as few paragraphs as take them; no line is torn."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [section(text) for text in texts]


def that_fit(lines: Sequence[str]) -> list[str]:
    """The first lines, as many as a message takes beside its heading and small print."""
    room, kept = MESSAGE - 1_000, list[str]()
    for line in lines:
        room -= len(line) + 1
        if room < 0 and kept:
            break
        kept.append(line)
    return kept


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
    return {"type": "mrkdwn", "text": cut_mrkdwn(text, limit) or " "}
