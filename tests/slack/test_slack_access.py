"""Who may do what in Slack, who is told so, and what the timeline keeps of it."""

from __future__ import annotations

import pytest

from bot.model.command import Resolve
from bot.workspace.records import Person
from tests.support.house import (
    ALICE,
    BOB,
    INCIDENTS,
    MALLORY,
    House,
    config_for,
    living,
    standing,
    text_of,
)

GUEST = "U04GUEST"
GUEST_REFUSAL = (
    "This bot is for full members of its team. "
    "An admin can list you under `slack.guests` in its config."
)
FOR_ROLES = {
    "mitigate INC-1": "You may not mitigate INC-1.",
    "resolve INC-1": "You may not resolve INC-1.",
    "severity INC-1 sev1": "You may not change the severity of INC-1.",
    "assign INC-1 <@U02BOB>": "You may not assign INC-1.",
}
FOR_MEMBERS = (
    "show INC-1",
    "note INC-1 seen",
    "update INC-1 impact slow",
    "escalate INC-1",
    "ack INC-1",
    "timeline INC-1",
    "incidents",
    "stats",
    "help",
)


async def typed(house: House, person: str, text: str) -> str:
    said = await house.slash(person, text)
    assert said.ok, said.why
    assert said.message.ephemeral_to == person
    return str(said.message.text)


def welcome(house: House, person: Person) -> None:
    house.slack.workspace.add_person(person)
    house.slack.workspace.join(INCIDENTS, person.id)


async def timeline(house: House, number: int = 1) -> str:
    return str((await house.slash(ALICE, f"timeline INC-{number}")).message.blocks)


async def test_what_needs_a_role_is_refused_to_others_by_name_and_kept_on_the_timeline(house):
    await typed(house, MALLORY, "declare sev3 API slow")
    for text, reason in FOR_ROLES.items():
        answer = await typed(house, MALLORY, text)
        assert answer == f"{reason} Who may: <@U01ALICE>, <@U02BOB>."
        assert f"<@{MALLORY}> was refused `{text.split()[0]}`" in await timeline(house)
        assert reason in await timeline(house)
    assert "SEV3 OPEN" in await typed(house, MALLORY, "show INC-1")
    public = "".join(text_of(message) for message in house.messages())
    assert "refused" not in public, "a refusal is nobody else's business"
    assert "may not" not in public


async def test_full_members_without_a_role_may_ask_note_and_acknowledge(house):
    await typed(house, MALLORY, "declare sev3 API slow")
    for text in FOR_MEMBERS:
        assert "may not" not in await typed(house, MALLORY, text), text
    assert "*Commander:* nobody" in text_of(house.card()), "to acknowledge is not to command"
    assert "may not" in await typed(house, MALLORY, "resolve INC-1")


async def test_responders_may_do_what_needs_a_role(house):
    await typed(house, MALLORY, "declare sev3 API slow")
    for text in FOR_ROLES:
        assert "may not" not in await typed(house, BOB, text), text


async def test_whoever_was_paged_may_end_it(tmp_path):
    async with standing(tmp_path) as house:
        config = config_for(
            house.target,
            roles={"responder": [ALICE]},
            groups={"engineering": [ALICE, MALLORY]},
        )
        async with living(house, config):
            await typed(house, BOB, "declare sev2 API slow")
            assert "may not" in await typed(house, MALLORY, "resolve INC-1")
            await house.until(lambda: house.pings(ALICE), "the first ping")
            house.advance(5 * 60_000)
            await house.until(lambda: house.pings(MALLORY), "Mallory's ping")
            assert "INC-1 is resolved" in await typed(house, MALLORY, "resolve INC-1")


@pytest.mark.parametrize(
    "text", ["help", "health", "incidents", "declare API slow", "declare", "stats", "doctor"]
)
async def test_a_guest_is_refused_whatever_they_ask(house, text):
    welcome(house, Person(id=GUEST, name="gus", real_name="Gus", kind="guest"))
    said = await house.slash(GUEST, text)
    assert said.ok
    (answer,) = await house.until(lambda: house.whispers(GUEST), "the refusal")
    assert answer.text == GUEST_REFUSAL
    assert not house.slack.workspace.views_of(GUEST)
    assert "No incident is found." in await typed(house, ALICE, "incidents all")


