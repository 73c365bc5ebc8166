"""What a chart is made of: raw readings while they are kept, hours of a longer window, and what happened."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.chart import Mark, Point
from bot.model.command import Resolve, ShowChart
from bot.model.regression import Learned, Usual
from bot.model.upkeep import Samples
from bot.rules import sketch
from bot.services import charts, deploys
from bot.services.charts import Charts, Wanted
from bot.services.incidents import Asked
from bot.services.live import Live
from bot.store import learned, outbox, regressions, samples, sketches
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import alice
from tests.support.retention import pruned
from tests.support.story import Story

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
CLI = Asked(Actor.login("alice"))


@pytest.fixture
def story(database: Database, clock: ManualClock) -> Story:
    return Story(database, clock)


def put(tx: Tx, metric: str, *readings: tuple[int, float | None]) -> None:
    """(Milliseconds ago, value)."""
    for ago, value in readings:
        reason = None if value is not None else "the agent gave no answer"
        samples.add(tx, "iora", metric, Sample(tx.now - ago, value, reason))


async def ask(database: Database, metric: str = "cpu", **fields: Any) -> Answer | Refusal:
    asked = fields.pop("asked", CLI)
    command = ShowChart(target="iora", metric=metric, **fields)
    return await Charts(database, Live(config(), {}, {})).show(command, asked)


async def test_readings_of_the_window_are_shown_raw(database, clock):
    await database.write(put, "cpu_percent", (3 * HOUR, 1.0), (MINUTE, 50.0), (30 * SECOND, None))
    given = await ask(database, window=HOUR)
    assert isinstance(given, Answer)
    chart = given.facts["chart"]
    now = clock.now()
    assert chart.within() == [Point(now - MINUTE, 50.0), Point(now - 30 * SECOND, None)]
    assert (chart.start, chart.end) == (now - HOUR, now)
    assert [limit.name for limit in chart.limits] == ["baseline", "critical"]
    assert given.facts["image"] is None


async def test_incidents_are_spans_and_deploys_and_restarts_are_marks(story, database, clock):
    now = clock.now()
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    await database.write(put, "uptime_s", (20 * MINUTE, 9_000.0), (19 * MINUTE, 30.0))
    for ago, title in ((50 * MINUTE, "v1.2.3"), (2 * HOUR, "v1.2.2"), (5 * MINUTE, "")):
        await database.write(deploys.record, config(), "iora", now - ago, title, "cli:ci")
    await story.declare(targets=("iora",), started_at=now - 10 * MINUTE)
    await story.declare("of another target", targets=("worker",))
    given = await ask(database, window=HOUR)
    assert isinstance(given, Answer)
    chart = given.facts["chart"]
    assert [asdict(span) for span in chart.spans] == [
        {"start": now - 10 * MINUTE, "end": None, "label": "INC-1"}
    ]
    assert chart.marked() == [
        Mark(now - 50 * MINUTE, "deploy v1.2.3"),
        Mark(now - 19 * MINUTE - 30 * SECOND, "restart"),
        Mark(now - 5 * MINUTE, "deploy"),
    ]


async def test_an_incident_that_was_over_before_the_window_is_not_on_it(story, database, clock):
    await story.declare(targets=("iora",))
    await story.change(Resolve(incident=1, text="rolled back", anyway=True))
    clock.advance(2 * HOUR)
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    given = await ask(database, window=HOUR)
    assert isinstance(given, Answer)
    assert given.facts["chart"].spans == ()


async def test_a_window_beyond_the_raw_readings_shows_the_mean_and_the_p95_of_each_hour(
    database, clock
):
    clock.advance(HOUR - clock.now() % HOUR)  # to a full hour
    values = [float(10 + number % 50) for number in range(120)]
    readings = [(2 * HOUR - number * 30 * SECOND, value) for number, value in enumerate(values)]
    await database.write(put, "cpu_percent", *readings)
    given = await ask(database, window=3 * DAY)
    assert isinstance(given, Answer)
    chart = given.facts["chart"]
    middle = clock.now() - 90 * MINUTE
    whole = sketch.of(values)
    assert chart.within() == [Point(middle, sketch.mean(whole))]
    (trace,) = chart.traces
    assert trace.name == "hourly P95"
    assert trace.points == (Point(middle, sketch.quantile(whole, 0.95)),)
    assert chart.title == "CPU of iora, mean of each hour"


async def test_of_what_should_be_high_the_low_side_of_each_hour_is_shown(database):
    readings = [(2 * HOUR + number * MINUTE, 80.0 + number) for number in range(20)]
    await database.write(put, "test_coverage_percent", *readings)
    given = await ask(database, "coverage", window=3 * DAY)
    assert isinstance(given, Answer)
    assert {trace.name for trace in given.facts["chart"].traces} == {"hourly P5"}


async def test_the_hour_that_is_not_over_is_drawn_within_the_window(database, clock):
    clock.advance(HOUR - clock.now() % HOUR + 2 * MINUTE)
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    given = await ask(database, window=3 * DAY)
    assert isinstance(given, Answer)
    assert [point.at for point in given.facts["chart"].within()] == [clock.now()]


async def test_where_raw_readings_are_gone_a_restart_is_an_hour_of_a_young_process(database, clock):
    clock.advance(HOUR - clock.now() % HOUR)
    await database.write(
        put,
        "uptime_s",
        *((5 * HOUR - number * MINUTE, 80_000.0 + 60 * number) for number in range(60)),
        *((4 * HOUR - number * MINUTE, 20.0 + 60 * number) for number in range(240)),
    )
    restarted = clock.now() - 4 * HOUR
    clock.advance(2 * DAY)
    await pruned(database)
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    await database.write(put, "uptime_s", (2 * HOUR, 9_000.0), (2 * HOUR - MINUTE, 30.0))
    given = await ask(database, window=4 * DAY)
    assert isinstance(given, Answer)
    assert given.facts["chart"].marks == (
        Mark(restarted + 30 * MINUTE, "restart"),
        Mark(clock.now() - 2 * HOUR + 30 * SECOND, "restart"),
    )


async def test_what_was_learned_and_what_is_worse_than_it_are_shown(database, clock):
    clock.advance(HOUR - clock.now() % HOUR)
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    hour = clock.now() // HOUR % 24
    hours = {(hour - 1) % 24: Usual(120, 40.0, 55.0), (hour - 2) % 24: Usual(120, 30.0, 45.0)}
    window = {"cpu_percent": Learned(hours, {})}
    await database.write(learned.add, "iora", 0, HOUR, window, alice.text)
    found = await database.write(regressions.add, "iora", "cpu_percent", "learned", {})
    clock.advance(10 * MINUTE)
    given = await ask(database, window=2 * HOUR)
    assert isinstance(given, Answer)
    chart = given.facts["chart"]
    (trace,) = chart.traces
    assert (trace.name, trace.expected) == ("usual mean", True)
    assert [point.value for point in trace.points] == [30.0, 30.0, 40.0, 40.0, None, None]
    assert trace.points[0].at == chart.start
    assert trace.points[-1].at == chart.end
    assert [asdict(span) for span in chart.spans] == [
        {"start": found.since, "end": None, "label": "regression"}
    ]


async def test_without_a_reading_in_the_window_it_says_since_when_and_what_is_read(database, clock):
    await database.write(put, "cpu_percent", (3 * HOUR, 1.0))
    await database.write(put, "memory_mb", (MINUTE, 200.0))
    await database.write(put, "poll_ms", (MINUTE, 12.0))  # what the bot notes for itself
    refused = await ask(database, window=HOUR)
    assert str(refused) == (
        "CPU of iora was not read in 1h. Its newest reading is of 2025-06-15 12:06 UTC. "
        "Read then: memory_mb."
    )


async def test_a_target_that_a_reload_took_away_is_refused(database):
    refused = await Charts(database, Live(config(), {}, {})).show(
        ShowChart(target="gone", metric="cpu"), CLI
    )
    assert isinstance(refused, Refusal)


async def test_where_all_is_unknown_no_image_is_promised(database):
    await database.write(put, "cpu_percent", (MINUTE, None))
    given = await ask(database, asked=Asked(alice, frozenset({"C01INCIDENTS"})))
    assert isinstance(given, Answer)
    assert given.facts["image"] == "none"
    assert await database.read(outbox.waiting) == 0


async def test_without_matplotlib_no_image_is_promised(database, monkeypatch):
    monkeypatch.setattr(charts, "available", lambda: False)
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    given = await ask(database, asked=Asked(alice, frozenset({"C01INCIDENTS"})))
    assert isinstance(given, Answer)
    assert given.facts["image"] == "not installed"
    assert await database.read(outbox.waiting) == 0


async def test_the_image_is_a_row_of_facts_and_read_when_it_is_sent(database, clock):
    await database.write(put, "cpu_percent", (MINUTE, 50.0))
    asked = Asked(alice, frozenset({"C01INCIDENTS", "incidents"}), "1750000000.000100")
    await ask(database, asked=asked, window=HOUR)
    (row,) = await database.read(outbox.with_prefix, "file:chart:")
    assert row.destination == "channel:C01INCIDENTS"
    assert row.facts["thread_ts"] == "1750000000.000100"
    assert row.facts["chart"] == asdict(
        Wanted("iora", "cpu_percent", clock.now() - HOUR, clock.now())
    )
    clock.advance(MINUTE)
    await database.write(put, "cpu_percent", (30 * SECOND, 60.0))  # after it was asked for
    drawn = await database.read(charts.of_facts, config(), row.facts)
    assert [point.value for point in drawn.within()] == [50.0]


async def test_raw_readings_that_are_kept_for_longer_are_shown_for_longer(database, clock):
    await database.write(put, "cpu_percent", (2 * DAY, 50.0))
    longer = config().model_copy(update={"samples": Samples(raw="3d")})
    wanted = Wanted("iora", "cpu_percent", clock.now() - 3 * DAY, clock.now())
    drawn = await database.read(charts.read, longer, wanted)
    assert drawn.points == (Point(clock.now() - 2 * DAY, 50.0),)
    hourly = await database.read(charts.read, longer, replace(wanted, start=wanted.start - 1))
    assert [trace.name for trace in hourly.traces] == ["hourly P95"]
    assert sketches.HOUR_MS == HOUR
