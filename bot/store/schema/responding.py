"""Incidents, what is due and what is sent, samples, reports, runs, and who is on call."""

from __future__ import annotations

import sqlite_utils
from sqlite_utils import Migrations

migrations = Migrations("iora")


@migrations()
def m001_incidents(db: sqlite_utils.Database) -> None:
    """Incidents with their targets and timeline."""
    db.execute("""
        CREATE TABLE incidents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            severity TEXT NOT NULL,
            status TEXT NOT NULL,
            policy TEXT NOT NULL,
            drill INTEGER NOT NULL DEFAULT 0,
            commander TEXT,
            declared_by TEXT NOT NULL,
            channel TEXT NOT NULL,
            rule_key TEXT,
            impact TEXT NOT NULL DEFAULT '',
            started_at INTEGER NOT NULL,
            declared_at INTEGER NOT NULL,
            opened_at INTEGER NOT NULL,
            acknowledged_at INTEGER,
            mitigated_at INTEGER,
            resolved_at INTEGER,
            closed_ms INTEGER NOT NULL DEFAULT 0,
            time_to_detect INTEGER,
            time_to_acknowledge INTEGER,
            time_to_mitigate INTEGER,
            time_to_resolve INTEGER
        )""")
    db.execute("""
        CREATE UNIQUE INDEX incidents_one_open_a_rule ON incidents (rule_key)
        WHERE rule_key IS NOT NULL AND status <> 'resolved'""")
    db.execute("CREATE INDEX incidents_live ON incidents (id) WHERE status <> 'resolved'")
    db.execute("CREATE INDEX incidents_declared ON incidents (declared_at)")
    db.execute("""
        CREATE TABLE incident_targets (
            incident_id INTEGER NOT NULL REFERENCES incidents (id),
            target TEXT NOT NULL,
            PRIMARY KEY (incident_id, target)
        ) WITHOUT ROWID""")
    db.execute("""
        CREATE TABLE timeline (
            incident_id INTEGER NOT NULL REFERENCES incidents (id),
            seq INTEGER NOT NULL,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            kind TEXT NOT NULL,
            facts TEXT NOT NULL,
            PRIMARY KEY (incident_id, seq)
        ) WITHOUT ROWID""")


@migrations()
def m002_timers_and_outbox(db: sqlite_utils.Database) -> None:
    """What is due later, and what should exist in the world outside."""
    db.execute("""
        CREATE TABLE timers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            incident_id INTEGER REFERENCES incidents (id),
            due_at INTEGER NOT NULL,
            claim INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            detail TEXT NOT NULL DEFAULT '{}',
            UNIQUE (kind, subject)
        )""")
    db.execute("CREATE INDEX timers_due ON timers (due_at)")
    db.execute("CREATE INDEX timers_incident ON timers (incident_id) WHERE incident_id IS NOT NULL")
    db.execute("""
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            incident_id INTEGER REFERENCES incidents (id),
            destination TEXT NOT NULL,
            via TEXT NOT NULL,
            parent_id INTEGER REFERENCES outbox (id),
            page INTEGER NOT NULL DEFAULT 0,
            facts TEXT NOT NULL,
            revision INTEGER NOT NULL DEFAULT 1,
            delivered INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL DEFAULT 'waiting',
            due_at INTEGER NOT NULL,
            sending_at INTEGER,
            lookup_failed_at INTEGER,
            attempts INTEGER NOT NULL DEFAULT 0,
            channel TEXT,
            ts TEXT,
            sent_at INTEGER,
            error TEXT
        )""")
    db.execute("""
        CREATE INDEX outbox_order ON outbox (destination, page, id) WHERE delivered < revision""")
    db.execute("CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered < revision")
    db.execute("CREATE INDEX outbox_incident ON outbox (incident_id)")
    db.execute("CREATE INDEX outbox_there ON outbox (ts) WHERE ts IS NOT NULL")


@migrations()
def m003_samples(db: sqlite_utils.Database) -> None:
    """What was measured, raw."""
    db.execute("""
        CREATE TABLE series (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            target TEXT NOT NULL,
            metric TEXT NOT NULL,
            UNIQUE (target, metric)
        )""")
    db.execute("""
        CREATE TABLE samples (
            series_id INTEGER NOT NULL REFERENCES series (id),
            at INTEGER NOT NULL,
            value REAL,
            reason TEXT,
            PRIMARY KEY (series_id, at)
        ) WITHOUT ROWID""")


