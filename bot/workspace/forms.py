"""What a person chose or typed in the elements of blocks, in Slack's shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.workspace.records import Json

Chosen = str | list[str] | None
"""What was chosen in an element: an option's value (several: a list), a user id, a date, a text."""

Values = Mapping[str, Mapping[str, Chosen]]
"""What a form holds: block id, action id, what was chosen or typed."""

REQUIRED = "Please complete this required field."

_ONE_OPTION = frozenset({"static_select", "radio_buttons", "overflow"})
_OPTIONS = frozenset({"multi_static_select", "checkboxes"})
_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


class WrongChoice(Exception):
    """The person chose what the element does not offer."""


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with its block."""
    for block in blocks:
        inside = [*block.get("elements", [])] if block["type"] == "actions" else []
        inside += [block[place] for place in ("accessory", "element") if place in block]
        for element in inside:
            if element["type"] != "image":
                yield block, element


def find(blocks: list[Json], block_id: str, action_id: str) -> Json | None:
    """The element with these ids."""
    for block, element in elements(blocks):
        if (block["block_id"], element["action_id"]) == (block_id, action_id):
            return element
    return None


def options(element: Json) -> list[Json]:
    grouped = [item for group in element.get("option_groups", []) for item in group["options"]]
    return [*element.get("options", []), *grouped]


def initial(element: Json) -> Chosen:
    """What an element holds before anybody touches it."""
    kind = element["type"]
    if kind in _ONE_OPTION:
        chosen = element.get("initial_option")
        return None if chosen is None else str(chosen["value"])
    if kind in _OPTIONS:
        return [str(item["value"]) for item in element.get("initial_options", [])]
    if kind not in _KEYS:
        return None
    value = element.get(_KEYS[kind][1])
    if kind == "multi_users_select":
        return [str(item) for item in value or []]
    return None if value is None else str(value)


def selection(element: Json, chosen: Chosen) -> Json:
    """The element's value as it stands in ``state.values`` and in an action; WrongChoice if impossible."""
    kind = element["type"]
    if kind in _ONE_OPTION:
        return {"selected_option": None if not chosen else _option(element, str(chosen))}
    if kind in _OPTIONS:
        several = chosen if isinstance(chosen, list) else [chosen] if chosen else []
        return {"selected_options": [_option(element, value) for value in several]}
    if kind not in _KEYS:
        return {}
    return {_KEYS[kind][0]: _plain(kind, chosen)}


def _plain(kind: str, chosen: Chosen) -> Any:
    if kind == "multi_users_select":
        return chosen if isinstance(chosen, list) else [chosen] if chosen else []
    if not chosen:
        return None
    if kind == "datetimepicker":
        if not str(chosen).isdigit():
            raise WrongChoice("not a time")
        return int(str(chosen))
    return chosen


def _option(element: Json, value: str) -> Json:
    for item in options(element):
        if item["value"] == value:
            return item
    raise WrongChoice(f"no option {value!r}")


def state(blocks: list[Json], values: Values) -> Json:
    """``state.values``; what ``values`` leaves out has its initial value."""
    held: Json = {}
    for block, element in elements(blocks):
        if element["type"] in ("button", "overflow"):
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        mine = values.get(block_id, {})
        chosen = mine[action_id] if action_id in mine else initial(element)
        held.setdefault(block_id, {})[action_id] = {
            "type": element["type"],
            **selection(element, chosen),
        }
    return held


def refusals(blocks: list[Json], held: Json) -> dict[str, str]:
    """What Slack itself finds wrong with a form before the app sees it, by block id."""
    found: dict[str, str] = {}
    for block, element in elements(blocks):
        if block["type"] != "input":
            continue
        entry = held[block["block_id"]][element["action_id"]]
        value = next(item for key, item in entry.items() if key != "type")
        if not value and value != 0:
            if not block.get("optional", False):
                found[block["block_id"]] = REQUIRED
            continue
        if element["type"] == "plain_text_input":
            reason = _length(element, str(value))
            if reason:
                found[block["block_id"]] = reason
    return found


def _length(element: Json, text: str) -> str:
    if len(text) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(text) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    return ""
