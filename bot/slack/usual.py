"""What is typed about baselines: what is to be shown, or learned."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.model.answer import Refusal
from bot.model.command import Baseline, LearnBaseline
from bot.model.units import parse_duration
from bot.slack.said import Said, quoted, targets_of, usage
from bot.text import from_slack

_LEARN = "learn"
_YEARS = range(2000, 2101)


def baseline(said: Said) -> Baseline | LearnBaseline | Refusal:
    """``[target ...]`` or ``learn ...``; a target of that name alone is to be shown."""
    alone = len(said.words) == 1 and _LEARN in said.targets
    if said.words and said.words[0].lower() == _LEARN and not alone:
        return _learn(said)
    named = targets_of(said)
    return named if isinstance(named, Refusal) else Baseline(targets=named)


def _learn(said: Said) -> LearnBaseline | Refusal:
    """``learn TARGET [24h|7d|FROM..TO] [anyway]``; times without an offset are UTC."""
    words = [from_slack(word) for word in said.words[1:]]
    anyway = bool(words) and words[-1].lower() == "anyway"
    words = words[:-1] if anyway else words
    target = next(iter(words), None)
    if target is None and len(said.targets) == 1:
        target = next(iter(said.targets))
    if target is None or len(words) > 2:
        return usage("baseline", f"Name a target. There are: {', '.join(said.targets)}.")
    if len(words) < 2:
        return LearnBaseline(target=target, anyway=anyway)
    if ".." in words[1]:
        first, last = map(_moment, words[1].split("..", 1))
        if first is not None and last is not None and first < last:
            return LearnBaseline(target=target, first=first, last=last, anyway=anyway)
    elif length := _length(words[1]):
        return LearnBaseline(target=target, length=length, anyway=anyway)
    problem = (
        f"{quoted(words[1])} is no window such as 24h, 7d or 2026-03-01..2026-03-02T12:00 (UTC)."
    )
    return usage("baseline", problem)


def _length(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError:
        return 0


def _moment(text: str) -> int | None:
    """Milliseconds since the epoch, or None where it is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year not in _YEARS:
        return None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
