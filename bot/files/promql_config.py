"""What a Prometheus is asked, checked: the labels that an expression names are the target's."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.problem import Fault, Loc
from bot.files.tree import Data, each, shorten
from bot.model import promql
from bot.model.nearest import nearest


def labels(data: Data) -> Iterator[Fault]:
    """Each ``$NAME`` that no label of the target stands for: it would match no series, ever."""
    for loc, target in each(data, "targets", None):
        own = (str(at[-1]) for at, _ in each(target, "labels", None))
        known = (promql.TARGET, *own)
        for at, expression in _expressions(target):
            for name in dict.fromkeys(promql.names(expression)):
                if name not in known:
                    near = nearest(name, known)
                    text = f"the target has no label ${shorten(name)}"
                    fix = "" if near else "add it below the target's labels"
                    yield Fault(at=(*loc, *at), text=text, near=near and f"${near}", fix=fix)


def _expressions(target: Data) -> Iterator[tuple[Loc, str]]:
    found = list(each(target, "health", "promql"))
    for loc, source in each(target, "metrics", None):
        if isinstance(source, dict) and source.get("format") == "promql":
            for key in ((), ("path",), ("at",)):
                values = each(source, "values", None, *key)
                found += [((*loc, *at), value) for at, value in values]
    yield from ((loc, text) for loc, text in found if isinstance(text, str))
