"""What the runbooks ask for and the config doesn't have: not an error, a person does it by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from bot.files.note import Note
from bot.model.config import Config
from bot.model.nearest import listed
from bot.model.runbook import Runbook
from bot.model.step import ActionStep, Approval, BaseStep, ProbeStep, target_of

Offered = Mapping[str, Collection[str]]
"""The probes of the targets whose agents were asked, and answered."""

_AT = "runbooks"
_SHOWN = 5


class Use(NamedTuple):
    """Where a runbook asks for an action or a probe: of one target, or of whichever it runs on."""

    name: str
    place: str
    target: str | None


def runbook_findings(
    runbooks: Iterable[Runbook], config: Config, offered: Offered
) -> tuple[Note, ...]:
    """One note for each thing that is missing, with all the runbooks that ask for it."""
    books = tuple(runbooks)
    actions, probes = _actions(books), _probes(books)
    offering = {name: one.actions.keys() for name, one in config.targets.items() if one.actions}
    idle = [name for name in config.targets if name not in offering]
    bare = [name for name, target in config.targets.items() if target.agent is None]
    return (
        *_missing("action", actions, offering, config),
        *_without("action", actions, idle, "actions", "add actions: to the target"),
        *_missing("probe", probes, offered, config),
        *_without("probe", probes, bare, "agent", "run `iora agent` on its host and add agent:"),
        *_approvals(books, config),
    )


def asks_for_probes(runbooks: Iterable[Runbook]) -> bool:
    """Whether it is worth asking the agents what they offer."""
    return bool(_probes(tuple(runbooks)))


def _actions(runbooks: tuple[Runbook, ...]) -> tuple[Use, ...]:
    return tuple(
        Use(name, place, _fixed(step))
        for place, step in _steps(runbooks)
        for name in (
            step.action if isinstance(step, ActionStep) else None,
            step.undo.action if step.undo is not None else None,
        )
        if name is not None
    )


def _probes(runbooks: tuple[Runbook, ...]) -> tuple[Use, ...]:
    return tuple(
        Use(step.probe, place, _fixed(step))
        for place, step in _steps(runbooks)
        if isinstance(step, ProbeStep)
    )


def _steps(runbooks: tuple[Runbook, ...]) -> Iterator[tuple[str, BaseStep]]:
    for book in runbooks:
        for step in book.steps:
            yield f"{book.id} ({step.id})", step


def _fixed(step: BaseStep) -> str | None:
    target = target_of(step)
    return None if target is None or target.startswith("inputs.") else target


def _missing(noun: str, uses: tuple[Use, ...], offered: Offered, config: Config) -> Iterator[Note]:
    """Those that a target of which it is known what it offers doesn't offer."""
    places: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for use in uses:
        lacking = tuple(
            target
            for target in (config.targets if use.target is None else (use.target,))
            if target in offered and use.name not in offered[target]
        )
        if lacking:
            places.setdefault((use.name, lacking), []).append(use.place)
    for (name, targets), found in places.items():
        who, verb = listed(targets, "and"), "offers" if len(targets) == 1 else "offer"
        text = f"{who} {verb} no {noun} {name}: a person does it by hand in {_some(found)}"
        yield Note(at=_AT, text=text)


def _without(
    noun: str, uses: tuple[Use, ...], bare: list[str], lack: str, fix: str
) -> Iterator[Note]:
    """One note for the targets that offer nothing of the kind at all."""
    asked = [use for use in uses if (use.target in bare if use.target else bare)]
    if not asked:
        return
    named = {use.target for use in asked}
    targets = bare if None in named else [name for name in bare if name in named]
    names = list(dict.fromkeys(use.name for use in asked))
    books = [use.place.split(" ")[0] for use in asked]
    verb = "has" if len(targets) == 1 else "have"
    many = len(names) > 1
    text = (
        f"{listed(targets, 'and')} {verb} no {lack}: a person does by hand what the"
        f" {noun}{'s' * many} {listed(names, 'and')} {'do' if many else 'does'} in {_some(books)}"
    )
    yield Note(at=_AT, text=text, fix=fix)


def _approvals(runbooks: tuple[Runbook, ...], config: Config) -> Iterator[Note]:
    """Approvals for which there are too few people."""
    places: dict[tuple[str, str], list[str]] = {}
    for place, step in _steps(runbooks):
        approval = step.asks if isinstance(step, ActionStep) else step.approval
        lack = _lack(approval, config) if approval is not None else None
        if lack is not None:
            places.setdefault(lack, []).append(place)
    for (text, fix), found in places.items():
        yield Note(at=_AT, text=f"{text}, to approve {_some(found)}", fix=fix)


def _lack(approval: Approval, config: Config) -> tuple[str, str] | None:
    """Why nobody, or only somebody in luck, can give it; and what to do."""
    roles = listed(approval.roles)
    count = len({holder for role in approval.roles for holder in config.holders(role)})
    fix = f"name more people below roles.{approval.roles[0]}"
    if count < approval.min:
        few = f"only {count} of the {approval.min} people who are needed"
        return (f"the role {roles} has {few}" if count else f"nobody has the role {roles}"), fix
    if approval.not_requester and count == approval.min:
        text = f"where whoever starts it has the role {roles}, too few others have it"
        return text, fix
    return None


def _some(places: list[str]) -> str:
    shown = list(dict.fromkeys(places))
    more = len(shown) - _SHOWN
    return listed([*shown[:_SHOWN], f"{more} more"] if more > 0 else shown, "and")
