"""Regressions from end to end: learned in Slack, told once, edited when over; after a kill too."""

from __future__ import annotations

import pytest

from bot.services import regression
from tests.support.house import ALICE, MALLORY, House, config_for, living, standing, text_of
from tests.support.measured import measured
from tests.support.mortal import Books, mortal

HOUR, MINUTE = 3_600_000, 60_000
METRIC = "response_time_p95_ms"
LATER_MS = 14_000
"""A look-up waits 13 s after a send began; the restart comes after that."""


def values(around: float) -> list[float]:
    return [around * factor for factor in (0.97, 1.03, 1.0, 0.98, 1.02, 1.0)] * 2


def this_hour(house: House) -> int:
    return house.clock.now() // HOUR * HOUR


def told(house: House) -> list[str]:
    found = (text_of(message) for message in house.messages())
    return [text for text in found if "egression o" in text]


async def test_a_learned_baseline_from_the_word_to_the_message_and_to_its_end(tmp_path):
    async with standing(tmp_path) as house:
        house.clock.move(HOUR - house.clock.now() % HOUR + 10 * MINUTE)
        async with living(house, config_for(house.target)) as bot:
            begin = this_hour(house)
            usual = {begin - at * HOUR: values(100) for at in range(1, 24)}
            await measured(bot.database, "iora", METRIC, usual)
            refused = await house.slash(MALLORY, "baseline learn iora")
            assert "You may not say what is usual" in text_of(refused.message)
            learned = await house.slash(ALICE, "baseline learn iora")
            assert "P95: 23 hours of the day, means 100 to 100 ms" in text_of(learned.message)

            slow = {begin + at * HOUR: values(140) for at in range(6)}
            await measured(bot.database, "iora", METRIC, slow)
            house.advance(6 * HOUR)
            message = await house.until(lambda: house.keyed("regression:1"), "the message")
            assert "Regression on iora: P95 is 40 % worse than usual (severe)" in text_of(message)
            await house.slash(ALICE, "baseline iora")
            await house.until(
                lambda: any(
                    "by the learned baseline" in text_of(one) and "Learned by" in text_of(one)
                    for one in house.whispers(ALICE)
                ),
                "what was learned, beside the bounds",
            )

            again = {begin + at * HOUR: values(100) for at in range(6, 9)}
            await measured(bot.database, "iora", METRIC, again)
            house.advance(3 * HOUR)
            await house.until(
                lambda: "Over: the regression of P95" in text_of(house.keyed("regression:1")),
                "its end, in the same message",
            )
            assert len(told(house)) == 1
            assert not house.slack.rejections


@pytest.mark.parametrize(
    "moment",
    [
        "SELECT 1 FROM regressions",
        "SELECT 1 FROM outbox WHERE kind = 'regression' AND state = 'sending'",
        "SELECT 1 FROM outbox WHERE kind = 'regression' AND state = 'sent'",
    ],
    ids=["found", "sending", "sent"],
)
async def test_a_kill_at_any_moment_leaves_one_regression_and_one_message(tmp_path, moment):
    async with standing(tmp_path) as house:
        config = config_for(house.target)
        async with living(house, config) as bot:
            slow = {this_hour(house) - at * HOUR: values(600) for at in range(1, 12)}
            await measured(bot.database, "iora", METRIC, slow)
        house.clock.move(regression.EVERY_MS + MINUTE)
        async with mortal(house, config, die_when=moment) as bot:
            await house.until(lambda: bot.dead, "its death")
        house.clock.move(LATER_MS)
        async with mortal(house, config):
            books = Books(house)
            await house.until(lambda: told(house) and not books.waiting(), "all is delivered")
        house.clock.move(2 * regression.EVERY_MS)
        async with mortal(house, config) as bot:
            await bot.connected()
            looked = "SELECT COUNT(*) FROM timers WHERE kind = 'regression' AND due_at > {}"
            await house.until(
                lambda: books.number(looked.format(house.clock.now())) and not books.waiting(),
                "another look",
            )
        assert len(told(house)) == 1, books.show()
        assert books.number("SELECT COUNT(*) FROM regressions") == 1
