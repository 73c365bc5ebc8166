"""Alerts in the store: one row a fingerprint of a source, and the groups that they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.model.alert import HEARTBEATS, Alert, Firing, Group, Labels, Tally
from bot.model.incident import Facts, Severity
from bot.store.database import Row, Tx, Value

_GROUP = (
    "id, source, target, labels, rest, worst, since, cleared_at, firing, resolved, titles, cut, incident_id,"
    " opened_at, opened_worst, noted_at, noted_gap, noted_firing, noted_resolved"
)
_SAMPLE = 500
"""Alerts of a group whose titles are read: the newest."""
KEPT_MS = 7 * 86_400_000
"""After it was resolved."""
SILENT_MS = 30 * 86_400_000
"""After that long without a word an alert fires no more: its source can't say that it is over."""
_AT_ONCE = 500


def keep(tx: Tx, alert: Alert, group_id: int) -> None:
    """Store what a source says of an alert now: a repeat changes the row, and no time of it.

    What comes last counts, whatever times it has: who ends an alert by hand gives any time as its end.
    """
    tx.run(
        """INSERT INTO alerts (source, fingerprint, group_id, title, severity, target, labels, summary,
            url, firing, since, changed_at, heard_at, fired)
        VALUES (:source, :fingerprint, :group_id, :title, :severity, :target, :labels, :summary,
            :url, :firing, :since, :now, :now, :firing)
        ON CONFLICT (source, fingerprint) DO UPDATE SET
            group_id = excluded.group_id, title = excluded.title, severity = excluded.severity,
            target = excluded.target, labels = excluded.labels, summary = excluded.summary,
            url = excluded.url, firing = excluded.firing, since = excluded.since,
            changed_at = CASE WHEN alerts.firing = excluded.firing THEN alerts.changed_at
                ELSE excluded.changed_at END,
            heard_at = excluded.heard_at, heard = alerts.heard + 1,
            fired = alerts.fired + (excluded.firing > alerts.firing)""",
        source=alert.source,
        fingerprint=alert.fingerprint,
        group_id=group_id,
        title=alert.title,
        severity=alert.severity,
        target=alert.target,
        labels=json.dumps(alert.labels),
        summary=alert.summary,
        url=alert.url,
        firing=int(alert.firing),
        since=alert.since,
        now=tx.now,
    )


def place_of(tx: Tx, source: str, fingerprint: str) -> tuple[int, bool] | None:
    """The group that an alert belongs to so far, and whether it fires; None: it was never heard of."""
    row = tx.one(
        "SELECT group_id, firing FROM alerts WHERE source = :source AND fingerprint = :fingerprint",
        source=source,
        fingerprint=fingerprint,
    )
    return (row["group_id"], bool(row["firing"])) if row else None


def group(tx: Tx, group_id: int) -> Group | None:
    """One group, or None."""
    row = tx.one(f"SELECT {_GROUP} FROM alert_groups WHERE id = :id", id=group_id)
    return _group(row) if row else None


def known(tx: Tx, source: str, key: str) -> tuple[int, bool] | None:
    """The group of a key, and whether alerts of it fire as far as is known; None: there is none."""
    row = tx.one(
        "SELECT id, active FROM alert_groups WHERE source = :source AND key = :key",
        source=source,
        key=key,
    )
    return (row["id"], bool(row["active"])) if row else None


def add_group(
    tx: Tx, source: str, key: str, target: str, labels: Labels, *, rest: bool = False
) -> int:
    """A new group; its number."""
    row = tx.all(
        """INSERT INTO alert_groups (source, key, target, labels, rest, worst, touched_at)
        VALUES (:source, :key, :target, :labels, :rest, 'sev4', :now) RETURNING id""",
        source=source,
        key=key,
        target=target,
        labels=json.dumps(labels),
        rest=int(rest),
        now=tx.now,
    )[0]
    number: int = row["id"]
    return number


def touch(tx: Tx, group_id: int, worst: Severity | None, cut: int) -> None:
    """Alerts of the group came; ``worst``: of those that fire, None if none does."""
    tx.run(
        """UPDATE alert_groups SET touched_at = :now, cut = :cut,
        active = CASE WHEN :worst IS NULL THEN active ELSE 1 END,
        worst = MIN(worst, COALESCE(:worst, worst)) WHERE id = :id""",
        id=group_id,
        worst=worst,
        cut=cut,
        now=tx.now,
    )


def busy(tx: Tx, source: str, at: int) -> int:
    """How many groups of a source have alerts that fire, and were told of since a time."""
    row = tx.one(
        """SELECT COUNT(*) AS n FROM alert_groups
        WHERE source = :source AND active = 1 AND touched_at >= :at""",
        source=source,
        at=at,
    )
    count: int = row["n"] if row else 0
    return count


