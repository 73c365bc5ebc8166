"""``iora chart`` and ``iora deploy`` at a terminal: in words, as a file, as JSON."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pydantic
import pytest

from bot.clock import SystemClock
from bot.store import samples
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.house import House, standing
from tests.support.running import ROOT, iora, serving, settings

MINUTE = 60_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def measured(tx: Tx) -> None:
    """An hour of CPU, over its baseline at the end."""
    for ago in range(60):
        value = 40.0 if ago > 10 else 80.0
        samples.add(tx, "iora", "cpu_percent", Sample(tx.now - ago * MINUTE, value, None))


async def read_already(house: House, folder: Path) -> dict[str, str]:
    """Settings of a bot that has measured for an hour."""
    environ = settings(house, folder)
    file = folder / "config.yaml"
    file.write_text(file.read_text().replace("poll: 1h", "poll: 1m"))
    (folder / "data").mkdir(exist_ok=True)
    database = Database(folder / "data" / "iora.db", SystemClock())
    await database.write(measured)
    await database.close()
    return environ


async def test_it_is_told_in_words_and_a_line_of_signs(house, tmp_path):
    environ = await read_already(house, tmp_path)
    done = await iora(tmp_path, environ, "deploy", "iora", "v1.2.3")
    assert (done.code, done.err) == (0, "")
    assert "Noted: v1.2.3 on iora." in done.out
    said = await iora(tmp_path, environ, "chart", "iora", "cpu", "1h")
    assert (said.code, said.err) == (0, "")
    assert "CPU of iora from" in said.out
    assert "Baseline (under 70 %) broken at" in said.out
    assert "Marked: deploy v1.2.3 at" in said.out
    line = said.out.splitlines()[-1]
    assert set(line) <= set("▁▂▃▄▅▆▇█")
    assert 60 <= len(line) <= 72
    assert "image" not in said.out


async def test_a_running_bot_is_asked_and_the_file_is_drawn_here(house, tmp_path):
    environ = await read_already(house, tmp_path)
    async with serving(house, tmp_path, environ):
        for name in ("cpu.png", "cpu.svg"):
            said = await iora(tmp_path, environ, "chart", "iora", "cpu", "1h", "--output", name)
            assert (said.code, said.err) == (0, "")
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")
    root = ElementTree.fromstring((tmp_path / "cpu.svg").read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not list((tmp_path / "data").rglob("*.png"))


async def test_as_json_it_is_all_that_is_drawn(house, tmp_path):
    environ = await read_already(house, tmp_path)
    await iora(tmp_path, environ, "deploy", "iora")
    facts = (await iora(tmp_path, environ, "chart", "iora", "cpu", "2h", "--json")).json()
    assert facts["target"] == "iora"
    assert (facts["metric"], facts["unit"]) == ("cpu_percent", "%")
    assert len(facts["points"]) == 60
    assert {point["value"] for point in facts["points"]} == {40.0, 80.0}
    assert facts["end"] - facts["start"] == 120 * MINUTE
    assert [one["name"] for one in facts["limits"]] == ["baseline", "critical"]
    assert facts["limits"][0]["bound"]["below"] == 70
    assert [mark["label"] for mark in facts["marks"]] == ["deploy"]


async def test_wrong_use_and_refusals_have_their_exit_codes(house, tmp_path):
    environ = await read_already(house, tmp_path)
    for code, words, reason in (
        (2, ("chart", "iora", "cpu", "--output", "cpu.gif"), "ends in .png or .svg"),
        (2, ("chart", "iora", "cpu", "soon"), "`soon` is no window"),
        (2, ("chart", "ioar", "cpu"), "Did you mean `iora`?"),
        (1, ("chart", "iora", "cpux", "--output", "cpu.png"), "There is no metric `cpux`"),
        (2, ("chart", "iora", "cpu", "--output", "no/such/folder.png"), "No such file"),
        (2, ("deploy", "ioar"), "Did you mean `iora`?"),
    ):
        said = await iora(tmp_path, environ, *words)
        assert said.code == code, (words, said.err)
        assert reason in said.err
    assert not (tmp_path / "cpu.png").exists()


async def test_without_the_extra_it_says_how_to_get_it_and_still_tells_in_words(house, tmp_path):
    environ = await read_already(house, tmp_path)
    found, without = Path(pydantic.__file__).parents[1], tmp_path / "packages"
    without.mkdir()
    for entry in found.iterdir():
        if not entry.name.startswith(("matplotlib", "numpy")):
            (without / entry.name).symlink_to(entry)
    environ["PYTHONPATH"] = f"{without}:{ROOT}"
    code, said = await plain(tmp_path, environ, "chart", "iora", "cpu", "--output", "cpu.png")
    assert code == 2
    assert "pip install 'iora-bot[charts]'" in said
    code, said = await plain(tmp_path, environ, "chart", "iora", "cpu")
    assert code == 0
    assert "CPU of iora" in said
    assert "█" in said


async def plain(folder: Path, environ: dict[str, str], *words: str) -> tuple[int | None, str]:
    """A process of its own, with the packages of ``PYTHONPATH`` alone."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-m", "bot", *words),
        cwd=folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    return process.returncode, said.decode()
