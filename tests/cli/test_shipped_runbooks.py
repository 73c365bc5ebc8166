"""The runbooks reach their users: in a checkout, in a wheel, by `iora init`; a broken one stops nobody."""

from __future__ import annotations

import signal
import tomllib
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from bot.files.shipped import copy_shipped, shipped
from tests.support.house import House, standing
from tests.support.running import ROOT, iora, serving, settings
from tests.support.runs import book, step

NAMES = sorted(path.name for path in (ROOT / "runbooks").glob("*.yaml"))
LOOK = step("check", "look", of="health")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def put(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)


def written(name: str, title: str = "Fine") -> str:
    return yaml.safe_dump(book(LOOK, name=name) | {"title": title}, sort_keys=False)


def test_a_checkout_has_them_at_its_root():
    assert shipped() == ROOT / "runbooks"
    assert len(NAMES) == 10


def test_a_wheel_has_them_within_the_package(tmp_path, monkeypatch):
    builder = pytest.importorskip("hatchling.build", reason="hatchling is not installed")
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / builder.build_wheel(str(tmp_path))) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith("bot/shipped/")}
        assert {f"bot/shipped/{name}" for name in NAMES} <= inside
        wheel.extractall(tmp_path / "installed")
    monkeypatch.setattr("bot.files.shipped._PACKAGE", tmp_path / "installed" / "bot")
    assert sorted(path.name for path in shipped().glob("*.yaml")) == NAMES


def test_the_source_archive_has_them_too():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "runbooks" in build["targets"]["sdist"]["include"]


def test_they_are_copied_only_where_there_are_none(tmp_path):
    assert [path.name for path in copy_shipped(tmp_path / "new")] == NAMES
    mine = tmp_path / "mine"
    put(mine, "mine", "mine")
    assert copy_shipped(mine) == ()
    assert [path.name for path in mine.iterdir()] == ["mine.yaml"]


async def test_init_puts_them_beside_the_config_and_check_is_content(house, tmp_path):
    folder = tmp_path / "team"
    folder.mkdir()
    environ = {**settings(house, tmp_path), "IORA_CONFIG": str(folder / "config.yaml")}
    answers = ("--responders", "U01ALICE", "--health-url", f"{house.target.url}/api/health")
    first = await iora(tmp_path, environ, "init", "--yes", *answers)
    assert first.code == 0, first.err
    assert f"Wrote 10 runbooks into {folder / 'runbooks'}: they are yours to change." in first.out
    checked = await iora(tmp_path, environ, "check")
    assert checked.code == 0, checked.out
    (folder / "runbooks" / NAMES[0]).write_text("mine")
    again = await iora(tmp_path, environ, "init", "--yes", "--force", *answers)
    assert f"{folder / 'runbooks'} has runbooks already: they are left as they are." in again.out
    assert (folder / "runbooks" / NAMES[0]).read_text() == "mine"


async def test_a_broken_runbook_is_told_and_left_out_and_the_bot_starts(house, tmp_path):
    environ = settings(house, tmp_path)
    put(tmp_path / "runbooks", "fine", written("fine"))
    put(tmp_path / "runbooks", "broken", written("broken").replace("kind: check", "kind: chekc"))
    async with serving(house, tmp_path, environ) as bot:
        (told,) = [line for line in bot.lines() if "can't be used" in line["message"]]
        assert told["level"] == "error"
        assert "runbooks/broken.yaml:13:9:" in told["message"]
        doctor = await iora(tmp_path, environ, "doctor")
        assert "BAD runbook left out: runbooks/broken.yaml:13:9:" in doctor.out
        assert "OK runbooks: 1 can be used" in doctor.out
        refused = await iora(tmp_path, environ, "run", "broken")
        assert refused.code == 1
        assert refused.err.startswith("`broken` can't be used: runbooks/broken.yaml:13:9:")
        assert "Run `iora check`" in refused.err
        listed = (await iora(tmp_path, environ, "runbooks", "--json")).json()
        assert list(listed["broken"]) == ["runbooks/broken.yaml"]
        assert [one["runbook"] for one in listed["targets"][0]["runbooks"]] == ["fine"]
    assert (await iora(tmp_path, environ, "check")).code == 1


async def test_doctor_says_where_runbooks_come_from_where_there_are_none(house, tmp_path):
    said = await iora(tmp_path, settings(house, tmp_path), "doctor")
    assert "LOOK runbooks: there are none" in said.out
    assert "`iora init` writes those that come with the bot" in said.out


async def test_a_reload_takes_new_runbooks_and_a_run_keeps_what_it_began_with(house, tmp_path):
    environ = settings(house, tmp_path)
    runbooks = tmp_path / "elsewhere"
    environ["IORA_RUNBOOKS"] = str(runbooks)
    waits = book(step("checklist", "tick", items=[{"text": "Look"}]), LOOK, name="old")
    put(runbooks, "old", yaml.safe_dump(waits, sort_keys=False))
    async with serving(house, tmp_path, environ) as bot:
        assert (await iora(tmp_path, environ, "run", "old")).code == 1, "it waits for a person"
        put(runbooks, "old", written("old", title="Quite another"))
        put(runbooks, "new", written("new"))
        bot.signal(signal.SIGHUP)
        await house.until(lambda: "the config was read again" in bot.log.read_text(), "the reload")
        assert (await iora(tmp_path, environ, "run", "new")).code == 0
        kept = (await iora(tmp_path, environ, "run", "RUN-1", "done", "--json")).json()
        assert (kept["state"], kept["title"]) == ("done", "Old")
        assert [one["step"] for one in kept["steps"]] == ["tick", "look"]
        fresh = (await iora(tmp_path, environ, "run", "old", "--json")).json()
        assert (fresh["title"], len(fresh["steps"])) == ("Quite another", 1)
