"""What an agent offers is run by its name, waited for, and its output and files are taken."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.collect import probe
from bot.http import Client
from bot.model.probe import Artifact, ProbeFailed, ProbeOffer, ProbeOutcome, ProbeRun
from bot.model.target import AgentSource
from tests.support.agents import TOKEN, Agent, agent, write
from tests.support.configs import config
from tests.support.hostile import Host, hang, reset, response, saying

MIB = 1024 * 1024
FILES = "open('small', 'w').write('s'); open('large', 'wb').write(bytes(3 * 1024 * 1024))"
FAILING = "import sys; print('half'); print('why', file=sys.stderr); sys.exit(3)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that watches nobody, and offers probes of every kind."""
    folder = tmp_path_factory.mktemp("agent")
    python = sys.executable
    probes = {
        "hello": {"argv": [python, "-c", "print('password=hunter2')"], "description": "says hello"},
        "failing": {"argv": [python, "-c", FAILING]},
        "endless": {"argv": [python, "-c", "import time; time.sleep(60)"], "timeout": "4s"},
        "waiting": {"argv": ["sh", "-c", f"while [ ! -e {folder}/gate ]; do sleep 0.02; done"]},
        "files": {"argv": [python, "-c", FILES], "artifacts": ["small", "large", "none"]},
        "stacks": {"argv": [python, "-c", "print('paused')"], "approval": True},
        "pid": {"argv": ["echo", "{pid}"]},
        "missing": {"argv": ["no-such-program"]},
        "much": {
            "argv": [python, "-c", "import sys; sys.stdout.buffer.write(b'\\xff' * 2_000_000)"],
            "output_kb": 1024,
        },
    }
    more = f"probes: {json.dumps(probes)}\n"
    with agent(write(folder, "pid_file: none.pid", more=more)) as one:
        yield one


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as pool:
        yield pool


def source(url: str, token: str = TOKEN, timeout: int = 20_000) -> AgentSource:
    written = {"url": url, "token": token, "timeout": f"{timeout}ms"}
    return AgentSource.model_validate_json(json.dumps(written))


def ran(outcome: ProbeOutcome) -> ProbeRun:
    assert isinstance(outcome, ProbeRun), outcome
    return outcome


def failed(outcome: object) -> ProbeFailed:
    assert isinstance(outcome, ProbeFailed), outcome
    return outcome


async def test_what_an_agent_offers_is_known_before_anything_runs(client: Client, running: Agent):
    offers = await probe.offered(client, source(running.url))
    assert not isinstance(offers, ProbeFailed)
    assert offers["stacks"].needs_approval
    assert offers["hello"] == ProbeOffer(
        name="hello",
        description="says hello",
        argv=(sys.executable, "-c", "print('password=[redacted]"),
        timeout=30_000,
        needs_approval=False,
    )


async def test_the_output_and_how_it_ended_come_back(client: Client, running: Agent):
    run = ran(await probe.run(client, source(running.url), "hello"))
    assert (run.probe, run.ok, run.exit_code, run.stderr) == ("hello", True, 0, "")
    assert run.stdout == "password=[redacted]\n"
    run = ran(await probe.run(client, source(running.url), "failing"))
    assert (run.ok, run.exit_code, run.stdout, run.stderr) == (False, 3, "half\n", "why\n")


async def test_a_probe_may_take_longer_than_the_agents_other_answers(
    client: Client, running: Agent
):
    impatient = source(running.url, timeout=3_000)
    run = ran(await probe.run(client, impatient, "endless"))
    assert not run.ok
    assert run.stopped == "it took over 4 s"


async def test_the_largest_output_is_taken_and_what_was_dropped_is_said(
    client: Client, running: Agent
):
    run = ran(await probe.run(client, source(running.url), "much"))
    assert len(run.stdout) == 1_024_000
    assert run.stdout_dropped == 2_000_000 - 1_024_000


async def test_files_are_taken_up_to_a_size(client: Client, running: Agent):
    run = ran(await probe.run(client, source(running.url), "files"))
    assert run.left_out == {"none": "the probe did not leave it"}
    small, large = run.artifacts
    assert small.content == b"s"
    assert await probe.artifact(client, source(running.url), small) == b"s"
    assert large.content is None
    assert await probe.artifact(client, source(running.url), large) == bytes(3 * MIB)
    too_large = failed(await probe.artifact(client, source(running.url), large, limit=MIB))
    assert too_large.kind == "too_large"
    assert "3.0 MiB, more than 1 MiB" in too_large.reason
    lied = replace(large, size=1)
    assert (
        failed(await probe.artifact(client, source(running.url), lied, limit=MIB)).kind
        == "too_large"
    )
    other = replace(large, sha256=hashlib.sha256(b"").hexdigest())
    assert failed(await probe.artifact(client, source(running.url), other)).kind == "gone"
    old = replace(large, run="0")
    assert failed(await probe.artifact(client, source(running.url), old)).kind == "gone"


async def test_the_guarded_client_lets_the_agents_own_paths_through(running: Agent):
    written = {"iora": {"health": {"url": "http://127.0.0.1:1/"}, "agent": {"url": running.url}}}
    async with Client(config(targets=written).allows) as client:
        one = source(running.url)
        run = ran(await probe.run(client, one, "files"))
        assert await probe.artifact(client, one, run.artifacts[1]) == bytes(3 * MIB)


