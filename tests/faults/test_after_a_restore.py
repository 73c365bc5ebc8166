"""A backup is put in place of a database that went on: nothing that was sent since is sent again."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.store.copying import copy
from bot.store.restoring import NUMBERS_BETWEEN, put_in_place
from tests.support.delivered import arrived, escalating, settle
from tests.support.house import ALICE, BOB, House, config_for, living, standing
from tests.support.scale import scaled, told

NUMBER = scaled(4, 40)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LADDER = escalating(("0s", ["channel"]), ("5m", [f"user:{ALICE}"]), every="24h")


async def declare(house: House, title: str) -> str:
    said = await house.slash(BOB, f"declare sev2 {title}")
    assert said.ok
    assert said.message is not None
    return str(said.message.text)


@pytest.mark.parametrize("days", [0, 3])
async def test_what_went_out_since_the_backup_is_found_and_not_sent_again(tmp_path, days):
    """Also where the backup is days old, and where the bot is started some time after the restore."""
    database, backup = tmp_path / "iora.db", tmp_path / "backup.db"
    async with standing(tmp_path) as house:
        config = config_for(house.target, escalation=LADDER)
        config = config.model_copy(
            update={"targets": {**config.targets, "other": config.targets["iora"]}}
        )
        async with living(house, config, digest_over=1_000):
            for number in range(NUMBER):
                await declare(house, f"Trouble {number}")
            await settle(house, *(f"card:{number + 1}" for number in range(NUMBER)))
            copy(database, backup)
            house.advance(300_001)
            await settle(house, *(f"ping:{number + 1}:3:{ALICE}" for number in range(NUMBER)))
            assert "INC-" in await declare(house, "lost by the restore")
            await settle(house, f"card:{NUMBER + 1}")
        sent = len(house.pings(ALICE))
        assert sent == NUMBER
        house.clock.move(days * DAY_MS)
        put_in_place(backup, database, house.clock.now())
        house.clock.move(days * HOUR_MS)
        async with living(house, config, digest_over=1_000):
            await settle(house, *(f"ping:{number + 1}:3:{ALICE}" for number in range(NUMBER)))
            words = await declare(house, "after it")
            fresh = NUMBER + NUMBERS_BETWEEN + 1
            assert f"INC-{fresh}" in words
            await settle(house, f"card:{fresh}")
            counts: Counter[str] = arrived(house)
        twice = [key for key, count in counts.items() if count > 1]
        assert twice == []
        assert len(house.pings(ALICE)) == sent
        told(
            "restore",
            f"{days} days old, {NUMBER} pings sent since the backup: all found by their look-up, 0 sent again, "
            f"{sum(counts.values())} messages in all; the next incident is INC-{fresh}",
        )
