"""``intake`` of the config: what its names and expressions lead to, and that tokens tell senders apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bot.files.expression import is_jmespath, no_jmespath
from bot.files.problem import Fault, Loc
from bot.files.tree import Data, each, shorten
from bot.model.alert import HEARTBEATS
from bot.model.intake import MEANS_RESOLVED
from bot.model.nearest import nearest

_SOURCES, _JOBS = ("intake", "sources", None), ("intake", "heartbeats", None)


def expressions(data: Data) -> Iterator[Fault]:
    """Every part of a map can be read."""
    places = [
        *each(data, *_SOURCES, "items"),
        *each(data, *_SOURCES, "map", None),
        *each(data, *_SOURCES, "map", "labels", None),
    ]
    for at, text in places:
        if isinstance(text, str) and text and not is_jmespath(text):
            yield no_jmespath(at, "a path into what is sent, such as message or labels.service")


def names(data: Data) -> Iterator[Fault]:
    """No source has the bot's own name; policies and targets are there."""
    for at, _ in each(data, *_SOURCES):
        if at[-1] == HEARTBEATS:
            text = f"a source can't be called {HEARTBEATS}: so the bot calls what it misses itself"
            yield Fault(at=at, text=text, on_key=True)
    policies = [str(at[-1]) for at, _ in each(data, "escalation", "policies", None)]
    targets = [str(at[-1]) for at, _ in each(data, "targets", None)]
    used = (*each(data, *_SOURCES, "policy"), *each(data, *_JOBS, "policy"))
    yield from _unknown(used, policies, "policy", "add it below escalation.policies")
    meant = (*each(data, *_SOURCES, "target"), *each(data, *_JOBS, "target"))
    yield from _unknown(meant, targets, "target", "add it below targets")


def tokens(data: Data) -> Iterator[Fault]:
    """A token is of one sender only: it says which it is."""
    seen: dict[str, str] = {}
    for at, token in (*each(data, *_SOURCES, "token"), *each(data, *_JOBS, "token")):
        if isinstance(token, str) and token in seen:
            text = f"the token of {seen[token]} already"
            yield Fault(at=at, text=text, fix="give each sender one of its own")
        elif isinstance(token, str):
            seen[token] = str(at[2])


def labels(data: Data) -> Iterator[Fault]:
    """What is grouped by is there; Alertmanager's alerts bring their own labels."""
    for loc, source in each(data, *_SOURCES):
        kind = source.get("kind") if isinstance(source, dict) else None
        mapped = [str(at[-1]) for at, _ in each(source, "map", "labels", None)]
        if kind == "alertmanager" and mapped:
            at = (*loc, "map", "labels")
            yield Fault(at=at, text="Alertmanager's alerts have labels of their own", on_key=True)
        if kind == "json":
            used = [((*loc, *at), label) for at, label in each(source, "group_by", None)]
            yield from _unknown(used, mapped, "label", "add it below map.labels")


def words(data: Data) -> Iterator[Fault]:
    """A word can't mean both: it would never fire."""
    for loc, source in each(data, *_SOURCES):
        given = source.get("resolved") if isinstance(source, dict) else None
        ends = given if isinstance(given, list) else MEANS_RESOLVED
        over = {str(one).lower() for one in ends}
        for at, word in each(source, "firing", None):
            if str(word).lower() in over:
                text = f"'{shorten(str(word))}' means resolved already: it would never fire"
                fix = "write the words of `resolved` too, without it"
                yield Fault(at=(*loc, *at), text=text, fix=fix)


def runbooks(data: Data, known: Collection[str], folder: str) -> Iterator[Fault]:
    """The runbooks that senders name are there, whether they can be used or not."""
    used = (*each(data, *_SOURCES, "runbook"), *each(data, *_JOBS, "runbook"))
    yield from _unknown(used, known, "runbook", f"add it to {folder}")


CHECKS = (expressions, names, tokens, labels, words)


def _unknown(
    used: Iterable[tuple[Loc, Data]], known: Collection[str], noun: str, fix: str
) -> Iterator[Fault]:
    for at, name in used:
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            text = f"there is no {noun} of this name"
            yield Fault(at=at, text=text, near=near, fix="" if near else fix)