@migrations()
def m004_reports(db: sqlite_utils.Database) -> None:
    """Diagnostic reports, and each target's readings when it was last healthy."""
    db.execute("""
        CREATE TABLE reports (
            id TEXT PRIMARY KEY,
            target TEXT NOT NULL,
            incident_id INTEGER REFERENCES incidents (id),
            at INTEGER NOT NULL,
            asked_by TEXT NOT NULL,
            description TEXT NOT NULL,
            verdict TEXT NOT NULL,
            finding TEXT NOT NULL,
            body TEXT NOT NULL
        )""")
    db.execute("CREATE INDEX reports_at ON reports (at)")
    db.execute("""
        CREATE TABLE snapshots (
            target TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            readings TEXT NOT NULL
        )""")


@migrations()
def m005_runs(db: sqlite_utils.Database) -> None:
    """Executions of runbooks: each pins its file, one at a time of a runbook and a target."""
    db.execute("""
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            runbook TEXT NOT NULL,
            version INTEGER NOT NULL,
            hash TEXT NOT NULL,
            source TEXT NOT NULL,
            pinned TEXT NOT NULL,
            target TEXT NOT NULL,
            incident_id INTEGER REFERENCES incidents (id),
            started_by TEXT NOT NULL,
            inputs TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '',
            started_at INTEGER NOT NULL,
            ends_by INTEGER NOT NULL,
            paused_at INTEGER,
            ended_at INTEGER,
            ended_by TEXT
        )""")
    db.execute("""
        CREATE UNIQUE INDEX runs_one_at_a_time ON runs (runbook, target)
        WHERE state IN ('running', 'paused')""")
    db.execute("CREATE INDEX runs_incident ON runs (incident_id) WHERE incident_id IS NOT NULL")
    db.execute("""
        CREATE TABLE steps (
            run_id INTEGER NOT NULL REFERENCES runs (id),
            position INTEGER NOT NULL,
            step TEXT NOT NULL,
            state TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            actor TEXT,
            started_at INTEGER,
            ended_at INTEGER,
            due_at INTEGER,
            held_since INTEGER,
            reason TEXT NOT NULL DEFAULT '',
            output TEXT NOT NULL DEFAULT '{}',
            undoes INTEGER,
            PRIMARY KEY (run_id, position)
        ) WITHOUT ROWID""")
    db.execute("""
        CREATE TABLE approvals (
            run_id INTEGER NOT NULL REFERENCES runs (id),
            position INTEGER NOT NULL,
            actor TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            choice TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (run_id, position, actor)
        ) WITHOUT ROWID""")


@migrations()
def m006_postmortems(db: sqlite_utils.Database) -> None:
    """Every file of a draft by what it held: one that holds something else was edited."""
    db.execute("""
        CREATE TABLE postmortems (
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            incident_id INTEGER NOT NULL REFERENCES incidents (id),
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            PRIMARY KEY (name, sha256)
        ) WITHOUT ROWID""")


@migrations()
def m007_overrides(db: sqlite_utils.Database) -> None:
    """Who is on call in place of whom the schedules name; what is over stays for the record."""
    db.execute("""
        CREATE TABLE overrides (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            schedule TEXT NOT NULL,
            person TEXT NOT NULL,
            since INTEGER NOT NULL,
            until INTEGER NOT NULL,
            made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL,
            ended_by TEXT,
            ended_at INTEGER
        )""")
    db.execute("CREATE INDEX overrides_until ON overrides (until)")


@migrations()
def m008_ways(db: sqlite_utils.Database) -> None:
    """Since when a message is wanted as it is; and whether a page was passed on to the next way."""
    db.execute("ALTER TABLE outbox ADD COLUMN wanted_at INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE outbox ADD COLUMN passed_on INTEGER NOT NULL DEFAULT 0")
    db.execute("UPDATE outbox SET wanted_at = due_at")
    db.execute("""
        CREATE INDEX outbox_to_pass_on ON outbox (wanted_at)
        WHERE page = 1 AND ts IS NULL AND passed_on = 0""")


@migrations()
def m009_restores(db: sqlite_utils.Database) -> None:
    """When a backup was put in place, and the last incident that it knew."""
    db.execute("CREATE TABLE restores (at INTEGER PRIMARY KEY, last_incident INTEGER NOT NULL)")


@migrations()
def m010_rule_keys(db: sqlite_utils.Database) -> None:
    """The newest incident of a rule's key, open or not."""
    db.execute("""
        CREATE INDEX incidents_rule ON incidents (rule_key, id) WHERE rule_key IS NOT NULL""")
