"""An agent's answer that is none of an agent says nothing of the target, and fails nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.collect.vantage import look
from bot.http import Client
from bot.model.target import Target
from bot.model.vantage import Sight
from tests.support.hostile import Host, response, saying

FOUND: dict[str, Any] = {"pid": 7, "name": "iora", "note": None}


@pytest.mark.parametrize(
    ("said", "sight"),
    [
        ({"process": {"port": 8080}, "target": FOUND}, Sight.LISTENS),
        ({"process": {"name": "iora"}, "target": FOUND}, Sight.RUNS),
        ({"process": {"port": 8080}, "target": FOUND | {"pid": float("inf")}}, Sight.UNSURE),
        ({"process": {"port": 8080}, "target": None}, Sight.UNSURE),
        ({"process": [], "target": FOUND}, Sight.UNSURE),
        ([], Sight.UNSURE),
    ],
)
async def test_what_is_no_answer_of_an_agent_is_unsure(said: object, sight: Sight) -> None:
    async with (
        Client() as client,
        Host(saying(response(json.dumps(said).encode()))).listening() as host,
    ):
        written = {
            "health": {"url": "http://127.0.0.1:8080/"},
            "agent": {"url": host.url, "token": "t"},
        }
        target = Target.model_validate_json(json.dumps(written))
        seen = await look(client, target, 0)
    assert seen is not None
    assert seen.sight is sight