async def test_a_probe_that_pauses_the_process_is_run_only_after_an_approval(
    client: Client, running: Agent
):
    refused = failed(await probe.run(client, source(running.url), "stacks"))
    assert refused.kind == "needs_approval"
    assert "wants an approval" in refused.reason
    run = ran(await probe.run(client, source(running.url), "stacks", approved=True))
    assert run.stdout == "paused\n"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("rm", "not_offered", "the agent offers no probe rm, but: endless, failing, "),
        ("../metrics", "not_offered", "the agent offers no probe ../metrics, but: "),
        ("pid", "no_process", "the agent says: the probe needs the watched process"),
        ("missing", "not_runnable", "the agent says: no-such-program can't be run: "),
    ],
)
async def test_what_can_not_be_run_is_said_with_the_reason(
    client: Client, running: Agent, name: str, kind: str, reason: str
):
    outcome = failed(await probe.run(client, source(running.url), name))
    assert outcome.kind == kind
    assert outcome.reason.startswith(reason)


async def test_a_second_run_is_told_who_is_busy(client: Client, running: Agent):
    first = asyncio.create_task(probe.run(client, source(running.url), "waiting"))
    gate = running.log.with_name("gate")
    try:
        async with asyncio.timeout(60):
            while not running.get("/v1/probes").json()["running"]:
                await asyncio.sleep(0.02)
        busy = failed(await probe.run(client, source(running.url), "hello"))
        assert busy.kind == "busy"
        assert "the probe waiting is running" in busy.reason
    finally:
        gate.touch()
    assert ran(await first).ok


async def test_a_wrong_token_is_told(client: Client, running: Agent):
    wrong = source(running.url, token="wrong")
    assert failed(await probe.offered(client, wrong)).kind == "unauthorized"
    assert failed(await probe.run(client, wrong, "hello")).kind == "unauthorized"


async def test_an_agent_that_is_not_there_is_told(client: Client, tmp_path: Path):
    nobody = failed(await probe.run(client, source("http://127.0.0.1:1"), "hello"))
    assert nobody.kind == "unreachable"
    assert nobody.reason == "the agent does not run there: nothing listens on 127.0.0.1:1"


OFFER = json.dumps(
    {"probes": [{"name": "hello", "description": "", "argv": ["x"], "timeout_ms": 100}]}
).encode()
RUN = {
    "probe": "hello",
    "run": "0a",
    "at": 1,
    "took_ms": 2,
    "exit_code": 0,
    "signal": None,
    "stopped": None,
    "stdout": "\x1b[2Jtoken=s3cret",
    "stderr": "",
    "stdout_dropped_bytes": 0,
    "stderr_dropped_bytes": 0,
    "artifacts": [],
    "left_out": {},
}


def file(**more: Any) -> dict[str, Any]:
    return {
        "name": "f",
        "bytes": 1,
        "sha256": "",
        "base64": None,
        "url": "http://169.254.169.254/",
    } | more


@pytest.mark.parametrize(
    "said",
    [
        [],
        {},
        RUN | {"exit_code": "0"},
        RUN | {"took_ms": None},
        RUN | {"artifacts": [file(name="../../etc/passwd")]},
        RUN | {"artifacts": [file(name="..")]},
        RUN | {"artifacts": [file()], "run": "../x"},
        RUN | {"artifacts": [file(base64="no base64!")]},
        RUN | {"left_out": []},
    ],
    ids=str,
)
async def test_an_answer_of_another_shape_is_no_run(client: Client, said: object):
    answers = saying(response(OFFER), response(json.dumps(said).encode()))
    async with Host(answers).listening() as host:
        assert failed(await probe.run(client, source(host.url), "hello")).kind == "no_agent"


async def test_an_older_agents_answer_is_taken_and_cleaned_once_more(client: Client):
    answers = saying(response(OFFER), response(json.dumps(RUN).encode()))
    async with Host(answers).listening() as host:
        run = ran(await probe.run(client, source(host.url), "hello"))
        assert run.stdout == "[2Jtoken=[redacted]"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"probes": 1}', b'{"probes": [{}]}', b"{}"])
async def test_a_service_that_is_no_agent_offers_nothing(client: Client, body: bytes):
    async with Host(saying(response(body))).listening() as host:
        outcome = failed(await probe.offered(client, source(host.url)))
    assert outcome.kind == "no_agent"
    assert "check `agent.url`" in outcome.reason


@pytest.mark.parametrize(("talk", "kind"), [(hang, "timeout"), (reset, "unreachable")])
async def test_a_run_without_an_answer_is_asked_for_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, talk: Any, kind: str
):
    monkeypatch.setattr(probe, "MARGIN_MS", 100)

    async def once(head: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET"):
            writer.write(response(OFFER))
        else:
            await talk(head, writer)

    async with Host(once).listening() as host:
        one = source(host.url, timeout=200)
        assert failed(await probe.run(client, one, "hello")).kind == kind
        assert len([head for head in host.requests if head.startswith(b"POST")]) == 1


async def test_a_download_goes_to_the_agent_whatever_it_says(client: Client):
    body = b"content"
    async with Host(saying(response(body))).listening() as host:
        one = Artifact(
            run="0a", name="f", size=7, sha256=hashlib.sha256(body).hexdigest(), content=None
        )
        assert await probe.artifact(client, source(host.url), one) == body
        assert host.requests[0].startswith(b"GET /v1/artifacts/0a/f HTTP")
