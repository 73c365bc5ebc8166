"""Schedules and overrides as records, and times as people read them off a wall clock."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bot.model.schedule import Override, Schedule

A, B, C, D = "U01ALICE", "U02BOB", "U03CAROL", "U04DAVE"


def schedule(timezone: str = "Europe/Berlin", **written: Any) -> Schedule:
    """A schedule as the file would write it."""
    return Schedule.model_validate_json(json.dumps({"timezone": timezone, **written}))


def rotation(*people: str, handoff: str = "Mon 09:00", every: Any = "1w", **more: Any) -> Any:
    """A rotation as the file would write it."""
    return {"people": list(people), "handoff": handoff, "every": every, **more}


def ms(text: str) -> int:
    """``2026-03-29T01:59+01:00`` in milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def override(
    number: int, person: str, since: str, until: str, ended: str | None = None
) -> Override:
    """An override of ``primary``; the higher its number, the newer it is."""
    return Override(
        id=number,
        schedule="primary",
        person=person,
        since=ms(since),
        until=ms(until),
        made_by="slack:T01TEAM:U01ALICE",
        made_at=0,
        ended_by="slack:T01TEAM:U01ALICE" if ended else None,
        ended_at=ms(ended) if ended else None,
    )
