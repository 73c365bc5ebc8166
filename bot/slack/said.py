"""The words that somebody typed, and what a word may name."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from bot.model.answer import Refusal
from bot.model.words import BY_WORD
from bot.text import from_slack, outside

# A mention, or a member id as it stands: that has a digit, so that no word in capitals is a person.
_MENTION = re.compile(
    r"<@(?P<picked>[UW][A-Z0-9]{2,30})(?:\|[^>]*)?>|@?(?P<written>[UW](?=[A-Z]*[0-9])[A-Z0-9]{2,30})"
)


@dataclass(frozen=True)
class Said:
    """The words after the command's own, and what they may refer to."""

    words: tuple[str, ...]
    targets: Collection[str]
    now: int

    @property
    def text(self) -> str:
        """The words as one plain text."""
        return from_slack(" ".join(self.words)).strip()


def quoted(text: str) -> str:
    """What was typed, as a refusal may repeat it."""
    return f"`{outside(text, 40)}`"


def usage(word: str, problem: str) -> Refusal:
    """What is wrong, and how the command is written."""
    return Refusal(problem, f"Write `/iora {BY_WORD[word].usage}`.")


def person(word: str) -> str | None:
    """The member id that a word names."""
    found = _MENTION.fullmatch(word)
    return (found["picked"] or found["written"]) if found else None


def targets_of(said: Said) -> tuple[str, ...] | Refusal:
    """The targets that the words name, each once; or a refusal with the nearest one that there is."""
    named = tuple(from_slack(word).strip(",") for word in said.words)
    for name in named:
        if name not in said.targets:
            near = get_close_matches(name, said.targets, n=1, cutoff=0.5)
            hint = (
                f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(said.targets)}."
            )
            return Refusal(f"There is no target {quoted(name)}.", hint)
    return tuple(dict.fromkeys(named))
