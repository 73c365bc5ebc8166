"""What comes next by itself: whom it tells, on which condition, and whom it asks."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.overview import Overview, Waiting
from bot.render.blocks import time
from bot.render.entry import silenced
from bot.text import escape

_SHOWN = 5  # conditions


def upcoming(seen: Overview) -> str | None:
    """``Bob at 03:20 if nobody acknowledges``; None where time alone tells nobody more."""
    following = seen.upcoming
    if following is None:
        return None
    told = _told(following.people, channel=following.channel) or "nobody left"
    if following.due_at <= seen.now:
        return f"{told}, now"
    hours = f", when hours begin ({following.hours})" if following.hours else ""
    if_not = f"if {_holder(seen)} does nothing" if seen.asking else "if nobody acknowledges"
    return f"{told} at {time(following.due_at)}{hours} {if_not}"


def outlook(seen: Overview) -> Iterator[str]:
    """Each part of it as a line for the card."""
    if seen.silenced is not None:
        yield f"*Silenced* {silenced(seen.silenced)}"
    following = upcoming(seen)
    if following:
        yield f"*Next:* {following}"
    asking = seen.asking
    if asking is not None and not asking.asked:
        yield f"*Next:* {_holder(seen)} is asked at {time(asking.at)}, if nothing is done until then"
    waiting = [_waits(one, seen.now) for one in seen.waiting]
    if waiting:
        more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
        yield f"*On a condition:* {'; '.join(waiting[:_SHOWN])}{more}"


def _waits(one: Waiting, now: int) -> str:
    if one.skipped is not None:
        return f"not asked: {escape(one.condition)}, as {one.skipped}"
    told = _told(one.people, channel=one.channel) or "nobody"
    since = f" from {time(one.since)} on" if one.since > now else ""
    return f"{told}{since}, if {escape(one.condition)}"


def _holder(seen: Overview) -> str:
    asking = seen.asking
    person = asking.person if asking is not None else None
    return f"<@{person}>" if person else "whoever acknowledged"


def _told(people: tuple[str, ...], *, channel: bool) -> str:
    return ", ".join([f"<@{person}>" for person in people] + (["the channel"] if channel else []))
