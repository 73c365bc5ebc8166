"""The condition language, from text to tree: a recursive descent over one list of tokens.

::

    condition = all {"or" all};  all = one {"and" one};  one = "not" one | test
    test = "(" condition ")" | "unknown(" name ")" | name op literal
    name = ident {"." ident};  op = < <= > >= == !=
    literal = number [% ms s m h d MB GB] | word | 'text'

No arithmetic, no calls; what a name may be compared with is in ``operand``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bot.errors import Misplaced
from bot.model.nearest import listed, nearest
from bot.model.node import And, Literal, Node, Not, Or, Test, Unknown
from bot.model.operand import (
    FAMILIAR,
    UNITS,
    Hour,
    Kind,
    Open,
    Quantity,
    Words,
    expected_of,
    factor,
    kind_of,
)

LENGTH = 1000
LEVELS = 20

_TOKEN = re.compile(
    r"(?P<number>-?[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)"
    r"|(?P<op>[<>=!]=|[<>])"
    r"|(?P<mark>[()%])"
    r"|(?P<text>'[^']*')"
    r"|(?P<wrong>&&|\|\||[^ \t\r\n])"
)
_OPS = ("<", "<=", ">", ">=", "==", "!=")
_EQUALITY = ("==", "!=")
_KEYWORDS = ("and", "or", "not")
_MEANT = {"=": "==", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
_SHOWN = 40


class ConditionError(Misplaced):
    """A condition that can't be read, with the offset of what is wrong in it."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tree(text: str) -> Node:
    """The tree of a condition; raises ``ConditionError``."""
    if len(text) > LENGTH:
        raise ConditionError(
            f"got {len(text):,} characters", LENGTH, expected=f"at most {LENGTH:,} in a condition"
        )
    return _Parser(text).condition()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        found = _TOKEN.finditer(text)
        self._tokens = [_Token(str(one.lastgroup), one.group(), one.start()) for one in found]
        self._tokens.append(_Token("end", "", len(text.rstrip())))
        self._at = 0
        self._level = 0

    def condition(self) -> Node:
        """The whole text."""
        node = self._any()
        if self._token.kind != "end":
            raise self._unexpected("and, or, or the end", ("and", "or"))
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _any(self) -> Node:
        parts = self._chain("or", self._all)
        if len(parts) == 1:
            return parts[0]
        return Or(parts, start=parts[0].start, end=parts[-1].end)

    def _all(self) -> Node:
        parts = self._chain("and", self._one)
        if len(parts) == 1:
            return parts[0]
        return And(parts, start=parts[0].start, end=parts[-1].end)

    def _chain(self, word: str, part: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [part()]
        while self._took(word):
            parts.append(part())
        return tuple(parts)

    def _one(self) -> Node:
        start = self._token.start
        if self._token.text != "not":
            return self._test()
        with self._deeper():
            self._at += 1
            part = self._one()
        return Not(part, start=start, end=part.end)

    def _test(self) -> Node:
        token = self._token
        if token.text == "(":
            return self._bracketed()
        if token.kind != "word" or token.text in _KEYWORDS:
            raise self._unexpected("a name such as cpu_percent, not, unknown(NAME) or (", ("not",))
        if token.text == "unknown":
            return self._unknown()
        kind = self._named()
        op = self._operator(kind)
        literal = self._literal(token.text, kind)
        return Test(token.text, op, literal, start=token.start, end=literal.end)

    def _bracketed(self) -> Node:
        with self._deeper():
            self._at += 1
            node = self._any()
            self._take(")", "and, or, or )", ("and", "or"))
        return node

    def _unknown(self) -> Unknown:
        start = self._token.start
        self._at += 1
        self._take("(", "( and a name, as in unknown(cpu_percent)")
        name = self._token
        if name.kind != "word" or name.text in _KEYWORDS:
            raise self._unexpected("a name such as cpu_percent")
        self._named()
        end = self._token.end
        self._take(")", ")")
        return Unknown(name.text, start=start, end=end, name_start=name.start)

    def _named(self) -> Kind:
        try:
            kind = kind_of(self._token.text)
        except ValueError as error:
            raise self._unexpected(str(error), FAMILIAR, likeness=0.85) from None
        self._at += 1
        return kind

    def _operator(self, kind: Kind) -> str:
        token = self._token
        if token.kind != "op" or token.text not in _OPS:
            raise self._unexpected(listed(_OPS), ("==",))
        if isinstance(kind, Words) and token.text not in _EQUALITY:
            raise self._unexpected("== or != with a word")
        self._at += 1
        return token.text

    def _literal(self, name: str, kind: Kind) -> Literal:
        token = self._token
        if token.kind == "number" and not isinstance(kind, Words):
            return self._number(name, kind)
        a_word = token.kind == "text" or (
            token.kind == "word" and "." not in token.text and token.text not in _KEYWORDS
        )
        if a_word and isinstance(kind, Words | Open):
            return self._word(name, kind)
        words = kind.words if isinstance(kind, Words) else ()
        raise self._unexpected(f"{expected_of(kind)} for {name}", words)

    def _word(self, name: str, kind: Words | Open) -> Literal:
        token = self._token
        value = token.text.strip("'")
        if isinstance(kind, Words) and value not in kind.words:
            raise self._unexpected(f"{expected_of(kind)} for {name}", kind.words)
        if isinstance(kind, Open) and self._tokens[self._at - 1].text not in _EQUALITY:
            raise self._unexpected(f"a number for {name}: words are compared with == or !=")
        self._at += 1
        return Literal(value, "", token.text, start=token.start, end=token.end)

    def _number(self, name: str, kind: Quantity | Hour | Open) -> Literal:
        number, unit = self._token, self._unit()
        raw = float(number.text)
        if not math.isfinite(raw):
            raise self._unexpected("a number that is not that large")
        if isinstance(kind, Hour) and (raw not in range(24)):
            raise self._unexpected(f"{expected_of(kind)} for {name}")
        by = factor(kind, unit.text if unit else "")
        if by is None:
            if unit:
                self._at += 1
            raise self._unexpected(f"{expected_of(kind)} for {name}")
        self._at += 2 if unit else 1
        end = (unit or number).end
        text = self._text[number.start : end]
        return Literal(raw * by, unit.text if unit else "", text, start=number.start, end=end)

    def _unit(self) -> _Token | None:
        """The unit behind the number that is now."""
        self._at += 1
        token = self._token
        if token.text not in UNITS and token.kind == "word" and token.text not in _KEYWORDS:
            expected = f"a unit ({' '.join(UNITS)}), and, or, or the end"
            raise self._unexpected(expected, (*UNITS, "and", "or"))
        self._at -= 1
        return token if token.text in UNITS else None

    def _took(self, word: str) -> bool:
        taken = self._token.text == word
        self._at += taken
        return taken

    def _take(self, mark: str, expected: str, known: tuple[str, ...] = ()) -> None:
        if not self._took(mark):
            raise self._unexpected(expected, known)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._level += 1
        if self._level > LEVELS:
            raise ConditionError(
                "nested too deep", self._token.start, expected=f"at most {LEVELS} levels"
            )
        yield
        self._level -= 1

    def _unexpected(
        self, expected: str, known: tuple[str, ...] = (), *, likeness: float = 0.6
    ) -> ConditionError:
        token = self._token
        if token.kind == "end":
            return ConditionError("got the end", token.start, expected=expected)
        if token.text == '"':
            return ConditionError('got "', token.start, expected="'single quotes' around a text")
        text = token.text
        shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
        got = f"got {shown}" if token.kind == "text" else f"got '{shown}'"
        near = _MEANT.get(text, "") or nearest(text, known, likeness=likeness)
        return ConditionError(got, token.start, expected=expected, near=near)
