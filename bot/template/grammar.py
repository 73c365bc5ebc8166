"""What a template may say: Jinja with little left in it, and every name known before it is needed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator

from jinja2 import TemplateSyntaxError, nodes

from bot.model.nearest import nearest
from bot.template.data import MAX_NUMBER
from bot.template.filters import FILTERS, TESTS
from bot.template.problem import TemplateProblem, find, located
from bot.template.sandbox import LOOP_NAMES, Sandbox
from bot.text import without_controls

MAX_SOURCE = 4_000
_MAX_DEPTH = 25
_MAX_LOOPS = 3
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = {"self", "super", "caller", "varargs", "kwargs"}
_OFFERED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.Filter, nodes.Test, nodes.Keyword, nodes.Compare, nodes.Operand, nodes.And, nodes.Or),
    *(nodes.Not, nodes.CondExpr, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv),
    *(nodes.Mod, nodes.Neg, nodes.Pos),
)
# How a part that isn't offered is written: what is said of it, and what is looked for.
_REFUSED: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Call: ("a call", "("),
    nodes.Concat: ("~", "~"),
    nodes.Pow: ("**", "**"),
    nodes.Dict: ("a group written out", "{"),
    nodes.Macro: ("macro", "macro"),
    nodes.CallBlock: ("call", "call"),
    nodes.FilterBlock: ("filter as a block", "filter"),
    nodes.Assign: ("set", "set"),
    nodes.AssignBlock: ("set", "set"),
    nodes.With: ("with", "with"),
    nodes.Block: ("block", "block"),
    nodes.Extends: ("extends", "extends"),
    nodes.Include: ("include", "include"),
    nodes.Import: ("import", "import"),
    nodes.FromImport: ("import", "import"),
    nodes.ScopedEvalContextModifier: ("autoescape", "autoescape"),
}
_SYNTAX = {
    "'end of print statement'": "'}}'",
    "'end of statement block'": "'%}'",
    "'begin of statement block'": "'{%'",
    "'begin of print statement'": "'{{'",
}
_LANGUAGE = "only {{ }}, if, for and filters"
ENVIRONMENT = Sandbox()


class _Wrong(Exception):
    def __init__(self, line: int, word: str, text: str, expected: str = "", near: str = "") -> None:
        super().__init__(text)
        self.line, self.word, self.text = line, word, text
        self.expected, self.near = expected, near


def check(source: str, known: Collection[str] | None) -> TemplateProblem | None:
    """The first thing that is wrong with a template, or ``None``.

    ``known`` are dotted names: below a name with no longer one beside it (``readings``) anything may be
    asked; where longer ones are given (``inputs.minutes``), only those. ``None`` takes any name.
    """
    outcome = read(source, known)
    return outcome if isinstance(outcome, TemplateProblem) else None


def read(
    source: str, known: Collection[str] | None = None
) -> tuple[nodes.Template, frozenset[str]] | TemplateProblem:
    """The tree of a template and the roots that it asks for, or what is wrong with it."""
    if len(source) > MAX_SOURCE:
        text = f"{len(source):,} characters are too many"
        return located(source, MAX_SOURCE, text, expected=f"at most {MAX_SOURCE:,}")
    if (clean := without_controls(source)) != source:
        at = next(
            (n for n, (a, b) in enumerate(zip(source, clean, strict=False)) if a != b), len(clean)
        )
        return located(source, at, "a control character, which nobody can see")
    try:
        tree = ENVIRONMENT.parse(source)
        _check_shape(tree)
        paths = list(_check_part(tree, frozenset(), 0))
        _check_names(paths, known)
    except TemplateSyntaxError as error:
        return _syntax(source, error)
    except RecursionError:
        return located(source, 0, "parts are nested too deeply")
    except _Wrong as wrong:
        at = find(source, wrong.line, wrong.word)
        return located(source, at, wrong.text, expected=wrong.expected, near=wrong.near)
    return tree, frozenset(path[0] for path, _ in paths)


def _syntax(source: str, error: TemplateSyntaxError) -> TemplateProblem:
    text = (error.message or "not a template").rstrip(".")
    for word, sign in _SYNTAX.items():
        text = text.replace(word, sign)
    return located(source, find(source, error.lineno), text[:1].lower() + text[1:200])


def _check_shape(tree: nodes.Template) -> None:
    """Only parts that are offered, and no deeper than what follows can go down safely."""
    rest: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while rest:
        node, depth = rest.pop()
        if depth > _MAX_DEPTH:
            raise _Wrong(node.lineno, "", "parts are nested too deeply", "something simpler")
        if not isinstance(node, _OFFERED):
            said, written = _REFUSED.get(type(node), (type(node).__name__.lower(), ""))
            raise _Wrong(node.lineno, written, f"{said} is not offered here", _LANGUAGE)
        rest += [(child, depth + 1) for child in node.iter_child_nodes()]


_Path = tuple[str, ...]


def _check_part(node: nodes.Node, bound: frozenset[str], loops: int) -> Iterator[tuple[_Path, int]]:
    """Checks a part and everything in it; yields the paths that start outside its loops."""
    path = _path(node)
    if path is not None:
        _check_path(path, node.lineno, bound)
        if path[0] not in bound:
            yield path, node.lineno
        return
    match node:
        case nodes.For():
            yield from _check_loop(node, bound, loops + 1)
            return
        case nodes.Filter() | nodes.Test():
            _check_filter(node)
        case nodes.Const():
            _check_constant(node)
        case nodes.Getattr(attr=name) if name.startswith("_"):
            _check_path((name,), node.lineno, bound)
    for child in node.iter_child_nodes():
        yield from _check_part(child, bound, loops)


def _path(node: nodes.Node) -> _Path | None:
    """``a.b['c']`` as its names, if it is nothing but names."""
    names: list[str] = []
    while not isinstance(node, nodes.Name):
        match node:
            case nodes.Getattr(node=inner, attr=name):
                pass
            case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as name)):
                pass
            case _:
                return None
        names.append(name)
        node = inner
    return (node.name, *reversed(names))


def _check_path(path: _Path, line: int, bound: frozenset[str]) -> None:
    word = path[0]
    for name in path:
        if name.startswith("_"):
            raise _Wrong(line, word, f"names that begin with _ are not offered: {name[:80]}")
    if word in _RESERVED or not _NAME.fullmatch(word):
        raise _Wrong(line, word, f"'{word[:80]}' is no name of a value")
    if word == "loop" and (word not in bound or len(path) != 2 or path[1] not in LOOP_NAMES):
        expected = "loop." + ", loop.".join(LOOP_NAMES) + ", inside of for"
        raise _Wrong(line, word, "loop is no value of its own", expected)


def _check_loop(node: nodes.For, bound: frozenset[str], loops: int) -> Iterator[tuple[_Path, int]]:
    if loops > _MAX_LOOPS:
        raise _Wrong(node.lineno, "for", "for is nested too deeply", f"at most {_MAX_LOOPS} deep")
    if node.recursive:
        raise _Wrong(node.lineno, "recursive", "for ... recursive is not offered here", _LANGUAGE)
    targets = (node.target, *node.target.find_all(nodes.Name))
    names = {target.name for target in targets if isinstance(target, nodes.Name)}
    for name in names:
        if name == "loop":
            raise _Wrong(node.lineno, name, "loop is no name for an item")
        _check_path((name,), node.lineno, bound)
    yield from _check_part(node.iter, bound, loops)
    inside = bound | names
    if node.test is not None:
        yield from _check_part(node.test, inside - {"loop"}, loops)
    for child in node.body:
        yield from _check_part(child, inside | {"loop"}, loops)
    for child in node.else_:
        yield from _check_part(child, bound, loops)


def _check_filter(node: nodes.Filter | nodes.Test) -> None:
    known: Collection[str] = FILTERS if isinstance(node, nodes.Filter) else TESTS
    word = "filter" if isinstance(node, nodes.Filter) else "test"
    if node.name not in known:
        near = nearest(node.name, known)
        raise _Wrong(
            node.lineno,
            node.name,
            f"unknown {word} '{node.name[:80]}'",
            "" if near else ", ".join(sorted(known)),
            near,
        )
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise _Wrong(node.lineno, node.name, "* before an argument is not offered here")
    function = FILTERS[node.name] if isinstance(node, nodes.Filter) else TESTS[node.name]
    named = {str(pair.key): None for pair in node.kwargs}
    try:
        inspect.signature(function).bind(None, *node.args, **named)
    except TypeError as error:
        raise _Wrong(node.lineno, node.name, f"{node.name}: {error}") from None


def _check_constant(node: nodes.Const) -> None:
    value = node.value
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise _Wrong(node.lineno, "", "a number is too large", f"at most {MAX_NUMBER:.0e}")


def _check_names(paths: list[tuple[_Path, int]], known: Collection[str] | None) -> None:
    if known is None:
        return
    every = {tuple(name.split(".")) for name in known}
    inner = {path[:length] for path in every for length in range(1, len(path))}
    for path, line in paths:
        for length in range(1, len(path) + 1):
            part = path[:length]
            if part in inner:
                continue
            if part in every:
                break
            beside = [other for other in every | inner if other[:-1] == part[:-1]]
            raise _unknown(part, beside, line)


def _unknown(path: _Path, beside: list[_Path], line: int) -> _Wrong:
    name = nearest(path[-1], [other[-1] for other in beside])
    near = ".".join((*path[:-1], name)) if name else ""
    expected = "" if near else ", ".join(sorted(".".join(other) for other in beside)[:10])
    written = ".".join(path)
    return _Wrong(line, written, f"nothing is known as {written[:80]}", expected, near)
