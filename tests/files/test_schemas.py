"""The JSON Schemas that editors read: what is shipped is valid, and what is commonly mistaken is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.files.schema import SCHEMAS, schema_json
from bot.files.secret import Secrets
from bot.files.tree import parse
from bot.model.step import KINDS

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "config.yaml": "config",
    "bot/cli/local.yaml": "config",
    "agent.yaml": "agent",
    **{str(path.relative_to(ROOT)): "runbook" for path in (ROOT / "runbooks").glob("*.yaml")},
}

CONFIG = """\
version: 1
targets:
  iora:
    poll: 30s
    health: {url: "http://127.0.0.1:8080/health", status: status}
    agent: {url: "${IORA_AGENT}", token: "${TOKEN}"}
    metrics: [{url: "http://127.0.0.1:8080/metrics", values: {overall_score: overall_score}}]
escalation:
  default: page
  policies: {page: {levels: [{after: 5m, notify: ["user:U01ALICE"]}]}}
roles: {commander: [U01ALICE, "cli:alice"]}
"""
RUNBOOK = """\
schema: runbook/v1
id: slow
title: Slow
version: 1
triggers: {incident.opened: cpu_percent > 90}
inputs: {hold: {type: duration, default: 5m}}
steps:
  - {id: look, title: Look, kind: check, retry: {attempts: 2}}
  - {id: open, title: Open, kind: action, action: breaker_open, undo: breaker_close}
  - {id: watch, title: Watch, kind: wait_for, that: cpu_percent < 70, hold: inputs.hold, within: 20m}
  - {id: decide, title: Decide, kind: checklist, items: [{text: Decide}]}
"""
AGENT = """\
listen: 127.0.0.1:9108
process: {port: 8080}
probes: {uptime: {argv: [uptime], timeout: 5s}}
"""
GOOD = {"config": CONFIG, "runbook": RUNBOOK, "agent": AGENT}

MISTAKES = {
    "an unknown key": ("runbook", "title: Slow", "titel: Slow"),
    "an unknown key of a step": ("runbook", "retry:", "retries:"),
    "a key of another kind of step": ("runbook", "action: breaker_open", "probe: breaker_open"),
    "an action that is tried again": ("runbook", "undo: breaker_close", "retry: {attempts: 2}"),
    "a kind that doesn't exist": ("runbook", "kind: check,", "kind: chek,"),
    "a step without a kind": ("runbook", "kind: check, ", ""),
    "an id with a capital": ("runbook", "id: look", "id: Look"),
    "a duration without a unit": ("runbook", "within: 20m", "within: 20"),
    "a duration in words": ("runbook", "within: 20m", "within: soon"),
    "another version of the format": ("runbook", "runbook/v1", "runbook/v2"),
    "an empty checklist": ("runbook", "[{text: Decide}]", "[]"),
    "an input of no type": ("runbook", "type: duration", "type: time"),
    "a name of an input that can't be": ("runbook", "{hold: {", "{Hold: {"),
    "an unknown key of the config": ("config", "version: 1", "version: 1\nchannel: incidents"),
    "a target without a health URL": ("config", "url: \"http://127.0.0.1:8080/health\", ", ""),
    "a poll that is a number": ("config", "poll: 30s", "poll: 30"),
    "a URL without http": ("config", '"http://127.0.0.1:8080/health"', "127.0.0.1:8080/health"),
    "a role that doesn't exist": ("config", "commander:", "comander:"),
    "a name in a member id's place": ("config", "[U01ALICE, ", "[alice, "),
    "a destination of no kind": ("config", "user:U01ALICE", "alice"),
    "a probe that is a line": ("agent", "[uptime]", "uptime"),
}  # fmt: skip


def errors(name: str, text: str) -> list[str]:
    validator = Draft202012Validator(json.loads(schema_json(name)))
    tree = parse(text, None, Secrets())
    assert not tree.faults
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(tree.data)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_draft_2020_12(name: str) -> None:
    schema = json.loads(schema_json(name))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("path", "name"), SHIPPED.items())
def test_what_is_shipped_is_valid(path: str, name: str) -> None:
    assert errors(name, (ROOT / path).read_text()) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_short_file_is_valid(name: str) -> None:
    assert errors(name, GOOD[name]) == []


@pytest.mark.parametrize(("name", "old", "new"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_common_mistake_is_not(name: str, old: str, new: str) -> None:
    assert old in GOOD[name]
    assert errors(name, GOOD[name].replace(old, new, 1)) != []


def test_every_kind_of_step_is_completed_and_says_what_it_does() -> None:
    schema = json.loads(schema_json("runbook"))
    union = schema["properties"]["steps"]["items"]
    assert tuple(sorted(union["discriminator"]["mapping"])) == tuple(sorted(KINDS))
    for reference in union["discriminator"]["mapping"].values():
        assert schema["$defs"][reference.rpartition("/")[2]]["description"]


def test_defaults_are_shown_as_people_write_them() -> None:
    schema = json.loads(schema_json("runbook"))
    assert schema["properties"]["run_timeout"]["default"] == "4h"
    wait = schema["$defs"]["WaitStep"]["properties"]
    assert (wait["hold"]["default"], wait["within"]["default"]) == ("0ms", "15m")
    numbers: list[Any] = [
        part["default"]
        for record in schema["$defs"].values()
        for part in record.get("properties", {}).values()
        if isinstance(part.get("default"), int) and not isinstance(part["default"], bool)
    ]
    assert numbers == [1], "only approval.min is a number"


def test_a_condition_is_a_text_with_an_example() -> None:
    that = json.loads(schema_json("runbook"))["$defs"]["WaitStep"]["properties"]["that"]
    assert (that["type"], that["examples"]) == ("string", ["cpu_percent > 90"])
