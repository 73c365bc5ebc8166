"""What a drill would do, before anybody is pinged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.message import Block, Drawing
from bot.model.units import format_duration
from bot.render.blocks import actions, button, context, header, paragraphs
from bot.text import outside


def plan(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    """Whom it would ping, what time it is for them, and the button that starts it."""
    name = facts["policy"]
    title = f"Drill of the policy {name}: this pings people for real"
    lines = [
        f"{_when(level['after'])}: {_told(level, facts['local'])}" for level in facts["levels"]
    ]
    words = f"/iora drill {name}{' all' if facts['whole'] else ''}"
    further = (
        "All levels, without repeats."
        if facts["whole"]
        else f"No further than this: `{words} all` is."
    )
    note = f"Every message is marked as a drill, and it is left out of the statistics. {further}"
    blocks: list[Block] = [header(title), *paragraphs(lines), context(note)]
    if buttons:
        value = f"{name} all" if facts["whole"] else name
        start = button("Start the drill", "iora:drill:start", value, style="primary")
        blocks += [context(f"In words: `{words} start`"), actions([start])]
    else:
        blocks.append(context(f"Start it: `iora drill {words.removeprefix('/iora drill ')} start`"))
    return Drawing(f"{title}. {'; '.join(lines)}. {note}", blocks)


def _when(after: int) -> str:
    return f"After {format_duration(after)}" if after else "At once"


def _told(level: Mapping[str, Any], local: Mapping[str, Mapping[str, Any]]) -> str:
    told = [_person(person, local.get(person)) for person in level["people"]]
    return ", ".join([*told, *(["the channel"] if level["channel"] else [])]) or "nobody"


def _person(person: str, local: Mapping[str, Any] | None) -> str:
    """``@bob (03:12, Europe/Berlin: night there)``."""
    if local is None:
        return f"<@{person}> (time zone not known)"
    night = ": *night there*" if local["night"] else ""
    return f"<@{person}> ({local['time']}, {outside(local['zone'], 60)}{night})"
