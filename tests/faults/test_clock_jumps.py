"""The wall clock is set by an hour while the bot runs: nothing early, nothing late."""

from __future__ import annotations

import time

import pytest

from tests.support.delivered import escalating
from tests.support.house import ALICE, BOB, config_for, standing
from tests.support.mortal import Books, mortal
from tests.support.scale import scaled, told

LEVELS = escalating(("0s", ["channel"]), ("4s", [f"user:{ALICE}"]), every="1h")
NUMBER = scaled(3, 30)


@pytest.mark.parametrize("jump_s", [3_600, -3_600], ids=["forward", "back"])
async def test_an_hour_forward_or_back_moves_no_level_and_is_logged(tmp_path, jump_s):
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=LEVELS)
        config = config.model_copy(
            update={"targets": {**config.targets, "other": config.targets["iora"]}}
        )
        async with mortal(house, config, wall_jump_s=jump_s, digest_over=1_000) as bot:
            await bot.connected()
            due: list[float] = []
            for number in range(NUMBER):
                due.append(time.monotonic() + 4)  # or a little later: when it was declared
                assert (await house.slash(BOB, f"declare sev2 Trouble {number}")).ok
            bot.set_the_wall_clock()
            arrived: list[float] = []
            while len(arrived) < NUMBER:
                known = len(arrived)
                await house.until(lambda n=known: len(house.pings(ALICE)) > n, "a level")
                now = time.monotonic()
                arrived += [now] * (len(house.pings(ALICE)) - len(arrived))
            late = [at - wanted for at, wanted in zip(arrived, due, strict=True)]
            await house.until(lambda: not Books(house).waiting(), "the rest")
            await bot.end()
            log = (tmp_path / "commits.log").read_text()
            told(
                "clock jump",
                f"{jump_s:+d} s with {NUMBER} levels to come: from {min(late):+.2f} s to "
                f"{max(late):+.2f} s of when each was due, {len(house.pings(ALICE))} pings",
            )
            assert min(late) > -0.1, "early"
            assert max(late) < scaled(60, 5), "late"
            assert len(house.pings(ALICE)) == NUMBER, "no repeat an hour early"
            assert "the wall clock was set" in log
