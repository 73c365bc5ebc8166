"""A fault in the bot itself spoils one target's answer, or one report, and nothing else."""

from __future__ import annotations

from bot.collect import health
from bot.model.reading import Verdict
from tests.support.house import BOB, config_for, living, standing, text_of


async def broken(*_: object, **__: object) -> None:
    raise RuntimeError("a fault of ours")


async def test_a_measurement_that_fails_in_the_bot_is_unknown(tmp_path, monkeypatch):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        await bot.monitoring.refresh(("iora",), 5_000)  # the first poll is over
        monkeypatch.setattr(health, "check", broken)
        (found,) = await bot.monitoring.refresh(("iora",), 5_000)
        assert (found.verdict, found.late) == (Verdict.UNKNOWN, False)
        assert found.reason == "the bot failed at reading it: see its log"


async def test_evidence_that_fails_again_and_again_is_given_up_aloud(tmp_path, monkeypatch):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        monkeypatch.setattr(bot.diagnosis, "report", broken)
        await house.slash(BOB, "declare sev3 API slow")

        async def told() -> str:
            return text_of((await house.slash(BOB, "timeline INC-1")).message)

        for _ in range(200):
            if "could not be collected" in await told():
                break
            house.advance(31_000)
        assert "could not be collected" in await told()
