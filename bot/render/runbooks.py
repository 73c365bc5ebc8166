"""The runbooks: those that fit the readings first, with why and their buttons; what is running now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.message import Drawing
from bot.model.offer import Offer
from bot.render.blocks import Block, actions, button, context, header, paragraphs, section
from bot.render.entry import who
from bot.text import outside

Row = Mapping[str, Any]

_BOUND = re.compile(r"(.+? ([<>]))=? (-?[0-9]+(?:\.[0-9]+)?)(?![0-9.])")
_OFFERED, _FITTING = 3, 8  # with buttons a target, and named with their reasons
_TARGETS = 6
_WAITS = {
    "approving": "waits for approval",
    "doing": "waits for a person",
    "asking": "waits for a decision",
    "stuck": "is unclear: a person must decide",
}


def start_button(offer: Offer, label: str = "Run", *, style: str | None = None) -> Block:
    """Starts the runbook; asks for its inputs first where one is needed that has no default."""
    return button(label, "iora:runbook:start", str(offer), style=style)


def preview_button(offer: Offer) -> Block:
    """Shows what the runbook would do, and calls nothing."""
    return button("Preview", "iora:runbook:preview", str(offer))


def runbooks(facts: Row, *, buttons: bool) -> Drawing:
    """A target at a time, then all others in one line each, then what is running."""
    targets: Sequence[Row] = facts["targets"]
    books = targets[0]["runbooks"] if targets else []
    if not books:
        text = "There are no runbooks. `iora init` writes those that come with the bot."
        return Drawing(text, [section(text), *_broken(facts)])
    blocks: list[Block] = [*_running(facts["running"]), *_broken(facts)]
    shown = sorted(targets, key=_fewest)[: _TARGETS if buttons else None]
    for number, target in enumerate(shown):
        blocks += _target(target, buttons=buttons, first=number == 0)
    fitting = {row["runbook"] for target in targets for row in _fitting(target)}
    rest = [row for row in books if row["runbook"] not in fitting]
    blocks += paragraphs(["*All others*", *map(_named, rest)]) if rest else []
    if len(shown) < len(targets):
        blocks.append(context(f"{len(targets) - len(shown)} more targets: `/iora runbooks TARGET`"))
    blocks.append(
        context(
            "`/iora run NAME` starts one; `/iora run NAME --dry-run` only shows what it would do"
        )
    )
    return Drawing(_sentence(facts), blocks)


def strongest(because: Sequence[str]) -> list[str]:
    """Of ``CPU 96 % > 80`` and ``CPU 96 % > 90`` only the one that says more."""
    found: dict[str, tuple[float, str]] = {}
    for one in because:
        bound = _BOUND.match(one)
        side = bound[1] if bound is not None else one
        says = 0.0
        if bound is not None:
            says = float(bound[3]) if bound[2] == ">" else -float(bound[3])
        if side not in found or says > found[side][0]:
            found[side] = (says, one)
    return [one for _, one in found.values()]


def in_a_line(row: Row) -> str:
    """``RUN-5 High CPU usage on iora, INC-7: step 4 of 12 “Open” waits for approval``."""
    incident = f", {row['incident']}" if row["incident"] else ""
    named = f"*{row['run']}* {outside(row['title'], 150)} on {outside(row['target'], 63)}{incident}"
    if row["step"] is None:
        return f"{named}: {row['state']}"
    phase = (
        "is paused" if row["state"] == "paused" else _WAITS.get(row["step_state"], "is under way")
    )
    at = f"step {row['done'] + 1} of {row['steps']} “{outside(row['step'], 150)}” {phase}"
    return f"{named}: {at} (started by {who(row['by'])})"


def _fewest(target: Row) -> int:
    """Those where the most fits come first."""
    return -sum(len(row["because"]) for row in target["runbooks"])


def _fitting(target: Row) -> list[Row]:
    return [row for row in target["runbooks"] if row["fits"]]


def _target(target: Row, *, buttons: bool, first: bool) -> list[Block]:
    fitting = _fitting(target)
    head = f"{target['target']} is {target['verdict'].upper()}"
    if not fitting:
        unread = any(row["unknown"] for row in target["runbooks"])
        why = "some symptoms can't be read" if unread else "no symptom is there"
        return [section(f"*{head}*: no runbook fits, {why}")]
    blocks: list[Block] = [header(f"{head}: {_count(len(fitting))}")]
    offered = fitting[:_OFFERED] if buttons else []
    for number, row in enumerate(offered):
        blocks.append(section(_with_why(row)))
        offer = Offer(row["runbook"], None, target["target"])
        style = "primary" if first and number == 0 else None
        start = [] if row["trial"] else [start_button(offer, style=style)]
        blocks.append(actions([*start, preview_button(offer)]))
    return [*blocks, *paragraphs(_with_why(row) for row in fitting[len(offered) : _FITTING])]


def _count(number: int) -> str:
    return "1 runbook fits" if number == 1 else f"{number} runbooks fit"


def _with_why(row: Row) -> str:
    why = "; ".join(outside(one, 200) for one in strongest(row["because"])[:4])
    many = row["unknown"] > 1
    unread = (
        f" ({row['unknown']} symptom{'s' if many else ''} can't be read)" if row["unknown"] else ""
    )
    return f"{_named(row)}\n      {why}{unread}"


def _named(row: Row) -> str:
    trial = " (on trial: previews only)" if row["trial"] else ""
    return f"*{outside(row['title'], 150)}*  `{row['runbook']}`{trial}"


def _running(rows: Sequence[Row]) -> list[Block]:
    return paragraphs(["*Running now*", *map(in_a_line, rows[:10])]) if rows else []


def _broken(facts: Row) -> list[Block]:
    """Files that can't be used are said, or they would be missed only when they are needed."""
    lines = [
        f"`{outside(path, 150)}` can't be used: {outside(why[0], 200)}"
        for path, why in facts.get("broken", {}).items()
    ]
    return paragraphs(lines[:5])


def _sentence(facts: Row) -> str:
    parts = []
    for target in sorted(facts["targets"], key=_fewest):
        fitting = _fitting(target)
        best = "no runbook fits"
        if fitting:
            why = outside(strongest(fitting[0]["because"])[0], 200)
            best = f"{_count(len(fitting))}, first `{fitting[0]['runbook']}`: {why}"
        parts.append(f"{target['target']} is {target['verdict'].upper()}: {best}")
    if facts["running"]:
        parts.append("running: " + ", ".join(str(row["run"]) for row in facts["running"]))
    return "; ".join(parts)
