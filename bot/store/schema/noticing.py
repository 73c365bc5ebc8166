"""Hours of samples, regressions, deploys, what rules and other tools found, and silences."""

from __future__ import annotations

import sqlite_utils

from bot.store.schema.responding import migrations  # those that come before

__all__ = ["migrations"]


@migrations()
def m011_sketches(db: sqlite_utils.Database) -> None:
    """Hours of samples, for longer than the raw ones are kept."""
    db.execute("""
        CREATE TABLE sketches (
            series_id INTEGER NOT NULL REFERENCES series (id),
            hour INTEGER NOT NULL,
            count INTEGER NOT NULL,
            sum REAL NOT NULL,
            squares REAL NOT NULL,
            min REAL NOT NULL,
            max REAL NOT NULL,
            buckets TEXT NOT NULL,
            PRIMARY KEY (series_id, hour)
        ) WITHOUT ROWID""")


@migrations()
def m012_regressions(db: sqlite_utils.Database) -> None:
    """Healthy windows that were learned, older ones for the record; and what is worse than it was."""
    db.execute("""
        CREATE TABLE learned (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            target TEXT NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            learned_by TEXT NOT NULL,
            learned_at INTEGER NOT NULL,
            metrics TEXT NOT NULL
        )""")
    db.execute("CREATE INDEX learned_target ON learned (target, id)")
    db.execute("""
        CREATE TABLE regressions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            target TEXT NOT NULL,
            metric TEXT NOT NULL,
            method TEXT NOT NULL,
            since INTEGER NOT NULL,
            announced_at INTEGER,
            closed_at INTEGER,
            facts TEXT NOT NULL
        )""")
    db.execute("""
        CREATE UNIQUE INDEX regressions_one_open ON regressions (target, metric)
        WHERE closed_at IS NULL""")


@migrations()
def m013_deploys(db: sqlite_utils.Database) -> None:
    """What was deployed on which target, and when."""
    db.execute("""
        CREATE TABLE deploys (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            target TEXT NOT NULL,
            at INTEGER NOT NULL,
            title TEXT NOT NULL,
            source TEXT NOT NULL
        )""")
    db.execute("CREATE INDEX deploys_target ON deploys (target, at)")
    db.execute("CREATE INDEX deploys_at ON deploys (at)")


@migrations()
def m014_holds(db: sqlite_utils.Database) -> None:
    """How long the condition of each detection rule has held on a target, and what came of it."""
    db.execute("""
        CREATE TABLE holds (
            target TEXT NOT NULL,
            rule TEXT NOT NULL,
            phase TEXT NOT NULL,
            yes_since INTEGER,
            yes_at INTEGER NOT NULL,
            no_since INTEGER,
            no_at INTEGER NOT NULL,
            lost_since INTEGER,
            lost_at INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            next_at INTEGER NOT NULL,
            since INTEGER,
            changed_at INTEGER,
            incident_id INTEGER REFERENCES incidents (id),
            message TEXT,
            PRIMARY KEY (target, rule)
        ) WITHOUT ROWID""")
    db.execute("""
        CREATE INDEX holds_incident ON holds (incident_id) WHERE incident_id IS NOT NULL""")


@migrations()
def m015_silences(db: sqlite_utils.Database) -> None:
    """Silences that people made, and what was found and not told."""
    db.execute("""
        CREATE TABLE silences (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            targets TEXT NOT NULL,
            reason TEXT NOT NULL,
            since INTEGER NOT NULL,
            until INTEGER NOT NULL,
            made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL,
            ended_by TEXT,
            ended_at INTEGER
        )""")
    db.execute("CREATE INDEX silences_until ON silences (until)")
    db.execute("""
        CREATE TABLE muted (
            silence TEXT NOT NULL,
            target TEXT NOT NULL,
            what TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (silence, target, what)
        ) WITHOUT ROWID""")


