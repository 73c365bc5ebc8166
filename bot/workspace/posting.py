"""What a message of the app must be, wherever it comes from: a method, an ack or a response URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.workspace.records import Json
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site
from bot.workspace.validate.blocks import message_blocks, parse_blocks

TEXT_CHARACTERS = 40_000


@dataclass(frozen=True)
class Draft:
    """A message that passed: its text, and its blocks with ids where the app gave none."""

    text: str
    blocks: list[Json] = field(default_factory=list)


def draft(site: Site, arguments: Mapping[str, object], needs_text: bool = True) -> Draft:
    """Check a message's text and blocks; a Refusal says what is wrong."""
    text = arguments.get("text")
    if text is not None and not isinstance(text, str):
        raise Refusal("invalid_arguments", ["must be a string [json-pointer:/text]"])
    if arguments.get("attachments") not in (None, "", [], "[]"):
        raise Refusal(
            "invalid_attachments", ["the local workspace draws no attachments, use blocks"]
        )
    blocks = parse_blocks(arguments.get("blocks"))
    if not text and not blocks and needs_text:
        raise Refusal("no_text")
    if text and len(text) > TEXT_CHARACTERS:
        raise Refusal("msg_too_long")
    message_blocks(blocks, site.workspace.files)
    return Draft(text or "", with_ids(site, blocks))


def with_ids(site: Site, blocks: list[Json]) -> list[Json]:
    """Blocks and their elements as Slack keeps them: each with an id of its own."""
    return [_with_ids(site, block) for block in blocks]


def _with_ids(site: Site, block: Json) -> Json:
    kept = {"block_id": site.workspace.new_id("b"), **block}
    if block["type"] == "actions":
        kept["elements"] = [_named(site, element) for element in block["elements"]]
    for place in ("accessory", "element"):
        if place in block:
            kept[place] = _named(site, block[place])
    return kept


def _named(site: Site, element: Json) -> Json:
    if element["type"] == "image":
        return element
    return {"action_id": site.workspace.new_id("a"), **element}
