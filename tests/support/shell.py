"""A folder in which `iora run` works: a config with actions, runbooks, and roles for this login."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.house import House
from tests.support.running import CONFIG, settings
from tests.support.runs import ACTIONS, book, step

LOGIN = getpass.getuser()
ME = f"cli:{LOGIN}"

BREAKER = book(
    step("check", "look", of="health"),
    step(
        "action",
        "open",
        action="circuit_breaker_open",
        text="Cuts off what is slow.",
        approval={"roles": ["commander"]},
    ),
    step("checklist", "tick", items=[{"text": "Look at the graphs"}, {"text": "Say it"}]),
)
HARMLESS = book(step("check", "look", of="health"), name="harmless")


def prepared(
    house: House, folder: Path, *runbooks: Mapping[str, Any], role: str = "commander"
) -> dict[str, str]:
    """The environment of a command there; this login has the role, or none where it is empty."""
    written(folder, house.target.url, *runbooks, role=role)
    return settings(house, folder)


def written(folder: Path, url: str, *runbooks: Mapping[str, Any], role: str = "commander") -> None:
    """The files, with a target at this URL."""
    config = yaml.safe_load(CONFIG.replace("URL", url))
    config["targets"]["iora"]["actions"] = {
        name: {"url": f"{url}/api/ops/{path}", "json": body, "timeout": "20s"}
        | ({"undo": undo} if undo else {})
        for name, (path, body, undo) in ACTIONS.items()
    }
    if role:
        config["roles"][role].append(ME)
    (folder / "runbooks").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for one in runbooks:
        (folder / "runbooks" / f"{one['id']}.yaml").write_text(
            yaml.safe_dump(dict(one), sort_keys=False)
        )
