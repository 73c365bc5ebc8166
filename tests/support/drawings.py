"""Judges drawings as Slack would, and reads what a person reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from bot.model.message import Drawing
from bot.workspace.validate.blocks import message_blocks
from tests.support.configs import ALICE, BOB, MALLORY

PEOPLE = (ALICE, BOB, MALLORY)
_TOKEN = re.compile(r"<([^<>]*)>")
_DATE = re.compile(r"!date\^\d+\^[^|<>]*\|[0-9: -]+UTC")


def judge(drawing: Drawing, *, people: Collection[str] = PEOPLE) -> Drawing:
    """Valid blocks, a text within Slack's advice, and no mention but the bot's own of people."""
    blocks = [dict(block) for block in drawing.blocks]
    message_blocks(blocks)
    assert drawing.text.strip()
    assert len(drawing.text) <= 4_000
    for text in (drawing.text, *mrkdwn(blocks)):
        for token in _TOKEN.findall(text):
            own = token.removeprefix("@") in people and token.startswith("@")
            assert own or _DATE.fullmatch(token), f"live: <{token}> in {text[:200]!r}"
        bare = _TOKEN.sub("", text)
        assert "<" not in bare, f"a token in half in {text[:200]!r}"
        assert ">" not in bare
        text.encode("utf-8")
    return drawing


def mrkdwn(value: Any) -> Iterator[str]:
    """Every text in which Slack looks for mentions."""
    if isinstance(value, list):
        for item in value:
            yield from mrkdwn(item)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        for item in value.values():
            yield from mrkdwn(item)


def shown(drawing: Drawing) -> str:
    """All that the blocks show, headings and buttons too, one a line."""
    return "\n".join(_texts([dict(block) for block in drawing.blocks]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for item in value.values():
            yield from _texts(item)


def buttons(drawing: Drawing) -> dict[str, str]:
    """The labels of the buttons with their action ids; the menu's labels with their values."""
    found = {}
    for block in drawing.blocks:
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            if element["type"] == "button":
                found[element["text"]["text"]] = element["action_id"]
            for option in element.get("options", ()):
                found[option["text"]["text"]] = option["value"]
    return found
