"""The files of a draft: whole or not at all, private, and never in the place of somebody's work."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.model.answer import Refusal
from bot.model.command import Acknowledge, Note, Resolve
from bot.model.postmortem import Draft
from bot.rules.postmortem import account
from bot.services.live import Live
from bot.services.postmortem import Postmortems, read
from bot.store import deploys, folder, incidents, outbox, samples
from bot.store.samples import Sample
from tests.support.clock import NOON, ManualClock
from tests.support.configs import config
from tests.support.incidents import alice
from tests.support.postmortem import MINUTE, cpu
from tests.support.retention import pruned
from tests.support.store import clock, database, open_database
from tests.support.story import Story

__all__ = ["clock", "database"]


def measured(tx, first: int = -40, last: int = 45) -> None:
    """The CPU of iora, a reading a minute."""
    for minute in range(first, last):
        value = cpu(minute)
        reason = None if value is not None else "no answer"
        samples.add(tx, "iora", "cpu_percent", Sample(NOON + minute * MINUTE, value, reason))


@pytest.fixture
async def story(database, clock):
    """INC-1 on iora, resolved after half an hour of which the CPU is on record."""
    told = Story(database, clock)
    await told.declare(targets=("iora",))
    clock.advance(3 * MINUTE)
    await told.change(Acknowledge(incident=1))
    clock.advance(27 * MINUTE)
    await told.change(Resolve(incident=1, text="restarted", anyway=True))
    clock.advance(30 * MINUTE)
    await database.write(measured)
    return told


@pytest.fixture
def postmortems(database, tmp_path):
    return Postmortems(database, Live(config(), {}), tmp_path)


async def drafted(postmortems: Postmortems) -> Draft:
    made = await postmortems.draft(1, alice.text)
    assert isinstance(made, Draft), made
    return made


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "postmortems").iterdir())


async def test_a_draft_is_markdown_a_page_and_a_chart_of_what_broke_a_bound(
    story, postmortems, tmp_path
):
    made = await drafted(postmortems)
    assert kept(tmp_path) == ["INC-1-chart-1-cpu-percent.png", "INC-1.html", "INC-1.md"]
    assert made.files[0] == "postmortems/INC-1.md"
    assert (made.charts, made.kept, made.live) == (1, None, False)
    source = (tmp_path / "postmortems/INC-1.md").read_text()
    assert "@U01ALICE resolved it after 30 min all the same: restarted" in source
    assert "![CPU of iora](INC-1-chart-1-cpu-percent.png)" in source
    assert "<svg" in (tmp_path / "postmortems/INC-1.html").read_text()


async def test_only_the_owner_may_read_it(story, postmortems, tmp_path):
    await drafted(postmortems)
    for path in (tmp_path / "postmortems").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "postmortems").stat().st_mode & 0o777 == 0o700


async def test_a_draft_that_nobody_edited_is_brought_up_to_date_in_its_place(
    story, postmortems, tmp_path
):
    await drafted(postmortems)
    await story.change(Note(incident=1, text="TODO: an alert"))
    made = await drafted(postmortems)
    assert (made.name, made.kept) == ("INC-1", None)
    assert "TODO: an alert" in (tmp_path / "postmortems/INC-1.md").read_text()


@pytest.mark.parametrize("edited", ["INC-1.md", "INC-1.html", "INC-1-chart-1-cpu-percent.png"])
async def test_an_edited_draft_is_never_overwritten(story, postmortems, tmp_path, edited):
    await drafted(postmortems)
    mine = tmp_path / "postmortems" / edited
    mine.write_bytes(b"what we really learned")
    before = {name: (tmp_path / "postmortems" / name).read_bytes() for name in kept(tmp_path)}
    story.clock.advance(MINUTE)
    made = await drafted(postmortems)
    assert (made.name, made.kept) == ("INC-1-2", edited)
    for name, content in before.items():
        assert (tmp_path / "postmortems" / name).read_bytes() == content
    assert "(INC-1-2-chart-1" in (tmp_path / "postmortems/INC-1-2.md").read_text()
    (tmp_path / "postmortems/INC-1-2.md").write_text("this one too")
    assert (await drafted(postmortems)).name == "INC-1-3"


async def test_a_file_of_somebody_else_under_the_drafts_name_stays(story, postmortems, tmp_path):
    (tmp_path / "postmortems").mkdir()
    (tmp_path / "postmortems/INC-1.md").write_text("mine")
    assert (await drafted(postmortems)).name == "INC-1-2"
    assert (tmp_path / "postmortems/INC-1.md").read_text() == "mine"


async def test_deleted_files_are_written_anew_under_the_same_name(story, postmortems, tmp_path):
    await drafted(postmortems)
    for path in (tmp_path / "postmortems").iterdir():
        path.unlink()
    assert (await drafted(postmortems)).name == "INC-1"
    assert "INC-1.md" in kept(tmp_path)


async def test_after_a_crash_between_the_files_and_the_record_they_pass_for_ours(
    story, postmortems, tmp_path, monkeypatch
):
    def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("bot.services.postmortem.tell", crash)
        with pytest.raises(RuntimeError):
            await postmortems.draft(1, alice.text)
    assert "INC-1.md" in kept(tmp_path)
    story.clock.advance(MINUTE)
    assert (await drafted(postmortems)).name == "INC-1"


async def test_a_crash_between_the_record_and_the_files_leaves_the_old_ones_ours(
    story, postmortems, monkeypatch
):
    await drafted(postmortems)
    story.clock.advance(MINUTE)

    def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(folder, "write", crash)
        with pytest.raises(RuntimeError):
            await postmortems.draft(1, alice.text)
    assert (await drafted(postmortems)).name == "INC-1"


async def test_the_bot_knows_its_drafts_after_a_restart(tmp_path):
    still = ManualClock()
    async with open_database(tmp_path / "iora.db", still) as opened:
        told = Story(opened, still)
        await told.declare(targets=("iora",))
        await drafted(Postmortems(opened, Live(config(), {}), tmp_path))
    still.advance(MINUTE)
    async with open_database(tmp_path / "iora.db", still) as opened:
        made = await drafted(Postmortems(opened, Live(config(), {}), tmp_path))
    assert (made.name, made.live) == ("INC-1", True)


async def test_a_folder_that_cannot_be_written_is_a_plain_refusal(story, postmortems, tmp_path):
    (tmp_path / "postmortems").write_text("a file in the folder's place")
    before = await story.timeline()
    given = await postmortems.draft(1, alice.text)
    assert isinstance(given, Refusal)
    assert "The post-mortem of INC-1 could not be written: file exists." in given.reason
    assert await story.timeline() == before


async def test_a_full_disk_leaves_the_draft_that_was_there(
    story, postmortems, tmp_path, monkeypatch
):
    await drafted(postmortems)
    before = {name: (tmp_path / "postmortems" / name).read_bytes() for name in kept(tmp_path)}
    real, written = os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    await story.change(Note(incident=1, text="more"))
    with monkeypatch.context() as patched:
        patched.setattr("bot.store.folder.os.fsync", full)
        given = await postmortems.draft(1, alice.text)
    assert isinstance(given, Refusal)
    assert "no space left on device" in given.reason
    assert {one: (tmp_path / "postmortems" / one).read_bytes() for one in kept(tmp_path)} == before


async def test_two_that_ask_at_once_get_the_same_files(story, postmortems, tmp_path):
    first, second = await asyncio.gather(drafted(postmortems), drafted(postmortems))
    assert first.name == second.name == "INC-1"
    assert kept(tmp_path) == ["INC-1-chart-1-cpu-percent.png", "INC-1.html", "INC-1.md"]


async def test_it_is_on_the_timeline_and_its_files_wait_for_the_thread(story, postmortems):
    await drafted(postmortems)
    seen = await story.timeline()
    last = seen[-1]
    assert (last.kind, last.actor) == ("postmortem", alice.text)
    assert last.facts["entries"] == len(seen) - 1
    files = await story.database.read(outbox.of_incident, 1, "file")
    assert [one.facts["path"] for one in files] == [
        "postmortems/INC-1.md",
        "postmortems/INC-1.html",
        "postmortems/INC-1-chart-1-cpu-percent.png",
    ]
    card = await story.database.read(outbox.by_key, "card:1")
    assert {one.parent_id for one in files} == {card.id}


async def test_an_incident_that_nobody_declared_has_no_draft(postmortems):
    given = await postmortems.draft(9, alice.text)
    assert isinstance(given, Refusal)
    assert given.reason == "There is no INC-9."


async def test_its_charts_mark_deploys_and_restarts_of_the_target(story, database):
    def uptimes(tx):
        for minute in range(-10, 20):
            begun = -600 if minute < 5 else 4
            up = (minute - begun) * 60.0
            samples.add(tx, "iora", "uptime_s", Sample(NOON + minute * MINUTE, up, None))

    await database.write(uptimes)
    for target in ("iora", "worker"):
        await database.write(deploys.add, target, NOON - 12 * MINUTE, "v1.2.3", "cli:ci")
    record = await database.read(read, 1, config())
    (chart,) = account(record, config()).charts
    happened = {mark.label: mark.at for mark in chart.marks}
    assert happened["deploy v1.2.3"] == NOON - 12 * MINUTE
    assert happened["restart"] == NOON + 4 * MINUTE
    assert [mark.label for mark in chart.marks].count("deploy v1.2.3") == 1


async def test_readings_from_more_than_a_day_ago_are_said_to_be_gone(story, postmortems, tmp_path):
    story.clock.advance(2 * 24 * 60 * MINUTE)
    await pruned(story.database)
    made = await drafted(postmortems)
    assert made.charts == 0
    text = (tmp_path / "postmortems/INC-1.md").read_text()
    assert "The readings are no longer kept" in text


async def test_entries_of_every_kind_that_the_services_write_can_be_told(story, postmortems):
    await story.database.write(incidents.add_entry, 1, "bot", "escalated", {"text": "RUN-1: stuck"})
    assert (await drafted(postmortems)).sections >= 5


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "postmortems/../../secret", "link", "folder", "absent"]
)
def test_only_a_file_within_the_data_folder_is_read(tmp_path, path):
    data = tmp_path / "data"
    (data / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("not yours")
    (data / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match=r"."):
        folder.read(data, path)


def test_a_file_within_the_data_folder_is_read(tmp_path):
    (tmp_path / "runs/RUN-5").mkdir(parents=True)
    (tmp_path / "runs/RUN-5/trace.svg").write_bytes(b"<svg/>")
    assert folder.read(tmp_path, "runs/RUN-5/trace.svg") == b"<svg/>"