@migrations()
def m016_alerts(db: sqlite_utils.Database) -> None:
    """What other tools told, and what belongs together of it."""
    db.execute("""
        CREATE TABLE alert_groups (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            key TEXT NOT NULL,
            target TEXT NOT NULL,
            labels TEXT NOT NULL,
            rest INTEGER NOT NULL,
            active INTEGER NOT NULL DEFAULT 0,
            worst TEXT NOT NULL,
            since INTEGER,
            cleared_at INTEGER,
            firing INTEGER NOT NULL DEFAULT 0,
            resolved INTEGER NOT NULL DEFAULT 0,
            titles TEXT NOT NULL DEFAULT '{}',
            cut INTEGER NOT NULL DEFAULT 0,
            incident_id INTEGER REFERENCES incidents (id),
            opened_at INTEGER,
            opened_worst TEXT NOT NULL DEFAULT 'sev4',
            noted_at INTEGER NOT NULL DEFAULT 0,
            noted_gap INTEGER NOT NULL DEFAULT 0,
            noted_firing INTEGER NOT NULL DEFAULT 0,
            noted_resolved INTEGER NOT NULL DEFAULT 0,
            touched_at INTEGER NOT NULL,
            UNIQUE (source, key)
        )""")
    db.execute("CREATE INDEX alert_groups_active ON alert_groups (source) WHERE active = 1")
    db.execute("CREATE INDEX alert_groups_opened ON alert_groups (source, opened_at)")
    db.execute("""
        CREATE INDEX alert_groups_incident ON alert_groups (incident_id)
        WHERE incident_id IS NOT NULL""")
    db.execute("""
        CREATE TABLE alerts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            group_id INTEGER NOT NULL REFERENCES alert_groups (id),
            title TEXT NOT NULL,
            severity TEXT,
            target TEXT NOT NULL,
            labels TEXT NOT NULL,
            summary TEXT NOT NULL,
            url TEXT NOT NULL,
            firing INTEGER NOT NULL,
            since INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            heard_at INTEGER NOT NULL,
            heard INTEGER NOT NULL DEFAULT 1,
            fired INTEGER NOT NULL DEFAULT 0,
            UNIQUE (source, fingerprint)
        )""")
    db.execute("CREATE INDEX alerts_changed ON alerts (group_id, firing, changed_at)")
    db.execute("CREATE INDEX alerts_cleared ON alerts (changed_at) WHERE firing = 0")


@migrations()
def m017_heard(db: sqlite_utils.Database) -> None:
    """When each source was heard, jobs that must report, and when the bot itself was last alive."""
    db.execute("CREATE TABLE heard (source TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID")
    db.execute("""
        CREATE TABLE jobs (
            name TEXT PRIMARY KEY,
            awaited_at INTEGER NOT NULL,
            heard_at INTEGER,
            excused INTEGER NOT NULL DEFAULT 0,
            missed INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID""")
    db.execute("CREATE TABLE alive (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL)")


@migrations()
def m018_holds_of_data(db: sqlite_utils.Database) -> None:
    """Whether the data of a rule is there is known beside what its condition says, not instead of it."""
    db.execute("ALTER TABLE holds RENAME TO holds_before")
    db.execute("DROP INDEX holds_incident")
    db.execute("""
        CREATE TABLE holds (
            target TEXT NOT NULL,
            rule TEXT NOT NULL,
            data INTEGER NOT NULL,
            phase TEXT NOT NULL,
            yes_since INTEGER,
            yes_at INTEGER NOT NULL,
            no_since INTEGER,
            no_at INTEGER NOT NULL,
            lost_since INTEGER,
            lost_at INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            next_at INTEGER NOT NULL,
            since INTEGER,
            changed_at INTEGER,
            incident_id INTEGER REFERENCES incidents (id),
            message TEXT,
            PRIMARY KEY (target, rule, data)
        ) WITHOUT ROWID""")
    db.execute("""
        INSERT INTO holds SELECT target, rule, phase = 'lost', phase, yes_since, yes_at, no_since, no_at,
            lost_since, lost_at, seen_at, next_at, since, changed_at, incident_id, message
        FROM holds_before""")
    db.execute("DROP TABLE holds_before")
    db.execute("""
        CREATE INDEX holds_incident ON holds (incident_id) WHERE incident_id IS NOT NULL""")
