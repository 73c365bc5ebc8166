"""What `iora local` offers to runbooks works: its actions change the sample, its probes run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.local_agent import agent_yaml
from bot.collect import probe
from bot.files.config import load_config
from bot.files.document import load_text
from bot.http import Client
from bot.model.action import Done
from bot.model.agent import AgentConfig
from bot.model.probe import ProbeFailed, ProbeRun
from bot.send import action
from tests.support.agents import TOKEN, agent
from tests.support.programs import Sample, ask, sample

LOCAL = Path(__file__).parents[2] / "bot/cli/local.yaml"


async def test_every_action_changes_the_sample_and_its_undo_takes_it_back(tmp_path: Path):
    with sample(tmp_path) as service:
        environ = {"SAMPLE_URL": service.url, "AGENT_URL": "http://127.0.0.1:1"}
        config = load_config(LOCAL, environ | {"IORA_AGENT_TOKEN": TOKEN, "USER_LOGIN": "me"})
        target, before = config.targets["iora"], state(service)
        async with Client(config.allows) as client:
            for name in ("circuit_breaker_open", "scale_out", "degraded_mode_on"):
                undo = target.actions[name].undo
                assert undo is not None
                done = await action.call(client, target, name)
                assert isinstance(done, Done)
                assert state(service) != before, done
                assert isinstance(await action.call(client, target, undo), Done)
                assert state(service) == before


def state(service: Sample) -> list[object]:
    paths = ("circuit-breaker", "scale", "degraded-mode")
    return [ask(f"{service.url}/api/ops/{path}").json() for path in paths]


async def test_the_probes_of_the_agent_run_on_this_machine(tmp_path: Path):
    file = tmp_path / "agent.yaml"
    file.write_text(agent_yaml())
    with sample(tmp_path), agent(file) as running:
        (tmp_path / "iora.log").touch()
        config = load_config(
            LOCAL,
            {
                "SAMPLE_URL": "http://127.0.0.1:1",
                "AGENT_URL": running.url,
                "IORA_AGENT_TOKEN": TOKEN,
                "USER_LOGIN": "me",
            },
        )
        source = config.targets["iora"].agent
        assert source is not None
        async with Client(config.allows) as client:
            offers = await probe.offered(client, source)
            assert not isinstance(offers, ProbeFailed)
            for name, offer in offers.items():
                run = await probe.run(client, source, name, approved=offer.needs_approval)
                assert isinstance(run, ProbeRun), run
                assert run.ok or name in {"eu-stack", "ping", "traceroute"}, run


def test_a_probe_is_offered_where_its_program_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert load_text(agent_yaml(), "agent.yaml", AgentConfig, {}).probes == {}
    for program in ("uptime", "eu-stack"):
        (tmp_path / program).touch(0o755)
    probes = load_text(agent_yaml(), "agent.yaml", AgentConfig, {}).probes
    assert {name: one.approval for name, one in probes.items()} == {
        "uptime": False,
        "eu-stack": True,
    }
