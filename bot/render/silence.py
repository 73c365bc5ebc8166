"""Silences: the answers, what the channel is told, and what is said when one is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.message import Drawing
from bot.model.units import format_duration
from bot.render.blocks import Block, actions, button, context, day_and_time, header, section, time
from bot.render.entry import who
from bot.text import escape, outside

Facts = Mapping[str, Any]
_DAY_MS = 86_400_000
_TOLD = 5  # targets that are not well


def silence(facts: Facts, now: int, buttons: bool) -> Drawing:
    """The answer to the one who made or ended a silence."""
    if facts["ended_by"] is not None:
        text = f"Silence {facts['silence']} of {_on(facts)} is ended: what is found is told again."
        return Drawing(text, (section(text),))
    mark = "" if facts["fresh"] else "Done already: "
    text = (
        f"{mark}Silence {facts['silence']}: what the bot finds on {_on(facts)} is not told until"
        f" {time(facts['until'])}, for {_length(facts)} ({outside(facts['reason'], 200)})."
    )
    note = f"To end it before: `/iora silence end {facts['silence']}`"
    return Drawing(f"{text} {note}", (section(text), context(note)))


def silences(facts: Facts, now: int, buttons: bool) -> Drawing:
    """What runs first, then the windows that are and come."""
    running, windows = facts["running"], facts["windows"]
    lines = [_running(one) for one in running]
    blocks: list[Block] = [header("Silences")]
    for one, line in zip(running, lines, strict=True):
        end = button("End", "iora:silence:end", str(one["silence"]))
        blocks.append({**section(line), "accessory": end} if buttons else section(line))
    lines += [_window(one, now) for one in windows]
    blocks += [section(line) for line in lines[len(running) :]]
    if not lines:
        lines = ["Nothing is silenced."]
        blocks.append(section(lines[0]))
    note = "To silence a target: `/iora silence TARGET 30m REASON`"
    return Drawing("; ".join(lines), [*blocks, context(note)])


def made(facts: Facts) -> Drawing:
    """What the channel is told, while it runs with the button that ends it."""
    text = (
        f"{who(facts['by'])} silenced {_on(facts)} until {time(facts['until'])} ({_length(facts)}):"
        f" {outside(facts['reason'], 200)}."
    )
    if facts["over"]:
        return Drawing(f"{text} That is over.", (section(f"{text} _That is over._"),))
    note = "What a person declares is told all the same. | `/iora silences`"
    end = button("End", "iora:silence:end", str(facts["silence"]))
    return Drawing(text, (section(text), context(note), actions([end])))


def over(facts: Facts) -> Drawing:
    """It expires aloud: what it was, how much was not told, what still holds, and what mutes on."""
    what = f"The silence of {_on(facts)}"
    if facts["silence"] is None:
        what = f"The maintenance {escape(facts['name'])} of {_on(facts)}"
    by = f", ended early by {who(facts['ended_by'])}" if facts["ended_by"] else ""
    head = f"{what} is over ({outside(facts['reason'], 200)}, {_length(facts)}{by})"
    text = f"{head}: {_muted(facts)}; {_still(facts)}.{_also(facts)}"
    return Drawing(text, (section(text),))


def _muted(facts: Facts) -> str:
    count, names = facts["muted"], facts["names"]
    if not count:
        return "nothing was muted"
    more = f" and {count - len(names)} more" if count > len(names) else ""
    named = ", ".join(outside(one, 120) for one in names)
    return f"{'1 finding was' if count == 1 else f'{count} findings were'} muted ({named}{more})"


def _still(facts: Facts) -> str:
    if not facts["looked"]:
        return "nothing could be read just now"
    still: Sequence[Facts] = facts["still"]
    if not still:
        return "all is healthy now"
    return ", ".join(map(_how, still[:_TOLD])) + (" and more" if len(still) > _TOLD else "")


def _how(one: Facts) -> str:
    """``iora is still unhealthy: CPU 96 %``; what is unknown may not be a matter of before."""
    state = "unknown" if one["verdict"] == "unknown" else f"still {one['verdict']}"
    return f"{escape(one['target'])} is {state}: {outside(one['reason'], 300)}"


def _also(facts: Facts) -> str:
    also = facts["also"]
    return (
        f" Still silenced, by {escape(also['name'])} until {time(also['until'])}." if also else ""
    )


def _running(one: Facts) -> str:
    found = f", {one['muted']} muted so far" if one["muted"] else ""
    return (
        f"*{one['silence']}* {_on(one)} until {day_and_time(one['until'])} by {who(one['by'])}:"
        f" {outside(one['reason'], 200)}{found}"
    )


def _window(one: Facts, now: int) -> str:
    when = f"{day_and_time(one['since'])} to {_end(one)}"
    state = "now" if one["since"] <= now else "next"
    named = f"Maintenance *{escape(one['name'])}* ({state})"
    return f"{named} {_on(one)}: {when} ({escape(one['when'])}): {outside(one['reason'], 200)}"


def _end(one: Facts) -> str:
    short = one["until"] - one["since"] < _DAY_MS
    return time(one["until"]) if short else day_and_time(one["until"])


def _length(facts: Facts) -> str:
    return format_duration(facts["until"] - facts["since"])


def _on(facts: Facts) -> str:
    return ", ".join(map(escape, facts["targets"])) or "everything"
