"""`iora escalation simulate`: what it prints, as lines and as JSON, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.clock import SystemClock
from bot.store import overrides
from bot.store.database import Database, Tx
from tests.support.house import FakeTarget

CONFIG = """\
version: 1
targets:
  iora:
    health: {{url: "{url}/api/health", status: status}}
    agent: {{url: "{url}"}}
escalation:
  default: page
  by_severity: {{sev3: announce}}
  last_resort: ["user:U09BOSS"]
  policies:
    announce: {{levels: [{{after: 0s, notify: [channel]}}]}}
    page:
      levels:
        - {{after: 0s, notify: [channel, "oncall:primary"]}}
        - {{after: 5m, when: cpu_percent > 90, notify: ["group:engineering"], reason: Critical CPU usage,
           after_acknowledge: true}}
        - {{after: 15m, notify: ["user:U02BOB"]}}
      repeat: {{every: 15m, times: 1}}
groups: {{engineering: [U02BOB, U05CAROL]}}
oncall:
  primary: {{timezone: UTC, rotation: {{people: [U01ALICE, U02BOB], handoff: "09:00", every: day}}}}
people: {{U02BOB: {{name: Bob, ways: [slack, calls]}}}}
ways: {{calls: {{kind: webhook, url: "https://example.com/hook", secret: abc}}}}
"""
READINGS = """\
readings:
  - {at: 0s, cpu_percent: 20}
  - {at: 7m, cpu_percent: 96}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG.format(url="http://127.0.0.1:9"))
    (tmp_path / "readings.yaml").write_text(READINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulate(*words: str) -> Result:
    return CliRunner().invoke(main, ["escalation", "simulate", *words])


def lines(*words: str) -> list[str]:
    result = simulate(*words)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_it_prints_whom_it_would_ping_when_and_through_what_to_the_last_resort(
    folder: Path,
) -> None:
    found = lines(
        *("--severity", "sev1", "--readings", "readings.yaml", "--at", "2026-01-05T03:00")
    )
    assert found == [
        "SEV1, policy page, declared Mon 2026-01-05 03:00 UTC",
        "+00:00:00 Mon 03:00 level 1 U01ALICE by slack, the channel: declared",
        (
            "+00:07:00 Mon 03:07 level 2 Bob (U02BOB) by slack, then calls, U05CAROL by slack: "
            "Critical CPU usage"
        ),
        (
            "+00:15:00 Mon 03:15 level 3 Bob (U02BOB) by slack, then calls: "
            "open for 15 min, nobody has acknowledged"
        ),
        (
            "+00:30:00 Mon 03:30 repeat U01ALICE by slack, Bob (U02BOB) by slack, then calls, "
            "U05CAROL by slack: still nobody has acknowledged (repeat 1 of 1)"
        ),
        "+00:45:00 Mon 03:45 last resort U09BOSS by slack: last resort: nobody has acknowledged",
    ]


def test_who_is_on_call_is_whoever_is_at_that_time(folder: Path) -> None:
    nights = [lines("--at", f"2026-01-0{day}T03:00")[1] for day in (5, 6)]
    assert sorted("ALICE" in line for line in nights) == [False, True]


def test_an_acknowledgement_shows_who_is_asked(folder: Path) -> None:
    found = lines("--readings", "readings.yaml", "--ack", "2m")
    assert any("asks whoever acknowledged: CPU 96 % > 90" in line for line in found)
    assert any(line.startswith("+00:12:00") and "Critical CPU usage" in line for line in found)


def test_without_readings_it_says_which_conditions_were_not_asked(folder: Path) -> None:
    assert lines("--severity", "sev1")[-1] == (
        "Not asked, for there are no readings (--readings or --target): cpu_percent > 90"
    )


def test_a_severity_follows_its_policy_and_another_can_be_named(folder: Path) -> None:
    assert "policy announce" in lines("--severity", "sev3")[0]
    assert "policy page" in lines("--severity", "sev3", "--policy", "page")[0]


def test_a_program_gets_json(folder: Path) -> None:
    result = simulate("--severity", "sev1", "--readings", "readings.yaml", "--json")
    found = json.loads(result.output)
    assert [one["after_ms"] // 60_000 for one in found["moments"]] == [0, 7, 15, 30, 45]
    (bob, carol) = found["moments"][1]["people"]
    assert (bob["person"], bob["name"], bob["ways"]) == ("U02BOB", "Bob", ["slack", "calls"])
    assert carol["reason"] == "Critical CPU usage"


WRONG = {
    "a policy that there isn't": (("--policy", "pag"), 2, "there is no policy pag"),
    "a target that there isn't": (("--target", "ioar"), 2, "there is no target ioar"),
    "a time that is none": (("--at", "noon"), 2, "noon is no time such as 03:00"),
    "a duration that is none": (("--ack", "soon"), 2, "expected a duration"),
    "both readings and a target": (
        ("--readings", "readings.yaml", "--target", "iora"),
        2,
        "not both",
    ),
    "readings that can't be read": (
        ("--readings", "wrong.yaml"),
        1,
        "wrong.yaml:2:27: got text 'hot'; expected a number or unknown",
    ),
    "readings out of order": (
        ("--readings", "order.yaml"),
        1,
        "expected each at the time of the one before or later",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(folder: Path, case: str) -> None:
    (folder / "wrong.yaml").write_text("readings:\n  - {at: 0s, cpu_percent: hot}\n")
    (folder / "order.yaml").write_text("readings: [{at: 5m}, {at: 0s}]\n")
    words, code, said = WRONG[case]
    result = simulate(*words)
    assert result.exit_code == code, result.output
    assert said in result.output


async def test_a_target_is_measured_once_and_its_readings_stay(tmp_path: Path) -> None:
    async with FakeTarget().listening() as target:
        target.cpu = 97.0
        (tmp_path / "config.yaml").write_text(CONFIG.format(url=target.url))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "escalation", "simulate", "--target", "iora", "--json"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
        found: dict[str, Any] = json.loads(said)
        assert found["not_asked"] == []
        assert [one["after_ms"] // 60_000 for one in found["moments"]][:2] == [0, 5]


@pytest.mark.parametrize("runs", [True, False], ids=["while a bot owns the file", "without a bot"])
async def test_an_override_stands_in_for_whom_the_schedule_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, runs: bool
) -> None:
    monkeypatch.setenv("IORA_DATABASE_URL", f"sqlite:///{folder}/iora.db")
    database = Database(folder / "iora.db", SystemClock())
    now = SystemClock().now()
    await database.write(_override, now)
    if not runs:
        await database.close()
    result = await asyncio.to_thread(simulate, "--severity", "sev1", "--json")
    assert result.exit_code == 0, result.output
    (first, *_) = json.loads(result.output)["moments"]
    assert [one["person"] for one in first["people"]] == ["U05CAROL"]
    if runs:
        await database.close()


def _override(tx: Tx, now: int) -> None:
    overrides.add(tx, "primary", "U05CAROL", now - 60_000, now + 3_600_000, "cli:alice")


def test_a_database_that_cant_be_read_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "iora.db").write_text("this is no database at all, and long enough to be looked at")
    monkeypatch.setenv("IORA_DATABASE_URL", f"sqlite:///{folder}/iora.db")
    result = simulate("--severity", "sev1")
    assert result.exit_code != 0
    assert "the overrides can't be read: file is not a database" in result.output
    assert "Traceback" not in result.output
