"""Block elements: buttons, menus, inputs and pickers, with Slack's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.workspace.validate.schema import (
    Check,
    Report,
    array,
    boolean,
    both,
    by_type,
    exactly_one,
    integer,
    one_of,
    shape,
    string,
)
from bot.workspace.validate.text import (
    CONFIRM,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    PLAIN_OPTION,
    TEXT_OPTION,
    URL,
    distinct_values,
    initial_among_options,
    plain,
)

DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
TIME = r"([01]\d|2[0-3]):[0-5]\d"
USER = string(1, 50, r"[UW][A-Z0-9]+")
SECONDS = integer(1_000_000_000, 9_999_999_999)
"""Slack takes ten digits: seconds since the epoch."""

ACTION_ID = {"action_id": string(1, 255)}
FOCUS: Mapping[str, Check] = {"focus_on_load": boolean}
PLACEHOLDER: Mapping[str, Check] = {"placeholder": plain(150)}
CONFIRMED = {"confirm": CONFIRM}
COUNT: Mapping[str, Check] = {"max_selected_items": integer(1, 100)}


def _element(kind: str, required: Mapping[str, Check], *optional: Mapping[str, Check]) -> Check:
    extra: dict[str, Check] = dict(ACTION_ID)
    for more in optional:
        extra.update(more)
    return shape({"type": one_of(kind), **required}, extra)


def _lengths_in_order(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, dict):
        low, high = value.get("min_length", 0), value.get("max_length", 3000)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            report.say(f"{pointer}/min_length", "must not be more than `max_length`")


def _shown_file(value: Any, pointer: str, report: Report) -> None:
    """A file that is shown as an image must be there already."""
    shape({}, {"id": string(1, 50), "url": string(1, 3000, URL)})(value, pointer, report)
    exactly_one("id", "url")(value, pointer, report)
    if (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and value["id"] not in report.files
    ):
        report.say(pointer, "invalid slack file")


IMAGE_SOURCE: Mapping[str, Check] = {"image_url": string(1, 3000, URL), "slack_file": _shown_file}

BUTTON = _element(
    "button",
    {"text": plain(75)},
    {
        "value": string(1, 2000),
        "url": string(1, 3000, URL),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(1, 75),
    },
    CONFIRMED,
)

_OPTIONS: Mapping[str, Check] = {
    "options": array(PLAIN_OPTION, 1, 100),
    "option_groups": array(OPTION_GROUP, 1, 100),
}

STATIC_SELECT = both(
    _element(
        "static_select",
        {},
        _OPTIONS,
        {"initial_option": PLAIN_OPTION},
        PLACEHOLDER,
        CONFIRMED,
        FOCUS,
    ),
    exactly_one("options", "option_groups"),
    initial_among_options,
    distinct_values,
)

MULTI_STATIC_SELECT = both(
    _element(
        "multi_static_select",
        {},
        _OPTIONS,
        {"initial_options": array(PLAIN_OPTION, 1, 100)},
        COUNT,
        PLACEHOLDER,
        CONFIRMED,
        FOCUS,
    ),
    exactly_one("options", "option_groups"),
    initial_among_options,
    distinct_values,
)

USERS_SELECT = _element("users_select", {}, {"initial_user": USER}, PLACEHOLDER, CONFIRMED, FOCUS)

MULTI_USERS_SELECT = _element(
    "multi_users_select",
    {},
    {"initial_users": array(USER, 1, 100)},
    COUNT,
    PLACEHOLDER,
    CONFIRMED,
    FOCUS,
)

OVERFLOW = both(
    _element("overflow", {"options": array(OVERFLOW_OPTION, 1, 5)}, CONFIRMED), distinct_values
)

DATEPICKER = _element(
    "datepicker", {}, {"initial_date": string(10, 10, DATE)}, PLACEHOLDER, CONFIRMED, FOCUS
)

TIMEPICKER = _element(
    "timepicker",
    {},
    {"initial_time": string(5, 5, TIME), "timezone": string(1, 100)},
    PLACEHOLDER,
    CONFIRMED,
    FOCUS,
)

DATETIMEPICKER = _element("datetimepicker", {}, {"initial_date_time": SECONDS}, CONFIRMED, FOCUS)

PLAIN_TEXT_INPUT = both(
    _element(
        "plain_text_input",
        {},
        {
            "initial_value": string(0, 3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": shape(
                {},
                {
                    "trigger_actions_on": array(
                        one_of("on_enter_pressed", "on_character_entered"), 1, 2
                    )
                },
            ),
        },
        PLACEHOLDER,
        FOCUS,
    ),
    _lengths_in_order,
)

NUMBER_INPUT = _element(
    "number_input",
    {"is_decimal_allowed": boolean},
    {
        "initial_value": string(1, 50),
        "min_value": string(1, 50),
        "max_value": string(1, 50),
    },
    PLACEHOLDER,
    FOCUS,
)

CHECKBOXES = both(
    _element(
        "checkboxes",
        {"options": array(TEXT_OPTION, 1, 10)},
        {"initial_options": array(TEXT_OPTION, 1, 10)},
        CONFIRMED,
        FOCUS,
    ),
    initial_among_options,
    distinct_values,
)

RADIO_BUTTONS = both(
    _element(
        "radio_buttons",
        {"options": array(TEXT_OPTION, 1, 10)},
        {"initial_option": TEXT_OPTION},
        CONFIRMED,
        FOCUS,
    ),
    initial_among_options,
    distinct_values,
)

IMAGE = both(
    shape({"type": one_of("image"), "alt_text": string(1, 2000)}, IMAGE_SOURCE),
    exactly_one("image_url", "slack_file"),
)

_CHOOSERS: Mapping[str, Check] = {
    "static_select": STATIC_SELECT,
    "multi_static_select": MULTI_STATIC_SELECT,
    "users_select": USERS_SELECT,
    "multi_users_select": MULTI_USERS_SELECT,
    "datepicker": DATEPICKER,
    "timepicker": TIMEPICKER,
    "checkboxes": CHECKBOXES,
    "radio_buttons": RADIO_BUTTONS,
}

IN_ACTIONS = by_type(
    {
        "button": BUTTON,
        "overflow": OVERFLOW,
        "datetimepicker": DATETIMEPICKER,
        **{kind: check for kind, check in _CHOOSERS.items() if not kind.startswith("multi_")},
    }
)
IN_SECTION = by_type({"button": BUTTON, "overflow": OVERFLOW, "image": IMAGE, **_CHOOSERS})
IN_INPUT = by_type(
    {
        "plain_text_input": PLAIN_TEXT_INPUT,
        "number_input": NUMBER_INPUT,
        "datetimepicker": DATETIMEPICKER,
        **_CHOOSERS,
    }
)
