"""What ``iora incidents --json`` gives a program."""

from __future__ import annotations

from pathlib import Path

from bot.model.actor import Actor
from bot.model.settings import Settings
from bot.wiring import Bot
from tests.support.configs import config


async def test_a_list_as_json_has_the_columns_the_targets_and_the_timeline_of_each(
    tmp_path: Path,
) -> None:
    settings = Settings.read({"IORA_DATABASE_URL": f"sqlite:///{tmp_path}/iora.db", "PORT": "0"})
    bot = Bot(settings, config())
    await bot.start(serving=False)
    try:
        alice = Actor.login("alice")
        await bot.answer(alice, "declare sev2 iora API slow")
        await bot.answer(alice, "note INC-1 looking")
        answer = await bot.answer(alice, "incidents")
    finally:
        await bot.stop()
    (listed,) = answer["json"]["incidents"]
    assert listed["key"] == "INC-1"
    assert listed["title"] == "API slow"
    assert listed["targets"] == ("iora",)
    assert [entry["kind"] for entry in listed["timeline"]] == ["declared", "note"]
