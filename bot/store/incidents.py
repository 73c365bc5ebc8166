"""Incidents and their timelines in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bot.model.actor import BOT
from bot.model.incident import Entry, Facts, Incident, Severity, Status
from bot.rules.past import Mark
from bot.store.database import Row, Tx, Value

_FIELDS = (
    "id, title, severity, status, policy, drill, commander, declared_by, channel, rule_key, impact,"
    " started_at, declared_at, opened_at, acknowledged_at, mitigated_at, resolved_at, closed_ms,"
    " time_to_detect, time_to_acknowledge, time_to_mitigate, time_to_resolve"
)


def add(
    tx: Tx,
    *,
    title: str,
    severity: Severity,
    policy: Facts,
    declared_by: str,
    channel: str,
    targets: Iterable[str],
    started_at: int,
    drill: bool = False,
    rule_key: str | None = None,
) -> Incident:
    """A new open incident, declared now; one at a time of a rule's key."""
    row = tx.all(
        f"""INSERT INTO incidents
        (title, severity, status, policy, declared_by, channel, started_at, declared_at, opened_at,
         time_to_detect, drill, rule_key)
        VALUES (:title, :severity, 'open', :policy, :declared_by, :channel, :started_at, :now, :now,
         :now - :started_at, :drill, :rule_key)
        RETURNING {_FIELDS}""",
        title=title,
        severity=severity,
        policy=json.dumps(policy),
        declared_by=declared_by,
        channel=channel,
        started_at=started_at,
        drill=int(drill),
        rule_key=rule_key,
        now=tx.now,
    )[0]
    names = tuple(dict.fromkeys(targets))
    for name in names:
        add_target(tx, row["id"], name)
    return _incident(row, names)


def add_target(tx: Tx, incident_id: int, target: str) -> None:
    """One more target that an incident is about."""
    tx.run(
        """INSERT INTO incident_targets (incident_id, target) VALUES (:id, :target)
        ON CONFLICT (incident_id, target) DO NOTHING""",
        id=incident_id,
        target=target,
    )


def opened_for(tx: Tx, prefix: str, since: int) -> int:
    """How many incidents were declared since a time whose keys begin like this."""
    row = tx.one(
        """SELECT COUNT(*) AS n FROM incidents
        WHERE rule_key >= :prefix AND rule_key < :last AND declared_at >= :since""",
        prefix=prefix,
        last=f"{prefix}\U0010ffff",
        since=since,
    )
    count: int = row["n"] if row else 0
    return count


def get(tx: Tx, incident_id: int) -> Incident | None:
    """One incident, or None."""
    found = _found(tx, "WHERE id = :id", id=incident_id)
    return found[0] if found else None


def live(tx: Tx, limit: int, commander: str | None = None) -> list[Incident]:
    """The incidents that are not resolved, oldest first; with a commander, that one's."""
    which = f"""WHERE status <> 'resolved' {"AND commander = :commander" if commander else ""}
        ORDER BY id LIMIT :limit"""
    return _found(tx, which, limit=limit, **({"commander": commander} if commander else {}))


def newest_of_rule(tx: Tx, rule_key: str) -> Incident | None:
    """The incident that is open for what a rule's key names; where none is, the newest."""
    which = "WHERE rule_key = :key ORDER BY status = 'resolved', id DESC LIMIT 1"
    found = _found(tx, which, key=rule_key)
    return found[0] if found else None


def newest_live_of(tx: Tx, target: str) -> int | None:
    """The number of the newest incident on a target that is not resolved."""
    row = tx.one(
        """SELECT MAX(id) AS id FROM incidents JOIN incident_targets ON incident_id = id
        WHERE status <> 'resolved' AND target = :target""",
        target=target,
    )
    return row["id"] if row else None


def on_target(tx: Tx, target: str, first: int, last: int) -> list[Incident]:
    """The incidents on a target that were open at any time from ``first`` to ``last``, no drills, in order."""
    which = """WHERE drill = 0 AND started_at <= :last
        AND (resolved_at IS NULL OR resolved_at >= :first) AND EXISTS (
          SELECT 1 FROM incident_targets WHERE incident_id = incidents.id AND target = :target)
        ORDER BY id"""
    return _found(tx, which, target=target, first=first, last=last)


def live_drill(tx: Tx) -> int | None:
    """The number of the drill that is under way, or None."""
    row = tx.one("SELECT MIN(id) AS id FROM incidents WHERE status <> 'resolved' AND drill = 1")
    return row["id"] if row else None


def live_channels(tx: Tx) -> dict[int, str]:
    """The number of each incident that is not resolved, oldest first, with its channel."""
    rows = tx.all("SELECT id, channel FROM incidents WHERE status <> 'resolved' ORDER BY id")
    return {row["id"]: row["channel"] for row in rows}


def live_by_severity(tx: Tx) -> dict[Severity, int]:
    """How many incidents of each severity are not resolved, drills left out."""
    rows = tx.all(
        """SELECT severity, COUNT(*) AS n FROM incidents
        WHERE status <> 'resolved' AND drill = 0 GROUP BY severity"""
    )
    return dict.fromkeys(Severity, 0) | {Severity(row["severity"]): row["n"] for row in rows}


