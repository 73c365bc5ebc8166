"""Every word of `/iora`, typed in the workspace and answered through the real Bolt app."""

from __future__ import annotations

import pytest

from bot.model.words import BY_WORD
from bot.workspace.records import Message
from tests.support.house import ALICE, BOB, INCIDENTS, MALLORY, House, text_of

# What Alice types, in this order, and what she reads (each part somewhere in the answer).
DIALOGUE = [
    ("help", ["/iora health", "/iora declare", "/iora stats"]),
    ("help ack", ["/iora ack [INC-n]"]),
    (
        "health",
        ["iora is", "P95", "CPU 12 % of all cores, under 70 (agent", "memory 120 MB, under 256"],
    ),
    ("baseline", ["iora: baseline", "PASS CPU 12 %", "NOT MEASURED coverage, over 85: no source"]),
    ("incidents", ["No incident is open."]),
    ("declare sev2 iora API slow", ["INC-1 declared", "SEV2", "API slow", "Next:"]),
    ("incidents", ["1 incident (open)", "*INC-1* SEV2 OPEN: API slow", "commander nobody"]),
    ("show", ["INC-1 SEV2 OPEN", "API slow", "impact: not said yet", "Acknowledge"]),
    ("update impact half of the requests time out", ["INC-1 is updated"]),
    ("update INC-1 started 20m ago", ["INC-1 is updated"]),
    ("update title API slow for everyone", ["API slow for everyone"]),
    ("note looked at the graphs", ["INC-1 has your note"]),
    ("severity sev1", ["INC-1 has another severity", "SEV1"]),
    ("assign <@U02BOB>", [f"INC-1: <@{BOB}> is commander now"]),
    ("escalate nobody answers", ["INC-1 goes to the next level now"]),
    ("ack", ["INC-1 is yours, nobody else is told"]),
    ("mitigate failed over", ["INC-1 is mitigated"]),
    ("resolve rolled back", ["INC-1 is resolved", "It took 20 min"]),
    ("reopen INC-1 it is back", ["INC-1 is open again"]),
    ("timeline INC-1", ["declared SEV2", "half of the requests", "rolled back", "it is back"]),
    ("postmortem INC-1", ["Writing a draft of the post-mortem of INC-1", "its thread"]),
    ("diagnose iora it is slow", ["Looking at iora", "comes here as a message"]),
    ("reports", ["diag_", "iora UNKNOWN"]),
    ("runbooks", ["There are no runbooks", "iora init"]),
    ("run high-cpu-usage", ["There are no runbooks", "iora init"]),
    ("stats", ["1 incident in 30 d", "1 sev1", "Time to acknowledge"]),
    ("doctor", ["Slack: ", "database: ", "iora: ", "clock: "]),
    ("oncall", ["No schedule is configured."]),
    ("drill", ["Drill of the policy critical", "pings people for real", "Start the drill"]),
    ("override primary <@U02BOB> 4h", ["No schedule is configured."]),
    ("silence iora 30m deploy", ["what the bot finds on iora is not told until", "(deploy)"]),
    ("deploy iora v1.2.3", ["v1.2.3"]),
    ("chart iora cpu", ["CPU of iora"]),
    ("silences", ["*1* iora until", "deploy"]),
]


async def answered(house: House, person: str, typed: str) -> Message:
    """The one answer to what was typed: in the ack, or through the response_url."""
    before = len(house.whispers(person))
    said = await house.slash(person, typed)
    assert said.ok, f"{typed}: {said.why}"
    await house.until(lambda: len(house.whispers(person)) > before, f"an answer to {typed}")
    return house.whispers(person)[before]


async def test_every_word_is_answered_with_what_it_promises(house):
    assert {typed.split()[0] for typed, _ in DIALOGUE} == set(BY_WORD)
    for typed, parts in DIALOGUE:
        answer = await answered(house, ALICE, typed)
        for part in parts:
            assert part in text_of(answer), f"/iora {typed}: no {part!r} in {text_of(answer)}"
    entries = await answered(house, ALICE, "timeline")
    assert "Told" in text_of(entries)


async def test_nothing_typed_at_all_is_the_help(house):
    assert "/iora health" in text_of(await answered(house, ALICE, ""))


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        ("helth", "There is no command `helth`. Did you mean `/iora health`?"),
        ("xyzzy", "There is no command `xyzzy`. See `/iora help`."),
        ("health iroa", "There is no target `iroa`. Did you mean `iora`?"),
        ("health nothing-like-it", "There is no target `nothing-like-it`. There are: iora."),
        ("ack", "No incident is open. Name the one you mean; see `/iora incidents all`."),
        ("ack INC-9", "There is no INC-9. See `/iora incidents` for those that are open."),
        (
            "ack the thing",
            "`the thing` is no incident such as INC-7. Write `/iora ack [INC-n] [take over]`.",
        ),
        ("severity INC-1 sev9", "`sev9` is no severity: sev1 is the worst, sev4 the least."),
        (
            "assign INC-1 bob",
            "Name a person: type @ and pick, or write a member id. Write `/iora assign",
        ),
        ("note INC-1", "A note needs its text."),
        ("update INC-1 started soon", "`soon` is no time such as 20m ago or 14:05 (UTC)."),
        ("update INC-1 colour red", "Say what to update: impact, started or title"),
        ("stats lately", "`lately` is no window such as 7d or 12h."),
        ("doctor now", "Name a person to ping"),
        (f"declare {'x' * 201}", "The title has 201 characters, at most 200 fit."),
        (f"note {'x' * 2001}", "The note has 2001 characters, at most 2000 fit."),
    ],
)
async def test_what_can_not_be_done_is_said_with_the_way_to_do_it(house, typed, reply):
    answer = await answered(house, ALICE, typed)
    assert answer.text.startswith(reply.replace("<", "&lt;")), answer.text


