"""Block Kit as HTML."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from bot.workspace.page import draw
from bot.workspace.page.reader import Reader
from bot.workspace.page.surface import Surface
from bot.workspace.records import Json

SURFACE = Surface(
    reader=Reader(
        person="U01ALICE",
        zone=ZoneInfo("Europe/Berlin"),
        now=datetime(2026, 3, 1, 12, tzinfo=UTC),
        people={"U01ALICE": "Alice", "U02BOB": "Bob"},
        channels={"C01": "incidents"},
    ),
    scope="m-1",
    errors={"wrong": "At least five characters"},
)
EVIL = "<script>alert(1)</script>"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(f"Option {value}"), "value": value}


def action(element: Json) -> str:
    block = {"type": "actions", "block_id": "b", "elements": [{"action_id": "a", **element}]}
    return str(draw.draw([block], SURFACE))


def field(element: Json, **more: object) -> str:
    block = {"type": "input", "block_id": "b", "label": plain("Label"), "element": element}
    return str(draw.draw([{**block, **more}], SURFACE))


OPTIONS = [option("x"), option("y")]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "header", "text": plain("SEV2 INC-7")}, '<h3 class="block header">SEV2 INC-7'),
        ({"type": "divider"}, '<hr class="block">'),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "*a*"}}, "<strong>a</strong>"),
        ({"type": "section", "fields": [plain("one"), plain("two")]}, 'class="fields"'),
        ({"type": "context", "elements": [plain("small")]}, '<span class="text">small</span>'),
        ({"type": "image", "image_url": "http://a/b.png", "alt_text": "CPU"}, 'alt="CPU"'),
        ({"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x"}, 'src="/page/file/F1"'),
        ({"type": "markdown", "text": "**a**"}, "<strong>a</strong>"),
        ({"type": "rich_text", "elements": []}, "rich"),
        ({"type": "table", "rows": [[plain("h")], [plain("c")]]}, "<th>h</th>"),
        ({"type": "hologram"}, "hologram: not drawn here"),
    ],
)
def test_each_block_is_drawn(block: Json, expected: str) -> None:
    assert expected in draw.draw([block], SURFACE)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"type": "button", "text": plain("Go"), "value": "7"}, 'value="7"'),
        ({"type": "button", "text": plain("Go"), "style": "primary"}, "button-primary"),
        ({"type": "button", "text": plain("Go"), "style": "danger"}, "button-danger"),
        ({"type": "button", "text": plain("Go"), "url": "https://a.b"}, 'href="https://a.b"'),
        ({"type": "static_select", "options": OPTIONS}, '<option value="y">Option y</option>'),
        (
            {"type": "static_select", "option_groups": [{"label": plain("G"), "options": OPTIONS}]},
            '<optgroup label="G">',
        ),
        ({"type": "multi_static_select", "options": OPTIONS}, "<select multiple"),
        ({"type": "users_select", "initial_user": "U02BOB"}, '<option value="U02BOB" selected>Bob'),
        ({"type": "channels_select"}, '<option value="C01">#incidents</option>'),
        ({"type": "overflow", "options": OPTIONS}, '<details class="overflow">'),
        ({"type": "datepicker", "initial_date": "2026-03-01"}, 'type="date" value="2026-03-01"'),
        ({"type": "timepicker", "initial_time": "03:12"}, 'type="time" value="03:12"'),
        (
            {"type": "datetimepicker", "initial_date_time": 1772362800},
            'type="datetime-local" value="2026-03-01T12:00"',
        ),
        ({"type": "checkboxes", "options": OPTIONS}, 'type="checkbox"'),
        (
            {"type": "radio_buttons", "options": OPTIONS, "initial_option": option("y")},
            'value="y" checked',
        ),
        ({"type": "lever"}, "lever: not drawn here"),
    ],
)
def test_each_element_is_drawn_and_live(element: Json, expected: str) -> None:
    drawn = action(element)
    assert expected in drawn
    assert "data-live" in drawn or "not drawn" in drawn


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"type": "plain_text_input", "initial_value": EVIL}, "&lt;script&gt;alert(1)"),
        ({"type": "plain_text_input", "max_length": 80}, 'maxlength="80"'),
        ({"type": "plain_text_input", "multiline": True, "initial_value": "\nx"}, ">\n\nx</text"),
        ({"type": "number_input", "min_value": "1"}, 'min="1"'),
        ({"type": "email_text_input"}, 'type="email"'),
        ({"type": "url_text_input"}, 'type="url"'),
    ],
)
def test_each_input_is_drawn(element: Json, expected: str) -> None:
    assert expected in field({"action_id": "a", **element})


def test_an_input_is_told_to_the_app_at_once_only_when_the_app_wants_it() -> None:
    element = {"type": "plain_text_input", "action_id": "a"}
    assert "data-live" not in field(element)
    assert "data-live" in field(element, dispatch_action=True)


def test_an_input_has_its_label_its_hint_and_its_error() -> None:
    element = {"type": "plain_text_input", "action_id": "a"}
    drawn = field(element, block_id="wrong", hint=plain("Short"), optional=True)
    name = SURFACE.key("wrong", "a")
    assert f'for="{name}"' in drawn
    assert f'id="{name}"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert "At least five characters" in drawn
    assert "Short" in drawn
    assert "(optional)" in drawn
    assert f'aria-describedby="{SURFACE.key("wrong", "")}-notes"' in drawn


def test_a_confirmation_travels_with_its_button_and_is_escaped() -> None:
    confirm = {"title": plain(EVIL), "text": {"type": "mrkdwn", "text": f"*{EVIL}*"}}
    drawn = action({"type": "button", "text": plain("Go"), "confirm": confirm})
    assert "<script" not in drawn
    told = json.loads(unescape(drawn.split('data-confirm="')[1].split('"')[0]))
    assert told["title"] == EVIL
    assert told["html"] == "<strong>&lt;script&gt;alert(1)&lt;/script&gt;</strong>"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x"])
def test_a_button_never_leads_to_code(address: str) -> None:
    assert "href" not in action({"type": "button", "text": plain("Go"), "url": address})


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:image/svg+xml,x", "//a/b"])
def test_an_image_of_an_unsafe_address_is_its_alternative_text(address: str) -> None:
    block = {"type": "image", "image_url": address, "alt_text": "CPU"}
    assert "<img" not in draw.draw([block], SURFACE)
    assert "CPU" in draw.draw([block], SURFACE)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "header", "text": plain(EVIL)},
        {"type": "section", "text": plain(EVIL), "block_id": '"><script>'},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": EVIL}]},
        {
            "type": "image",
            "image_url": 'http://a/"><script>',
            "alt_text": EVIL,
            "title": plain(EVIL),
        },
        {"type": EVIL},
        {"type": "actions", "elements": [{"type": EVIL}]},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": plain(EVIL), "value": '"><script>', "action_id": EVIL},
                {"type": "static_select", "placeholder": plain(EVIL), "options": [option(EVIL)]},
                {"type": "overflow", "options": [option(EVIL)]},
                {"type": "checkboxes", "options": [{**option(EVIL), "description": plain(EVIL)}]},
            ],
        },
        {"type": "input", "label": plain(EVIL), "hint": plain(EVIL), "element": {"type": EVIL}},
        {"type": "table", "rows": [[plain(EVIL)]]},
    ],
)
def test_html_in_a_block_stays_text(block: Json) -> None:
    assert "<script" not in draw.draw([block], SURFACE)


def test_the_same_button_keeps_its_id_and_another_message_has_another() -> None:
    assert SURFACE.key("b", "a") == SURFACE.key("b", "a")
    other = Surface(reader=SURFACE.reader, scope="m-2")
    assert SURFACE.key("b", "a") != other.key("b", "a")
