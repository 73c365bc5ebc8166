"""Cursor paging, as Slack does it: an opaque text that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.workspace.api.call import Call
from bot.workspace.records import Json
from bot.workspace.refusal import Refusal

Item = TypeVar("Item")


def cut(
    call: Call, items: Sequence[Item], default: int = 100, most: int = 1000
) -> tuple[list[Item], Json, bool]:
    """This call's page of the items, its ``response_metadata``, and whether there are more."""
    limit = call.number("limit", default, 1, most)
    start = _start(call.text("cursor"))
    page = list(items[start : start + limit])
    end = start + limit
    more = end < len(items)
    return page, {"next_cursor": _cursor(end) if more else ""}, more


def _cursor(start: int) -> str:
    return base64.b64encode(f"next:{start}".encode()).decode()


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise ValueError(word)
        return int(number)
    except (binascii.Error, ValueError):
        raise Refusal("invalid_cursor") from None