def recent(tx: Tx, statuses: Iterable[Status], limit: int) -> list[Incident]:
    """The newest incidents in one of the statuses, newest first."""
    wanted = {f"s{at}": str(status) for at, status in enumerate(statuses)}
    marks = ", ".join(f":{name}" for name in wanted)
    which = f"WHERE status IN ({marks}) ORDER BY id DESC LIMIT :limit"
    return _found(tx, which, limit=limit, **wanted)


def declared_since(tx: Tx, at: int) -> list[Incident]:
    """Incidents declared at or after a time, drills left out, oldest first."""
    return _found(tx, "WHERE declared_at >= :at AND drill = 0 ORDER BY id", at=at)


def same_declaration(tx: Tx, declared_by: str, title: str, since: int) -> Incident | None:
    """A live incident that the same person declared under the same title since then."""
    which = """WHERE declared_at >= :since AND declared_by = :who AND title = :title
        AND status <> 'resolved' ORDER BY id DESC LIMIT 1"""
    found = _found(tx, which, since=since, who=declared_by, title=title)
    return found[0] if found else None


def update(tx: Tx, incident_id: int, changes: Facts) -> None:
    """Set columns of an incident; ``policy`` is given as a record."""
    values: dict[str, Value] = {
        name: json.dumps(value) if name == "policy" else value for name, value in changes.items()
    }
    columns = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE incidents SET {columns} WHERE id = :id", id=incident_id, **values)


def add_entry(tx: Tx, incident_id: int, actor: str, kind: str, facts: Facts) -> int:
    """Append to the timeline; the entry's number. Entries are never changed."""
    row = tx.all(
        """INSERT INTO timeline (incident_id, seq, at, actor, kind, facts)
        SELECT :id, COALESCE(MAX(seq), 0) + 1, :now, :actor, :kind, :facts
        FROM timeline WHERE incident_id = :id RETURNING seq""",
        id=incident_id,
        now=tx.now,
        actor=actor,
        kind=kind,
        facts=json.dumps(facts),
    )[0]
    seq: int = row["seq"]
    return seq


def timeline(tx: Tx, incident_id: int, kinds: Sequence[str] = ()) -> list[Entry]:
    """The entries in order; with kinds, only those."""
    marks = ", ".join(f":kind{at}" for at in range(len(kinds)))
    rows = tx.all(
        f"""SELECT incident_id, seq, at, actor, kind, facts FROM timeline
        WHERE incident_id = :id {f"AND kind IN ({marks})" if kinds else ""} ORDER BY seq""",
        id=incident_id,
        **{f"kind{at}": kind for at, kind in enumerate(kinds)},
    )
    return [_entry(row) for row in rows]


def newest_by_a_person(tx: Tx, incident_id: int) -> Mark | None:
    """Where the newest entry stands that says that a person did something; a refusal is none."""
    row = tx.one(
        """SELECT seq, at FROM timeline
        WHERE incident_id = :id AND actor <> :bot AND kind <> 'refused' ORDER BY seq DESC LIMIT 1""",
        id=incident_id,
        bot=BOT,
    )
    return Mark(row["seq"], row["at"]) if row else None


def newest_of_kind(tx: Tx, incident_id: int, kind: str) -> Mark | None:
    """Where the newest entry of a kind stands."""
    row = tx.one(
        """SELECT seq, at FROM timeline
        WHERE incident_id = :id AND kind = :kind ORDER BY seq DESC LIMIT 1""",
        id=incident_id,
        kind=kind,
    )
    return Mark(row["seq"], row["at"]) if row else None


def entry(tx: Tx, incident_id: int, seq: int) -> Entry | None:
    """One entry, or None."""
    row = tx.one(
        """SELECT incident_id, seq, at, actor, kind, facts FROM timeline
        WHERE incident_id = :id AND seq = :seq""",
        id=incident_id,
        seq=seq,
    )
    return _entry(row) if row else None


def _found(tx: Tx, which: str, **values: Value) -> list[Incident]:
    """The incidents that ``which`` selects and orders, with their targets: two queries for all."""
    rows = tx.all(f"SELECT {_FIELDS} FROM incidents {which}", **values)
    targets: dict[int, list[str]] = {row["id"]: [] for row in rows}
    if rows:
        for row in tx.all(
            f"""SELECT incident_id, target FROM incident_targets
            WHERE incident_id IN (SELECT id FROM incidents {which}) ORDER BY target""",
            **values,
        ):
            targets[row["incident_id"]].append(row["target"])
    return [_incident(row, tuple(targets[row["id"]])) for row in rows]


def _incident(row: Row, targets: tuple[str, ...]) -> Incident:
    values = dict(zip(row.keys(), row, strict=True))
    values |= {
        "severity": Severity(row["severity"]),
        "status": Status(row["status"]),
        "policy": json.loads(row["policy"]),
        "drill": bool(row["drill"]),
    }
    return Incident(**values, targets=targets)


def _entry(row: Row) -> Entry:
    return Entry(
        incident_id=row["incident_id"],
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        kind=row["kind"],
        facts=json.loads(row["facts"]),
    )
