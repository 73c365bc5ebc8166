"""`iora run` where nobody can be asked: in a pipe, in CI, in cron."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from bot.cli import main
from tests.support.house import House, standing
from tests.support.running import iora, serving
from tests.support.runs import book, step
from tests.support.shell import BREAKER, HARMLESS, LOGIN, ME, prepared, written

FAILS = book(
    step("check", "look", of="health"),
    step("check", "again", of="health"),
    name="fails",
    defaults={"on_failure": "stop"},
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with standing(tmp_path) as built:
        yield built


@pytest.fixture(params=["with a bot", "without a bot"])
async def environ(request, house: House, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The same, whether a bot runs or not."""
    made = prepared(house, tmp_path, BREAKER, HARMLESS, FAILS)
    if request.param == "without a bot":
        yield made
    else:
        async with serving(house, tmp_path, made):
            yield made


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command in this process, where no bot runs and no target answers."""
    written(tmp_path, "http://127.0.0.1:9", HARMLESS)
    for name in [name for name in os.environ if name.startswith(("IORA_", "SLACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


async def test_it_prints_a_line_a_change_and_says_what_to_type_where_a_person_is_wanted(
    environ, house, tmp_path
):
    asked = await iora(tmp_path, environ, "run", "breaker", "--target", "iora")
    assert (asked.code, asked.err) == (1, "")
    head, look, *asks = asked.out.splitlines()
    assert head.startswith("RUN-1 Breaker on iora: running, 0 of 3 steps, ")
    assert re.match(r"Look: UNKNOWN \(\d s\): iora is unknown: P95 unknown", look)
    assert asks == [
        "» Open: waits for approval",
        "  Cuts off what is slow.",
        f"  It needs the yes of one commander: @U01ALICE, {LOGIN}.",
        "Type: iora run RUN-1 approve  (or: reject REASON | preview | pause | cancel)",
    ]
    assert house.target.calls == []

    ticks = await iora(tmp_path, environ, "run", "RUN-1", "approve")
    assert ticks.code == 1
    assert re.search(r"Open: ok \(\d s\): Circuit breaker open: done \(HTTP 200\)\n", ticks.out)
    assert "  1. Look at the graphs\n" in ticks.out
    assert "Type: iora run RUN-1 done [NOTE]" in ticks.out
    assert house.target.calls == [("circuit-breaker", {"state": "open"})]

    one = await iora(tmp_path, environ, "run", "RUN-1", "done", "1", "both", "fine")
    assert one.code == 1
    assert f"x 1. Look at the graphs [{LOGIN} (command line): both fine]" in one.out
    done = await iora(tmp_path, environ, "run", "RUN-1", "done", "2")
    assert done.code == 0
    assert done.out.splitlines()[-1].startswith("RUN-1 Breaker on iora: done, 3 of 3 steps, ")


async def test_json_is_the_run_as_it_ended_and_nothing_else(environ, house, tmp_path):
    ended = await iora(tmp_path, environ, "run", "harmless", "--json")
    assert ended.code == 0
    run = ended.json()
    assert (run["run"], run["state"], run["by"]) == ("RUN-1", "done", ME)
    assert [(one["step"], one["state"]) for one in run["steps"]] == [("look", "unknown")]
    waits = await iora(tmp_path, environ, "run", "breaker", "--json")
    assert waits.code == 1
    assert waits.json()["steps"][1]["state"] == "approving"
    assert "Type: iora run RUN-2 approve" in waits.err


async def test_a_run_that_stops_ends_with_1(environ, house, tmp_path):
    house.target.status, house.target.body = 503, {"status": "down"}
    ended = await iora(tmp_path, environ, "run", "fails")
    assert ended.code == 1
    assert ended.out.splitlines()[-1].startswith("RUN-1 Fails on iora: stopped (“Look” failed)")
    assert "Again: skipped: “Look” failed before" in ended.out


async def test_pause_and_cancel_are_said_and_that_is_all(environ, house, tmp_path):
    await iora(tmp_path, environ, "run", "breaker")
    paused = await iora(tmp_path, environ, "run", "RUN-1", "pause")
    assert paused.code == 0
    assert paused.out.startswith("RUN-1 Breaker on iora: paused")
    shown = await iora(tmp_path, environ, "run", "RUN-1")
    assert shown.code == 1
    assert "It is paused.\nType: iora run RUN-1 resume  (or: cancel)" in shown.out
    cancelled = await iora(tmp_path, environ, "run", "RUN-1", "cancel", "wrong", "one")
    assert cancelled.code == 0
    assert "RUN-1 Breaker on iora: cancelled (cancelled: wrong one), 3 of 3" in cancelled.out
    assert (await iora(tmp_path, environ, "run", "RUN-1")).code == 1
    refused = await iora(tmp_path, environ, "run", "RUN-1", "approve")
    assert refused.code == 1
    assert refused.err.startswith(f"RUN-1 is over: cancelled by the login {LOGIN}.")


async def test_both_spellings_mean_the_same(house, tmp_path):
    said = book(
        step("check", "look", of="health"),
        name="said",
        inputs={
            "target": {"type": "target"},
            "issue": {"type": "text"},
            "hold": {"type": "duration", "default": "1m"},
        },
    )
    environ = prepared(house, tmp_path, said)
    await iora(tmp_path, environ, "declare", "sev3", "iora", "API slow")
    for words in (
        ("run", "said", "iora", "INC-1", "issue=the API is “slow” & <odd>", "hold=5m"),
        (
            *("run", "said", "--target", "iora", "--incident", "INC-1"),
            *("--input", "issue=the API is “slow” & <odd>", "--input", "hold=5m"),
        ),
    ):
        run = (await iora(tmp_path, environ, *words, "--json")).json()
        assert run["incident"] == "INC-1"
        assert run["inputs"] == {
            "target": "iora",
            "issue": "the API is “slow” & <odd>",
            "hold": "5m",
        }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name a runbook"),
        (
            ("RUN-1", "--target", "iora"),
            "--target, --incident, --input and --dry-run start a runbook",
        ),
        (("RUN-1", "--dry-run"), "start a runbook"),
        (("harmless", "--input", "hold"), "--input wants NAME=VALUE, such as hold=5m, not 'hold'"),
        (("harmless", "--input", 'a="it\'s" here'), "only one kind of quotation marks"),
        (("harmless", "iora", "--target", "iora"), "`iora` is no input such as minutes=5."),
        (("RUN-1", "aprove"), "`aprove` is nothing to say to a run: did you mean approve?"),
    ],
)
def test_wrong_use_ends_with_2(alone, words, said):
    ended = alone("run", *words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("harmles",), "There is no runbook `harmles`. Did you mean `iora run harmless`?"),
        (("harmless", "iroa"), "There is no target `iroa`. Did you mean `iora`?"),
        (("harmless", "--input", "hald=5m"), "`harmless` has no input `hald`."),
        (("harmless", "--incident", "INC-9"), "INC-9"),
        (("RUN-9",), "There is no RUN-9. See `iora runbooks`."),
    ],
)
def test_a_refusal_ends_with_1(alone, words, said):
    ended = alone("run", *words)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert said in ended.stderr


async def test_whoever_has_no_role_is_refused_and_told_who_has(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER, role="")
    await iora(tmp_path, environ, "run", "breaker")
    refused = await iora(tmp_path, environ, "run", "RUN-1", "approve")
    assert refused.code == 1
    assert refused.err == "You may not approve “Open”. Who may: @U01ALICE.\n"
    assert house.target.calls == []


async def test_a_dry_run_shows_every_request_whole_and_makes_none(house, tmp_path):
    asked: list[str] = []

    async def counted(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", counted)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    house.target.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    long = "All of this is shown. " * 150
    try:
        environ = prepared(house, tmp_path, BREAKER | {"steps": [*BREAKER["steps"]]})
        file = tmp_path / "runbooks" / "breaker.yaml"
        file.write_text(file.read_text().replace("Cuts off what is slow.", long.strip()))
        shown = await iora(tmp_path, environ, "run", "breaker", "--dry-run")
        assert shown.code == 0, shown.err
        assert long.strip() in shown.out
        assert f"POST {house.target.url}/api/ops/circuit-breaker  (once, within 20 s)" in shown.out
        assert '{"state": "open"}' in shown.out
        assert f"After an approval: @U01ALICE, the login {LOGIN}, within 30 min" in shown.out
        assert "[ ] Look at the graphs" in shown.out
        assert "waits for the bot" not in shown.out
        facts = (await iora(tmp_path, environ, "run", "breaker", "--dry-run", "--json")).json()
        assert facts["steps"][1]["request"]["json"] == {"state": "open"}
        assert asked == []
        assert (await iora(tmp_path, environ, "run", "RUN-1")).code == 1, "nothing was started"
    finally:
        await runner.cleanup()


async def test_the_list_ranks_by_symptoms_and_names_what_is_under_way(house, tmp_path):
    busy = BREAKER | {"id": "busy", "title": "Busy", "triggers": {"symptoms": ["cpu_percent > 90"]}}
    environ = prepared(house, tmp_path, HARMLESS, busy)
    house.target.cpu = 96.0
    await iora(tmp_path, environ, "run", "busy")
    listed = await iora(tmp_path, environ, "runbooks", "iora")
    assert (listed.code, listed.err) == (0, "")
    lines = [line.strip() for line in listed.out.splitlines()]
    assert lines[0].endswith("1 runbook fits now.")
    assert lines[1:4] == ["busy  Busy", lines[2], "The others:"]
    assert lines[2].startswith("CPU 96 % > 90 (agent")
    assert lines[4] == "harmless  Harmless"
    assert lines[6].startswith("RUN-1  busy on iora: running, 1 of 3 steps, at “Open” (approving)")
    facts = (await iora(tmp_path, environ, "runbooks", "--json")).json()
    assert [one["fits"] for one in facts["targets"][0]["runbooks"]] == [1, 0]


async def test_without_a_bot_only_runs_go_on_and_slack_hears_of_it_later(house, tmp_path):
    environ = prepared(house, tmp_path, BREAKER)
    declared = await iora(tmp_path, environ, "declare", "sev2", "iora", "API slow")
    assert "1 message waits for the bot" in declared.out
    due = timers(tmp_path)
    assert {"level", "collect"} <= {kind for kind, _ in due}
    ended = await iora(tmp_path, environ, "run", "breaker", "--incident", "INC-1")
    assert ended.code == 1
    assert "messages wait for the bot: it sends them when it runs." in ended.out
    left = timers(tmp_path)
    assert [one for one in left if one[0] != "run"] == due, "levels and collections wait"
    assert not house.messages()
    async with serving(house, tmp_path, environ):
        await house.until(lambda: house.keyed("run:1"), "the run's message")
        done = await iora(tmp_path, environ, "run", "RUN-1", "approve")
        assert "Open: ok" in done.out
    assert house.target.calls == [("circuit-breaker", {"state": "open"})]


def timers(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "data" / "iora.db") as database:
        return sorted(database.execute("SELECT kind, subject FROM timers"))


async def test_killed_in_the_middle_of_a_call_it_asks_a_person_and_never_calls_again_by_itself(
    house, tmp_path
):
    environ = prepared(house, tmp_path, BREAKER)
    called, hangs = asyncio.Event(), asyncio.Event()

    async def op(name: str) -> None:
        called.set()
        await hangs.wait()

    house.target.op = op
    await iora(tmp_path, environ, "run", "breaker")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run", "RUN-1", "approve"),
        cwd=tmp_path,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        await called.wait()
    process.kill()
    await process.communicate()
    hangs.set()
    house.target.op = None

    asks = await iora(tmp_path, environ, "run", "RUN-1")
    assert asks.code == 1
    assert "» Open: nobody knows whether it was done" in asks.out
    assert "the bot stopped while it was called" in asks.out
    assert "Type: iora run RUN-1 done [NOTE]  (or: repeat | skip REASON" in asks.out
    assert len(house.target.calls) == 1
    again = await iora(tmp_path, environ, "run", "RUN-1", "repeat")
    assert "Open: ok" in again.out
    assert len(house.target.calls) == 2


async def test_another_terminal_speaks_to_a_run_that_goes_on_here(house, tmp_path):
    calm = book(
        step("wait_for", "calm", that="cpu_percent < 50", hold="1s", within="5m"), name="calm"
    )
    environ = prepared(house, tmp_path, calm)
    house.target.cpu = 96.0
    first = asyncio.create_task(iora(tmp_path, environ, "run", "calm"))
    socket = tmp_path / "data" / "iora.db.sock"
    await house.until(socket.exists, "the first one's socket")
    other = await iora(tmp_path, environ, "run", "RUN-1", "cancel")
    assert other.code == 0, other.err
    ended = await first
    assert ended.code == 1
    assert "RUN-1 Calm on iora: cancelled" in ended.out
    assert not socket.exists()
