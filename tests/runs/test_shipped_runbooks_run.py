"""Each shipped runbook from its start to its end, against a real service, a real agent and the real bot.

A third of the service's answers fails when they start; opening its circuit breaker, which the critical
one asks for, heals it. Bob approves, Alice does what people do. All of them run side by side, as they
would on a bad night.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.files.runbooks import load_books
from bot.model.actor import Actor
from bot.model.answer import Answer
from bot.model.command import OnRun, StartRun, Tick
from bot.model.config import Config
from bot.model.run import Mark, Progress, RunState, StepRun, StepState
from bot.model.step import ChecklistStep
from bot.services.incidents import Asked
from bot.store import reports, runs
from bot.wiring import Bot
from tests.support.agents import TOKEN, agent, write
from tests.support.house import ALICE, BOB, House, config_for, living, standing
from tests.support.programs import Sample, ask, sample

SHIPPED = Path(__file__).parents[2] / "runbooks"
TEAM = "T01TEAM"
QUICK = {
    "hold": "1s",
    "steady": "1s",
    "within": "1m",
    "relief": "1m",
    "issue": "answers 500 <now>",
}
LAST = "emergency-data-collection"
"""It waits until the incident is five minutes old, so the clock is moved for it, after all others."""

SCRIPTS = {
    "health-check": "echo all is well",
    "performance-baseline-check": "echo P95 within; exit 0",
    "db-performance-check": "echo slow queries: 0",
    "db-connection-check": "echo connections: 4 of 20",
    "db-slow-query-analysis": "echo nothing over 500 ms",
    "db-lock-analysis": "echo no locks; exit 3",
    "perf-record": "echo samples > perf.data; echo 99 samples",
}
"""The team's own scripts; what the host lacks (massif, heaptrack, a flamegraph) is done by hand."""


def agent_config(folder: Path) -> str:
    """The probes of a plain Linux host, and scripts of the team."""
    offered: dict[str, Any] = {
        "uptime": {"argv": ["uptime"]},
        "top": {"argv": ["top", "-b", "-n", "1"]},
        "ps": {"argv": ["ps", "-o", "pid,rss,args", "-p", "{pid}"]},
        "ps-threads": {"argv": ["ps", "-T", "-p", "{pid}"]},
        "eu-stack": {"argv": ["true"], "approval": True},
    }
    for name, code in SCRIPTS.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{code}\n")
        program.chmod(0o755)
        offered[name] = {"argv": [str(program)]}
    offered["perf-record"]["artifacts"] = ["perf.data"]
    return f"probes: {json.dumps(offered)}\nlogs: [{{file: sample.log}}]\n"


def config(house: House, service: Sample, agent_url: str) -> Config:
    written = json.loads(config_for(house.target).model_dump_json(exclude_defaults=True))
    ops = f"{service.url}/api/ops"
    written["targets"]["iora"] = {
        "poll": "500ms",
        "window": "6s",
        "health": {"url": f"{service.url}/api/health", "status": "status", "timeout": "3s"},
        "metrics": [
            {"url": f"{service.url}/api/metrics", "values": {"overall_score": "overall_score"}}
        ],
        "agent": {"url": agent_url, "token": TOKEN},
        "actions": {
            "circuit_breaker_open": {
                "url": f"{ops}/circuit-breaker",
                "json": {"state": "open"},
                "undo": "circuit_breaker_close",
            },
            "circuit_breaker_close": {
                "url": f"{ops}/circuit-breaker",
                "json": {"state": "closed"},
            },
            "scale_out": {"url": f"{ops}/scale", "json": {"instances": 4}, "undo": "scale_in"},
            "scale_in": {"url": f"{ops}/scale", "json": {"instances": 1}},
        },
    }
    # What other programs of this machine do to its CPU is not what is tested here.
    written["baselines"] = {
        "response_time_p95_ms": {"below": 500},
        "error_rate_percent": {"below": 0.1},
        "memory_mb": {"below": 1000},
    }
    written["critical"] = {"memory_mb": {"below": 2000}}
    return Config.model_validate_json(json.dumps(written))


