"""Every button, menu item and form of the card, the ping and the health answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.store import incidents
from bot.workspace.records import Message, View
from tests.support.house import ALICE, BOB, INCIDENTS, MALLORY, House, text_of


async def declare(house: House, text: str = "sev2 API slow", person: str = BOB) -> Message:
    said = await house.slash(person, f"declare {text}")
    assert "declared" in said.message.text
    return await house.until(house.card, "the card")


async def card_with(house: House, words: str) -> Message:
    return await house.until(
        lambda: (card := house.card()) and words in text_of(card) and card,
        f"a card with {words!r}",
    )


async def form_of(house: House, person: str) -> View:
    (view,) = await house.until(lambda: house.slack.workspace.views_of(person), "the form")
    return view


async def press(house: House, person: str, message: Message, action: str, chosen=None) -> None:
    done = await house.press(person, message, action, chosen)
    assert done.ok, done.why


async def whispered(house: House, person: str, words: str) -> Message:
    return await house.until(
        lambda: next((m for m in house.whispers(person) if words in text_of(m)), None),
        f"a whisper with {words!r}",
    )


def buttons(message: Message) -> list[tuple[str, str | None]]:
    return [
        (element["text"]["text"], element.get("style"))
        for block in message.blocks
        for element in block.get("elements", ())
        if element["type"] == "button"
    ]


def menu(message: Message) -> list[str]:
    return [
        option["value"]
        for block in message.blocks
        for element in block.get("elements", ())
        for option in element.get("options", ())
    ]


async def test_the_card_shows_one_primary_button_and_what_suits_its_status(house):
    card = await declare(house)
    assert buttons(card) == [("Acknowledge", "primary")]
    await press(house, ALICE, card, "iora:incident:ack")
    card = await card_with(house, "ACKNOWLEDGED")
    assert buttons(card) == [("Mitigated", "primary"), ("Resolve", None)]
    await press(house, BOB, card, "iora:incident:mitigate")
    card = await card_with(house, "MITIGATED")
    assert buttons(card) == [("Resolve", "primary"), ("Reopen", None)]
    await press(house, BOB, card, "iora:incident:reopen")
    card = await card_with(house, "*OPEN*")
    await press(house, ALICE, card, "iora:incident:ack")
    card = await card_with(house, "ACKNOWLEDGED")
    await press(house, BOB, card, "iora:incident:resolve")
    form = await form_of(house, BOB)
    done = await house.slack.acts.submit(BOB, form.id, {"text": {"text": "rolled back"}})
    assert done.ok
    assert "INC-1 is resolved" in str(done.view.body)
    card = await card_with(house, "RESOLVED")
    assert buttons(card) == [("Post-mortem", "primary"), ("Reopen", None)]
    assert menu(card) == ["note INC-1", "timeline INC-1"]
    await press(house, BOB, card, "iora:incident:reopen")
    await card_with(house, "*OPEN*")


async def test_the_menu_changes_severity_notes_assigns_escalates_and_tells(house):
    card = await declare(house, "sev3 API slow")
    assert [choice.split()[0] for choice in menu(card)] == [
        "severity", "note", "assign", "escalate", "timeline",
    ]  # fmt: skip

    await press(house, BOB, card, "iora:incident:more", "severity INC-1")
    form = await form_of(house, BOB)
    assert form.body["title"]["text"] == "Severity of INC-1"
    await house.slack.acts.submit(BOB, form.id, {"severity": {"severity": "sev1"}})
    card = await card_with(house, "SEV1")
    await house.slack.acts.close(BOB, form.id)

    await press(house, MALLORY, card, "iora:incident:more", "note INC-1")
    form = await form_of(house, MALLORY)
    empty = await house.slack.acts.submit(MALLORY, form.id, {"text": {"text": "  "}})
    assert empty.errors == {"text": "A note needs its text."}
    assert (await house.slack.acts.submit(MALLORY, form.id, {"text": {"text": "seen"}})).ok

    await press(house, ALICE, card, "iora:incident:more", "assign INC-1")
    form = await form_of(house, ALICE)
    assert (await house.slack.acts.submit(ALICE, form.id, {"person": {"person": BOB}})).ok
    card = await card_with(house, f"*Commander:* <@{BOB}>")

    await press(house, MALLORY, card, "iora:incident:more", "escalate INC-1")
    await whispered(house, MALLORY, "INC-1 goes to the next level now")
    await house.until(lambda: house.pings(ALICE), "the next level")

    await press(house, MALLORY, card, "iora:incident:more", "timeline INC-1")
    told = text_of(await whispered(house, MALLORY, "INC-1: timeline"))
    for words in (
        "changed the severity from sev3 to sev1",
        "noted: seen",
        f"made <@{BOB}> commander",
    ):
        assert words in told


async def test_a_ping_is_acknowledged_opened_or_handed_over_and_never_resolved(house):
    await declare(house)
    (ping,) = await house.until(lambda: house.pings(ALICE), "the ping")
    assert buttons(ping) == [("Acknowledge", "primary"), ("Hand over", None), ("Open INC-1", None)]

    await press(house, ALICE, ping, "iora:incident:open")
    await whispered(house, ALICE, "INC-1 SEV2 OPEN")

    await press(house, ALICE, ping, "iora:incident:handover")
    form = await form_of(house, ALICE)
    assert form.body["title"]["text"] == "Assign INC-1"
    assert (await house.slack.acts.submit(ALICE, form.id, {"person": {"person": BOB}})).ok
    (told,) = await house.until(lambda: house.pings(BOB), "Bob's direct message")
    assert told.text == f"<@{ALICE}> made you commander of INC-1: SEV2 API slow."
    await press(house, BOB, told, "iora:incident:open")
    await whispered(house, BOB, "INC-1 SEV2 OPEN")

    await press(house, ALICE, ping, "iora:incident:ack")
    (after,) = await house.until(
        lambda: [m for m in house.pings(ALICE) if "acknowledged" in m.text], "the changed ping"
    )
    assert buttons(after) == [("Open INC-1", None)]


async def test_the_words_of_a_ping_say_it_all_without_the_blocks(house):
    house.target.cpu = 96.0
    await declare(house)
    await house.until(
        lambda: house.pings(ALICE) and "CPU 96 %" in house.pings(ALICE)[0].text, "evidence in it"
    )
    text = house.pings(ALICE)[0].text
    assert text.startswith("INC-1 SEV2: API slow. ")
    assert "iora UNHEALTHY: CPU 96 % (critical above 90)" in text


async def test_a_click_on_an_old_message_hits_what_was_meant_or_says_why_not(house):
    await declare(house, "sev3 first")
    await house.slash(ALICE, "show INC-1")
    old = house.whispers(ALICE)[-1]
    await house.slash(BOB, "ack INC-1")
    await house.slash(BOB, "show INC-1")
    acknowledged = house.whispers(BOB)[-1]
    await house.slash(BOB, "resolve INC-1")
    await house.slash(BOB, "declare sev3 second")

    await press(house, ALICE, old, "iora:incident:ack")
    await whispered(house, ALICE, f"INC-1 is resolved already, by <@{BOB}>.")
    await press(house, ALICE, old, "iora:incident:more", "severity INC-1")
    await whispered(house, ALICE, "INC-1 is resolved. Reopen it first: `/iora reopen INC-1`.")
    await press(house, BOB, acknowledged, "iora:incident:resolve")
    await whispered(house, BOB, f"INC-1 is resolved already, by <@{BOB}>.")
    assert not house.slack.workspace.views_of(BOB)
    second = await house.slash(ALICE, "show INC-2")
    assert "INC-2 SEV3 OPEN" in second.message.text, "the newer incident was not touched"


async def test_two_people_at_once_get_one_change_and_one_honest_answer(house):
    card = await declare(house, "sev3 API slow")
    await asyncio.gather(
        press(house, ALICE, card, "iora:incident:ack"), press(house, BOB, card, "iora:incident:ack")
    )
    whispers = await house.until(
        lambda: [
            (person, message.text)
            for person in (ALICE, BOB)
            for message in house.whispers(person)
            if "acknowledged already" in message.text
        ],
        "the second one's answer",
    )
    ((second, text),) = whispers
    first = ALICE if second == BOB else BOB
    assert text.startswith(f"INC-1 is acknowledged already, by <@{first}>.")
    await card_with(house, f"*Commander:* <@{first}>")
    told = str((await house.slash(ALICE, "timeline")).message.blocks)
    assert told.count("> acknowledged.") == 1
    assert told.count("was refused") == 1


async def test_a_form_that_was_overtaken_says_so_and_changes_nothing(house):
    card = await declare(house, "sev3 API slow")
    await press(house, BOB, card, "iora:incident:ack")
    card = await card_with(house, "ACKNOWLEDGED")
    await press(house, BOB, card, "iora:incident:resolve")
    form = await form_of(house, BOB)
    await house.slash(ALICE, "resolve INC-1 mine")
    late = await house.slack.acts.submit(BOB, form.id, {"text": {"text": "no, mine"}})
    assert late.errors == {"text": f"INC-1 is resolved already, by <@{ALICE}>."}


async def test_declare_without_a_title_opens_a_form_that_makes_a_whole_incident(house):
    assert (await house.slash(MALLORY, "declare sev1 iora")).ok
    form = await form_of(house, MALLORY)
    wrong = {"title": {"title": "API slow"}, "started": {"started": "soon"}}
    refused = await house.slack.acts.submit(MALLORY, form.id, wrong)
    assert list(refused.errors) == ["started"]
    assert refused.errors["started"].startswith("Write 20m ago, or a time in UTC (it is ")
    empty = await house.slack.acts.submit(MALLORY, form.id, {"title": {"title": " "}})
    assert list(empty.errors) == ["title"]
    right = {
        "title": {"title": "API\u202e slow"},
        "impact": {"impact": "checkout fails"},
        "started": {"started": "20m ago"},
    }
    done = await house.slack.acts.submit(MALLORY, form.id, right)
    assert done.ok
    assert "INC-1 declared: SEV1 API slow." in str(done.view.body)
    card = await card_with(house, "impact: checkout fails")
    assert "SEV1 INC-1 API slow" in text_of(card)
    kept = await house.bot.database.read(incidents.get, 1)
    assert kept.title == "API slow", "what nobody can see is not kept"
    assert "*Targets:* iora" in text_of(card)
    assert "to detect 20 min" in text_of(card)


async def test_the_form_takes_other_severities_and_no_target_when_they_are_chosen(house):
    await house.slash(BOB, "declare")
    form = await form_of(house, BOB)
    values = {
        "title": {"title": "Odd smell"},
        "severity": {"severity": "sev4"},
        "targets": {"targets": ["iora"]},
    }
    assert (await house.slack.acts.submit(BOB, form.id, values)).ok
    assert "SEV4 INC-1 Odd smell" in text_of(await house.until(house.card, "the card"))


async def test_the_health_answer_declares_with_what_it_showed_and_shares(house):
    house.target.cpu = 96.0
    await house.slash(MALLORY, "health")
    answer = await whispered(house, MALLORY, "iora is UNHEALTHY")
    assert [label for label, _ in buttons(answer)] == ["Declare", "Diagnose", "Share"]
    await press(house, MALLORY, answer, "iora:health:declare")
    form = await form_of(house, MALLORY)
    done = await house.slack.acts.submit(MALLORY, form.id, {})
    assert "SEV2 iora: CPU 96 % (critical above 90)." in str(done.view.body)
    house.target.cpu = 5.0
    await press(house, MALLORY, answer, "iora:health:share")
    shared = await house.until(
        lambda: [m for m in house.messages() if "iora is UNHEALTHY" in m.text], "what was shown"
    )
    assert "CPU 96 %" in text_of(shared[0])


async def test_what_is_down_is_declared_by_a_short_title(house):
    house.target.status, house.target.body = 500, None
    await house.slash(BOB, "health")
    answer = await whispered(house, BOB, "iora is DOWN")
    for key, one in house.bot.monitoring._shown.items():
        seen = "refused the connection; process 7 runs on its host (agent)"
        house.bot.monitoring._shown[key] = replace(one, reason=seen)
    await press(house, BOB, answer, "iora:health:declare")
    form = await form_of(house, BOB)
    assert "'iora: down, refused the connection'" in str(form.body)


async def test_a_health_answer_from_before_a_restart_is_measured_anew(house):
    house.target.cpu = 96.0
    await house.slash(BOB, "health")
    answer = await whispered(house, BOB, "iora is UNHEALTHY")
    house.bot.monitoring._shown.clear()
    house.target.cpu = 12.0
    await press(house, BOB, answer, "iora:health:share")
    shared = await house.until(house.messages, "a shared answer")
    assert "CPU 12 %" in text_of(shared[-1])


async def test_what_is_not_watched_any_more_is_not_shared_as_something_else(house):
    await house.slash(BOB, "health")
    answer = await whispered(house, BOB, "iora is")
    house.bot.monitoring._shown.clear()
    watched = house.bot.live.config.targets["iora"]
    house.bot.live.config = house.bot.live.config.model_copy(update={"targets": {"other": watched}})
    await press(house, BOB, answer, "iora:health:share")
    await whispered(house, BOB, "There is no target `iora`.")
    assert not house.messages()


async def test_a_title_made_of_what_a_target_said_holds_no_secret(house):
    house.target.body = {"status": "xoxb-1234567890-abcdefghij"}
    await house.slash(BOB, "health")
    answer = await whispered(house, BOB, "iora is UNHEALTHY")
    await press(house, BOB, answer, "iora:health:declare")
    form = await form_of(house, BOB)
    assert "[redacted]" in str(form.body)
    assert "xoxb-" not in str(form.body)


async def test_a_healthy_answer_offers_no_declaration(house):
    for _ in range(10):
        await house.bot.monitoring.refresh(("iora",), 5_000)
    await house.slash(BOB, "health")
    answer = await whispered(house, BOB, "iora is HEALTHY")
    assert [label for label, _ in buttons(answer)] == ["Diagnose", "Share"]


@pytest.mark.parametrize("action", ["iora:incident:ack", "iora:incident:open"])
async def test_a_click_whose_incident_is_gone_is_answered(house, action):
    await declare(house)
    (ping,) = await house.until(lambda: house.pings(ALICE), "the ping")
    for block in ping.blocks:
        for element in block.get("elements", ()):
            if element.get("action_id") == action:
                element["value"] = "INC-99"
    await press(house, ALICE, ping, action)
    await whispered(house, ALICE, "There is no INC-99.")
    assert house.messages(INCIDENTS)
