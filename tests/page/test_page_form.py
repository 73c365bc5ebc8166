"""What the page posts is read strictly."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from bot.workspace.page.form import Form, NotUnderstood

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("posted", "chosen"),
    [
        (None, None),
        ("x", "x"),
        (["a", "b"], ["a", "b"]),
        ({"local": "2026-03-01T12:00"}, "1772362800"),
        ({"local": ""}, None),
    ],
)
def test_what_was_chosen_is_a_text_a_list_or_nothing(posted: object, chosen: object) -> None:
    assert Form({"chosen": posted}, BERLIN).chosen() == chosen
    assert Form({"values": {"b": {"a": posted}}}, BERLIN).values() == {"b": {"a": chosen}}


@pytest.mark.parametrize("posted", [7, [1], {"local": "soon"}, {"other": "x"}, True])
def test_anything_else_is_refused(posted: object) -> None:
    with pytest.raises(NotUnderstood):
        Form({"chosen": posted}, BERLIN).chosen()


@pytest.mark.parametrize("posted", [None, [], {"b": []}, {"b": {"a": 7}}])
def test_the_values_of_a_form_are_blocks_of_actions(posted: object) -> None:
    with pytest.raises(NotUnderstood):
        Form({"values": posted}, BERLIN).values()
