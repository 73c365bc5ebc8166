"""At a declare the bot offers the runbook that fits best, and starts what the incident triggers."""

from bot.model.actor import Actor
from bot.model.command import Runbooks
from bot.services.incidents import Asked
from tests.support.house import ALICE, living, standing, text_of
from tests.support.runs import book, books, config_with_actions, step

LOOK = step("check", "look", of="health")
CPU = book(LOOK, name="high-cpu", triggers={"symptoms": ["cpu_percent > 70", "cpu_percent > 90"]})
MEMORY = book(LOOK, name="high-memory", triggers={"symptoms": ["memory_mb >= 256"]})
BOTH = book(LOOK, name="both", triggers={"symptoms": ["cpu_percent > 70 and memory_mb > 100"]})
SLOW = book(LOOK, name="slow", triggers={"symptoms": ["response_time_p95_ms >= 500"]})
WORST = book(LOOK, name="worst", triggers={"incident.opened": "incident.severity == sev1"})
TRIAL = book(LOOK, name="trial", trial=True, triggers={"incident.opened": "cpu_percent > 1"})


async def test_the_one_with_the_most_symptoms_is_offered_with_the_readings_that_say_so(tmp_path):
    """One symptom that names two readings is one symptom."""
    known = books(tmp_path / "runbooks", BOTH, CPU, MEMORY, SLOW)
    async with standing(tmp_path) as house:
        house.target.cpu, house.target.memory = 96.0, 400.0
        async with living(house, config_with_actions(house.target), books=known):
            await house.slash(ALICE, "declare sev2 iora API slow")
            offered = (await house.until_entry(1, "offered")).facts
            assert offered["runbook"] == "high-cpu"
            assert offered["target"] == "iora"
            assert offered["because"][0].startswith("CPU 96 % > 70")


async def test_the_card_offers_it_until_somebody_runs_it_and_then_shows_the_run(tmp_path):
    known = books(tmp_path / "runbooks", CPU)
    async with standing(tmp_path) as house:
        house.target.cpu = 96.0
        async with living(house, config_with_actions(house.target), books=known):
            await house.slash(ALICE, "declare sev2 iora API slow")
            await house.until_entry(1, "offered")
            await house.until(lambda: "High-cpu fits: CPU 96 %" in text_of(house.card()))
            await house.press(ALICE, house.card(), "iora:runbook:start")
            await house.until(lambda: "*RUN-1* High-cpu: done" in text_of(house.card()))
            assert "fits" not in text_of(house.card())


async def test_nothing_is_offered_where_nothing_fits(tmp_path):
    known = books(tmp_path / "runbooks", CPU, MEMORY, SLOW)
    async with (
        standing(tmp_path) as house,
        living(house, config_with_actions(house.target), books=known),
    ):
        await house.slash(ALICE, "declare sev2 iora API slow")
        await house.until_entry(1, "evidence")
        assert not await house.entries(1, "offered")


async def test_an_incident_starts_what_it_triggers_by_itself_once_and_only_then(tmp_path):
    known = books(tmp_path / "runbooks", WORST, TRIAL)
    async with (
        standing(tmp_path) as house,
        living(house, config_with_actions(house.target), books=known),
    ):
        await house.slash(ALICE, "declare sev1 iora Down")
        started = await house.until_entry(1, "run")
        assert started.actor == "bot"
        assert started.facts["runbook"] == "worst"
        await house.until(lambda: house.keyed("run:1"), "the run's message")

        await house.slash(ALICE, "declare sev3 iora A bit slow")
        await house.until_entry(2, "evidence")
        assert not await house.entries(2, "run")


async def test_the_list_ranks_by_what_the_target_reads_now(tmp_path):
    known = books(tmp_path / "runbooks", CPU, MEMORY, SLOW)
    async with standing(tmp_path) as house:
        house.target.memory = 400.0
        async with living(house, config_with_actions(house.target), books=known) as bot:
            given = await bot.commands.carry_out(Runbooks(), Asked(Actor.login("alice")))
            (target,) = given.facts["targets"]
            assert [one["runbook"] for one in target["runbooks"]] == [
                "high-memory", "high-cpu", "slow",
            ]  # fmt: skip
            assert target["runbooks"][0]["because"][0].startswith("memory 400 MB >= 256")
            assert target["runbooks"][2]["unknown"] == 1
