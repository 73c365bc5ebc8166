"""Blocks, and lists of blocks in messages and in views."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any

from bot.workspace.records import Json
from bot.workspace.refusal import Refusal
from bot.workspace.validate.elements import IMAGE, IMAGE_SOURCE, IN_ACTIONS, IN_INPUT, IN_SECTION
from bot.workspace.validate.schema import (
    Check,
    Report,
    anything,
    array,
    boolean,
    both,
    by_type,
    exactly_one,
    one_of,
    shape,
    string,
    unique,
)
from bot.workspace.validate.text import plain, text

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_CHARACTERS = 12_000
MESSAGE_CHARACTERS = 13_200
"""All texts of a message's blocks together; Slack does not publish the number, this is on the safe side."""


def _block(
    kind: str, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None
) -> Check:
    return shape(
        {"type": one_of(kind), **required}, {"block_id": string(1, 255), **(optional or {})}
    )


def _text_or_fields(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, dict) and "text" not in value and "fields" not in value:
        report.say(pointer, "must define either `text` or `fields`")


def _distinct_actions(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, dict):
        unique("action_id")(value.get("elements"), f"{pointer}/elements", report)


_CONTEXT_ELEMENT = by_type({"image": IMAGE, "mrkdwn": text(3000), "plain_text": text(3000)})

_RICH_TEXT_PART = shape(
    {
        "type": one_of(
            "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"
        ),
        "elements": array(
            shape(
                {"type": string(1, 50)},
                dict.fromkeys(
                    (
                        "text",
                        "style",
                        "url",
                        "user_id",
                        "channel_id",
                        "name",
                        "elements",
                        "range",
                        "timestamp",
                        "format",
                        "fallback",
                        "unicode",
                    ),
                    anything,
                ),
            ),
            0,
            1000,
        ),
    },
    {
        "style": one_of("bullet", "ordered"),
        "indent": anything,
        "offset": anything,
        "border": anything,
    },
)

SECTION = both(
    _block(
        "section",
        {},
        {
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": IN_SECTION,
            "expand": boolean,
        },
    ),
    _text_or_fields,
)
ACTIONS = both(_block("actions", {"elements": array(IN_ACTIONS, 1, 25)}), _distinct_actions)

BLOCKS: Mapping[str, Check] = {
    "section": SECTION,
    "header": _block("header", {"text": plain(150)}),
    "context": _block("context", {"elements": array(_CONTEXT_ELEMENT, 1, 10)}),
    "actions": ACTIONS,
    "divider": _block("divider", {}),
    "image": both(
        _block("image", {"alt_text": string(1, 2000)}, {"title": plain(2000), **IMAGE_SOURCE}),
        exactly_one("image_url", "slack_file"),
    ),
    "input": _block(
        "input",
        {"label": plain(2000), "element": IN_INPUT},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _block("rich_text", {"elements": array(_RICH_TEXT_PART, 1, 100)}),
    "markdown": _block("markdown", {"text": string(1, MARKDOWN_CHARACTERS)}),
}

IN_MESSAGE = by_type(BLOCKS)
IN_VIEW = by_type({kind: check for kind, check in BLOCKS.items() if kind != "markdown"})


def message_blocks(blocks: list[Json], files: Container[str] = ()) -> None:
    """Refuse (``invalid_blocks``, ``msg_blocks_too_long``) what a message must not carry."""
    report = Report(files)
    both(array(IN_MESSAGE, 0, MESSAGE_BLOCKS), unique("block_id"))(blocks, "/blocks", report)
    if report.findings:
        raise Refusal("invalid_blocks", report.findings)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS or characters(blocks) > MESSAGE_CHARACTERS:
        raise Refusal("msg_blocks_too_long")


def characters(value: Any) -> int:
    """How many characters of text a piece of Block Kit carries."""
    if isinstance(value, list):
        return sum(characters(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = value.get("text")
    rest = sum(characters(item) for item in value.values())
    return rest + (len(own) if isinstance(own, str) else 0)


def parse_blocks(value: object) -> list[Json]:
    """The blocks of a request: a JSON array, or its text in a form."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal("invalid_blocks_format") from None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refusal("invalid_blocks_format")
    return value
