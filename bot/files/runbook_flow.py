"""How a runbook's steps follow each other: what can't be reached, can't begin or can't end."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.files.draft import Asked, Draft, DraftStep
from bot.files.problem import Fault, Loc
from bot.files.tree import Data, each, shorten
from bot.model.condition import STEP_STATES
from bot.model.nearest import nearest
from bot.model.runbook import Runbook
from bot.model.step import ON_FAILURE, Recovery, WaitStep
from bot.model.units import format_duration
from bot.rules.possible import can_hold

_RUN_TIMEOUT: int = Runbook.model_fields["run_timeout"].default
_WAIT: int = WaitStep.model_fields["within"].default
_VERIFY: int = Recovery.model_fields["within"].default
_NOT_RETRIED = {
    "action": "an action is never tried again by itself: nobody knows what the first call did",
    "checklist": "a person does this step: there is nothing to try again",
    "notify": "a message is sent again by itself until it has arrived",
    "wait_for": "the condition is looked at again and again until `within` is over",
    "advise": "nothing in this step can fail",
    "postmortem": "this step is not tried again",
}
_REMIND_AT_LEAST = 1_000


def ids(draft: Draft) -> Iterator[Fault]:
    """Each step has an id of its own, which no way on is called by."""
    for step in draft.steps:
        if step.id in ON_FAILURE:
            text = f"a step can't be called {step.id}: after on_failure that word is a way on"
            yield Fault(at=step.at("id"), text=text)
        elif step.id and draft.by_id[step.id] is not step:
            text = f"an earlier step has the id '{shorten(step.id)}' too"
            yield Fault(at=step.at("id"), text=text)


def ways_on(draft: Draft) -> Iterator[Fault]:
    """``on_failure`` leads on, never back."""
    for step in draft.steps:
        way = step.data.get("on_failure")
        later = [one.id for one in draft.steps if one.number > step.number and one.id]
        if not isinstance(way, str) or way in ON_FAILURE or way in later:
            continue
        known = (*ON_FAILURE, *later)
        if way in draft.by_id:
            text = f"step '{shorten(way)}' does not come later: a run never goes back"
        else:
            text = f"got text '{shorten(way)}'"
        expected = f"{', '.join(ON_FAILURE)} or a later step's id"
        near = nearest(way, known)
        yield Fault(at=step.at("on_failure"), text=text, expected=expected, near=near)


def retries(draft: Draft) -> Iterator[Fault]:
    """Where ``retry`` is an unknown key, and why."""
    for step in draft.steps:
        if "retry" in step.data and step.kind in _NOT_RETRIED:
            yield Fault(
                at=step.at("retry"), text=_NOT_RETRIED[step.kind], fix="remove retry", on_key=True
            )


def starts(draft: Draft) -> Iterator[Fault]:
    """Something can start it, and gives what is asked for."""
    opened = draft.get("triggers", "incident.opened")
    if draft.get("triggers", "manual") is False and opened is None:
        text = "neither people nor an incident can start it"
        fix = "add incident.opened, or leave manual out"
        yield Fault(at=("triggers", "manual"), text=text, fix=fix)
    if opened is None:
        return
    for name, one in draft.inputs.items():
        if one.get("default") is None and one.get("type") != "target":
            text = "it starts by itself (incident.opened), so nobody is there to give this input"
            yield Fault(at=("inputs", name), text=text, fix="add a default", on_key=True)


def first_always(draft: Draft) -> Iterator[Fault]:
    """``always`` says something about earlier steps."""
    for step in draft.steps[:1]:
        if step.always:
            text = "no earlier step can stop the run before its first"
            yield Fault(at=step.at("always"), text=text, fix="remove always", on_key=True)


def lengths(draft: Draft) -> Iterator[Fault]:
    """A condition can hold for as long as it must, before the time is up and the run is over."""
    run = draft.length(draft.get("run_timeout"))
    limit = _RUN_TIMEOUT if run is None else run
    if run == 0:
        yield _no_time(("run_timeout",))
    for step in draft.steps:
        for key in ("timeout", "remind"):
            yield from _length(draft, step.data.get(key), step.at(key), limit)
        yield from _approval(draft, step)
        if step.kind == "wait_for":
            yield from _watched(draft, step.data, step.at(), _WAIT, limit)
        verify = step.data.get("verify")
        if isinstance(verify, dict):
            yield from _watched(draft, verify, step.at("verify"), _VERIFY, limit)


def _approval(draft: Draft, step: DraftStep) -> Iterator[Fault]:
    for at, expires in each(step.data, "approval", "expires"):
        if draft.length(expires) == 0:
            yield _no_time(step.at(*at))


def _length(draft: Draft, value: Data, at: Loc, limit: int) -> Iterator[Fault]:
    length = draft.length(value)
    if length is None:
        return
    if length == 0:
        yield _no_time(at)
    elif at[-1] == "remind" and length < _REMIND_AT_LEAST:
        yield Fault(at=at, text="nobody can read that fast", expected="at least 1s")
    elif length > limit:
        yield _too_long(at, limit)


def _watched(
    draft: Draft, said: dict[str, Data], at: Loc, default: int, limit: int
) -> Iterator[Fault]:
    """``hold`` and ``within``, of a ``wait_for`` or a ``verify``."""
    within = draft.length(said["within"]) if "within" in said else default
    hold = draft.length(said.get("hold"))
    if within == 0:
        yield _no_time((*at, "within"))
    elif within is not None and within > limit:
        yield _too_long((*at, "within"), limit)
    if hold is not None and within is not None and hold > within > 0:
        text = f"it must hold for {format_duration(hold)}, and has only {format_duration(within)}"
        yield Fault(at=(*at, "hold"), text=text, fix="make within longer, or hold shorter")


def _no_time(at: Loc) -> Fault:
    return Fault(at=at, text="nothing can happen in no time", expected="more than 0s")


def _too_long(at: Loc, limit: int) -> Fault:
    text = f"the run is over before: its run_timeout is {format_duration(limit)}"
    return Fault(at=at, text=text, fix="make run_timeout longer, or this shorter")


def reachable(draft: Draft, told: Collection[Loc | int]) -> Iterator[Fault]:
    """No condition is one that can never hold: its step, cause or trigger would be dead.

    What is ``told`` of already is passed over.
    """
    choices = {
        f"inputs.{name}": tuple(word for word in given if isinstance(word, str))
        for name, one in draft.inputs.items()
        if one.get("type") == "choice" and isinstance(given := one.get("choices"), list)
    }
    for asked in (one for one in draft.conditions if one.at not in told):
        states = _states(draft, asked)
        if can_hold(asked.condition, choices | states):
            continue
        everything = dict.fromkeys(states, STEP_STATES)
        if not can_hold(asked.condition, choices | everything):
            yield Fault(at=asked.at, text="this can never hold: it contradicts itself")
        else:
            yield _never_here(draft, asked, states)


def _states(draft: Draft, asked: Asked) -> dict[str, tuple[str, ...]]:
    """In which states the steps that it names can be once the run is at the asking step."""
    found: dict[str, tuple[str, ...]] = {}
    for name in {mention.name for mention in asked.condition.names}:
        first, *rest = name.split(".")
        if first == "steps" and rest[1:] == ["state"] and asked.step is not None:
            named = draft.by_id.get(rest[0])
            lost = named is not None and _ends_before(draft, named, asked.step)
            found[name] = ("ok", "skipped") if lost else STEP_STATES
    return found


def _ends_before(draft: Draft, failing: DraftStep, step: DraftStep) -> bool:
    """Whether a run in which the one step failed, or is unknown, never comes to the other.

    A jump goes over ``always`` too: that is for what is done when the run stops.
    """
    way = draft.way(failing)
    if way == "stop":
        return not step.always
    led_to = draft.by_id.get(way)
    return led_to is not None and led_to.number > step.number


def _never_here(draft: Draft, asked: Asked, states: dict[str, tuple[str, ...]]) -> Fault:
    assert asked.step is not None
    lost = [draft.by_id[name.split(".")[1]] for name, some in states.items() if some != STEP_STATES]
    first = min(lost, key=lambda one: one.number)
    way = draft.way(first)
    if way == "stop":
        goes, fix = "the run stops", f"add always: true here, or on_failure: continue to {first.id}"
    else:
        goes = f"the run goes on at {way}"
        fix = f"let on_failure of {first.id} lead here, or move this step behind {way}"
    what = "this step is never reached" if asked.at[-1] == "when" else "this can never hold"
    return Fault(at=asked.at, text=f"{what}: where {first.id} failed, {goes}", fix=fix)


CHECKS = (ids, ways_on, retries, starts, first_always, lengths)
