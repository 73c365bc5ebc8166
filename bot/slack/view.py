"""The pieces of a form (a modal), within Slack's limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.answer import Refusal
from bot.text import cut, cut_mrkdwn

View = dict[str, Any]

OPTIONS, BOXES = 100, 10  # Slack's limits: of a menu, and of one group of checkboxes
LABEL = 150


def modal(
    name: str,
    title: str,
    submit: str,
    blocks: Sequence[View],
    kept: Mapping[str, Any],
    *,
    close: str = "Cancel",
) -> View:
    """A whole form; ``kept`` comes back with it."""
    return {
        "type": "modal",
        "callback_id": f"iora:form:{name}",
        "title": _plain(title, 24),
        "submit": _plain(submit, 24),
        "close": _plain(close, 24),
        "private_metadata": json.dumps(kept),
        "blocks": list(blocks),
    }


def notice(title: str, text: str) -> View:
    """What became of a submitted form."""
    return {
        "type": "modal",
        "title": _plain(title, 24),
        "close": _plain("Close", 24),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": cut_mrkdwn(text, 3_000)}}
        ],
    }


def problem(refusal: Refusal, view: Mapping[str, Any]) -> dict[str, str]:
    """A refusal, shown under the field that it names, else the first; empty where a form has none."""
    fields = [str(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]
    named = [one for one in fields if f"`{one.removeprefix('input-')}`" in refusal.reason]
    return {one: str(refusal) for one in [*named, *fields][:1]}


def kept_in(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the form was made with."""
    kept: Mapping[str, Any] = json.loads(view["private_metadata"] or "{}")
    return kept


def field(name: str, label: str, element: View, *, optional: bool = False, hint: str = "") -> View:
    """An element with its label; ``name`` is the block's id."""
    drawn: View = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, LABEL),
        "element": element,
        "optional": optional,
    }
    if hint:
        drawn["hint"] = _plain(hint, 2_000)
    return drawn


def text_field(
    name: str,
    label: str,
    value: str,
    *,
    limit: int,
    optional: bool = False,
    lines: bool = False,
    hint: str = "",
) -> View:
    """Something to write; ``lines``: with room for several."""
    element: View = {
        "type": "plain_text_input",
        "action_id": name,
        "max_length": limit,
        "multiline": lines,
    }
    if value:
        element["initial_value"] = cut(value, limit)
    return field(name, label, element, optional=optional, hint=hint)


def menu_field(
    name: str, label: str, choices: Sequence[str], chosen: str | None, *, hint: str = ""
) -> View:
    """One of some words."""
    offered = [option(one, one) for one in choices[:OPTIONS]]
    element: View = {"type": "static_select", "action_id": name, "options": offered}
    if chosen in choices[:OPTIONS]:
        element["initial_option"] = option(str(chosen), str(chosen))
    return field(name, label, element, hint=hint)


def person_field(name: str, label: str, person: str | None, *, optional: bool = False) -> View:
    """Somebody of the team."""
    element: View = {"type": "users_select", "action_id": name}
    if person:
        element["initial_user"] = person
    return field(name, label, element, optional=optional)


def boxes_field(name: str, label: str, options: Sequence[View]) -> View:
    """Boxes to tick, at most ten; all are ticked at first."""
    element: View = {
        "type": "checkboxes",
        "action_id": name,
        "options": list(options),
        "initial_options": list(options),
    }
    return field(name, label, element, optional=True)


def option(label: str, value: str) -> View:
    """One choice of a menu."""
    return {"text": _plain(label, 75), "value": value}


def _plain(text: str, limit: int) -> View:
    return {"type": "plain_text", "text": cut(text, limit)}
