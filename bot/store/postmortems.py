"""What drafts of post-mortems held when they were written, so that an edited one is known."""

from __future__ import annotations

from collections.abc import Mapping

from bot.store.database import Tx


def keep(
    tx: Tx, incident_id: int, actor: str, hashes: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Note the SHA-256 of each file that is about to be written; all that each name ever had.

    Before, because after a crash in between the file must not pass for an edited one.
    """
    for name, digest in hashes.items():
        tx.run(
            """INSERT INTO postmortems (name, sha256, incident_id, at, actor)
            VALUES (:name, :sha256, :incident_id, :now, :actor)
            ON CONFLICT (name, sha256) DO UPDATE SET at = excluded.at, actor = excluded.actor""",
            name=name,
            sha256=digest,
            incident_id=incident_id,
            now=tx.now,
            actor=actor,
        )
    return {name: _known(tx, name) for name in hashes}


def _known(tx: Tx, name: str) -> frozenset[str]:
    rows = tx.all("SELECT sha256 FROM postmortems WHERE name = :name", name=name)
    return frozenset(row["sha256"] for row in rows)
