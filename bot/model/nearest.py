"""The known word that was probably meant, and lists of words, for messages to people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """The known word that was probably meant; an empty string for none, or for a draw."""
    if len(word) > 100:
        return ""
    choices = sorted(known)
    by_case = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), by_case, n=2, cutoff=likeness)
    scores = [difflib.SequenceMatcher(None, choice, word.lower()).ratio() for choice in close]
    if not close or (len(close) == 2 and scores[0] == scores[1]):
        return ""
    return by_case[close[0]]


def listed(words: Iterable[str], last: str = "or") -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *head, tail = list(words) or [""]
    return f"{', '.join(head)} {last} {tail}" if head else tail
