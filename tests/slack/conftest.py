from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.house import House, config_for, living, standing
from tests.support.valid import everything_is_valid

__all__ = ["everything_is_valid"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The workspace, one target, and the bot, connected by Socket Mode."""
    async with standing(tmp_path) as built, living(built, config_for(built.target)) as bot:
        # What a test changes afterwards is not answered by the poll that was under way.
        await built.until(lambda: bot.monitoring._shown, "the first poll")
        yield built
