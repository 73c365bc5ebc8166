"""Answers that a terminal has more room for than a message: a run, a preview, the list of runbooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.model.answer import Answer, Refusal
from bot.model.units import format_duration
from bot.render import plain as json_room
from bot.render import run_lines
from bot.render.answer import answer, refusal
from bot.text import plain, without_controls

Facts = Mapping[str, Any]


def words(given: Answer | Refusal, now: int) -> str:
    """An answer for a terminal: the whole, and as its drawing where that says it all.

    Hints name commands as they are written there.
    """
    if isinstance(given, Refusal):
        at_a_terminal = given.remedy.replace("`/iora ", "`iora ")
        return json_room.text(refusal(Refusal(given.reason, at_a_terminal)))
    lines = _LINES.get(given.kind)
    if lines is None:
        return json_room.text(answer(given, now, buttons=False))
    return without_controls("\n".join(lines(json_room.json_of(given), now)))


def preview(facts: Facts, now: int) -> Iterator[str]:
    """Every step with what it would do, its conditions, its text and its exact request."""
    incident = f", {facts['incident']}" if facts["incident"] else ""
    named = f"{facts['title']} ({facts['runbook']}, version {facts['version']})"
    run = f"{facts['run']}, " if facts.get("run") else ""
    yield f"{run}{named} on {facts['target']}{incident}: what it would do. Nothing is called."
    if facts["trial"]:
        yield "It is on trial: it is only ever previewed."
    if facts["inputs"]:
        yield f"Inputs: {', '.join(f'{name}={value}' for name, value in facts['inputs'].items())}"
    for step in facts["steps"]:
        yield ""
        yield from _previewed(step)


def _previewed(step: Facts) -> Iterator[str]:
    yield f"{step['number']:2}. {step['title']}  ({step['kind']})"
    yield f"    {step['does'][:1].upper()}{step['does'][1:]}."
    if step["when"]:
        yield f"    Only where {step['when']}"
    if step["approval"]:
        yield f"    After an approval: {plain(step['approval'])}"
    yield from (f"    {line}" for line in plain(step["text"]).splitlines())
    yield from (f"    [ ] {plain(item)}" for item in step.get("items", ()))
    if "message" in step:
        yield from (f"    > {line}" for line in plain(step["message"]).splitlines())
    if "request" in step:
        yield from (f"    {line}" for line in _request(step["request"]))
    if "verify" in step:
        yield f"    Then it must hold: {step['verify']}"
    if "undo" in step:
        yield f"    Taken back by: {step['undo']}"


def _request(request: Facts) -> Iterator[str]:
    limit = format_duration(request["timeout_ms"])
    yield f"{request['method']} {request['url']}  (once, within {limit})"
    yield from (f"  {name}: {value}" for name, value in request["headers"].items())
    if request["json"] is not None:
        yield f"  {json.dumps(request['json'], ensure_ascii=False)}"


def runbooks(facts: Facts, now: int) -> Iterator[str]:
    """Per target, the runbooks that fit with the readings that say so, then the rest."""
    for target in facts["targets"]:
        fitting = [one for one in target["runbooks"] if one["fits"]]
        yield f"{target['target']} is {target['verdict'].upper()}: {_fits(fitting)}"
        yield from _ranked(fitting)
        others = [one for one in target["runbooks"] if not one["fits"]]
        if fitting and others:
            yield "  The others:"
        yield from _ranked(others)
    if not any(target["runbooks"] for target in facts["targets"]):
        yield "There are no runbooks. `iora init` writes those that come with the bot."
    if facts["running"]:
        yield "Under way:"
    for run in facts["running"]:
        step = f", at “{run['step']}” ({run['step_state']})" if run["step"] else ""
        by = run_lines.actor(run["by"])
        yield (
            f"  {run['run']}  {run['runbook']} on {run['target']}: {run['state']}, "
            f"{run['done']} of {run['steps']} steps{step}, started by {by}"
        )
    if facts.get("broken"):
        yield broken(facts["broken"])


def broken(files: Mapping[str, Sequence[str]]) -> str:
    """How many files can't be used, and where to read why."""
    count = f"{len(files)} files have" if len(files) > 1 else "1 file has"
    return f"{count} problems and can't be used: see `iora check`."


def _fits(fitting: Sequence[Facts]) -> str:
    if not fitting:
        return "no runbook's symptoms are there."
    return "1 runbook fits now." if len(fitting) == 1 else f"{len(fitting)} runbooks fit now."


def _ranked(ranked: Sequence[Facts]) -> Iterator[str]:
    wide = max((len(one["runbook"]) for one in ranked), default=0)
    for one in ranked:
        trial = " (on trial: only previewed)" if one["trial"] else ""
        unread = f" ({one['unknown']} symptoms can't be read)" if one["unknown"] else ""
        yield f"  {one['runbook']:{wide}}  {one['title']}{trial}{unread}"
        yield from (f"  {'':{wide}}    {why}" for why in one["because"])


_LINES: Mapping[str, Callable[[Facts, int], Iterator[str]]] = {
    "run": run_lines.lines,
    "preview": preview,
    "runbooks": runbooks,
}
