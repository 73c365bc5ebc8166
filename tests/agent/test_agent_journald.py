"""A unit's log through a ``journalctl`` of the test's: what it prints is what the real one prints."""

import asyncio
import json
import os
import stat
import sys
import time
from pathlib import Path

import psutil
import pytest

from bot.agent import journald
from bot.agent.journald import TOO_LARGE, entry, unit_lines
from bot.agent.line import Line
from bot.agent.part import PartFailed
from tests.support.clock import NOON
from tests.support.programs import until


@pytest.fixture
def journalctl(tmp_path, monkeypatch):
    """Puts a program of this name first on the path; the arguments that it got are in ``asked``."""

    def install(code: str) -> Path:
        program = tmp_path / "journalctl"
        asked = tmp_path / "asked"
        script = tmp_path / "journalctl.py"
        script.write_text(
            "import sys, os, time, json\n"
            f"open({str(asked)!r}, 'w').write(chr(10).join(sys.argv[1:]))\n{code}\n"
        )
        # A shebang has no room for an interpreter in a folder with a space in its name.
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return asked

    return install


def row(message: object, **more: object) -> bytes:
    return json.dumps({"__REALTIME_TIMESTAMP": f"{NOON}123", "MESSAGE": message} | more).encode()


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (row("hello", PRIORITY="6"), Line("hello", NOON, "info")),
        (row("boom", PRIORITY="3"), Line("boom", NOON, "error")),
        (row("hm", PRIORITY="4"), Line("hm", NOON, "warn")),
        (row("hello"), Line("hello", NOON)),
        (row([99, 97, 102, 233, 32, 255]), Line("caf\ufffd \ufffd", NOON)),
        (row(None), Line(TOO_LARGE, NOON)),
        (
            row('{"level":"error","msg":"x","duration_ms":7}', PRIORITY="6"),
            Line("x", NOON, "error", 7, False),
        ),
        (b'{"MESSAGE":"no time"}', None),
        (b'{"half', None),
        (b"[]", None),
    ],
)
def test_an_entry_is_read_for_what_it_says(raw, line):
    assert entry(raw) == line


async def test_a_units_lines_come_oldest_first_and_are_asked_for_without_a_shell(journalctl):
    asked = journalctl(f"print({row('second').decode()!r}); print({row('first').decode()!r})")
    lines = await unit_lines("iora.service", NOON)
    assert [line.message for line in lines] == ["first", "second"]
    arguments = asked.read_text().splitlines()
    assert {"--unit=iora.service", "--output=json", "--reverse"} <= set(arguments)
    assert f"--since=@{NOON // 1000}" in arguments


async def test_the_end_of_a_huge_journal_is_kept_and_the_rest_is_not_waited_for(
    journalctl, monkeypatch
):
    monkeypatch.setattr(journald, "MOST_BYTES", 20_000)
    journalctl(
        "n = 0\nwhile True:\n"
        "  n += 1; print(json.dumps({'__REALTIME_TIMESTAMP': '1', 'MESSAGE': f'line -{n}'}))"
    )
    lines = await unit_lines("iora.service", NOON)
    assert lines[-1].message == "line -1"
    assert 100 < len(lines) < 1000


async def test_what_stands_unread_in_the_pipe_holds_up_nobody(journalctl, monkeypatch):
    """asyncio stops to read a full pipe, and would never see its end."""
    read = journald._up_to

    async def until_full(stream, size):
        found = await read(stream, size)
        while found and not stream._paused:
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(journald, "MOST_BYTES", 20_000)
    monkeypatch.setattr(journald, "_up_to", until_full)
    journalctl("while True: print(json.dumps({'__REALTIME_TIMESTAMP': '1', 'MESSAGE': 'line'}))")
    async with asyncio.timeout(60):
        assert await unit_lines("iora.service", NOON)


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("No journal files were opened due to insufficient permissions.", "systemd-journal"),
        ("Hint: You are currently not seeing messages from other users", "systemd-journal"),
        ("Failed to add match: Invalid argument", "journalctl: Failed to add match"),
    ],
)
async def test_what_it_complains_of_is_said(journalctl, complaint, said):
    journalctl(f"sys.exit({complaint!r})")
    with pytest.raises(PartFailed, match=said):
        await unit_lines("iora.service", NOON)


async def test_a_journal_without_lines_is_empty(journalctl):
    journalctl("")
    assert await unit_lines("iora.service", NOON) == []


async def test_a_system_without_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartFailed, match="no journalctl"):
        await unit_lines("iora.service", NOON)


async def test_one_that_hangs_is_given_up_and_leaves_nothing_running(journalctl, tmp_path):
    pid_file = tmp_path / "pid"
    journalctl(f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    reading = asyncio.create_task(unit_lines("iora.service", NOON))
    end = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    until(lambda: not psutil.pid_exists(int(pid_file.read_text())), "its end")
