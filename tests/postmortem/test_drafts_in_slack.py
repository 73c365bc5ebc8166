"""``/iora postmortem``: acked at once, then the draft and its files come into the incident's thread."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.actor import Actor
from bot.store import incidents, outbox, timers
from bot.store.database import Tx
from bot.workspace import faults
from tests.support.house import (
    ALICE,
    BOB,
    MALLORY,
    House,
    config_for,
    living,
    standing,
    text_of,
)
from tests.support.runs import book, books, config_with_actions, step


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        yield built


def replies(house: House) -> list[Any]:
    """What hangs on the card, oldest first."""
    card = house.card()
    return [] if card is None else [one for one in house.messages() if one.thread_ts == card.ts]


def draft(house: House) -> Any:
    return next((one for one in replies(house) if "Draft of the post-mortem" in one.text), None)


def files(house: House) -> dict[str, bytes]:
    """The post-mortem's files in the thread, by name."""
    return {
        file.name: file.content
        for one in replies(house)
        for file in one.files
        if file.title.startswith("Post-mortem")
    }


async def resolved(house: House) -> None:
    await house.slash(ALICE, "declare sev2 API slow")
    await house.until(house.card, "the card")
    await house.slash(ALICE, "ack INC-1")
    await house.slash(ALICE, "resolve INC-1 restarted")


async def test_the_draft_and_its_files_come_into_the_incidents_thread(house):
    async with living(house, config_for(house.target)):
        await resolved(house)
        said = await house.slash(BOB, "postmortem INC-1")
        assert "Writing a draft of the post-mortem of INC-1" in said.message.text
        message = await house.until(lambda: draft(house), "the draft")
        assert f"for <@{BOB}>" in message.text
        assert "postmortems/INC-1.md" in message.text
        found = await house.until(lambda: len(files(house)) >= 2 and files(house), "the files")
        (page,) = [content for name, content in found.items() if name.endswith(".html")]
        (source,) = [content for name, content in found.items() if name.endswith(".md")]
        assert b"restarted" in page
        assert source == (house.folder / "postmortems/INC-1.md").read_bytes()
        assert not house.slack.rejections


async def test_the_button_on_a_resolved_card_asks_for_it(house):
    async with living(house, config_for(house.target)):
        await resolved(house)
        card = await house.until(
            lambda: (one := house.card()) and "RESOLVED" in text_of(one) and one, "the card"
        )
        await house.press(MALLORY, card, "iora:incident:postmortem")
        await house.until(lambda: draft(house), "the draft")
        assert any("Writing a draft" in one.text for one in house.whispers(MALLORY))


async def test_a_second_draft_is_another_pair_of_files_in_slack(house):
    async with living(house, config_for(house.target)):
        await resolved(house)
        await house.slash(ALICE, "postmortem INC-1")
        await house.until(lambda: len(files(house)) == 2, "two files")
        await house.slash(ALICE, "note INC-1 TODO: an alert @U02BOB")
        await house.slash(ALICE, "postmortem INC-1")
        found = await house.until(lambda: len(files(house)) == 4 and files(house), "four files")
        sources = [one.decode() for name, one in found.items() if name.endswith(".md")]
        assert ["an alert" in one for one in sources] == [False, True]


async def test_an_edited_draft_is_left_as_it_is_and_the_thread_says_so(house):
    async with living(house, config_for(house.target)):
        await resolved(house)
        await house.slash(ALICE, "postmortem INC-1")
        await house.until(lambda: len(files(house)) == 2, "two files")
        mine = house.folder / "postmortems/INC-1.md"
        mine.write_text("what we learned")
        await house.slash(ALICE, "postmortem INC-1")
        await house.until(
            lambda: any(
                "`INC-1.md` was edited and is left as it is" in r.text for r in replies(house)
            ),
            "the notice",
        )
        assert mine.read_text() == "what we learned"
        assert (house.folder / "postmortems/INC-1-2.md").exists()


async def test_a_folder_that_cannot_be_written_is_said_in_the_thread(house):
    (house.folder / "postmortems").write_text("in the way")
    async with living(house, config_for(house.target)):
        await resolved(house)
        await house.slash(ALICE, "postmortem INC-1")
        await house.until(
            lambda: any("could not be written: file exists" in r.text for r in replies(house)),
            "the reason",
        )


