"""What one rendering may use up: the time that it takes is bounded by this, not by a clock."""

from __future__ import annotations

from collections.abc import Callable

from jinja2.runtime import Context

MAX_OUTPUT = 8_000
MAX_VALUE = 2_000
_MAX_ITEMS = 1_000
_MAX_WORK = 50_000
_NAME = "_allowance"


class Trouble(Exception):
    """Why a text can't be made of these values, in words for a person."""


class Allowance:
    """Counts loops, work and text of one rendering down; raises ``Trouble`` where it is used up."""

    def __init__(self, escape: Callable[[str], str]) -> None:
        self._escape = escape
        self._items = _MAX_ITEMS
        self._work = _MAX_WORK
        self._text = MAX_OUTPUT

    def loop(self, items: int, weight: int) -> None:
        """A loop over so many items, whose body evaluates ``weight`` parts for each."""
        self._items -= items
        if self._items < 0:
            raise Trouble(f"the loops go over more than {_MAX_ITEMS:,} items in all")
        self.spend(items * weight)

    def spend(self, work: int) -> None:
        """One is about a look-up, or an item that a filter goes over."""
        self._work -= work
        if self._work < 0:
            raise Trouble("the loops do too much work: do less in them, or take fewer items")

    def show(self, text: str) -> str:
        """A value as it leaves its expression: its length counts before it is cut and escaped,
        so that no text is too short to cost anything."""
        shown = text[: MAX_VALUE + 1]
        self._text -= len(shown)
        if self._text < 0:
            raise too_long()
        return self._escape(shown)

    def under(self) -> dict[str, object]:
        """How the rendering carries it: under a name that no template can say."""
        return {_NAME: self}


def allowance(context: Context) -> Allowance:
    """The allowance of the rendering that a filter is called in."""
    found = context.parent[_NAME]
    assert isinstance(found, Allowance)
    return found


def too_long() -> Trouble:
    return Trouble(f"the text comes to more than {MAX_OUTPUT:,} characters")
