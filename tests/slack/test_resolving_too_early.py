"""Resolving in Slack while the target still fails: the form says what, and wants a reason."""

from __future__ import annotations

import pytest

from bot.workspace.records import Message, View
from tests.support.house import ALICE, BOB, MALLORY, House, text_of

FAILS = "iora CPU 96 % (critical above 90), read "


async def declared(house: House) -> Message:
    await house.slash(BOB, "declare sev2 API slow")
    card = await house.until(house.card, "the card")
    assert (await house.press(ALICE, card, "iora:incident:ack")).ok
    return await house.until(
        lambda: (now := house.card()) and "ACKNOWLEDGED" in text_of(now) and now, "the card follows"
    )


async def failing(house: House) -> Message:
    house.target.cpu = 96.0
    await house.until_reading("cpu_percent", lambda value: value > 90)
    return await declared(house)


async def form_of(house: House, person: str) -> View:
    (view,) = await house.until(lambda: house.slack.workspace.views_of(person), "the form")
    return view


async def test_the_button_opens_a_form_that_says_what_fails_and_asks_why(house):
    card = await failing(house)
    assert (await house.press(BOB, card, "iora:incident:resolve")).ok
    form = await form_of(house, BOB)
    assert form.body["title"]["text"] == "INC-1 still fails"
    assert form.body["submit"]["text"] == "Resolve anyway"
    assert FAILS in str(form.body)
    (asked,) = [block for block in form.body["blocks"] if block["type"] == "input"]
    assert not asked["optional"], "Slack itself sends no form without the reason"

    blank = await house.slack.acts.submit(BOB, form.id, {"text": {"text": "  "}})
    assert blank.errors == {"text": "Say why: it still fails."}
    assert not await house.entries(1, "resolved")
    done = await house.slack.acts.submit(BOB, form.id, {"text": {"text": "moved to b"}})
    assert "INC-1 is resolved" in str(done.view.body)
    assert done.view.body["title"]["text"] == "INC-1", "it says no more that it still fails"
    entry = await house.until_entry(1, "resolved")
    assert entry.facts["text"] == "moved to b"
    assert entry.facts["failing"][0].startswith(FAILS)
    thread = await house.until(
        lambda: [m for m in house.messages() if "all the same: moved to b" in m.text], "the thread"
    )
    assert FAILS in thread[0].text
    assert not house.slack.rejections


async def test_a_form_that_was_opened_in_time_turns_into_the_question_with_what_was_written(house):
    card = await declared(house)
    assert (await house.press(BOB, card, "iora:incident:resolve")).ok
    form = await form_of(house, BOB)
    assert form.body["title"]["text"] == "Resolve INC-1"
    house.target.cpu = 96.0
    await house.until_reading("cpu_percent", lambda value: value > 90)

    sent = await house.slack.acts.submit(BOB, form.id, {"text": {"text": "rolled back"}})
    assert sent.ok
    assert sent.view.body["title"]["text"] == "INC-1 still fails"
    assert FAILS in str(sent.view.body)
    assert "rolled back" in str(sent.view.body)
    assert not await house.entries(1, "resolved")

    done = await house.slack.acts.submit(BOB, sent.view.id, {"text": {"text": "rolled back, b"}})
    assert "INC-1 is resolved" in str(done.view.body)
    assert (await house.entries(1, "resolved"))[0].facts["text"] == "rolled back, b"
    assert not house.slack.rejections


async def test_who_recovers_while_the_form_is_open_leaves_no_stain(house):
    card = await failing(house)
    assert (await house.press(BOB, card, "iora:incident:resolve")).ok
    form = await form_of(house, BOB)
    house.target.cpu = 12.0
    await house.until_reading("cpu_percent", lambda value: value < 70)
    assert (await house.slack.acts.submit(BOB, form.id, {"text": {"text": "moved"}})).ok
    entry = await house.until_entry(1, "resolved")
    assert (entry.facts["text"], "failing" in entry.facts) == ("moved", False)


async def test_the_typed_command_is_asked_back_with_a_button_and_the_words(house):
    await failing(house)
    said = await house.slash(BOB, "resolve INC-1")
    assert said.message.text.startswith(f"INC-1 is not resolved yet: {FAILS}")
    assert "`/iora resolve INC-1 anyway REASON`" in said.message.text
    assert (await house.press(BOB, said.message, "iora:incident:resolve")).ok
    form = await form_of(house, BOB)
    assert form.body["title"]["text"] == "INC-1 still fails"

    said = await house.slash(BOB, "resolve INC-1 anyway")
    assert "Say why all the same" in said.message.text
    said = await house.slash(BOB, "resolve INC-1 anyway the sensor is broken")
    assert said.message.text.startswith("INC-1 is resolved")
    entry = await house.until_entry(1, "resolved")
    assert entry.facts["text"] == "the sensor is broken"


@pytest.mark.parametrize("text", ["resolve INC-1", "resolve INC-1 anyway because"])
async def test_who_may_not_resolve_is_told_that_and_no_readings(house, text):
    await failing(house)
    said = await house.slash(MALLORY, text)
    assert said.message.text.startswith("You may not resolve INC-1.")
    assert "CPU" not in said.message.text


async def test_what_was_allowed_when_the_form_opened_is_asked_again_when_it_is_sent(house):
    card = await failing(house)
    assert (await house.press(ALICE, card, "iora:incident:resolve")).ok
    form = await form_of(house, ALICE)
    assert (await house.slash(BOB, "resolve INC-1 anyway it is the sensor")).ok
    late = await house.slack.acts.submit(ALICE, form.id, {"text": {"text": "me too"}})
    assert "resolved already" in late.errors["text"]
