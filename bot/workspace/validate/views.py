"""Views: modals and the app's Home."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from bot.workspace.records import Json
from bot.workspace.refusal import Refusal
from bot.workspace.validate.blocks import IN_VIEW, VIEW_BLOCKS
from bot.workspace.validate.schema import (
    Check,
    Report,
    array,
    boolean,
    both,
    by_type,
    one_of,
    shape,
    string,
    unique,
)
from bot.workspace.validate.text import plain

_SHARED: dict[str, Check] = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
}
_BLOCKS = both(array(IN_VIEW, 0, VIEW_BLOCKS), unique("block_id"))


def _submit_with_inputs(value: Any, pointer: str, report: Report) -> None:
    blocks = value.get("blocks") if isinstance(value, dict) else None
    if not isinstance(blocks, list) or "submit" in value:
        return
    if any(isinstance(block, dict) and block.get("type") == "input" for block in blocks):
        report.say(pointer, "`submit` is required when there is an input block")


_MODAL = both(
    shape(
        {"type": one_of("modal"), "title": plain(24), "blocks": _BLOCKS},
        {
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
            **_SHARED,
        },
    ),
    _submit_with_inputs,
)
_HOME = shape({"type": one_of("home"), "blocks": _BLOCKS}, _SHARED)


def modal(view: Json, files: Container[str] = ()) -> None:
    """Refuse (``invalid_arguments``) what is no valid modal."""
    _refuse(by_type({"modal": _MODAL}), view, files)


def home(view: Json, files: Container[str] = ()) -> None:
    """Refuse (``invalid_arguments``) what is no valid Home."""
    _refuse(by_type({"home": _HOME}), view, files)


def _refuse(check: Check, view: Json, files: Container[str]) -> None:
    report = Report(files)
    check(view, "/view", report)
    if report.findings:
        raise Refusal("invalid_arguments", report.findings)


def parse_view(value: object) -> Json:
    """The view of a request: a JSON object, or its text in a form."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal(
                "invalid_arguments", ["must be valid JSON [json-pointer:/view]"]
            ) from None
    if not isinstance(value, dict):
        raise Refusal("invalid_arguments", ["missing required field: view"])
    return value
