"""`iora run` at a terminal: live, with its questions asked at the prompt; played on a real pty."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.house import ALICE, House, standing
from tests.support.running import iora, serving
from tests.support.runs import book, step
from tests.support.shell import BREAKER, LOGIN, ME, prepared
from tests.support.terminal import terminal

CALM = book(
    step("wait_for", "calm", that="cpu_percent < 50", hold="1s", within="5m", text="Until *calm*."),
    step("check", "look", of="health"),
    name="calm",
)
PROMPT = "leave > "


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


def steps_of(folder: Path, run: int = 1) -> list[tuple[str, str, str | None]]:
    with sqlite3.connect(folder / "data" / "iora.db") as database:
        return database.execute(
            "SELECT step, state, actor FROM steps WHERE run_id = ? ORDER BY position", (run,)
        ).fetchall()


async def test_a_run_is_walked_through_at_the_prompt_with_the_login_as_who_did_it(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER)
    async with serving(house, tmp_path, environ):
        await iora(tmp_path, environ, "declare", "sev3", "iora", "API slow")
        words = ("run", "breaker", "--target", "iora", "--incident", "INC-1")
        async with terminal(tmp_path, environ, *words) as at:
            await at.sees("RUN-1 Breaker on iora, INC-1: running, 0 of 3 steps")
            await at.sees("» Open: waits for approval", "Cuts off what is slow.")
            await at.sees(f"It needs the yes of one commander: @U01ALICE, {LOGIN}.", PROMPT)
            assert at.echoes()
            at.type("aprove")
            await at.sees("`aprove` is nothing to say to a run: did you mean approve?", PROMPT)
            assert house.target.calls == []
            at.type("preview")
            await at.sees("2. Open  (action)", '{"state": "open"}', PROMPT)
            at.type("approve")
            await at.sees("Open: ok", "Circuit breaker open: done (HTTP 200)")
            assert house.target.calls == [("circuit-breaker", {"state": "open"})]
            await at.sees("  1. Look at the graphs", "  2. Say it", PROMPT)
            at.type("done 2 told <everybody>")
            await at.sees(f"x 2. Say it [{LOGIN} (command line): told <everybody>]", PROMPT)
            at.type("done")
            await at.sees(f"Tick: ok by {LOGIN} (command line)")
            await at.sees("RUN-1 Breaker on iora, INC-1: done, 3 of 3 steps")
            assert await at.ended() == 0
            assert at.echoes()
        assert [one[1:] for one in steps_of(tmp_path)] == [
            ("unknown", None), ("ok", None), ("ok", ME),
        ]  # fmt: skip
        entries = (await iora(tmp_path, environ, "show", "INC-1", "--json")).json()["timeline"]
        said = [
            (one["actor"], one["facts"]["choice"]) for one in entries if one["kind"] == "approval"
        ]
        assert said == [(ME, "approved")]


async def test_what_is_answered_in_slack_meanwhile_is_seen_and_no_longer_asked(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER, role="responder")
    async with serving(house, tmp_path, environ):
        await iora(tmp_path, environ, "declare", "sev3", "iora", "API slow")
        async with terminal(tmp_path, environ, "run", "breaker", "iora", "INC-1") as at:
            await at.sees("» Open: waits for approval", PROMPT)
            at.type("approve")
            await at.sees("You may not approve “Open”. Who may: @U01ALICE.", PROMPT)
            ask = await house.until(lambda: house.keyed("ask:1:1:1:approving:0"), "the asking")
            at.press("appro")  # half a word for a question that is gone in a moment
            await house.press(ALICE, ask, "iora:run:approve")
            await at.sees("Open: ok", "» Tick: is a person's to do", PROMPT)
            at.type("skip no time")
            await at.sees("Tick: skipped", "no time", "RUN-1 Breaker on iora, INC-1: done")
            assert await at.ended() == 0


async def test_ctrl_c_asks_whether_to_leave_or_cancel_and_twice_leaves(house, tmp_path):
    environ = prepared(house, tmp_path, CALM)
    house.target.cpu = 96.0
    async with serving(house, tmp_path, environ):
        async with terminal(tmp_path, environ, "run", "calm") as at:
            await at.sees("» Calm: is being watched", "Until calm.", "Then: Look")
            assert not at.echoes(), "what is typed would spoil what is drawn"
            at.press("\x03")
            await at.sees("RUN-1 goes on with the bot. `iora run RUN-1` comes back to it.")
            await at.sees("leave | cancel | Enter: stay > ")
            at.type("")
            await at.sees("» Calm: is being watched")
            at.press("\x03")
            await at.sees("Enter: stay > ")
            at.press("\x03")
            assert await at.ended() == 1
            assert at.shown.endswith(
                "RUN-1 goes on with the bot. `iora run RUN-1` comes back to it.\n"
            )
        assert steps_of(tmp_path)[0][1] == "watching"
        async with terminal(tmp_path, environ, "run", "RUN-1") as at:
            await at.sees("» Calm: is being watched")
            at.press("\x03")
            await at.sees("Enter: stay > ")
            at.type("cancel wrong one")
            await at.sees("RUN-1 Calm on iora: cancelled (cancelled: wrong one)")
            assert await at.ended() == 1


async def test_a_step_that_the_bot_is_at_can_be_spoken_to_after_enter(house, tmp_path):
    environ = prepared(house, tmp_path, CALM)
    house.target.cpu = 96.0
    async with serving(house, tmp_path, environ), terminal(tmp_path, environ, "run", "calm") as at:
        await at.sees("» Calm: is being watched")
        at.type("")
        await at.sees("skip REASON | pause | cancel | leave | Enter: go on watching > ")
        at.type("pause")
        await at.sees("It is paused.", "resume | cancel | leave > ")
        at.type("resume")
        await at.sees("» Calm: is being watched")
        at.type("")
        await at.sees("Enter: go on watching > ")
        house.target.cpu = 12.0
        await at.sees("Calm: ok", "RUN-1 Calm on iora: done, 2 of 2 steps")
        assert await at.ended() == 0


async def test_a_bot_that_is_started_again_is_waited_for(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER)
    async with (
        serving(house, tmp_path, environ) as bot,
        terminal(tmp_path, environ, "run", "breaker") as at,
    ):
        await at.sees("» Open: waits for approval", PROMPT)
        bot.signal(signal.SIGTERM)
        assert await bot.ended() == 0
        await at.sees("The bot does not answer: waiting 60 s for it.")
        async with serving(house, tmp_path, environ):
            await at.sees("» Open: waits for approval", PROMPT)
            at.type("approve")
            await at.sees("Open: ok", PROMPT)
            at.press("\x04")
            assert await at.ended() == 1
    assert len(house.target.calls) == 1


async def test_without_a_bot_it_goes_on_here_and_stays_in_the_store_when_it_is_left(
    house, tmp_path
):
    environ = prepared(house, tmp_path, BREAKER)
    async with terminal(tmp_path, environ, "run", "breaker") as at:
        await at.sees("» Open: waits for approval", PROMPT)
        held = await iora(tmp_path, environ, "serve")
        assert held.code == 2
        assert "the database is held by iora run (process " in held.err
        other = await iora(tmp_path, environ, "run", "RUN-1", "approve")
        assert "Open: ok" in other.out, "another terminal is heard"
        await at.sees("Open: ok", "» Tick: is a person's to do", PROMPT)
        at.type("leave")
        await at.sees(
            "RUN-1 stays as it is until the bot runs, or `iora run RUN-1` comes back to it."
        )
        assert await at.ended() == 1
    assert steps_of(tmp_path)[2][1] == "doing"
    async with serving(house, tmp_path, environ):
        done = await iora(tmp_path, environ, "run", "RUN-1", "done")
        assert done.code == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_terminal_that_is_closed_leaves_the_run(house, tmp_path, number):
    environ = prepared(house, tmp_path, BREAKER)
    async with terminal(tmp_path, environ, "run", "breaker") as at:
        await at.sees("» Open: waits for approval", PROMPT)
        at.signal(number)
        await at.sees("RUN-1 stays as it is until the bot runs")
        assert await at.ended() == 1
    assert not (tmp_path / "data" / "iora.db.sock").exists()
    assert steps_of(tmp_path)[1][1] == "approving"


async def test_an_action_under_way_comes_to_its_end_before_the_terminal_is_left(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER)
    called, goes_on = asyncio.Event(), asyncio.Event()

    async def op(name: str) -> None:
        called.set()
        await goes_on.wait()

    house.target.op = op
    async with terminal(tmp_path, environ, "run", "breaker") as at:
        await at.sees(PROMPT)
        at.type("approve")
        await called.wait()
        await at.sees("» Open: is being done")
        at.press("\x03")
        await at.sees("Enter: stay > ")
        at.press("\x03")
        await at.sees("RUN-1 stays as it is")
        goes_on.set()
        assert await at.ended() == 1
    assert steps_of(tmp_path)[1][1] == "ok"
    assert len(house.target.calls) == 1


async def test_what_a_target_says_cannot_command_the_terminal(house, tmp_path):
    environ = prepared(house, tmp_path, book(step("check", "look", of="health"), name="odd"))
    house.target.body = {"status": "\x1b]0;mine\x07[bold]bad\x1b[2J"}
    async with terminal(tmp_path, environ, "run", "odd") as at:
        await at.sees("Look: FAILED", "[bold]bad", "RUN-1 Odd on iora: done")
        assert await at.ended() == 0
    assert "\x1b]0;" not in at.raw
    assert "\x1b[2J" not in at.raw
