"""What is typed about a target's readings over time: `chart`, and `deploy` for its marks."""

from __future__ import annotations

from bot.model.answer import Refusal
from bot.model.command import RecordDeploy, ShowChart
from bot.model.units import parse_duration
from bot.services.deploys import TITLE
from bot.slack.said import Said, quoted, targets_of, usage
from bot.text import from_slack

_FILLERS = {"last", "past", "over", "for"}


def chart(said: Said) -> ShowChart | Refusal:
    """``TARGET METRIC [window]``"""
    target = _target(said, "chart")
    if isinstance(target, Refusal):
        return target
    words = [from_slack(word) for word in said.words[1:]]
    if not words:
        return usage("chart", "Name a metric too, such as cpu or p95.")
    written = " ".join(word for word in words[1:] if word.lower() not in _FILLERS)
    if not written:
        return ShowChart(target=target, metric=words[0])
    try:
        window = parse_duration(written)
    except ValueError:
        window = 0
    if window <= 0:
        return usage("chart", f"{quoted(written)} is no window such as 30m, 6h or 7d.")
    return ShowChart(target=target, metric=words[0], window=window)


def deploy(said: Said) -> RecordDeploy | Refusal:
    """``TARGET [what]``"""
    target = _target(said, "deploy")
    if isinstance(target, Refusal):
        return target
    title = Said(said.words[1:], said.targets, said.now).text
    if len(title) > TITLE:
        return usage("deploy", f"What it is has {len(title)} characters, at most {TITLE} fit.")
    return RecordDeploy(target=target, title=title)


def _target(said: Said, word: str) -> str | Refusal:
    if not said.words:
        return usage(word, f"Name a target. There are: {', '.join(said.targets)}.")
    named = targets_of(Said(said.words[:1], said.targets, said.now))
    return named if isinstance(named, Refusal) else named[0]
