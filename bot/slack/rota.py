"""What is typed about who is on call: `oncall` and `override`."""

from __future__ import annotations

from datetime import datetime, time

from bot.model.answer import Refusal
from bot.model.calendar import minute_of
from bot.model.command import EndOverride, OnCall, SetOverride
from bot.model.units import parse_duration
from bot.slack.said import Said, person, quoted, usage
from bot.text import from_slack

_AT = {"--at", "\u2014at", "\u2013at", "at"}  # some keyboards turn -- into a long dash
_OFF = {"off", "cancel", "end"}
_YEARS = range(2000, 2101)


def oncall(said: Said) -> OnCall | Refusal:
    """``[schedule] [--at TIME]``"""
    words = [from_slack(word) for word in said.words]
    at = next((place for place, word in enumerate(words) if word in _AT), len(words))
    named, time_words = words[:at], words[at + 1 :]
    if len(named) > 1:
        return usage("oncall", f"{quoted(' '.join(named))} is no schedule.")
    when = moment(" ".join(time_words)) if at < len(words) else None
    if when is None and at < len(words):
        return usage("oncall", _no_time(" ".join(time_words)))
    return OnCall(schedule=named[0] if named else None, at=when)


def override(said: Said) -> SetOverride | EndOverride | Refusal:
    """``SCHEDULE @person DURATION [from TIME]`` or ``SCHEDULE off``"""
    words = [from_slack(word) for word in said.words]
    if len(words) == 2 and words[1].lower() in _OFF:
        return EndOverride(schedule=words[0])
    who = person(said.words[1]) if len(words) > 1 else None
    if who is None:
        return usage("override", "Name a schedule and a person: type @ and pick.")
    rest = [word.lower() for word in words[2:]]
    place = rest.index("from") if "from" in rest else len(rest)
    try:
        length = parse_duration(" ".join(rest[:place]))
    except ValueError:
        length = 0
    if length <= 0:
        return usage("override", _no_duration(" ".join(words[2 : 2 + place])))
    start = moment(" ".join(words[3 + place :])) if place < len(rest) else None
    if start is None and place < len(rest):
        return usage("override", _no_time(" ".join(words[3 + place :])))
    return SetOverride(schedule=words[0], person=who, length=length, start=start)


def moment(text: str) -> datetime | time | None:
    """``18:00``, ``2026-03-29``, ``2026-03-29T02:30`` or the like with an offset; None if it is neither.

    Without an offset it is on the wall clock of a schedule.
    """
    minute = minute_of(text)
    if minute is not None:
        return time(minute // 60, minute % 60)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _no_duration(text: str) -> str:
    if not text:
        return "Say for how long: 4h or 2d, for example."
    return f"{quoted(text)} is no duration such as 4h or 2d."


def _no_time(text: str) -> str:
    if not text:
        return "Say which time: 18:00 or 2026-03-29T02:30, for example."
    return f"{quoted(text)} is no time such as 18:00 or 2026-03-29T02:30."
