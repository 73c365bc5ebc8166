"""What a runbook, or a step of a run, would do: each step with its exact request. It calls nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.message import Drawing
from bot.model.offer import Offer
from bot.model.units import format_duration
from bot.render.ask import unwrapped
from bot.render.blocks import MESSAGE, Block, actions, context, header, paragraphs, section
from bot.render.runbooks import start_button
from bot.text import authored, clean, cut_mrkdwn, outside, verbatim

Facts = Mapping[str, Any]

_ROOM = MESSAGE - 1_000  # beside the heading and the small print
_STEPS = 45  # blocks, of the fifty that a message has
_TEXT = 600  # characters of a step's text, where there is room
_REQUEST = 1_500


def preview(facts: Facts, *, buttons: bool) -> Drawing:
    """In a terminal the whole; in a message each step first, then as much of their texts as fits."""
    steps: Sequence[Facts] = facts["steps"]
    kept, limit = _that_fit(steps) if buttons else (steps, None)
    blocks: list[Block] = [header(_heading(facts)), section(_about(facts))]
    for one in kept:
        blocks += (
            paragraphs(_step(one, limit).split("\n"))
            if limit is None
            else [section(_step(one, limit))]
        )
    how = f"`iora run {facts['runbook']} {facts['target']} --dry-run`"
    if facts.get("run"):
        how = f"`iora run {facts['run']} preview`"
    if len(kept) < len(steps):
        blocks.append(context(f"{len(steps) - len(kept)} more steps: {how} shows all"))
    elif limit is not None and any(len(_text(one)) > limit for one in kept):
        blocks.append(context(f"Texts are cut: {how} shows all"))
    if buttons and not facts.get("run") and not facts["trial"]:
        incident = int(facts["incident"].removeprefix("INC-")) if facts["incident"] else None
        offer = Offer(facts["runbook"], incident, facts["target"])
        blocks.append(actions([start_button(offer, "Run it", style="primary")]))
    return Drawing(_sentence(facts), blocks)


def _that_fit(steps: Sequence[Facts]) -> tuple[Sequence[Facts], int]:
    """The first steps that fit without their texts, and how much of each text fits then."""
    room, kept = _ROOM, list[Facts]()
    for one in steps[:_STEPS]:
        room -= len(_step(one, 0))
        if room < 0 and kept:
            break
        kept.append(one)
    texts = sorted(len(_text(one)) for one in kept if _text(one))
    limit = 0
    for number, length in enumerate(texts):
        # What short texts leave is the longer ones'.
        limit = max(0, room) // (len(texts) - number) - 10
        if length > limit:
            break
        room -= length + 10
        limit = length
    return kept, limit if limit > 40 else 0


def _heading(facts: Facts) -> str:
    named = f"{clean(facts['title'])} on {facts['target']}"
    if facts.get("run"):
        return f"{facts['run']} {named}: what is left"
    return f"Preview: {named}"


def _about(facts: Facts) -> str:
    book = f"`{facts['runbook']}` version {facts['version']}"
    parts = [f"*Nothing is called.* {_count(facts)} of {book}"]
    if facts["incident"]:
        parts.append(str(facts["incident"]))
    parts += [f"{name} = {outside(str(value), 100)}" for name, value in facts["inputs"].items()]
    if facts["trial"]:
        parts.append("on trial: it is only ever previewed")
    return " | ".join(parts)


def _step(one: Facts, limit: int | None) -> str:
    lines = [f"*{one['number']}. {outside(one['title'], 150)}*: {outside(one['does'], 300)}"]
    if one["when"]:
        lines.append(f"only if `{outside(one['when'], 200)}`")
    if one["approval"]:
        lines.append(f"after a yes of {one['approval']}")
    if one.get("request"):
        lines.append(verbatim(_request(one["request"])))
    if one.get("verify"):
        lines.append(f"then it must help: `{outside(one['verify'], 250)}`")
    if one.get("undo"):
        lines.append(f"can be taken back: {outside(one['undo'], 200)}")
    text = _text(one)
    if text and limit != 0:
        lines.append(text if limit is None else cut_mrkdwn(text, min(limit, _TEXT)))
    return "\n".join(lines)


def _text(one: Facts) -> str:
    """What people would read: the message of a notify step, else the step's text, and its lines."""
    items = [f"[  ] {authored(item)}" for item in one.get("items", ())]
    text = unwrapped(authored(one.get("message") or one["text"]).strip())
    return "\n".join([text, *items]).strip()


def _request(request: Facts) -> str:
    """As it would go out; what is secret in it is hidden already."""
    lines = [f"{request['method']} {clean(request['url'], 500)}"]
    lines += [f"{name}: {clean(value, 200)}" for name, value in request["headers"].items()]
    if request["json"] is not None:
        lines.append(clean(json.dumps(request["json"], ensure_ascii=False), _REQUEST))
    return "\n".join([*lines, f"(called once, at most {format_duration(request['timeout_ms'])})"])


def _sentence(facts: Facts) -> str:
    """The requests are what matters: without any, the steps are counted."""
    calls = [
        f"{one['request']['method']} {outside(one['request']['url'], 200)}"
        for one in facts["steps"]
        if one.get("request")
    ]
    asked = f"; after approvals it would call {', '.join(calls[:5])}" if calls else ""
    named = f"{outside(facts['title'], 150)} on {outside(facts['target'], 63)}"
    return f"Preview of {named}: {_count(facts)}{asked}. Nothing is called."


def _count(facts: Facts) -> str:
    count = len(facts["steps"])
    return "1 step" if count == 1 else f"{count} steps"