class People:
    """Alice and Bob, who answer whatever the runs ask."""

    def __init__(self, house: House, bot: Bot) -> None:
        self.house = house
        self.bot = bot

    async def start(self, name: str) -> int:
        asked = self.bot.live.books[name].runbook.inputs
        inputs = {key: value for key, value in QUICK.items() if key in asked}
        command = StartRun(runbook=name, incident=1, inputs=inputs)
        given = await self.bot.commands.carry_out(command, Asked(Actor.slack(TEAM, ALICE)))
        assert isinstance(given, Answer), given
        run_id: int = given.facts["progress"].run.id
        return run_id

    async def see_through(self, run_ids: list[int]) -> None:
        """Until every run is over."""
        async with asyncio.timeout(120):
            while True:
                found = [await self.bot.database.read(runs.progress, one) for one in run_ids]
                live = [one for one in found if one is not None and one.run.state.live]
                if not live:
                    return
                for progress in live:
                    step = progress.current
                    if step is not None and step.state.for_a_person:
                        await self.answer(progress, step)
                await asyncio.sleep(0.05)

    async def answer(self, progress: Progress, step: StepRun) -> None:
        said = OnRun(run=step.run_id, verb="done", mark=Mark.of(step), text="it was done")
        who = ALICE
        match step.state:
            case StepState.APPROVING:
                said, who = replace(said, verb="approve", text=""), ALICE
                if "responder" in _roles(progress, step):
                    who = BOB
                if Actor.slack(TEAM, who).text in progress.approvers(step):
                    return  # the yes is noted, and the run has not gone on yet
            case StepState.ASKING:
                said = replace(said, verb="do", text="")
            case StepState.DOING:
                definition = progress.definition(step)
                if isinstance(definition, ChecklistStep):
                    ticks = {
                        number: Tick("noted", BOB if item.owner else None)
                        for number, item in enumerate(definition.items, 1)
                    }
                    said = replace(said, ticks=ticks)
        given = await self.bot.commands.carry_out(said, Asked(Actor.slack(TEAM, who)))
        assert isinstance(given, Answer), (progress.run.runbook, step.step, given)


def _roles(progress: Progress, step: StepRun) -> tuple[str, ...]:
    approval = progress.definition(step).approval
    return tuple(approval.roles) if approval is not None else ()


