"""The tree of a checked template, with what keeps it in its bounds put in before it is compiled."""

from __future__ import annotations

import re

from jinja2 import nodes

from bot.model.units import unit_of
from bot.template.filters import HAYSTACK, IN_LINK, LOOP, SINGLE

_MARK = "\0"  # stands for an expression; no source holds one
_ENTITY = re.compile(r"<(?:https?://|mailto:|[@#])[^<>]*>|<![^<>\0]*>")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")


def guarded(tree: nodes.Template, *, mrkdwn: bool) -> nodes.Template:
    """Loops and comparisons are counted; for mrkdwn, no value can become part of a mention."""
    for loop in list(tree.find_all(nodes.For)):
        repeated = [*loop.body, *([] if loop.test is None else [loop.test])]
        loop.iter = _through(LOOP, loop.iter, sum(_weight(part) for part in repeated))
    for comparison in list(tree.find_all(nodes.Compare)):
        _guard(comparison)
    for each in tree.find_all(nodes.Filter):
        if each.name == "value" and not each.args and not each.kwargs:
            name = each.node.attr if isinstance(each.node, nodes.Getattr) else ""
            each.args = [nodes.Const(unit_of(name))]
    if mrkdwn:
        for output in list(tree.find_all(nodes.Output)):
            output.nodes = _author_text(output.nodes)
    return tree


def _guard(comparison: nodes.Compare) -> None:
    ordered = any(each.op in {"lt", "lteq", "gt", "gteq"} for each in comparison.ops)
    comparison.expr = _through(SINGLE, comparison.expr, ordered)
    for each in comparison.ops:
        if each.op in {"in", "notin"}:
            each.expr = _through(HAYSTACK, each.expr)
        else:
            each.expr = _through(SINGLE, each.expr, ordered)


def _author_text(parts: list[nodes.Expr]) -> list[nodes.Expr]:
    """Whole links and mentions stay; any other ``<`` is a sign, so that no value completes it."""
    text = "".join(part.data if isinstance(part, nodes.TemplateData) else _MARK for part in parts)
    values = [part for part in parts if not isinstance(part, nodes.TemplateData)]
    in_address: set[int] = set()
    written, end = "", 0
    for found in _ENTITY.finditer(text):
        before = text[: found.start()].count(_MARK)
        in_address |= {before + n for n in range(found[0].partition("|")[0].count(_MARK))}
        written += _as_signs(text[end : found.start()]) + found[0]
        end = found.end()
    written += _as_signs(text[end:])
    result: list[nodes.Expr] = []
    for number, data in enumerate(written.split(_MARK)):
        if number:
            value = values[number - 1]
            result.append(_through(IN_LINK, value) if number - 1 in in_address else value)
        result.append(nodes.TemplateData(data))
    return result


def _as_signs(text: str) -> str:
    return _AMPERSAND.sub("&amp;", text).replace("<", "&lt;")


def _through(name: str, node: nodes.Node, *arguments: object) -> nodes.Filter:
    given = [nodes.Const(argument) for argument in arguments]
    return nodes.Filter(node, name, given, [], None, None, lineno=node.lineno)


def _weight(node: nodes.Node) -> int:
    return 1 + sum(_weight(child) for child in node.iter_child_nodes())