def active_groups(tx: Tx) -> list[int]:
    """The groups of all sources that have alerts that fire, as far as is known."""
    return [row["id"] for row in tx.all("SELECT id FROM alert_groups WHERE active = 1")]


def newest(tx: Tx, group_id: int) -> int | None:
    """When the newest of the alerts that fire in a group began to; None where none does."""
    row = tx.one(
        "SELECT MAX(changed_at) AS at FROM alerts WHERE group_id = :id AND firing = 1",
        id=group_id,
    )
    return row["at"] if row else None


def opened_since(tx: Tx, source: str, at: int) -> int:
    """For how many groups of a source something was opened since a time; the rest is none of them."""
    row = tx.one(
        """SELECT COUNT(*) AS n FROM alert_groups
        WHERE source = :source AND opened_at >= :at AND rest = 0""",
        source=source,
        at=at,
    )
    count: int = row["n"] if row else 0
    return count


def tally(tx: Tx, group: Group, after: int, insisted: int) -> Tally:
    """What a group's alerts are now, the resolved ones of its episode.

    ``fresh`` counts those that fire since a time later than ``after``, or were heard later than ``insisted``.
    """
    counts = tx.all(
        """SELECT firing, COUNT(*) AS n, MIN(changed_at) AS oldest FROM alerts
        WHERE group_id = :id AND firing = 1 GROUP BY firing
        UNION ALL SELECT firing, COUNT(*), NULL FROM alerts
        WHERE group_id = :id AND firing = 0 AND changed_at >= :since GROUP BY firing""",
        id=group.id,
        since=group.since if group.since is not None else 0,
    )
    found = {row["firing"]: row for row in counts}
    firing = found[1]["n"] if 1 in found else 0
    resolved = found[0]["n"] if 0 in found and group.since is not None else 0
    fresh = _fresh(tx, group.id, after, insisted) if firing else 0
    oldest = found[1]["oldest"] if 1 in found else None
    rows = _sample(tx, group.id) if firing else []
    titles: dict[str, int] = {}
    for row in rows:
        titles[row["title"]] = titles.get(row["title"], 0) + 1
    targets = tuple(dict.fromkeys(row["target"] for row in rows if row["target"]))
    summaries = tuple(dict.fromkeys(row["summary"] for row in rows if row["summary"]))
    began = max(after, min(row["since"] for row in rows)) if rows else None
    url: str = rows[0]["url"] if rows else ""
    return Tally(firing, resolved, fresh, oldest, titles, targets, summaries[:3], began, url)


def settle(tx: Tx, group_id: int, changes: Mapping[str, Value | Mapping[str, int]]) -> None:
    """Set columns of a group."""
    values: dict[str, Value] = {
        name: json.dumps(value) if isinstance(value, Mapping) else value
        for name, value in changes.items()
    }
    columns = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE alert_groups SET {columns} WHERE id = :id", id=group_id, **values)


def move(tx: Tx, group_id: int, rest_id: int) -> None:
    """A group's alerts belong to another group from now on."""
    tx.run(
        "UPDATE alerts SET group_id = :rest WHERE group_id = :id AND firing = 1",
        id=group_id,
        rest=rest_id,
    )


def of_incident(tx: Tx, incident_id: int) -> Firing | None:
    """The alerts of an incident, as they were looked at last; None: it was opened for none."""
    rows = tx.all(
        f"SELECT {_GROUP} FROM alert_groups WHERE incident_id = :id ORDER BY id", id=incident_id
    )
    if not rows:
        return None
    groups = [_group(row) for row in rows]
    firing = [one for one in groups if one.firing]
    cut = sum(one.cut for one in firing)
    url, says = _newest(tx, [one.id for one in firing])
    return replace(_together(groups), cut=cut, url=url, says=says)


def firing_now(tx: Tx, incident_id: int) -> Firing:
    """The alerts of an incident as they are now, also what came since they were looked at."""
    rows = tx.all(f"SELECT {_GROUP} FROM alert_groups WHERE incident_id = :id", id=incident_id)
    return _together([tally(tx, _group(row), 0, 0) for row in rows])


def _together(counted: Sequence[Group | Tally]) -> Firing:
    titles: dict[str, int] = {}
    for one in counted:
        for title, count in one.titles.items():
            titles[title] = titles.get(title, 0) + count
    firing, resolved = sum(one.firing for one in counted), sum(one.resolved for one in counted)
    return Firing(firing, resolved, titles)


