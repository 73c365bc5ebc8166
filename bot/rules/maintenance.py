"""When a window of maintenance is, on the wall clock of its time zone."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from bot.model.silence import Window
from bot.rules.hours import on
from bot.rules.wall_clock import local

_LOOKED_AT = range(-8, 16)  # days: a week back, two ahead, as the clocks may skip the hours of one


class Round(NamedTuple):
    """One time that a window is: from when to when, in milliseconds since the epoch."""

    since: int
    until: int


def round_at(window: Window, at: int) -> Round | None:
    """The round in which a time lies, or None. Of a window for ever, as far as was looked."""
    return next((one for one in _rounds(window, at) if one.since <= at < one.until), None)


def next_round(window: Window, at: int) -> Round | None:
    """The first that begins after a time; None for a window that is for ever."""
    return next((one for one in _rounds(window, at) if one.since > at), None)


def _rounds(window: Window, at: int) -> list[Round]:
    """Those around a time, in order. Rounds that meet are one, hours that the clocks skip are none."""
    today = local(at, window.zone).date()
    found: list[Round] = []
    for ahead in _LOOKED_AT:
        day = today + timedelta(ahead)
        if day.weekday() not in window.days:
            continue
        since, until = on(window, day)
        if found and since <= found[-1].until:
            found[-1] = Round(found[-1].since, max(found[-1].until, until))
        elif since < until:
            found.append(Round(since, until))
    return found
