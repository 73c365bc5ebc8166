"""Jobs that must report: missed, heard again, and what the bot's own absence does to them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from bot.model.alert import Alert
from bot.model.incident import Incident
from bot.model.intake import Job
from bot.render.entry import sentence
from bot.rules.job import Awaited, after_absence, due_at
from bot.services import alerting, intake, intake_doctor, jobs
from bot.store import incidents, timers
from bot.store import jobs as stored
from bot.store.database import Database, Tx
from tests.support.alerts import INTAKE
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.store import clock, database

__all__ = ["clock", "database"]
MINUTE, HOUR = 60_000, 3_600_000
NIGHTLY = "nightly-backup"
KINDS = (jobs.KIND, jobs.ALIVE, intake.KIND)


class Watch:
    """The timers of jobs and alerts, fired on time."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.config = config(intake=INTAKE)

    async def start(self) -> None:
        await self.database.write(jobs.schedule, self.config)

    async def report(self, name: str = NIGHTLY) -> None:
        await self.database.write(jobs.report, self.config, name)

    async def go_on(self, milliseconds: int) -> None:
        end = self.clock.now() + milliseconds
        while (due := await self.database.read(_next)) is not None and due <= end:
            self.clock.advance(max(0, due - self.clock.now()))
            for timer in await self.database.write(_claim):
                if timer.kind == jobs.ALIVE:  # one a day is enough for a test
                    await self.database.write(jobs.live_on, timer)
                    await self.database.write(
                        timers.arm, jobs.ALIVE, "", self.clock.now() + 20 * MINUTE
                    )
                elif timer.kind == jobs.KIND:
                    await self.database.write(jobs.miss, timer, self.config)
                else:
                    await self.database.write(alerting.settle, timer, self.config)
        self.clock.advance(end - self.clock.now())

    def is_away(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)

    async def live(self) -> Sequence[Incident]:
        return await self.database.read(incidents.live, 100)

    async def said(self, number: int = 1) -> list[str]:
        entries = await self.database.read(incidents.timeline, number, ("alerts",))
        return [entry.facts["what"] for entry in entries]

    async def words(self) -> list[str]:
        entries = await self.database.read(incidents.timeline, 1, ("alerts",))
        return [sentence(entry) for entry in entries]


def _next(tx: Tx) -> int | None:
    found = [due for kind in KINDS if (due := timers.next_due(tx, kind)) is not None]
    return min(found, default=None)


def _claim(tx: Tx) -> Any:
    return [timer for kind in KINDS for timer in timers.claim(tx, 100, kind)]


@pytest.fixture
async def watch(database: Database, clock: ManualClock) -> Watch:
    made = Watch(database, clock)
    await made.start()
    return made


async def test_one_that_reports_in_time_is_never_missed(watch: Watch) -> None:
    for _ in range(5):
        await watch.go_on(24 * HOUR + 50 * MINUTE)
        await watch.report()
    assert await watch.live() == []


async def test_one_that_stays_away_is_an_incident_after_its_grace(watch: Watch) -> None:
    await watch.report()
    await watch.go_on(25 * HOUR - 1)
    assert await watch.live() == []
    await watch.go_on(MINUTE)
    (incident,) = await watch.live()
    assert incident.title == "iora: nightly-backup has not reported"
    assert incident.targets == ("iora",)
    (declared,) = await watch.database.read(incidents.timeline, 1, ("declared",))
    assert declared.facts["because"][1] == "expected every 24 h, last heard 25 h ago"


async def test_one_that_never_reported_is_missed_from_when_the_config_named_it(
    watch: Watch,
) -> None:
    await watch.go_on(25 * HOUR + MINUTE)
    (incident,) = await watch.live()
    (declared,) = await watch.database.read(incidents.timeline, 1, ("declared",))
    assert declared.facts["because"][1].endswith("never heard so far")
    assert incident.declared_by == "bot"


async def test_coming_again_clears_it(watch: Watch) -> None:
    await watch.go_on(25 * HOUR + MINUTE)
    await watch.report()
    await watch.go_on(MINUTE)
    assert await watch.said() == ["cleared"]
    await watch.go_on(24 * HOUR)
    assert await watch.said() == ["cleared"], "it is awaited anew from then on"


async def test_what_reports_once_a_quarter_is_missed_until_it_comes(watch: Watch) -> None:
    told = copy.deepcopy(INTAKE)
    told["heartbeats"][NIGHTLY]["every"] = "90d"
    watch.config = config(intake=told)
    await watch.start()
    watch.clock.advance(90 * 24 * HOUR)
    await watch.go_on(2 * HOUR)
    assert len(await watch.live()) == 1
    watch.clock.advance(31 * 24 * HOUR)
    await watch.go_on(HOUR)
    assert await watch.said() == []
    await watch.report()
    await watch.go_on(HOUR)
    assert await watch.said() == ["cleared"]


async def test_a_job_of_which_the_config_says_nothing_any_more_is_not_missed(watch: Watch) -> None:
    watch.config = config()
    await watch.start()
    await watch.go_on(48 * HOUR)
    assert await watch.live() == []


