"""What Block Kit takes and what it refuses, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from bot.workspace.refusal import Refusal
from bot.workspace.validate import views
from bot.workspace.validate.blocks import message_blocks, parse_blocks
from bot.workspace.validate.metadata import parse_metadata

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hello", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def button(action_id: str = "iora:incident:ack", **more: Any) -> Json:
    return {"type": "button", "text": plain("Press"), "action_id": action_id, **more}


def option(value: str = "one", label: str = "One") -> Json:
    return {"text": plain(label), "value": value}


def options(count: int) -> list[Json]:
    return [option(str(number)) for number in range(count)]


def menu(kind: str = "static_select", **more: Any) -> Json:
    return {"type": kind, "action_id": "menu", "options": options(2), **more}


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Title"), "element": element, **more}


def typed(**more: Any) -> Json:
    return {"type": "plain_text_input", "action_id": "title", **more}


def image(**more: Any) -> Json:
    return {
        "type": "image",
        "image_url": "https://example.com/a.png",
        "alt_text": "a chart",
        **more,
    }


def without(block: Json, key: str) -> Json:
    return {name: value for name, value in block.items() if name != key}


CONFIRM = {
    "title": plain("Sure?"),
    "text": mrkdwn("It restarts"),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}

ALLOWED: dict[str, Json] = {
    "a section at its limit": section("x" * 3000),
    "ten fields at their limit": {"type": "section", "fields": [mrkdwn("x" * 900)] * 10},
    "a header at its limit": {"type": "header", "text": plain("x" * 150)},
    "a context with an image": {"type": "context", "elements": [image(), mrkdwn("x")]},
    "a divider": {"type": "divider"},
    "an image": image(title=plain("P95")),
    "a markdown block at its limit": {"type": "markdown", "text": "x" * 12_000},
    "25 buttons": actions(*(button(f"a{number}") for number in range(25))),
    "a button with everything": actions(
        button(value="x" * 2000, style="danger", confirm=CONFIRM, accessibility_label="Stop it")
    ),
    "the same block again in a list of options": actions(menu(options=options(100))),
    "a menu in groups": actions(
        without(menu(option_groups=[{"label": plain("G"), "options": options(2)}]), "options")
    ),
    "a menu with an initial option": actions(menu(initial_option=option("0"))),
    "five overflow options": actions(menu("overflow", options=options(5))),
    "a person": actions({"type": "users_select", "action_id": "who", "initial_user": "U01ALICE"}),
    "several people beside a section": section(
        accessory={"type": "multi_users_select", "action_id": "who"}
    ),
    "a date": actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-02-28"}),
    "a time": actions({"type": "timepicker", "action_id": "t", "initial_time": "23:59"}),
    "a moment": actions(
        {"type": "datetimepicker", "action_id": "m", "initial_date_time": 1_700_000_000}
    ),
    "checkboxes": actions(menu("checkboxes", options=[{"text": mrkdwn("*x*"), "value": "x"}])),
    "radio buttons": actions(menu("radio_buttons")),
    "an input": field(typed(multiline=True, max_length=3000, placeholder=plain("API slow"))),
    "an input of several options": field(menu("multi_static_select", max_selected_items=2)),
    "rich text": {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]},
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "b"}]}
                ],
            },
        ],
    },
}

REFUSED: dict[str, tuple[Json, str]] = {
    "an unknown block": (
        {"type": "carousel_of_joy"},
        "unsupported type: carousel_of_joy [json-pointer:/blocks/0/type]",
    ),
    "a block without a type": (
        {"text": mrkdwn("x")},
        "missing required field: type [json-pointer:/blocks/0]",
    ),
    "an unknown key": (
        section(colour="red"),
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    "an empty section": ({"type": "section"}, "must define either `text` or `fields`"),
    "an empty text": (
        section(""),
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "a section that is too long": (
        section("x" * 3001),
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "a text instead of a text object": (
        {"type": "section", "text": "hello"},
        "must provide an object [json-pointer:/blocks/0/text]",
    ),
    "eleven fields": (
        {"type": "section", "fields": [mrkdwn("x")] * 11},
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "a field that is too long": (
        {"type": "section", "fields": [mrkdwn("x" * 2001)]},
        "must be less than 2001 characters",
    ),
    "a header in mrkdwn": (
        {"type": "header", "text": mrkdwn("x")},
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "a header that is too long": (
        {"type": "header", "text": plain("x" * 151)},
        "must be less than 151 characters",
    ),
    "an empty context": ({"type": "context", "elements": []}, "no fewer than 1 items allowed"),
    "eleven context elements": (
        {"type": "context", "elements": [mrkdwn("x")] * 11},
        "no more than 10 items allowed",
    ),
    "a button in a context": (
        {"type": "context", "elements": [button()]},
        "unsupported type: button",
    ),
    "no actions": (actions(), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "26 actions": (
        actions(*(button(f"a{number}") for number in range(26))),
        "no more than 25 items allowed",
    ),
    "the same action twice": (
        actions(button("a"), button("a")),
        "`action_id` 'a' already exists [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    "a button label in mrkdwn": (actions(button(text=mrkdwn("x"))), "unsupported type: mrkdwn"),
    "a button label that is too long": (
        actions(button(text=plain("x" * 76))),
        "must be less than 76 characters",
    ),
    "a button value that is too long": (
        actions(button(value="x" * 2001)),
        "must be less than 2001 characters",
    ),
    "an empty button value": (actions(button(value="")), "must be more than 0 characters"),
    "an action id that is too long": (
        actions(button("x" * 256)),
        "must be less than 256 characters",
    ),
    "a block id that is too long": (
        section(block_id="x" * 256),
        "must be less than 256 characters",
    ),
    "a button of a third style": (
        actions(button(style="warning")),
        "value must be one of primary, danger",
    ),
    "a confirmation without a title": (
        actions(button(confirm=without(CONFIRM, "title"))),
        "missing required field: title [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    "an image without a description": (
        without(image(), "alt_text"),
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    "an image from nowhere": (
        without(image(), "image_url"),
        "must define exactly one of: image_url, slack_file",
    ),
    "an image at no address": (image(image_url="chart.png"), "must match the pattern"),
    "an image of a file that is not there": (
        {"type": "image", "alt_text": "x", "slack_file": {"id": "F9"}},
        "invalid slack file",
    ),
    "a menu without options": (
        actions(without(menu(), "options")),
        "must define exactly one of: options, option_groups",
    ),
    "a menu of 101 options": (
        actions(menu(options=options(101))),
        "no more than 100 items allowed",
    ),
    "an option that is too long": (
        actions(menu(options=[option(label="x" * 76)])),
        "must be less than 76 characters",
    ),
    "two options of one value": (
        actions(menu(options=[option(), option()])),
        "duplicate option value: one",
    ),
    "an initial option that is not offered": (
        actions(menu(initial_option=option("9"))),
        "must exactly match one of the options",
    ),
    "an empty overflow": (actions(menu("overflow", options=[])), "no fewer than 1 items allowed"),
    "six overflow options": (
        actions(menu("overflow", options=options(6))),
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "an overflow with a placeholder": (
        actions(menu("overflow", placeholder=plain("x"))),
        "invalid additional property: placeholder",
    ),
    "a several-options menu among actions": (
        actions(menu("multi_static_select")),
        "unsupported type: multi_static_select",
    ),
    "a text field among actions": (actions(typed()), "unsupported type: plain_text_input"),
    "a date that is none": (
        actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-13-01"}),
        "must match the pattern",
    ),
    "a moment in milliseconds": (
        actions(
            {"type": "datetimepicker", "action_id": "m", "initial_date_time": 1_700_000_000_000}
        ),
        "must be between",
    ),
    "eleven checkboxes": (
        actions(menu("checkboxes", options=options(11))),
        "no more than 10 items allowed",
    ),
    "an input without a label": (without(field(typed()), "label"), "missing required field: label"),
    "an input of a button": (field(button()), "unsupported type: button"),
    "a field whose bounds cross": (
        field(typed(min_length=5, max_length=4)),
        "must not be more than `max_length`",
    ),
    "a markdown block that is too long": (
        {"type": "markdown", "text": "x" * 12_001},
        "must be less than 12001 characters",
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_message_may_carry(name: str) -> None:
    message_blocks([ALLOWED[name]])


@pytest.mark.parametrize("name", REFUSED)
def test_a_message_must_not_carry(name: str) -> None:
    block, reason = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        message_blocks([block])
    assert refused.value.code == "invalid_blocks"
    assert any(reason in message for message in refused.value.messages), refused.value.messages


def test_a_message_carries_50_blocks_and_no_51st() -> None:
    message_blocks([{"type": "divider"}] * 50)
    with pytest.raises(Refusal) as refused:
        message_blocks([{"type": "divider"}] * 51)
    assert refused.value.messages == ("no more than 50 items allowed [json-pointer:/blocks]",)


def test_two_blocks_must_not_share_an_id() -> None:
    with pytest.raises(Refusal) as refused:
        message_blocks([section(block_id="a"), section(block_id="a")])
    assert refused.value.messages == (
        "`block_id` 'a' already exists [json-pointer:/blocks/1/block_id]",
    )


def test_all_texts_of_a_message_together_are_limited() -> None:
    with pytest.raises(Refusal) as refused:
        message_blocks([section("x" * 2900)] * 5)
    assert refused.value.code == "msg_blocks_too_long"


def test_every_finding_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        message_blocks([section(""), {"type": "header", "text": plain("")}])
    assert len(refused.value.messages) == 2


def test_a_file_that_was_uploaded_may_be_shown() -> None:
    message_blocks([{"type": "image", "alt_text": "x", "slack_file": {"id": "F1"}}], files={"F1"})


@pytest.mark.parametrize("value", ["{", '"text"', {"type": "divider"}, ["divider"]])
def test_blocks_that_are_no_list_of_objects_have_the_wrong_format(value: object) -> None:
    with pytest.raises(Refusal) as refused:
        parse_blocks(value)
    assert refused.value.code == "invalid_blocks_format"


MODAL = {
    "type": "modal",
    "title": plain("Declare"),
    "submit": plain("Declare"),
    "blocks": [field(typed())],
}

REFUSED_VIEWS: dict[str, tuple[Json, str]] = {
    "a title that is too long": (
        MODAL | {"title": plain("x" * 25)},
        "must be less than 25 characters [json-pointer:/view/title/text]",
    ),
    "no title": (without(MODAL, "title"), "missing required field: title [json-pointer:/view]"),
    "inputs without a submit": (without(MODAL, "submit"), "`submit` is required"),
    "metadata that is too long": (
        MODAL | {"private_metadata": "x" * 3001},
        "must be less than 3001 characters",
    ),
    "101 blocks": (
        MODAL | {"blocks": [{"type": "divider"}] * 101},
        "no more than 100 items allowed",
    ),
    "a markdown block": (
        MODAL | {"blocks": [{"type": "markdown", "text": "x"}]},
        "unsupported type: markdown",
    ),
    "a Home": ({"type": "home", "blocks": []}, "unsupported type: home"),
    "an unknown key": (MODAL | {"id": "V1"}, "invalid additional property: id"),
}


def test_a_modal_may_have_100_blocks() -> None:
    views.modal(MODAL | {"blocks": [{"type": "divider"}] * 100})


@pytest.mark.parametrize("name", REFUSED_VIEWS)
def test_a_modal_must_not_have(name: str) -> None:
    view, reason = REFUSED_VIEWS[name]
    with pytest.raises(Refusal) as refused:
        views.modal(view)
    assert refused.value.code == "invalid_arguments"
    assert any(reason in message for message in refused.value.messages), refused.value.messages


def test_a_home_has_no_title() -> None:
    views.home({"type": "home", "blocks": [section()]})
    with pytest.raises(Refusal):
        views.home({"type": "home", "blocks": [], "title": plain("Home")})


@pytest.mark.parametrize(
    "value",
    [
        "{",
        {"event_payload": {}},
        {"event_type": "x"},
        {"event_type": "", "event_payload": {}},
        {"event_type": "x", "event_payload": []},
        {"event_type": "x", "event_payload": {"a": None}},
        {"event_type": "x", "event_payload": {}, "key": 1},
    ],
)
def test_metadata_has_a_type_and_a_payload_of_plain_values(value: object) -> None:
    with pytest.raises(Refusal) as refused:
        parse_metadata(value)
    assert refused.value.code == "invalid_metadata_format"
