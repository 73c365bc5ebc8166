"""What valid schedules leave open: times when nobody is on call, and schedules that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.note import Note
from bot.model.config import Config
from bot.model.schedule import Schedule
from bot.rules.oncall import gaps
from bot.rules.wall_clock import local

AHEAD_DAYS = 30
_DAY_MS = 86_400_000


def schedule_notes(config: Config, now: int) -> Iterator[Note]:
    """Of the next 30 days, as the config has them: overrides are in the store and may fill a gap."""
    used = {text for _, text in config.escalation.destinations()}
    for name, schedule in config.oncall.items():
        at = f"oncall.{name}"
        found = list(gaps(schedule, (), now, now + AHEAD_DAYS * _DAY_MS))
        if found:
            yield Note(at=at, text=_gaps(schedule, found), fix="add people or a layer")
        if f"oncall:{name}" not in used:
            text = "no level and no last_resort names it: nobody is told by it"
            yield Note(at=at, text=text, fix=f"add oncall:{name} to a level's notify")


def _gaps(schedule: Schedule, found: list[tuple[int, int]]) -> str:
    since, until = found[0]
    if until - since == AHEAD_DAYS * _DAY_MS:
        return f"nobody is on call in the next {AHEAD_DAYS} days"
    begin, end = (f"{local(one, schedule.zone):%a %Y-%m-%d %H:%M}" for one in (since, until))
    text = f"nobody is on call from {begin} to {end} ({schedule.timezone})"
    more = len(found) - 1
    times = "time" if more == 1 else "times"
    return f"{text}, and {more} more {times} in {AHEAD_DAYS} days" if more else text
