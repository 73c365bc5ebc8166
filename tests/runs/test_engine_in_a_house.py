"""The engine with all around it: real clicks, a real target, the loops; what only shows when all is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import OnRun
from bot.model.config import Config
from bot.model.run import Progress
from bot.send import action
from bot.services.incidents import Asked
from bot.store import incidents, runs, timers
from tests.support.house import ALICE, BOB, MALLORY, House, living, standing
from tests.support.runs import book, books, config_with_actions, step

YES = {"roles": ["responder"]}
OPEN = step("action", "open", action="circuit_breaker_open", approval=YES)
COOL = step("check", "cool", of="metrics", bounds={"cpu_percent": {"below": 70}})
LOOK = step("collect", "look", profile="full")


@asynccontextmanager
async def running(
    folder: Path, *steps: Any, both: bool = False, **more: Any
) -> AsyncIterator[House]:
    """A bot with one runbook of these steps, and INC-1; ``both``: a second target beside iora."""
    known = books(folder / "runbooks", book(*steps, **more))
    async with standing(folder) as house:
        config = config_with_actions(house.target)
        if both:
            data = json.loads(config.model_dump_json(by_alias=True, exclude_defaults=True))
            data["targets"]["worker"] = data["targets"]["iora"]
            config = Config.model_validate_json(json.dumps(data))
        async with living(house, config, books=known):
            await house.slash(ALICE, "declare sev3 iora slow")
            yield house


async def progress(house: House, run: int = 1) -> Progress:
    assert house.bot is not None
    found = await house.bot.database.read(runs.progress, run)
    assert found is not None, f"RUN-{run}"
    return found


async def comes_to(house: House, state: str, name: str = "open", run: int = 1) -> Progress:
    """Until the step is in this state."""
    async with asyncio.timeout(60):
        while True:
            now = await progress(house, run)
            if any(one.step == name and one.state == state for one in now.steps):
                return now
            await asyncio.sleep(0.01)


async def is_over(house: House, run: int = 1) -> Progress:
    """Until the run is at its end."""
    async with asyncio.timeout(60):
        while (now := await progress(house, run)).run.state.live:
            await asyncio.sleep(0.01)
    return now


async def refusals(house: House) -> list[tuple[str, str]]:
    assert house.bot is not None
    entries = await house.bot.database.read(incidents.timeline, 1, ("refused",))
    return [(one.actor, one.facts["reason"]) for one in entries]


async def test_many_people_press_approve_at_the_same_moment_and_it_is_called_once(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, OPEN) as house:
        for number in range(1, 6):
            await house.slash(ALICE, "run breaker INC-1")
            await comes_to(house, "approving", run=number)
            words = f"run RUN-{number} approve"
            await asyncio.gather(*(house.slash(who, words) for who in (ALICE, BOB) * 4))
            await is_over(house, number)
            assert len(house.target.calls) == number


async def test_what_a_reload_changes_of_an_asking_is_asked_for_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    known = books(tmp_path / "runbooks", book(OPEN))
    async with standing(tmp_path) as house:
        config = config_with_actions(house.target)
        environ = {"IORA_CONFIG": str(file)}
        async with living(house, config, environ, books=known) as bot:
            await house.slash(ALICE, "declare sev3 iora slow")
            await house.slash(ALICE, "run breaker INC-1")
            await comes_to(house, "approving")
            file.write_text(as_written(config).replace("circuit-breaker", "breaker"))
            await bot.reload()
            async with asyncio.timeout(60):
                while (step := (await progress(house)).steps[0]).attempt == 1:
                    await asyncio.sleep(0.01)
            assert step.reason == "its request was changed in the config"
            assert house.target.calls == []


def as_written(config: Config) -> str:
    """As a file: JSON is YAML too."""
    return config.model_dump_json(by_alias=True, exclude_defaults=True)


async def test_min_two_pressed_by_one_person_many_times_calls_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, {**OPEN, "approval": {**YES, "min": 2}}) as house:
        await house.slash(ALICE, "run breaker INC-1")
        await comes_to(house, "approving")
        await asyncio.gather(*(house.slash(BOB, "run RUN-1 approve") for _ in range(6)))
        assert house.target.calls == []
        assert [reason for _, reason in await refusals(house)] == [
            "You approved it already: it waits for somebody else."
        ] * 5
        await house.slash(ALICE, "run RUN-1 approve")
        await comes_to(house, "ok")
        assert len(house.target.calls) == 1


async def test_mallory_presses_the_button_and_is_told_who_may(tmp_path: Path) -> None:
    async with running(tmp_path, OPEN) as house:
        await house.slash(ALICE, "run breaker INC-1")
        ask = await house.until(lambda: house.keyed("ask:1:0:1:approving:0"), "the asking")
        await house.press(MALLORY, ask, "iora:run:approve")
        told = await house.until(lambda: house.whispers(MALLORY), "the refusal")
        assert "You may not approve “Open”." in told[-1].text
        assert f"<@{BOB}>" in told[-1].text
        assert [actor for actor, _ in await refusals(house)] == [f"slack:T01TEAM:{MALLORY}"]
        assert house.target.calls == []


async def test_a_guest_s_word_to_a_run_is_refused_and_on_the_timeline(tmp_path: Path) -> None:
    guest = Actor.slack("T01TEAM", "U08GUEST", guest=True)
    async with running(tmp_path, OPEN) as house:
        await house.slash(ALICE, "run breaker INC-1")
        await comes_to(house, "approving")
        assert house.bot is not None
        for verb in ("approve", "show"):
            said = await house.bot.commands.carry_out(OnRun(run=1, verb=verb), Asked(guest))  # type: ignore[arg-type]
            assert isinstance(said, Refusal)
        assert [actor for actor, _ in await refusals(house)] == [guest.text]


async def test_an_edited_runbook_changes_no_run_under_way(tmp_path: Path) -> None:
    async with running(tmp_path, OPEN) as house:
        assert house.bot is not None
        await house.slash(ALICE, "run breaker INC-1")
        before = (await comes_to(house, "approving")).run
        house.bot.live.books = books(tmp_path / "runbooks", book(COOL, version=2))
        await house.slash(BOB, "run RUN-1 approve")
        after = (await is_over(house)).run
        assert (after.hash, after.version) == (before.hash, 1)
        await house.slash(ALICE, "run breaker INC-1")
        assert (await comes_to(house, "ok", "cool", run=2)).run.version == 2


async def test_two_targets_run_side_by_side_and_a_slow_one_holds_nobody_up(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def slow() -> dict[str, Any]:
        await go_on.wait()
        return {}

    async with running(tmp_path, LOOK, both=True, name="slow") as house:
        assert house.bot is not None
        quick = books(tmp_path / "more", book(COOL, OPEN, name="quick"))
        house.bot.live.books = {**house.bot.live.books, **quick}
        house.target.parts = dict.fromkeys(("system", "snapshot", "threads", "logs"), slow)
        await house.slash(ALICE, "run slow target=iora")
        await comes_to(house, "started", "look")
        await house.slash(ALICE, "run quick target=worker")
        await comes_to(house, "approving", run=2)
        await house.slash(BOB, "run RUN-2 approve")
        await comes_to(house, "ok", run=2)
        assert (await progress(house)).steps[0].state == "started"
        go_on.set()
        await comes_to(house, "ok", "look")


async def test_a_step_that_fails_in_the_bot_has_failed_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, LOOK, COOL) as house:
        assert house.bot is not None

        def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("a bug of ours")

        monkeypatch.setattr(house.bot.diagnosis, "report", broken)
        await house.slash(ALICE, "run breaker INC-1")
        ended = await comes_to(house, "ok", "cool")
        assert ended.steps[0].state == "failed"
        assert "see its log" in ended.steps[0].reason


async def test_a_call_that_fails_in_the_bot_is_unclear_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    async with running(tmp_path, OPEN) as house:
        monkeypatch.setattr(action, "call", broken)
        await house.slash(ALICE, "run breaker INC-1")
        await comes_to(house, "approving")
        await house.slash(BOB, "run RUN-1 approve")
        stuck = await comes_to(house, "stuck")
        assert "nobody knows whether it was done" in stuck.steps[0].reason


async def test_what_was_read_before_the_action_ended_does_not_prove_that_it_helped(
    tmp_path: Path,
) -> None:
    """A health that somebody asked for is on its way, with the CPU from before the action."""
    released, waits = asyncio.Event(), asyncio.Event()

    async def first_only() -> None:
        house.target.delay = None
        waits.set()
        await released.wait()

    async def made_it_worse(_: str) -> None:
        house.target.cpu = 96.0

    watched = {**OPEN, "verify": {"that": "cpu_percent < 70", "within": "1s"}}
    async with running(tmp_path, watched) as house:
        await house.slash(ALICE, "run breaker INC-1")
        await comes_to(house, "approving")
        assert house.bot is not None
        while await house.bot.database.read(timers.armed, "collect"):  # it would be shared
            await asyncio.sleep(0.01)
        house.target.op, house.target.delay = made_it_worse, first_only
        await house.slash(BOB, "health")
        await house.until(waits.is_set, "a measurement on its way")
        await house.slash(BOB, "run RUN-1 approve")
        await comes_to(house, "watching")
        released.set()
        house.advance(2_000)
        house.advance(20_000)
        failed = await comes_to(house, "failed")
        assert "CPU 96 %" in failed.steps[0].reason