async def test_a_missed_job_that_the_config_drops_is_over(watch: Watch) -> None:
    await watch.report()
    await watch.go_on(25 * HOUR + MINUTE)
    watch.config = config()
    await watch.start()
    await watch.go_on(MINUTE)
    assert await watch.said() == ["cleared"]
    (said,) = await watch.words()
    assert "dropped from the config" in said
    assert "(heartbeat: nightly-backup has not reported)" in said
    assert len(await watch.live()) == 1, "a person resolves it"


async def test_a_report_that_a_reload_overtakes_is_let_go(watch: Watch) -> None:
    watch.config = config()
    await watch.start()
    await watch.report()
    assert await watch.database.read(stored.get, NIGHTLY) is None


@pytest.mark.parametrize("missed", [False, True])
async def test_a_clock_that_was_ahead_hides_no_job_that_stays_away(
    watch: Watch, clock: ManualClock, missed: bool
) -> None:
    clock.advance(1_000 * HOUR)
    await watch.report()
    if missed:
        await watch.go_on(26 * HOUR)
        await watch.database.write(incidents.update, 1, {"status": "resolved", "resolved_at": 1})
    clock.set_back(1_100 * HOUR)
    await watch.start()
    await watch.go_on(25 * HOUR + MINUTE)
    assert len(await watch.live()) == 1


async def test_another_interval_counts_from_the_last_report(watch: Watch) -> None:
    await watch.report()
    told = copy.deepcopy(INTAKE)
    told["heartbeats"][NIGHTLY] |= {"every": "1h", "grace": "10m"}
    watch.config = config(intake=told)
    await watch.start()
    await watch.go_on(71 * MINUTE)
    assert len(await watch.live()) == 1


async def test_what_may_have_come_while_the_bot_was_away_is_awaited_once_more(
    watch: Watch,
) -> None:
    await watch.report()
    await watch.go_on(23 * HOUR)
    watch.is_away(3 * HOUR)
    await watch.start()
    await watch.go_on(22 * HOUR)
    assert await watch.live() == [], "its turn was while the bot was away"
    await watch.go_on(2 * HOUR)
    (incident,) = await watch.live()
    (declared,) = await watch.database.read(incidents.timeline, incident.id, ("declared",))
    assert "may have been lost while the bot was away" in declared.facts["because"][1]


async def test_an_absence_at_another_time_changes_nothing(watch: Watch) -> None:
    await watch.report()
    await watch.go_on(2 * HOUR)
    watch.is_away(10 * HOUR)
    await watch.start()
    await watch.go_on(13 * HOUR + MINUTE)
    assert len(await watch.live()) == 1


JOB = Job.model_validate_json('{"every": "24h", "grace": "1h", "token": "t"}')
OFTEN = Job.model_validate_json('{"every": "1m", "grace": "30s", "token": "t"}')


@pytest.mark.parametrize(
    ("job", "known", "gone", "back", "due"),
    [
        pytest.param(JOB, 0, 24 * HOUR, 26 * HOUR, 49 * HOUR, id="its turn was missed"),
        pytest.param(JOB, 0, 22 * HOUR, 23 * HOUR + 1, 49 * HOUR, id="it may have come early"),
        pytest.param(JOB, 0, 2 * HOUR, 20 * HOUR, 25 * HOUR, id="no turn of its was missed"),
        pytest.param(JOB, 0, 24 * HOUR, 24 * HOUR + 9_000, 25 * HOUR + 9_000, id="a restart"),
        pytest.param(JOB, 0, 2 * HOUR, 90 * HOUR, 97 * HOUR, id="days away: the next turn"),
        pytest.param(OFTEN, 0, 30_000, 600_000, 690_000, id="one that comes often"),
    ],
)
def test_an_absence_moves_when_a_job_is_missed(
    job: Job, known: int, gone: int, back: int, due: int
) -> None:
    after = after_absence(job, Awaited("a", known, known), gone, back)
    assert due_at(job, after) == due


def test_a_bot_that_is_away_every_night_hides_nothing() -> None:
    known = Awaited("a", 0, 0)
    first = after_absence(JOB, known, 24 * HOUR, 26 * HOUR)
    assert first.excused
    second = after_absence(JOB, first, 48 * HOUR, 50 * HOUR)
    assert due_at(JOB, second) == 51 * HOUR, "its grace again, and not another day"


async def test_the_doctor_says_when_each_was_heard(watch: Watch) -> None:
    async def told() -> list[str]:
        found = await watch.database.read(intake_doctor.heard, watch.config)
        return [one.what for one in found]

    assert await told() == [
        "intake prometheus: never heard",
        "intake builds: never heard",
        "heartbeat nightly-backup: never heard, missed in 25 h if it stays away",
    ]
    await watch.report()
    alert = Alert(source="builds", fingerprint="1", title="failed", firing=True, since=0, labels={})
    await watch.database.write(intake.receive, watch.config, [alert])
    await watch.go_on(MINUTE)
    assert (await told())[1:] == [
        "intake builds: heard 60 s ago, 1 alert firing",
        "heartbeat nightly-backup: heard 60 s ago, missed in 24 h 59 min if it stays away",
    ]
    await watch.go_on(25 * HOUR)
    assert (await told())[2] == "heartbeat nightly-backup: heard 25 h 01 min ago, missed"
