"""Which runbooks fit what a target reads now, and why: ``CPU 96 % > 90``."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.book import Books
from bot.rules.condition import Truth, evaluate
from bot.rules.known import Values


@dataclass(frozen=True)
class Fit:
    """A runbook with how many of its symptoms hold, why, and how many of them can't be told."""

    runbook: str
    title: str
    holding: int
    because: tuple[str, ...]
    unknown: int
    trial: bool

    @property
    def fits(self) -> bool:
        """Whether at least one of its symptoms holds."""
        return self.holding > 0


def rank(books: Books, values: Values, now: int) -> tuple[Fit, ...]:
    """Those with the most symptoms first; the same number: by name."""
    found = (
        _fit(name, books, values, now)
        for name, book in books.items()
        if book.runbook.triggers.manual
    )
    return tuple(sorted(found, key=lambda one: (-one.holding, one.runbook)))


def _fit(name: str, books: Books, values: Values, now: int) -> Fit:
    runbook = books[name].runbook
    judged = [evaluate(condition, values, now) for condition in runbook.triggers.symptoms]
    because = tuple(
        dict.fromkeys(reason for one in judged if one.truth is Truth.YES for reason in one.because)
    )
    unknown = sum(one.truth is Truth.UNKNOWN for one in judged)
    holding = sum(one.truth is Truth.YES for one in judged)
    return Fit(name, runbook.title, holding, because, unknown, runbook.trial)
