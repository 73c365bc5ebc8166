"""The words of a drill: which policy, how much of it, and whether it is asked for first."""

from __future__ import annotations

from bot.model.answer import Refusal
from bot.model.command import Drill
from bot.slack.said import Said, quoted, usage
from bot.text import from_slack


def drill(said: Said) -> Drill | Refusal:
    """``[policy] [all] [start]``."""
    words = [from_slack(word) for word in said.words]
    start = bool(words) and words[-1].lower() == "start"
    words = words[:-1] if start else words
    whole = bool(words) and words[-1].lower() == "all"
    words = words[:-1] if whole else words
    if len(words) > 1:
        return usage("drill", f"{quoted(' '.join(words))} is no policy's name.")
    return Drill(policy=words[0] if words else None, whole=whole, start=start)
