"""`iora local`: four programs that start, work together, and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import aiohttp
import pytest

from tests.support.local import PATIENCE_S, Local, environment, local
from tests.support.ports import kept_port
from tests.support.running import iora


@contextlib.contextmanager
def taken(*ports: int):
    """These ports, listened on by somebody else (by whoever has them already, if so)."""
    with contextlib.ExitStack() as stack:
        for port in ports:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                listener.listen(1)
        yield


async def said_of_health(running: Local) -> str:
    """What Alice reads after `/iora health`, typed on the page."""
    root = running.page.rstrip("/")
    where = {"as": "U01ALICE", "in": "C01INCIDENTS"}
    async with aiohttp.ClientSession(headers={"Origin": root}) as session:
        typed = where | {"text": "/iora health"}
        async with session.post(f"{root}/page/say", json=typed) as answer:
            assert (await answer.json())["ok"]
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with session.get(f"{root}/page/parts", params=where) as parts:
                    shown = await parts.text()
                if "iora is" in shown:
                    return shown
                await asyncio.sleep(0.05)


async def test_it_works_with_the_usual_ports_taken_and_ends_without_a_trace(tmp_path):
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    with taken(3000, 8080):
        for _ in range(2):
            async with local(folder) as running:
                assert len(running.children) >= 4
                async with aiohttp.ClientSession() as session, session.get(running.page) as page:
                    assert page.status == 200
                    assert "not Slack" in await page.text()
                assert "iora is" in await said_of_health(running)
                assert await running.end() == 0
                assert running.left() == []
    assert list(folder.iterdir()) == [], "it keeps nothing where it was started"


async def test_sigterm_ends_it_too(tmp_path):
    async with local(tmp_path) as running:
        assert await running.end(signal.SIGTERM) == 0
        assert running.left() == []


async def test_the_page_is_where_port_says(tmp_path):
    with kept_port() as port:
        async with local(tmp_path, PORT=str(port)) as running:
            assert running.page == f"http://127.0.0.1:{port}/"
            await running.end()


async def test_a_port_that_is_taken_is_said_in_one_line(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port = str(listener.getsockname()[1])
        ended = await iora(tmp_path, environment(PORT=port), "local")
    assert ended.code == 2
    assert ended.err == (
        f"iora: PORT: can't listen on 127.0.0.1:{port} (address already in use); "
        "set another, or leave it out\n"
    )


@pytest.mark.parametrize("port", ["many", "70000", "\u00b2"])
async def test_a_port_that_is_none_is_said_in_one_line(tmp_path, port):
    ended = await iora(tmp_path, environment(PORT=port), "local")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"iora: PORT: expected a number from 0 to 65535, got {port!r}\n"


async def test_a_program_that_dies_is_reported_and_the_rest_ends(tmp_path):
    async with local(tmp_path) as running:
        sample = next(c for c in running.children if "bot.sample" in c.cmdline())
        sample.kill()
        async with asyncio.timeout(PATIENCE_S):
            code = await running.process.wait()
        assert code == 2
        assert running.process.stderr is not None
        said = (await running.process.stderr.read()).decode()
        assert "bot.sample ended by itself (exit -9)" in said
        assert "Traceback" not in said
        assert running.left() == []
