"""One fault at a time, in every third call: nothing is lost and nothing comes twice."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from bot.send import client
from bot.workspace import faults
from bot.workspace.faults import Fault
from tests.support.delivered import TELL_ALICE, arrived, nothing_lost_or_twice, settle
from tests.support.house import BOB, config_for, living, standing
from tests.support.scale import lot, scaled, told

NUMBER = scaled(8, 60)
RATE = 1 / 3
FAULTS: dict[str, Fault] = {
    "429": faults.rate_limited(2),
    "hang before": faults.hang_before,
    "hang after": faults.hang_after,
    "reset before": faults.reset_before,
    "reset after": faults.reset_after,
    "500 before": faults.error_before,
    "500 after": faults.error_after,
}
STRUCK = {"chat.postMessage", "chat.update", "conversations.open", "conversations.history",
          "conversations.replies"}  # fmt: skip


class Often:
    """Lets a third of the calls of some methods fail in one way; it leaves the rest alone."""

    def __init__(self, chance: random.Random, fault: Fault) -> None:
        self._chance = chance
        self._fault = fault
        self.struck = self.calls = 0

    def take(self, method: str) -> Fault | None:
        if method not in STRUCK:
            return None
        self.calls += 1
        if self._chance.random() >= RATE:
            return None
        self.struck += 1
        return self._fault


@pytest.mark.parametrize("name", FAULTS)
async def test_a_third_of_the_calls_fail_in_one_way(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    often = Often(lot(name), FAULTS[name])
    began = time.monotonic()
    monkeypatch.setattr(client, "TIME_LIMIT_S", 0.5)
    async with standing(tmp_path) as house:
        monkeypatch.setattr(house.slack.faults, "take", often.take)
        config = config_for(house.target, escalation=TELL_ALICE)
        config = config.model_copy(
            update={"targets": {**config.targets, "other": config.targets["iora"]}}
        )
        async with living(house, config, digest_over=1_000) as bot:
            bot._slack._time_limit_s = 0.5
            for number in range(NUMBER):
                assert (await house.slash(BOB, f"declare sev2 Trouble {number}")).ok
            await settle(house, *(f"card:{number + 1}" for number in range(NUMBER)))
            await nothing_lost_or_twice(house)
            repeats = sum("possible repeat" in one.text for one in house.pings("U01ALICE"))
            told(
                f"fault {name}",
                f"{NUMBER} incidents, {sum(arrived(house).values())} messages, {often.calls} calls,"
                f" {often.struck} failed: 0 lost, 0 twice, {repeats} marked as a possible repeat,"
                f" {time.monotonic() - began:.0f} s",
            )
