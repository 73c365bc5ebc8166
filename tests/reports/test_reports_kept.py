"""Which reports are kept, and which readings of a healthy target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.incident import Severity, Status
from bot.model.report import Snapshot
from bot.store import incidents, reports
from bot.store.database import Tx
from tests.support.clock import NOON
from tests.support.reports import report


def add(tx: Tx, number: int, incident_id: int | None, keep: int) -> str:
    made = replace(report(), id=f"diag_{number}_a1b2c3d4e5f6", at=NOON + number)
    reports.add(tx, made, incident_id, keep)
    return made.id


def declare(tx: Tx) -> int:
    return incidents.add(
        tx,
        title="API slow",
        severity=Severity.SEV2,
        policy={},
        declared_by="cli:test",
        channel="incidents",
        targets=["iora"],
        started_at=NOON,
    ).id


def resolve(tx: Tx, incident_id: int) -> None:
    incidents.update(tx, incident_id, {"status": Status.RESOLVED})


def ids(tx: Tx) -> list[str]:
    return [one.id for one in reports.recent(tx, 100)]


async def test_the_newest_are_kept_and_come_back_as_they_were(database):
    made = [await database.write(add, number, None, 3) for number in range(5)]
    assert await database.read(ids) == made[:1:-1]
    found = await database.read(reports.get, made[-1])
    assert found == replace(report(), id=made[-1], at=NOON + 4)
    assert await database.read(reports.get, made[0]) is None


async def test_evidence_of_an_open_incident_never_goes_and_of_a_resolved_one_as_the_rest(database):
    incident = await database.write(declare)
    evidence = await database.write(add, 0, incident, 2)
    later = [await database.write(add, number, None, 2) for number in range(1, 4)]
    assert await database.read(ids) == [*later[:0:-1], evidence]
    await database.write(resolve, incident)
    newest = await database.write(add, 4, None, 2)
    assert await database.read(ids) == [newest, later[-1]]


async def test_the_list_says_what_each_is_about(database):
    incident = await database.write(declare)
    await database.write(add, 0, incident, 2)
    (one,) = await database.read(reports.recent, 10)
    assert (one.target, one.incident_id, one.description) == ("iora", incident, "API slow")


@pytest.mark.parametrize(("after", "kept"), [(0, False), (179_999, False), (180_000, True)])
async def test_a_snapshot_a_target_every_few_minutes_is_enough(database, after, kept):
    first = Snapshot(target="iora", at=NOON, values={"threads": 12.0})
    assert await database.write(reports.keep_snapshot, first)
    second = Snapshot(target="iora", at=NOON + after, values={"threads": 14.0})
    assert await database.write(reports.keep_snapshot, second) is kept
    assert await database.read(reports.snapshot, "iora") == (second if kept else first)
    assert await database.read(reports.snapshot, "worker") is None
