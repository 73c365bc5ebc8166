"""Incidents, their timelines and the samples in the store."""

from __future__ import annotations

import sqlite3

import pytest

from bot.model.incident import Incident, Severity, Status
from bot.store import incidents, samples
from bot.store.database import Database, Tx
from bot.store.samples import Sample
from tests.support.clock import ManualClock
from tests.support.configs import ALICE


def declare(tx: Tx, title: str) -> Incident:
    return incidents.add(
        tx,
        title=title,
        severity=Severity.SEV2,
        policy={"name": "critical", "policy": {"levels": []}},
        declared_by="slack:T01TEAM:U01ALICE",
        channel="incidents",
        targets=("worker", "iora", "worker"),
        started_at=tx.now - 60_000,
    )


def update(tx: Tx, incident_id: int, status: Status) -> None:
    incidents.update(tx, incident_id, {"status": status, "resolved_at": tx.now})


def take_rule(tx: Tx, incident_id: int, rule: str) -> None:
    incidents.update(tx, incident_id, {"rule_key": rule})


async def test_an_incident_comes_back_as_it_was_declared(
    database: Database, clock: ManualClock
) -> None:
    declared = await database.write(declare, "API slow")
    assert (declared.key, declared.status, declared.severity) == ("INC-1", "open", "sev2")
    assert declared.time_to_detect == 60_000
    assert declared.opened_at == declared.declared_at == clock.now()
    assert set(declared.targets) == {"iora", "worker"}
    found = await database.read(incidents.get, 1)
    assert found is not None
    assert found.policy == {"name": "critical", "policy": {"levels": []}}
    assert (found.status, found.severity, found.drill) == (Status.OPEN, Severity.SEV2, False)
    assert set(found.targets) == {"iora", "worker"}
    assert await database.read(incidents.get, 2) is None


async def test_a_number_is_never_given_twice(database: Database) -> None:
    def forget(tx: Tx) -> None:
        tx.run("DELETE FROM incident_targets")
        tx.run("DELETE FROM incidents")

    await database.write(declare, "first")
    await database.write(forget)
    assert (await database.write(declare, "second")).id == 2


async def test_the_timeline_is_numbered_an_incident_from_one(
    database: Database, clock: ManualClock
) -> None:
    await database.write(declare, "first")
    await database.write(declare, "second")
    numbers = []
    for incident_id, kind in ((1, "a"), (2, "b"), (1, "c")):
        clock.advance(10)
        numbers.append(
            await database.write(incidents.add_entry, incident_id, "bot", kind, {"n": kind})
        )
    assert numbers == [1, 1, 2]
    entries = await database.read(incidents.timeline, 1)
    assert [(entry.seq, entry.kind, entry.facts) for entry in entries] == [
        (1, "a", {"n": "a"}),
        (2, "c", {"n": "c"}),
    ]
    assert [entry.kind for entry in await database.read(incidents.timeline, 1, ("c",))] == ["c"]
    one = await database.read(incidents.entry, 1, 2)
    assert one is not None
    assert one.kind == "c"
    assert await database.read(incidents.entry, 1, 3) is None


async def test_live_incidents_are_those_that_are_not_resolved(database: Database) -> None:
    for title in ("first", "second", "third"):
        await database.write(declare, title)
    await database.write(update, 2, Status.RESOLVED)
    await database.write(update, 3, Status.MITIGATED)
    assert [one.id for one in await database.read(incidents.live, 10)] == [1, 3]
    assert [one.id for one in await database.read(incidents.live, 1)] == [1]
    assert await database.read(incidents.live, 10, ALICE) == []
    await database.write(incidents.update, 3, {"commander": ALICE})
    assert [one.id for one in await database.read(incidents.live, 10, ALICE)] == [3]
    assert await database.read(incidents.live_channels) == {1: "incidents", 3: "incidents"}
    counts = await database.read(incidents.live_by_severity)
    assert (counts[Severity.SEV1], counts[Severity.SEV2]) == (0, 2)


async def test_recent_incidents_come_newest_first_by_status(database: Database) -> None:
    for title in ("first", "second", "third"):
        await database.write(declare, title)
    await database.write(update, 2, Status.RESOLVED)
    everything = await database.read(incidents.recent, tuple(Status), 2)
    assert [one.id for one in everything] == [3, 2]
    resolved = await database.read(incidents.recent, (Status.RESOLVED,), 10)
    assert [one.id for one in resolved] == [2]


async def test_declared_since_counts_from_the_millisecond_and_leaves_drills_out(
    database: Database, clock: ManualClock
) -> None:
    def drill(tx: Tx) -> None:
        incidents.update(tx, declare(tx, "practice").id, {"drill": 1})

    await database.write(declare, "before")
    since = clock.advance(1)
    await database.write(declare, "then")
    await database.write(drill)
    assert [one.title for one in await database.read(incidents.declared_since, since)] == ["then"]


async def test_a_rule_has_one_incident_that_is_not_resolved(database: Database) -> None:
    for title in ("first", "second"):
        await database.write(declare, title)
    await database.write(take_rule, 1, "cpu:iora")
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(take_rule, 2, "cpu:iora")
    await database.write(update, 1, Status.RESOLVED)
    await database.write(take_rule, 2, "cpu:iora")


async def test_samples_come_back_in_order_without_those_of_another_metric(
    database: Database,
) -> None:
    for at, value in ((30, 3.0), (10, 1.0), (20, None)):
        reason = None if value is not None else "refused"
        await database.write(samples.add, "iora", "poll_ms", Sample(at, value, reason))
    await database.write(samples.add, "iora", "cpu_percent", Sample(20, 96.0, None))
    await database.write(samples.add, "worker", "poll_ms", Sample(20, 5.0, None))
    assert await database.read(samples.since, "iora", "poll_ms", 10) == [
        Sample(20, None, "refused"),
        Sample(30, 3.0, None),
    ]


async def test_a_second_sample_of_one_millisecond_replaces_the_first(database: Database) -> None:
    for value in (1.0, 2.0):
        await database.write(samples.add, "iora", "poll_ms", Sample(10, value, None))
    assert await database.read(samples.since, "iora", "poll_ms", 0) == [Sample(10, 2.0, None)]
