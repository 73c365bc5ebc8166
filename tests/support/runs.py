"""Runbooks for tests, as people write them, and a target that offers actions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.files.runbooks import load_books
from bot.model.book import Book, Books
from bot.model.config import Config
from bot.model.runbook import Runbook
from tests.support.house import FakeTarget, config_for

ACTIONS = {
    "circuit_breaker_open": ("circuit-breaker", {"state": "open"}, "circuit_breaker_close"),
    "circuit_breaker_close": ("circuit-breaker", {"state": "closed"}, None),
    "scale_out": ("scale", {"instances": 4}, "scale_in"),
    "scale_in": ("scale", {"instances": 2}, None),
}


def config_with_actions(target: FakeTarget, **changes: Any) -> Config:
    """The house's config; its target offers a breaker and scaling, recorded in ``target.calls``."""
    written = json.loads(config_for(target).model_dump_json(by_alias=True, exclude_defaults=True))
    written["targets"]["iora"]["actions"] = {
        name: {"url": f"{target.url}/api/ops/{path}", "json": body, "timeout": "2s"}
        | ({"undo": undo} if undo else {})
        for name, (path, body, undo) in ACTIONS.items()
    }
    return Config.model_validate_json(json.dumps(written | changes))


def books(folder: Path, *written: Mapping[str, Any]) -> Books:
    """The runbooks, written into a folder and read from there."""
    folder.mkdir(exist_ok=True)
    for one in written:
        (folder / f"{one['id']}.yaml").write_text(yaml.safe_dump(dict(one), sort_keys=False))
    return load_books(folder)


def book(*steps: Mapping[str, Any], name: str = "breaker", **more: Any) -> dict[str, Any]:
    """A runbook of these steps; what a step fails at doesn't stop it."""
    return {
        "schema": "runbook/v1",
        "id": name,
        "title": name.capitalize(),
        "version": 1,
        "inputs": {"target": {"type": "target"}},
        "defaults": {"on_failure": "continue"},
        "steps": list(steps),
    } | more


def read(source: str) -> Book:
    """A runbook that is written as JSON, as it is when it was read from a file."""
    runbook = Runbook.model_validate_json(source)
    digest = hashlib.sha256(source.encode()).hexdigest()
    return Book(runbook, source, digest, f"runbooks/{runbook.id}.yaml")


def step(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """A step of a kind; its title is its id."""
    return {"id": name, "title": name.capitalize(), "kind": kind, **more}