async def test_without_a_number_the_only_open_incident_is_meant_and_two_are_asked_about(house):
    await answered(house, ALICE, "declare sev3 one")
    assert "INC-1 is yours" in text_of(await answered(house, BOB, "ack"))
    await answered(house, ALICE, "declare sev3 two")
    unsure = await answered(house, BOB, "mitigate")
    assert "2 incidents are open: " in unsure.text
    assert "INC-1" in unsure.text
    assert "INC-2" in unsure.text
    assert unsure.text.endswith("Say which one you mean.")
    assert "INC-2 is mitigated" in text_of(await answered(house, BOB, "mitigate inc-2"))
    assert "INC-1 is resolved" in text_of(await answered(house, BOB, "resolve #1"))


async def test_the_same_declaration_within_a_minute_gets_the_same_incident_back(house):
    assert "INC-1 declared" in (await answered(house, BOB, "declare API slow")).text
    again = await answered(house, BOB, "declare sev1 API slow")
    assert "INC-1 was declared by you a moment ago" in again.text
    assert "INC-2 declared" in (await answered(house, ALICE, "declare API slow")).text
    house.advance(60_001)
    assert "INC-3 declared" in (await answered(house, BOB, "declare API slow")).text


async def test_leading_words_are_severity_and_targets_until_two_dashes(house):
    answer = await answered(house, ALICE, "declare SEV1 iora sev2 is what they said")
    assert "SEV1 sev2 is what they said" in answer.text
    answer = await answered(house, ALICE, "declare -- sev1 iora are words of this title")
    assert "SEV2 sev1 iora are words of this title" in answer.text


async def test_text_from_outside_mentions_nobody_and_shows_no_secret(house):
    token = "xoxb-1234567890-abcdefghijkl"
    for typed in (
        f"declare <!channel> <https://evil.example|click> {token}",
        f"update impact <!here> {token}",
        f"note *bold* <@U02BOB> & {token}",
    ):
        await answered(house, MALLORY, typed)
    await house.until(lambda: house.pings(ALICE), "the ping")
    await house.until(lambda: "impact: here" in text_of(house.card()), "the impact on the card")
    shown = [*house.messages(), *house.pings(ALICE), *house.whispers(MALLORY)]
    shown.append(await answered(house, ALICE, "timeline"))
    shown.append(await answered(house, ALICE, "incidents"))
    for message in shown:
        assert "<!channel" not in text_of(message)
        assert "<!here" not in text_of(message)
        assert "|click>" not in text_of(message)
        assert token not in text_of(message)


async def test_the_incidents_list_takes_a_kind_and_words(house):
    await answered(house, ALICE, "declare sev3 disk full")
    await answered(house, BOB, "declare sev3 API slow")
    await answered(house, BOB, "ack INC-2")
    await answered(house, ALICE, "resolve INC-1")
    for typed, there, absent in (
        ("incidents", "INC-2", "INC-1"),
        ("incidents mine", "INC-2", "INC-1"),
        ("incidents resolved", "INC-1", "INC-2"),
        ("incidents all disk", "INC-1", "INC-2"),
        ("incidents slow", "INC-2", "INC-1"),
    ):
        text = text_of(await answered(house, BOB, typed))
        assert there in text, typed
        assert absent not in text, typed
    everything = (await answered(house, MALLORY, "incidents all")).text
    assert "INC-1" in everything
    assert "INC-2" in everything


async def test_a_form_that_can_not_be_opened_is_said(house):
    house.slack.without("views.open")
    answer = await answered(house, ALICE, "declare")
    assert answer.text.startswith("The form could not be opened. Try again, or type it")


async def test_a_failure_of_ours_is_answered_too(house, monkeypatch):
    def broken(*anything: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bot.services.commands.statistics.summarize", broken)
    answer = await answered(house, ALICE, "stats")
    assert answer.text.startswith("The bot failed at this (request ")
    assert "a bug" not in answer.text


async def test_a_slow_look_up_of_a_person_does_not_hold_up_the_ack(house):
    from bot.workspace.faults import hang_before

    house.slack.faults.add("users.info", hang_before)
    assert "INC-1 declared" in (await answered(house, MALLORY, "declare sev4 something odd")).text
    house.slack.faults.release()


async def test_commands_work_in_a_direct_message_with_the_bot(house):
    from tests.support.house import BOT

    await answered(house, ALICE, "declare sev3 one")
    direct = await house.slack.acts.open_dm(MALLORY, BOT)
    said = await house.slash(MALLORY, "show", channel=direct.id)
    assert "INC-1 SEV3" in said.message.text
    assert said.message.channel == direct.id != INCIDENTS
