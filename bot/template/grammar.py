"""What a template may say: Jinja with little left in it, and every name known before it is needed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator

from jinja2 import TemplateSyntaxError, nodes

from bot.model.nearest import nearest
from bot.template.data import MAX_NUMBER
from bot.template.filters import FILTERS, TESTS
from bot.template.problem import TemplateProblem, located
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
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "a call",
    nodes.Concat: "~",
    nodes.Pow: "**",
    nodes.Dict: "a group written out",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter as a block",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.FromImport: "import",
    nodes.Scope: "autoescape",
}
_SYNTAX = {
    "'end of print statement'": "'}}'",
    "'end of statement block'": "'%}'",
    "'begin of statement block'": "'{%'",
    "'begin of print statement'": "'{{'",
}
_LANGUAGE = "only {{ }}, if, for and filters"
ENVIRONMENT = Sandbox()

Path = tuple[str, ...]


class _Wrong(Exception):
    def __init__(self, offset: int | None, text: str, expected: str = "", near: str = "") -> None:
        super().__init__(text)
        self.offset, self.text, self.expected, self.near = offset or 0, text, expected, near


def check(source: str, known: Collection[str] | None) -> TemplateProblem | None:
    """The first thing that is wrong with a template, or ``None``.

    ``known`` are dotted names: below a name with no longer one beside it (``readings``) anything may be
    asked; where longer ones are given (``inputs.minutes``), only those. ``None`` takes any name.
    """
    outcome = read(source, known)
    return outcome if isinstance(outcome, TemplateProblem) else None


def read(
    source: str, known: Collection[str] | None = None
) -> tuple[nodes.Template, set[Path]] | TemplateProblem:
    """The tree of a template and the paths that it asks for, or what is wrong with it."""
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
        return located(source, wrong.offset, wrong.text, expected=wrong.expected, near=wrong.near)
    return tree, {path for path, _ in paths}


def _syntax(source: str, error: TemplateSyntaxError) -> TemplateProblem:
    text = (error.message or "not a template").rstrip(".")
    for word, sign in _SYNTAX.items():
        text = text.replace(word, sign)
    return located(source, error.lineno, text[:1].lower() + text[1:200])


def _check_shape(tree: nodes.Template) -> None:
    """Only parts that are offered, and no deeper than what follows can go down safely."""
    rest: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while rest:
        node, depth = rest.pop()
        if depth > _MAX_DEPTH:
            raise _Wrong(node.lineno, "parts are nested too deeply", "something simpler")
        if not isinstance(node, _OFFERED):
            said = _REFUSED.get(type(node), type(node).__name__.lower())
            raise _Wrong(node.lineno, f"{said} is not offered here", _LANGUAGE)
        rest += [(child, depth + 1) for child in reversed(list(node.iter_child_nodes()))]


def _check_part(node: nodes.Node, bound: frozenset[str], loops: int) -> Iterator[tuple[Path, int]]:
    """Checks a part and everything in it; yields the paths that start outside its loops."""
    path = _path(node)
    if path is not None:
        names, offset = path
        _check_path(names, offset, bound)
        if names[0] not in bound:
            yield names, offset
        return
    match node:
        case nodes.For():
            yield from _check_loop(node, bound, loops + 1)
            return
        case nodes.Filter() | nodes.Test():
            _check_filter(node)
        case nodes.Tuple(ctx="load"):
            raise _Wrong(node.lineno, "a list in ( ) is not offered here", "[ ]")
        case nodes.Const():
            _check_constant(node)
        case nodes.CondExpr(expr2=None):
            raise _Wrong(node.lineno, "if needs an else here")
        case (
            nodes.Getattr(attr=str() as name) | nodes.Getitem(arg=nodes.Const(value=str() as name))
        ) if name.startswith("_"):
            _check_path((name,), node.lineno, bound)
    for child in node.iter_child_nodes():
        yield from _check_part(child, bound, loops)


def _path(node: nodes.Node) -> tuple[Path, int] | None:
    """``a.b['c']`` as its names and the offset of the first, if it is nothing but names."""
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
    return (node.name, *reversed(names)), node.lineno


def _check_path(path: Path, offset: int, bound: frozenset[str]) -> None:
    word = path[0]
    for name in path:
        if name.startswith("_"):
            raise _Wrong(offset, f"names that begin with _ are not offered: {name[:80]}")
    if word in _RESERVED or not _NAME.fullmatch(word):
        raise _Wrong(offset, f"'{word[:80]}' is no name of a value")
    if word == "loop" and (word not in bound or len(path) != 2 or path[1] not in LOOP_NAMES):
        expected = "loop." + ", loop.".join(LOOP_NAMES) + ", inside of for"
        raise _Wrong(offset, "loop is no value of its own", expected)


def _check_loop(node: nodes.For, bound: frozenset[str], loops: int) -> Iterator[tuple[Path, int]]:
    if loops > _MAX_LOOPS:
        raise _Wrong(node.lineno, "for is nested too deeply", f"at most {_MAX_LOOPS} deep")
    if node.recursive:
        raise _Wrong(node.lineno, "for ... recursive is not offered here", _LANGUAGE)
    targets = (node.target, *node.target.find_all(nodes.Name))
    names = {each.name: each.lineno for each in targets if isinstance(each, nodes.Name)}
    for name, offset in names.items():
        if name == "loop":
            raise _Wrong(offset, "loop is no name for an item")
        _check_path((name,), offset, bound)
    yield from _check_part(node.iter, bound, loops)
    inside = bound | names.keys()
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
            f"unknown {word} '{node.name[:80]}'",
            "" if near else ", ".join(sorted(known)),
            near,
        )
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise _Wrong(node.lineno, "* before an argument is not offered here")
    function = FILTERS[node.name] if isinstance(node, nodes.Filter) else TESTS[node.name]
    names = [str(pair.key) for pair in node.kwargs]
    if len(set(names)) < len(names):
        raise _Wrong(node.lineno, f"{node.name}: an argument is given twice")
    try:
        inspect.signature(function).bind(None, *node.args, **dict.fromkeys(names))
    except TypeError as error:
        raise _Wrong(node.lineno, f"{node.name}: {error}") from None


def _check_constant(node: nodes.Const) -> None:
    value = node.value
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise _Wrong(node.lineno, "a number is too large", f"at most {MAX_NUMBER:.0e}")


def _check_names(paths: list[tuple[Path, int]], known: Collection[str] | None) -> None:
    if known is None:
        return
    every = {tuple(name.split(".")) for name in known}
    inner = {path[:length] for path in every for length in range(1, len(path))}
    for path, offset in paths:
        for length in range(1, len(path) + 1):
            part = path[:length]
            if part in inner:
                continue
            if part in every:
                break
            beside = [other for other in every | inner if other[:-1] == part[:-1]]
            raise _unknown(part, beside, offset)


def _unknown(path: Path, beside: list[Path], offset: int) -> _Wrong:
    name = nearest(path[-1], [other[-1] for other in beside])
    near = ".".join((*path[:-1], name)) if name else ""
    expected = "" if near else ", ".join(sorted(".".join(other) for other in beside)[:10])
    return _Wrong(offset, f"nothing is known as {'.'.join(path)[:80]}", expected, near)