class Played:
    """What is on record after the night."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: dict[str, Progress] = {}
        self.threads = ""
        self.breaker = ""
        self.issue = ""

    async def play(self, service: Sample, agent_url: str) -> None:
        async with standing(self.folder) as house:
            books = load_books(SHIPPED)
            async with living(house, config(house, service, agent_url), books=books) as bot:
                service.mode("failing")
                await house.until_reading("error_rate_percent", lambda value: value > 10)
                await house.slash(ALICE, "declare sev2 iora API fails")
                await house.until_entry(1, "evidence")
                people = People(house, bot)
                together = [await people.start(name) for name in books if name != LAST]
                await people.see_through(together)
                last = await people.start(LAST)
                watching = asyncio.create_task(people.see_through([last]))
                while not watching.done():
                    progress = await bot.database.read(runs.progress, last)
                    assert progress is not None
                    step = progress.current
                    if step is not None and step.step == "persists":
                        house.advance(301_000)
                    await asyncio.sleep(0.05)
                await watching
                for run_id in (*together, last):
                    progress = await bot.database.read(runs.progress, run_id)
                    assert progress is not None
                    self.runs[progress.run.runbook] = progress
                made = state(self, "diagnostic-collection", "report").output["report"]
                report = await bot.database.read(reports.get, made)
                assert report is not None
                self.issue = report.issue_description
                await house.until_sent()
                self.threads = "\n".join(message.text for message in house.messages())
                self.breaker = ask(f"{service.url}/api/ops/circuit-breaker").text


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("night")
    found = Played(folder)
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(sample(folder))
        path = write(folder, "pid_file: sample.pid", more=agent_config(folder))
        running = stack.enter_context(agent(path))
        asyncio.run(found.play(service, running.url))
        yield found


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_it_comes_to_its_end_with_a_result_for_every_step(played: Played, name: str) -> None:
    progress = played.runs[name]
    assert progress.run.state is RunState.DONE, (progress.run.reason, progress.steps)
    may_fail = {"check", "probe"}
    for step in progress.steps:
        definition = progress.definition(step)
        if step.state is StepState.SKIPPED:
            assert definition.when is not None, step
            assert step.reason.startswith("not needed: "), step
        else:
            assert step.state is StepState.OK or definition.kind in may_fail, step
            assert step.output.get("text"), step


def state(played: Played, name: str, step: str) -> StepRun:
    return next(one for one in played.runs[name].steps if one.step == step)


def test_the_critical_one_opens_the_breaker_after_bobs_yes_and_sees_it_heal(played: Played) -> None:
    name = "critical-performance-degradation"
    breaker = state(played, name, "circuit_breaker")
    assert breaker.state is StepState.OK
    assert played.runs[name].approvers(breaker) == (f"slack:{TEAM}:{BOB}",)
    assert "error rate 0 % < 0.1" in breaker.output["held"]
    assert json.loads(played.breaker) == {"state": "open"}
    assert state(played, name, "scale").state is StepState.SKIPPED
    assert "error rate" in state(played, name, "assess_readings").output["text"]
    assert state(played, name, "rollback").output["by_hand"] == "iora offers no action rollback"
    drafted = state(played, name, "postmortem").output["draft"]
    assert "API fails" in (played.folder / drafted).read_text()


def test_probes_keep_what_they_print_and_what_they_leave(played: Played) -> None:
    recorded = state(played, "high-cpu-usage", "perf_record")
    assert recorded.output["stdout"] == "99 samples"
    (file,) = recorded.output["files"]
    assert (played.folder / file["path"]).read_text() == "samples\n"
    locks = state(played, "database-performance", "locks")
    assert locks.state is StepState.FAILED
    assert locks.output["exit_code"] == 3


def ps_pid(played: Played) -> str:
    return (played.folder / "sample.pid").read_text().strip()


def test_runs_wait_for_each_others_probes(played: Played) -> None:
    """Three of them want top at once, and an agent runs one probe at a time."""
    for name, step in (
        ("high-cpu-usage", "usage_top"),
        ("high-memory-usage", "usage_top"),
        ("high-response-time", "load_top"),
    ):
        assert state(played, name, step).state is StepState.OK
        assert state(played, name, step).output["text"].startswith("top - ")


def test_what_the_host_does_not_offer_was_done_by_hand(played: Played) -> None:
    massif = state(played, "high-memory-usage", "massif")
    assert massif.state is StepState.OK
    assert "offers no probe massif" in massif.output["by_hand"]
    assert massif.output["text"] == "done by hand: it was done"


def test_a_probe_that_pauses_the_process_waited_for_a_yes(played: Played) -> None:
    dump = state(played, "diagnostic-collection", "thread_dump")
    assert dump.output["must_approve"]
    assert played.runs["diagnostic-collection"].approvers(dump) == (f"slack:{TEAM}:{ALICE}",)


def test_the_report_says_what_is_wrong_as_it_was_typed(played: Played) -> None:
    assert played.issue == "answers 500 <now>"


def test_the_threads_that_ps_shows_are_those_of_the_service(played: Played) -> None:
    shown = state(played, "emergency-data-collection", "threads").output["stdout"]
    assert ps_pid(played) in shown


def test_what_came_out_is_told_in_the_thread(played: Played) -> None:
    for name, progress in played.runs.items():
        assert progress.run.key in played.threads, name
