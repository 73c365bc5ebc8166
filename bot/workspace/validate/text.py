"""Text objects, options and confirmation dialogs (Block Kit's composition objects)."""

from __future__ import annotations

from typing import Any

from bot.workspace.validate.schema import (
    Check,
    Report,
    array,
    boolean,
    by_type,
    one_of,
    shape,
    string,
)

URL = r"https?://\S+"


def plain(most: int) -> Check:
    """A ``plain_text`` object, and no other."""
    return by_type(
        {
            "plain_text": shape(
                {"type": one_of("plain_text"), "text": string(1, most)}, {"emoji": boolean}
            )
        }
    )


def text(most: int) -> Check:
    """A ``plain_text`` or ``mrkdwn`` object."""
    return by_type(
        {
            "plain_text": shape(
                {"type": one_of("plain_text"), "text": string(1, most)}, {"emoji": boolean}
            ),
            "mrkdwn": shape(
                {"type": one_of("mrkdwn"), "text": string(1, most)}, {"verbatim": boolean}
            ),
        }
    )


def option(label: Check, with_url: bool = False) -> Check:
    """An option: label and description at most 75 characters, value 150."""
    optional = {"description": label}
    if with_url:
        optional["url"] = string(1, 3000, URL)
    return shape({"text": label, "value": string(1, 150)}, optional)


PLAIN_OPTION = option(plain(75))
TEXT_OPTION = option(text(75))
OVERFLOW_OPTION = option(plain(75), with_url=True)
OPTION_GROUP = shape({"label": plain(75), "options": array(PLAIN_OPTION, 1, 100)})

CONFIRM = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)


def initial_among_options(value: Any, pointer: str, report: Report) -> None:
    """What is chosen at first must be one of the options, word for word."""
    if not isinstance(value, dict):
        return
    groups = [{"options": value.get("options", [])}, *(value.get("option_groups") or [])]
    options = [
        item
        for group in groups
        if isinstance(group, dict) and isinstance(group.get("options"), list)
        for item in group["options"]
    ]
    if "initial_option" in value and value["initial_option"] not in options:
        report.say(f"{pointer}/initial_option", "must exactly match one of the options")
    for place, chosen in enumerate(value.get("initial_options") or []):
        if chosen not in options:
            report.say(
                f"{pointer}/initial_options/{place}", "must exactly match one of the options"
            )


def distinct_values(value: Any, pointer: str, report: Report) -> None:
    """Two options of one element must not share a value."""
    options = value.get("options") if isinstance(value, dict) else None
    seen: set[str] = set()
    for place, item in enumerate(options if isinstance(options, list) else ()):
        name = item.get("value") if isinstance(item, dict) else None
        if isinstance(name, str) and name in seen:
            report.say(f"{pointer}/options/{place}/value", f"duplicate option value: {name}")
        if isinstance(name, str):
            seen.add(name)
