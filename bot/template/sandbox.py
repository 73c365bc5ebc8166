"""The Jinja environment: look-ups in plain data, arithmetic on numbers, and nothing that is called.

What it parses counts characters where Jinja counts lines: ``lineno`` of a node, of a syntax error and of
compiled code is the offset in the source, so that every problem has a line and a column.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator

from jinja2 import TemplateSyntaxError, pass_context
from jinja2.lexer import TOKEN_STRING, TokenStream
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.template import filters
from bot.template.allowance import Trouble, allowance
from bot.template.data import Missing, shown

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
LOOP_NAMES = ("index", "index0", "first", "last", "length")
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


@pass_context
def _finalize(context: Context, value: object) -> str:
    return allowance(context).show(shown(value))


class Sandbox(ImmutableSandboxedEnvironment):
    """What the grammar refuses is refused here once more, for a template that it never saw."""

    intercepted_binops = frozenset({*_ARITHMETIC, "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=_finalize,
            autoescape=False,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals.clear()
        self.filters = filters.for_environment()
        self.tests = dict(filters.TESTS)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = _placed(source, self.lexer.tokeniter(source, name, filename, state))
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

    def getattr(self, obj: object, attribute: str) -> object:
        """A key of a mapping; of a loop, where it is. Never an attribute of a Python object."""
        if isinstance(obj, LoopContext) and attribute in LOOP_NAMES:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """What is missing in something missing is missing too, so that ``default`` covers both."""
        if isinstance(obj, Missing):
            return obj
        if isinstance(argument, Missing):
            raise Trouble(argument.reason)
        if type(obj) is dict and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if type(obj) is list and type(argument) is int and -len(obj) <= argument < len(obj):
            return obj[argument]
        return Missing(obj=obj, name=str(argument))

    def call(self, *_: object, **__: object) -> object:
        raise Trouble("nothing can be called here")

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Numbers only; a sum with an unknown part is unknown."""
        function = _ARITHMETIC.get(operator)
        if function is None:
            raise Trouble(f"{operator} is not offered")
        one, other = _operand(left), _operand(right)
        if one is None or other is None:
            return None
        if not other and operator in {"/", "//", "%"}:
            raise Trouble("a division by zero")
        return filters.number(function(one, other))

    def call_unop(self, context: Context, operator: str, arg: object) -> object:
        value = _operand(arg)
        return value if value is None or operator == "+" else -value


def _placed(source: str, tokens: Iterator[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """Tokens with their offset; each stands in the source as it is, after the one before it."""
    end = 0
    try:
        for _, kind, text in tokens:
            start = source.find(text, end)
            if kind == TOKEN_STRING:
                _check_escapes(text, start)
            yield start, kind, text
            end = start + len(text)
    except TemplateSyntaxError as error:
        error.lineno = end
        raise


def _check_escapes(text: str, start: int) -> None:
    for found in _ESCAPE.finditer(text):
        if found[1] not in "\\'\"nt":
            raise TemplateSyntaxError(f"unknown escape \\{found[1]} in a text", start)


def _operand(value: object) -> int | float | None:
    if isinstance(value, Missing):
        raise Trouble(value.reason)
    return None if value is None else filters.number(value)