def firing_by_source(tx: Tx) -> dict[str, int]:
    """How many alerts of each source fire, as they were looked at last."""
    rows = tx.all(
        "SELECT source, SUM(firing) AS n FROM alert_groups WHERE active = 1 GROUP BY source"
    )
    return {row["source"]: row["n"] for row in rows}


def hear(tx: Tx, source: str) -> None:
    """A source said something that could be read."""
    tx.run(
        """INSERT INTO heard (source, at) VALUES (:source, :now)
        ON CONFLICT (source) DO UPDATE SET at = excluded.at""",
        source=source,
        now=tx.now,
    )


def heard(tx: Tx) -> dict[str, int]:
    """When each source was heard last, in milliseconds since the epoch."""
    return {row["source"]: row["at"] for row in tx.all("SELECT source, at FROM heard")}


def forget(tx: Tx, before: int) -> int:
    """Drop some of what was resolved before a time, and groups of nothing; how many alerts."""
    gone = tx.run(
        """DELETE FROM alerts WHERE id IN (SELECT id FROM alerts
            WHERE firing = 0 AND changed_at < :before ORDER BY changed_at LIMIT :limit)""",
        before=before,
        limit=_AT_ONCE,
    )
    tx.run(
        """DELETE FROM alert_groups WHERE id IN (SELECT id FROM alert_groups g
            WHERE active = 0 AND incident_id IS NULL AND touched_at < :before
              AND NOT EXISTS (SELECT 1 FROM alerts WHERE group_id = g.id) LIMIT :limit)""",
        before=before,
        limit=_AT_ONCE,
    )
    return gone


def forget_silent(tx: Tx, before: int) -> list[int]:
    """Drop, of the oldest, what fires without having been heard since a time; the groups that lost some.

    What the bot itself misses stays until it comes: a job of once a quarter is told as rarely.
    """
    rows = tx.all(
        """DELETE FROM alerts WHERE id IN (
            SELECT id FROM (SELECT id, source, firing, heard_at FROM alerts ORDER BY id LIMIT :limit)
            WHERE firing = 1 AND heard_at < :before AND source <> :own) RETURNING group_id""",
        before=before,
        own=HEARTBEATS,
        limit=_AT_ONCE,
    )
    return sorted({row["group_id"] for row in rows})


def drop(tx: Tx, source: str, fingerprint: str | None = None) -> list[int]:
    """Drop what fires of a source, or one alert of it; the groups that lost some."""
    rows = tx.all(
        """DELETE FROM alerts WHERE source = :source AND firing = 1
          AND (:fingerprint IS NULL OR fingerprint = :fingerprint) RETURNING group_id""",
        source=source,
        fingerprint=fingerprint,
    )
    return sorted({row["group_id"] for row in rows})


def _fresh(tx: Tx, group_id: int, after: int, insisted: int) -> int:
    row = tx.one(
        "SELECT COUNT(*) AS n FROM alerts WHERE group_id = :id AND firing = 1 AND changed_at > :after",
        id=group_id,
        after=after,
    )
    fresh: int = row["n"] if row else 0
    if not fresh:  # only where a person resolved what still fires
        fresh = len(
            tx.all(
                """SELECT id FROM alerts WHERE group_id = :id AND firing = 1
                AND heard_at > :insisted LIMIT 1""",
                id=group_id,
                insisted=insisted,
            )
        )
    return fresh


def _newest(tx: Tx, group_ids: Sequence[int]) -> tuple[str, str]:
    """The link and the words of the newest that fires in the first group that has either."""
    for group_id in group_ids:
        row = tx.one(
            """SELECT url, summary FROM alerts WHERE group_id = :id AND firing = 1
            ORDER BY changed_at DESC LIMIT 1""",
            id=group_id,
        )
        if row and any(row):
            return row["url"], row["summary"]
    return "", ""


def _sample(tx: Tx, group_id: int) -> list[Row]:
    return tx.all(
        """SELECT title, target, summary, since, url FROM alerts WHERE group_id = :id AND firing = 1
        ORDER BY changed_at DESC LIMIT :limit""",
        id=group_id,
        limit=_SAMPLE,
    )


def _group(row: Row) -> Group:
    values = dict(zip(row.keys(), row, strict=True))
    titles: Facts = json.loads(row["titles"])
    values |= {
        "labels": tuple((name, value) for name, value in json.loads(row["labels"])),
        "titles": titles,
        "worst": Severity(row["worst"]),
        "opened_worst": Severity(row["opened_worst"]),
        "rest": bool(row["rest"]),
    }
    return Group(**values)
