"""A report's files arrive once, however a step of the upload fails, and over a restart."""

from __future__ import annotations

import pytest

from bot.send import client
from bot.workspace import faults
from tests.support.delivered import arrived, nothing_lost_or_twice, outbox_of, settle
from tests.support.house import ALICE, House, config_for, living, standing
from tests.support.reports import example

KINDS = {
    "429": faults.rate_limited(1),
    "500 before the effect": faults.error_before,
    "500 after the effect": faults.error_after,
    "a hang before the effect": faults.hang_before,
    "a hang after the effect": faults.hang_after,
    "a reset before the effect": faults.reset_before,
    "a reset after the effect": faults.reset_after,
    "an error inside Slack": faults.api_error("internal_error"),
}
STEPS = ("files.getUploadURLExternal", "files.completeUploadExternal")


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging call is given up after half a second instead of ten."""
    monkeypatch.setattr(client, "TIME_LIMIT_S", 0.5)


@pytest.fixture
async def house(tmp_path):
    async with standing(tmp_path) as built:
        built.target.parts = example()
        yield built


async def files(house: House) -> list[str]:
    """The keys of the files that should be there."""
    return [row.key for row in await outbox_of(house) if row.kind == "file"]


async def both(house: House) -> list[str]:
    """Until both files are wanted."""
    found: list[str] = []
    await house.until(lambda: [m for m in house.messages() if "iora is" in m.text], "the result")
    while len(found) < 2:
        found = await files(house)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_fails_loses_nothing_and_doubles_nothing(house, step, kind):
    async with living(house, config_for(house.target)):
        house.slack.faults.add(step, KINDS[kind])
        assert (await house.slash(ALICE, "diagnose iora")).ok
        await settle(house, *await both(house))
        await nothing_lost_or_twice(house)


async def test_one_that_was_being_shared_when_the_bot_stopped_is_looked_up(house):
    async with living(house, config_for(house.target)):
        house.slack.faults.add("files.completeUploadExternal", faults.hang_after)
        assert (await house.slash(ALICE, "diagnose iora")).ok
        (first, second) = await both(house)
        await house.slack.faults.wait_hanging(1)
        house.slack.faults.release()
    async with living(house, config_for(house.target)):
        await settle(house, first, second)
        assert (arrived(house)[first], arrived(house)[second]) == (1, 1)


async def test_an_app_that_may_not_share_files_says_it_as_text(house):
    async with living(house, config_for(house.target)):
        house.slack.faults.add(STEPS[0], faults.api_error("missing_scope"), 2)
        assert (await house.slash(ALICE, "diagnose iora")).ok
        await settle(house, *await both(house))
        texts = [row for row in await outbox_of(house) if row.kind == "report_text"]
        assert len(texts) == 1
        await nothing_lost_or_twice(house, texts[0].key)
