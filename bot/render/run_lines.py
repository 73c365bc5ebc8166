"""A run as lines for a terminal, from its JSON: what changed, what came out, what it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.model.units import format_duration
from bot.render.entry import holder, who
from bot.text import plain, without_controls

Shown = Mapping[str, Any]

OUTPUT = 20  # lines of what a probe printed; the rest is in its file, and in the JSON
_OVER = {"ok", "failed", "skipped", "unknown"}
_STATES = {
    "waiting": "not yet",
    "asking": "is it to be done?",
    "approving": "waits for approval",
    "started": "is being done",
    "doing": "is a person's to do",
    "watching": "is being watched",
    "stuck": "nobody knows whether it was done",
    "failed": "FAILED",
    "unknown": "UNKNOWN",
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "asking": ("do", "skip REASON"),
    "approving": ("approve", "reject REASON", "preview"),
    "doing": ("done [NOTE]", "skip REASON"),
    "stuck": ("done [NOTE]", "repeat", "skip REASON"),
}
_ON_RUN = ("pause", "cancel")


def head(run: Shown, now: int) -> str:
    """The run in one line: what, where, how far, for how long."""
    done = sum(map(is_over, run["steps"]))
    took = format_duration((run["ended_at"] or now) - run["started_at"])
    incident = f", {run['incident']}" if run["incident"] else ""
    why = f" ({run['reason']})" if run["reason"] else ""
    return _clean(
        f"{run['run']} {run['title']} on {run['target']}{incident}: {run['state']}{why}, "
        f"{done} of {len(run['steps'])} steps, {took}"
    )


def lines(run: Shown, now: int) -> Iterator[str]:
    """The whole run: its head, every step with what came out of it, and what it asks for."""
    yield head(run, now)
    for step in run["steps"]:
        yield f"  {step_line(step, now)}"
        yield from (f"      {line}" for line in results(step))
    yield from asks(run)


def current(run: Shown) -> Shown | None:
    """The step that the run is at, while it goes on."""
    return run["steps"][run["current"]] if run["current"] is not None else None


def is_over(step: Shown) -> bool:
    """Whether the step has its result."""
    return step["state"] in _OVER


def live(run: Shown) -> bool:
    """Whether it is not at an end."""
    return run["state"] in {"running", "paused"}


def for_a_person(run: Shown) -> bool:
    """Whether it goes on only when somebody says so."""
    step = current(run)
    if step is None or run["state"] == "paused":
        return step is not None
    return str(step["state"]) in _WORDS and not _approved(step)


def step_line(step: Shown, now: int) -> str:
    """A step in one line: its state, who, how long, and what is to be said of it."""
    over = is_over(step)
    who_did = f" by {actor(step['by'])}" if step["by"] and step["state"] != "waiting" else ""
    took = ""
    if step["started_at"] and step["state"] != "waiting":
        took = f" ({format_duration((step['ended_at'] or now) - step['started_at'])})"
    said = step["output"].get("text") if over else step["output"].get("progress")
    if not said or step["state"] in {"failed", "skipped", "stuck", "doing", "asking"}:
        said = step["reason"] or said
    state = _STATES.get(step["state"], str(step["state"]))
    if step["approved_by"] and step["state"] == "approving":
        state += f", approved by {', '.join(map(actor, step['approved_by']))}"
    return _clean(f"{step['title']}: {state}{who_did}{took}{f': {said}' if said else ''}")


def results(step: Shown) -> Iterator[str]:
    """What came out of a step that is over, beside its one line."""
    if not is_over(step):
        return
    output = step["output"]
    yield from (_clean(f"- {one['text']}") for one in output.get("findings", ()))
    for cause in step["causes"]:
        yield from _cause(cause)
    yield from _printed(str(output.get("stdout") or ""))
    if output.get("report"):
        yield f"The whole report: iora reports {output['report']}"
    if output.get("draft"):
        yield f"The draft: {output['draft']}"
    yield from (_clean(f"File: {file['path']}") for file in output.get("files", ()))
    for name, why in output.get("left_out", {}).items():
        yield _clean(f"Not kept: {name}: {why}")


def asks(run: Shown) -> Iterator[str]:
    """What the run wants of a person: the step's own text, its list, and who may."""
    step = current(run)
    if run["state"] == "paused":
        yield "It is paused."
        return
    if step is None or step["state"] not in _WORDS:
        return
    yield f"» {_clean(step['title'])}: {_STATES[step['state']]}"
    if step["reason"]:
        yield f"  {_clean(step['reason'])}"
    yield from (f"  {_clean(line)}" for line in plain(step["output"].get("words", "")).splitlines())
    yield from _items(step)
    names = ", ".join(_clean(plain(holder(one))) for one in run["asked"])
    if step["state"] == "approving":
        yield f"  {_yes(step)}{f': {names}' if names else ''}."
    elif names:
        yield f"  Asked: {names}."


def replies(run: Shown) -> tuple[str, ...]:
    """The words that it understands now, the likeliest first."""
    if not live(run):
        return ()
    if run["state"] == "paused":
        return ("resume", "cancel")
    step = current(run)
    return (*_WORDS.get(step["state"] if step is not None else "", ("skip REASON",)), *_ON_RUN)


def actor(text: str) -> str:
    """Who it was, as a terminal shows it."""
    return _clean(plain(who(text)))


def _yes(step: Shown) -> str:
    asked, given = step["approval"], [actor(one) for one in step["approved_by"]]
    people = f"{asked['min']} people who are" if asked["min"] > 1 else "one"
    so_far = f", {', '.join(given)} said it" if given else ""
    return f"It needs the yes of {people} {' or '.join(asked['roles'])}{so_far}"


def _approved(step: Shown) -> bool:
    """Everybody who is wanted said yes: the bot goes on with it in a moment."""
    wanted: int = step["approval"]["min"] if step["state"] == "approving" else 0
    return 0 < wanted <= len(step["approved_by"])


def _items(step: Shown) -> Iterator[str]:
    if step["state"] != "doing":
        return
    done = step["output"].get("items", {})
    for number, item in enumerate(step["items"], start=1):
        ticked = done.get(str(number))
        wants = [name for name in ("note", "owner") if item[name] and not ticked]
        asked = f" (wants: {', '.join(wants)})" if wants else ""
        by = (
            f" [{actor(ticked['by'])}{': ' + ticked['note'] if ticked['note'] else ''}]"
            if ticked
            else ""
        )
        yield _clean(f"  {'x' if ticked else ' '} {number}. {plain(item['text'])}{asked}{by}")
    if len(step["items"]) > 1:
        yield "  One line of it: done 2 [@PERSON] NOTE. All that are left: done"


def _cause(cause: Shown) -> Iterator[str]:
    because = f" ({cause['because']})" if cause["because"] else ""
    yield _clean(f"- {cause['fits']}: {cause['cause']}{because}")
    yield from (f"    {_clean(line)}" for line in cause["solution"].splitlines())
    yield from (f"    | {_clean(line)}" for line in (cause["example"] or "").splitlines())


def _printed(text: str) -> Iterator[str]:
    found = text.splitlines()
    if len(found) > OUTPUT:
        yield f"| ({len(found) - OUTPUT} lines before these)"
    yield from (f"| {_clean(line)}" for line in found[-OUTPUT:])


def _clean(text: str) -> str:
    return " ".join(without_controls(text).splitlines())