async def test_a_guest_who_touches_an_incident_is_on_its_timeline(house):
    welcome(house, Person(id=GUEST, name="gus", real_name="Gus", kind="guest"))
    await typed(house, BOB, "declare sev3 API slow")
    assert await typed(house, GUEST, "ack INC-1") == GUEST_REFUSAL
    card = await house.until(house.card, "the card")
    assert (await house.press(GUEST, card, "iora:incident:ack")).ok
    await house.until(lambda: len(house.whispers(GUEST)) == 2, "the click's refusal")
    assert (await house.press(GUEST, card, "iora:incident:more", "note INC-1")).ok
    await house.until(lambda: len(house.whispers(GUEST)) == 3, "the menu's refusal")
    assert {message.text for message in house.whispers(GUEST)} == {GUEST_REFUSAL}
    assert (await timeline(house)).count(f"<@{GUEST}> was refused") == 3
    assert "SEV3 OPEN" in await typed(house, ALICE, "show INC-1")


async def test_who_becomes_a_guest_or_a_full_member_is_one_here_within_the_hour(house):
    def known_as(kind):
        welcome(house, Person(id=GUEST, name="gus", real_name="Gus", kind=kind))

    known_as("guest")
    assert await typed(house, GUEST, "incidents") == GUEST_REFUSAL
    known_as("member")
    house.advance(59 * 60_000)
    assert await typed(house, GUEST, "incidents") == GUEST_REFUSAL, "Slack is not asked each time"
    house.advance(60_000)
    assert await typed(house, GUEST, "incidents") != GUEST_REFUSAL
    known_as("guest")
    house.advance(60 * 60_000)
    house.slack.without("users.info")
    assert await typed(house, GUEST, "incidents") != GUEST_REFUSAL, "what was known last counts"
    house.slack.site.without.clear()
    assert await typed(house, GUEST, "incidents") == GUEST_REFUSAL


@pytest.mark.parametrize("team", [None, "T01TEAM"], ids=["the token's team", "the config's team"])
@pytest.mark.parametrize(
    "payload",
    [
        {"user_id": ALICE, "team_id": "T09OTHER"},
        {"user": {"id": ALICE, "team_id": "T09OTHER"}, "team": {"id": "T01TEAM"}},
        {"user": {"id": ALICE}, "team": {"id": "T09OTHER"}},
    ],
    ids=["a command", "a click in a shared channel", "a click elsewhere"],
)
async def test_somebody_of_another_team_with_a_responders_id_is_no_responder(
    tmp_path, team, payload
):
    async with standing(tmp_path) as house:
        slack = {"channel": "incidents"} | ({"team": team} if team else {})
        async with living(house, config_for(house.target, slack=slack)) as bot:
            assert "INC-1 declared" in await typed(house, BOB, "declare sev3 API slow")
            given = await bot.desk.do(Resolve(incident=1), payload)
            assert str(given) == GUEST_REFUSAL
            assert "SEV3 OPEN" in await typed(house, BOB, "show INC-1")


async def test_a_guest_does_not_share_what_a_member_was_shown(house):
    welcome(house, Person(id=GUEST, name="gus", real_name="Gus", kind="guest"))
    assert (await house.slash(BOB, "health")).ok
    answer = (await house.until(lambda: house.whispers(BOB), "the answer"))[-1]
    assert (await house.press(BOB, answer, "iora:health:share")).ok
    (shared,) = await house.until(house.messages, "the shared answer")
    assert (await house.press(GUEST, shared, "iora:health:share")).ok
    (answer,) = await house.until(lambda: house.whispers(GUEST), "the refusal")
    assert answer.text == GUEST_REFUSAL
    assert house.messages() == [shared]


async def test_a_guest_whom_the_config_lists_is_like_a_member(tmp_path):
    async with standing(tmp_path) as house:
        welcome(house, Person(id=GUEST, name="gus", real_name="Gus", kind="guest"))
        slack = {"team": "T01TEAM", "channel": "incidents", "guests": [GUEST]}
        async with living(house, config_for(house.target, slack=slack)):
            assert "INC-1 declared" in await typed(house, GUEST, "declare sev3 API slow")
            assert "You may not resolve INC-1." in await typed(house, GUEST, "resolve INC-1")


async def test_a_button_is_refused_before_its_form_opens(house):
    await typed(house, BOB, "declare sev3 API slow")
    await typed(house, BOB, "ack INC-1")
    card = await house.until(
        lambda: (card := house.card()) and "ACKNOWLEDGED" in card.text and card, "the card"
    )
    for action, chosen in (
        ("iora:incident:resolve", None),
        ("iora:incident:more", "severity INC-1"),
        ("iora:incident:more", "assign INC-1"),
        ("iora:incident:mitigate", None),
    ):
        before = len(house.whispers(MALLORY))
        assert (await house.press(MALLORY, card, action, chosen)).ok
        await house.until(lambda: len(house.whispers(MALLORY)) > before, f"a refusal of {action}")  # noqa: B023
        assert "You may not " in house.whispers(MALLORY)[-1].text
        assert "Who may: <@U01ALICE>, <@U02BOB>." in house.whispers(MALLORY)[-1].text
        assert not house.slack.workspace.views_of(MALLORY)
