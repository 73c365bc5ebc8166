"""What is known of each detection rule on each target, from one look to the next."""

from __future__ import annotations

from collections.abc import Collection

from bot.rules.detection import Hold, Phase
from bot.rules.hold import Held
from bot.store.database import Row, Tx

_COLUMNS = (
    "target, rule, data, phase, yes_since, yes_at, no_since, no_at, lost_since, lost_at, seen_at, next_at,"
    " since, changed_at, incident_id, message"
)


def of_target(tx: Tx, target: str) -> list[Hold]:
    """What is kept of a target, by rule; of each its condition before its data."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM holds WHERE target = :target ORDER BY rule, data", target=target
    )
    return [_hold(row) for row in rows]


def of_incident(tx: Tx, incident_id: int) -> list[Hold]:
    """The rules whose finding the incident is."""
    rows = tx.all(f"SELECT {_COLUMNS} FROM holds WHERE incident_id = :id", id=incident_id)
    return [_hold(row) for row in rows]


def told_in(tx: Tx, target: str, message: str) -> list[Hold]:
    """The rules whose finding a suggestion tells, by its key."""
    return [hold for hold in of_target(tx, target) if hold.message == message]


def told_since(tx: Tx, at: int) -> int:
    """How many were suggested since a time and still stand."""
    row = tx.one(
        """SELECT COUNT(*) AS n FROM holds
        WHERE phase <> 'quiet' AND incident_id IS NULL AND changed_at >= :at""",
        at=at,
    )
    return row["n"] if row else 0


def standing(tx: Tx) -> list[Hold]:
    """What is found now, the oldest first."""
    rows = tx.all(f"SELECT {_COLUMNS} FROM holds WHERE phase <> 'quiet' ORDER BY since")
    return [_hold(row) for row in rows]


def keep(tx: Tx, hold: Hold) -> None:
    """Keep what is known now; of a rule that has nothing to remember, nothing."""
    if hold.idle:
        _forget(tx, hold)
        return
    names = [name.strip() for name in _COLUMNS.split(",")]
    tx.run(
        f"""INSERT INTO holds ({_COLUMNS}) VALUES ({", ".join(f":{name}" for name in names)})
        ON CONFLICT (target, rule, data) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in names[3:])}""",
        target=hold.target,
        rule=hold.rule,
        data=int(hold.data),
        phase=hold.phase,
        yes_since=hold.yes.since,
        yes_at=hold.yes.at,
        no_since=hold.no.since,
        no_at=hold.no.at,
        lost_since=hold.lost.since,
        lost_at=hold.lost.at,
        seen_at=hold.seen_at,
        next_at=hold.next_at,
        since=hold.since,
        changed_at=hold.changed_at,
        incident_id=hold.incident,
        message=hold.message,
    )


def tidy(tx: Tx, watched: Collection[tuple[str, str]]) -> list[Hold]:
    """Forget what no rule asks of a target any more (pairs of rule and target); what was forgotten."""
    rows = tx.all(f"SELECT {_COLUMNS} FROM holds")
    gone = [hold for hold in map(_hold, rows) if (hold.rule, hold.target) not in watched]
    for hold in gone:
        _forget(tx, hold)
    return gone


def _forget(tx: Tx, hold: Hold) -> None:
    tx.run(
        "DELETE FROM holds WHERE target = :target AND rule = :rule AND data = :data",
        target=hold.target,
        rule=hold.rule,
        data=int(hold.data),
    )


def _hold(row: Row) -> Hold:
    return Hold(
        rule=row["rule"],
        target=row["target"],
        data=bool(row["data"]),
        phase=Phase(row["phase"]),
        yes=Held(row["yes_since"], row["yes_at"]),
        no=Held(row["no_since"], row["no_at"]),
        lost=Held(row["lost_since"], row["lost_at"]),
        seen_at=row["seen_at"],
        next_at=row["next_at"],
        since=row["since"],
        changed_at=row["changed_at"],
        incident=row["incident_id"],
        message=row["message"],
    )
