"""Diagnostic reports, and each target's readings when it was last healthy."""

from __future__ import annotations

import json

from bot.model.report import Listed, Report, Snapshot
from bot.store.database import Tx

# Often enough to compare with, seldom enough to cost nothing.
SNAPSHOT_EVERY_MS = 180_000


def add(tx: Tx, report: Report, incident_id: int | None, keep: int) -> None:
    """Keep a report, and forget the oldest beyond ``keep``; what an open incident needs stays."""
    tx.run(
        """INSERT INTO reports (id, target, incident_id, at, asked_by, description, verdict, finding, body)
        VALUES (:id, :target, :incident_id, :at, :by, :description, :verdict, :finding, :body)
        ON CONFLICT (id) DO UPDATE SET at = excluded.at, verdict = excluded.verdict,
            finding = excluded.finding, body = excluded.body""",
        id=report.id,
        target=report.target,
        incident_id=incident_id,
        at=report.at,
        by=report.asked_by,
        description=report.issue_description,
        verdict=report.verdict,
        finding=report.findings[0]["text"] if report.findings else "",
        body=json.dumps(report.json()),
    )
    tx.run(
        """DELETE FROM reports WHERE id NOT IN (
            SELECT id FROM reports ORDER BY at DESC, id DESC LIMIT :keep)
        AND (incident_id IS NULL OR incident_id NOT IN (
            SELECT id FROM incidents WHERE status <> 'resolved'))""",
        keep=keep,
    )


def get(tx: Tx, report_id: str) -> Report | None:
    """One report, or None."""
    row = tx.one("SELECT body FROM reports WHERE id = :id", id=report_id)
    return Report.from_json(json.loads(row["body"])) if row else None


def newest(tx: Tx, target: str, incident_id: int | None) -> Report | None:
    """The newest report of a target that was made for the incident, or None."""
    row = tx.one(
        """SELECT body FROM reports WHERE target = :target AND incident_id = :incident_id
        ORDER BY at DESC, id DESC LIMIT 1""",
        target=target,
        incident_id=incident_id,
    )
    return Report.from_json(json.loads(row["body"])) if row else None


def recent(tx: Tx, limit: int) -> list[Listed]:
    """The newest, newest first."""
    rows = tx.all(
        """SELECT id, target, incident_id, at, asked_by, description, verdict, finding FROM reports
        ORDER BY at DESC, id DESC LIMIT :limit""",
        limit=limit,
    )
    return [Listed(**dict(zip(row.keys(), row, strict=True))) for row in rows]


def keep_snapshot(tx: Tx, snapshot: Snapshot) -> bool:
    """Keep a healthy target's readings, unless some were kept a moment ago; whether it was done."""
    return (
        tx.run(
            """INSERT INTO snapshots (target, at, readings) VALUES (:target, :at, :readings)
            ON CONFLICT (target) DO UPDATE SET at = excluded.at, readings = excluded.readings
            WHERE snapshots.at <= excluded.at - :every""",
            target=snapshot.target,
            at=snapshot.at,
            readings=json.dumps(dict(snapshot.values)),
            every=SNAPSHOT_EVERY_MS,
        )
        == 1
    )


def snapshot(tx: Tx, target: str) -> Snapshot | None:
    """The target's readings when it was last healthy, or None."""
    row = tx.one("SELECT at, readings FROM snapshots WHERE target = :target", target=target)
    if row is None:
        return None
    return Snapshot(target=target, at=row["at"], values=json.loads(row["readings"]))