async def test_a_draft_that_was_promised_is_written_after_a_crash(house):
    async with living(house, config_for(house.target)) as bot:
        await resolved(house)
        bot.timer_loop.stop()  # nobody fires what is due now
        await house.slash(ALICE, "postmortem INC-1")
        assert await bot.database.read(timers.armed, "postmortem") == ["1"]
    async with living(house, config_for(house.target)) as bot:
        await house.until(lambda: draft(house), "the draft")
        entries = await bot.database.read(incidents.timeline, 1, ("postmortem",))
        assert len(entries) == 1


@pytest.mark.parametrize("what", ["error_after", "error_before", "reset_after"])
async def test_a_file_whose_arrival_is_not_known_is_there_once(house, what):
    def both() -> bool:
        house.advance(2_000)  # a look-up waits until its attempt must be over
        return len(files(house)) == 2

    async with living(house, config_for(house.target)):
        await resolved(house)
        await house.until(lambda: any(one.files for one in replies(house)), "the evidence")
        house.slack.faults.add("files.completeUploadExternal", getattr(faults, what))
        await house.slash(ALICE, "postmortem INC-1")
        await house.until(both, "two files")
        shared = [file.name for one in replies(house) for file in one.files]
        assert len(shared) == len(set(shared))


async def test_a_file_that_can_no_longer_be_read_holds_up_nobody(house):
    async with living(house, config_for(house.target)) as bot:
        await resolved(house)
        await bot.database.write(add_files, "postmortems/gone.md", "../iora.db", "here.html")
        (house.folder / "here.html").write_text("<p>here</p>")
        await house.until(lambda: files(house), "the file")
        assert files(house) == {"here.html": b"<p>here</p>"}


def add_files(tx: Tx, *paths: str) -> None:
    for path in paths:
        name = path.rpartition("/")[2]
        facts = {"path": path, "name": name, "title": f"Post-mortem {name}"}
        card = outbox.by_key(tx, "card:1")
        assert card is not None
        outbox.add(tx, path, "file", card.destination, facts, incident_id=1, parent_id=card.id)


async def test_without_a_number_the_only_open_incident_is_meant_and_the_draft_says_it_is_open(
    house,
):
    async with living(house, config_for(house.target)):
        await house.slash(ALICE, "declare sev3 API slow")
        await house.until(house.card, "the card")
        await house.slash(ALICE, "postmortem")
        message = await house.until(lambda: draft(house), "the draft")
        assert "still open" in message.text
        assert "> Still open: INC-1 is open." in (house.folder / "postmortems/INC-1.md").read_text()


async def test_at_the_command_line_the_answer_says_where_the_files_are(house):
    async with living(house, config_for(house.target)) as bot:
        await resolved(house)
        said = await bot.answer(Actor.login("carol"), "postmortem INC-1")
        assert said["json"]["paths"][0] == str(house.folder / "postmortems/INC-1.md")
        assert said["json"]["incident"] == "INC-1"
        assert "Draft of the post-mortem of INC-1" in said["text"]
        assert f"{house.folder}/postmortems/INC-1.html" in said["text"]
        assert not said["refused"]
        wrong = await bot.answer(Actor.login("carol"), "postmortem INC-9")
        assert wrong["refused"]


async def test_a_runbooks_last_step_drafts_it_with_the_steps_before(house):
    told = book(
        step("check", "look", of="health"),
        step("action", "open", action="circuit_breaker_open", approval={"roles": ["responder"]}),
        step("checklist", "tell", items=[{"text": "Tell the customers", "owner": True}]),
        step("postmortem", "learn"),
    )
    known = books(house.folder / "runbooks", told)
    async with living(house, config_with_actions(house.target), books=known):
        await house.slash(ALICE, "declare sev2 API slow")
        await house.slash(ALICE, "run breaker INC-1")
        ask = await house.until(lambda: house.keyed("ask:1:1:1:approving:0"), "the asking")
        await house.press(BOB, ask, "iora:run:approve")
        await house.until(lambda: house.keyed("ask:1:2:1:doing:0"), "the checklist")
        await house.slash(BOB, "run RUN-1 done")
        await house.until(lambda: draft(house), "the draft")
        source = (house.folder / "postmortems/INC-1.md").read_text()
        assert "RUN-1, Breaker (version 1) on iora, started by @U01ALICE" in source
        assert "| 2 | Open | action | OK |" in source
        assert "approved by @U02BOB" in source
        assert "- [ ] Tell the customers. Owner: @U02BOB. (RUN-1 step 3)" in source
        assert "“Open” was done and is not taken back; its undo: circuit_breaker_close." in source
