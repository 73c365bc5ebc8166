"""``iora local``: everything on this machine, each program a process of its own.

The embedded workspace with its page, the sample service, an agent that watches it, and the bot: the
same bot, against another base URL. What they keep is in a temporary folder and gone at the end.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import secrets
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from bot.cli.fail import plainly
from bot.cli.local_agent import agent_yaml
from bot.errors import IoraError, WrongSettings
from bot.files.shipped import shipped
from bot.http import Client
from bot.web.control import login_of

START_S = 30
END_S = 12
_TAIL = 12
_DATABASE = "IORA_DATABASE_URL"
_PR_SET_PDEATHSIG = 1
# The embedded workspace's own tokens: secrets of nothing.
_BOT_TOKEN, _APP_TOKEN = "xoxb-local-development", "xapp-local-development"


class Ended(IoraError):
    """One of the programs ended by itself."""


@dataclass
class Program:
    """A child process with its log."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def tail(self) -> str:
        """The last lines that it logged."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_TAIL:])


class Family:
    """The programs, started one after the other, ended together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs: list[Program] = []

    async def start(self, name: str, *arguments: str, environ: Mapping[str, str]) -> Program:
        """``python -m NAME ...``; its standard output is read by whoever waits for its first line."""
        log = self._folder / f"{name.rpartition('.')[2]}.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", name, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=environ,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        program = Program(name, process, log)
        self._programs.append(program)
        return program

    async def first_line(self, program: Program) -> str:
        """What the program prints when it is ready. Raises ``Ended``."""
        assert program.process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = await program.process.stdout.readline()
        except TimeoutError:
            raise Ended(
                f"{program.name} was not ready within {START_S} s\n{program.tail()}"
            ) from None
        if not line:
            raise Ended(f"{program.name} did not start\n{program.tail()}")
        return line.decode().strip()

    async def watch(self) -> None:
        """Until one of them ends by itself. Raises ``Ended``."""
        waits = {asyncio.create_task(program.process.wait()): program for program in self._programs}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        program = waits[done.pop()]
        code = program.process.returncode
        raise Ended(f"{program.name} ended by itself (exit {code})\n{program.tail()}")

    async def end(self) -> None:
        """Ask them to end, the last one first; what does not is killed."""
        for program in reversed(self._programs):
            if program.process.returncode is None:
                program.process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await program.process.wait()
            except TimeoutError:
                program.process.kill()
                await program.process.wait()


def _end_with_parent() -> None:
    """In a child: be asked to end when the parent is gone, however it went (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@click.command()
def local() -> None:
    """Try the bot on this machine: no account, no token, no network. Ctrl-C ends it."""
    with plainly(), tempfile.TemporaryDirectory(prefix="iora-local-") as folder:
        asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, this.cancel)
    family = Family(folder)
    try:
        page = await _start_all(family, folder)
        print(f"Open {page}")
        print(_hint(folder), flush=True)
        await family.watch()
    except asyncio.CancelledError:
        print("Ending.", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        await family.end()


async def _start_all(family: Family, folder: Path) -> str:
    """Start the four programs, each knowing where those before it are; the page's address."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    page_port = _page_port(environ)
    agent_token = secrets.token_urlsafe(24)
    sample_line = await family.first_line(
        await family.start(
            "bot.sample",
            *("--port", "0", "--control-port", "0"),
            *("--log", str(folder / "iora.log"), "--pid-file", str(folder / "sample.pid")),
            environ=environ,
        )
    )
    sample, control = _addresses(sample_line)
    workspace_line = await family.first_line(
        await family.start(
            "bot.workspace",
            *("--port", page_port, "--sample-control", control),
            *("--event", "app_mention"),
            environ=environ,
        )
    )
    (page,) = _addresses(workspace_line)
    agent_file = folder / "agent.yaml"
    agent_file.write_text(agent_yaml())
    agent_environ = {key: value for key, value in environ.items() if key not in {"HOST", "PORT"}}
    agent_environ |= {"IORA_AGENT_TOKEN": agent_token, "IORA_AGENT_CONFIG": str(agent_file)}
    agent_line = await family.first_line(await family.start("bot", "agent", environ=agent_environ))
    (agent,) = _addresses(agent_line)
    await _start_bot(
        family,
        environ
        | {
            "SLACK_API_URL": f"{page}/api/",
            "SLACK_BOT_TOKEN": _BOT_TOKEN,
            "SLACK_APP_TOKEN": _APP_TOKEN,
            "SLACK_SIGNING_SECRET": "",
            "IORA_CONFIG": str(Path(__file__).with_name("local.yaml")),
            "IORA_RUNBOOKS": str(shipped()),
            _DATABASE: _database(folder),
            "IORA_AGENT_TOKEN": agent_token,
            "SAMPLE_URL": sample,
            "AGENT_URL": agent,
            "USER_LOGIN": login_of(os.getuid()),
            "HOST": "127.0.0.1",
            "PORT": "0",
        },
    )
    return f"{page}/"


def _hint(folder: Path) -> str:
    """How a terminal reaches this bot."""
    beside = Path(sys.executable).with_name("iora")
    program = min(str(beside), os.path.relpath(beside), key=len) if beside.exists() else "iora"
    setting = f"{_DATABASE}={shlex.quote(_database(folder))}"
    return f"In another terminal: export {setting}; {shlex.quote(program)} runbooks"


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/iora.db"


async def _start_bot(family: Family, environ: Mapping[str, str]) -> None:
    """Until the bot says that it is ready: its database, its loops and its link to the workspace."""
    program = await family.start("bot", "serve", environ=environ)
    (bot,) = _addresses(await family.first_line(program))
    async with Client() as client, asyncio.timeout(START_S):
        while True:
            if (await client.get(f"{bot}/readyz", timeout_ms=2_000)).status == 200:
                return
            await asyncio.sleep(0.05)


def _page_port(environ: Mapping[str, str]) -> str:
    port = environ.get("PORT", "") or "0"
    if not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise WrongSettings(f"PORT: expected a number from 0 to 65535, got {port!r}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the workspace does
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            raise WrongSettings(
                f"PORT: can't listen on 127.0.0.1:{port} ({why}); set another, or leave it out"
            ) from None
    return port


def _addresses(line: str) -> list[str]:
    """The http addresses in a program's first line."""
    return [word.rstrip("/") for word in line.split() if word.startswith("http://")]
