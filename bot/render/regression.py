"""Regressions in the channel, what was learned, and how a target stands against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.model.message import Drawing
from bot.model.units import format_duration, format_value
from bot.render.blocks import Block, context, day_and_time, paragraphs, section
from bot.render.entry import who
from bot.render.worse import by, line, worst
from bot.rules.verdict import title

Facts = Mapping[str, Any]
_LISTED = 20


def regression(facts: Facts) -> Drawing:
    """What is worse, by whose word and by how much, and what to do; edited while it lasts."""
    lines = [line(one, facts["unit"], facts["window"]) for one in facts["changes"]]
    closed = facts.get("closed")
    if closed is not None:
        return _over(facts, closed, lines)
    head = f"Regression on {facts['target']}: {worst(facts)} ({facts['severity']})"
    do = "\n".join(f"\u2022 {one}" for one in facts["do"])
    blocks: list[Block] = [section(f"*{head}*"), *paragraphs(lines), section(do)]
    blocks.append(context(" | ".join(_small(facts))))
    return Drawing(f"{head}. {'. '.join(lines)}. Do: {'; '.join(facts['do'])}.", blocks)


def learned(facts: Facts, now: int, buttons: bool) -> Drawing:
    """The answer to the one who had a window learned."""
    head = f"Learned what is usual on {facts['target']}: {_span(facts)}"
    lines = [_usual(one) for one in facts["metrics"][:_LISTED]]
    note = context(
        f"From now on the same hours of the day ({facts['timezone']}) are held against it, P95 against"
        f" P95 and mean against mean.{_earlier(facts)}"
    )
    return Drawing(f"{head}. {'; '.join(lines)}", (section(f"*{head}*"), *paragraphs(lines), note))


def beside(one: Facts) -> list[Block]:
    """Below the bounds of a target: the guide's formula, what was learned, and how it compares."""
    lines = [_compared(change, one["window"]) for change in one.get("compared", ())]
    known = one.get("learned")
    blocks: list[Block] = [*paragraphs(lines)]
    if known is not None:
        who_and_when = f"by {who(known['learned_by'])} {day_and_time(known['learned_at'])}"
        blocks.append(context(f"Learned {who_and_when}: {_span(known)}.{_earlier(known)}"))
    elif "learned" in one:
        how = f"`/iora baseline learn {one['target']}`"
        blocks.append(context(f"Nothing is learned yet: after a healthy day, {how}"))
    return blocks


def _over(facts: Facts, closed: Facts, lines: Sequence[str]) -> Drawing:
    lasted = format_duration(closed["at"] - facts["began"])
    name = title(facts["metric"])
    head = f"Over: the regression of {name} on {facts['target']}, after {lasted}"
    why = f": {closed['why']}" if closed["why"] else ""
    blocks = (section(f"*{head}*{why}"), context(f"As it was last told: {'; '.join(lines)}"))
    return Drawing(f"{head}{why}.", blocks)


def _small(facts: Facts) -> Iterator[str]:
    yield f"since {day_and_time(facts['began'])}"
    if facts["runbook"] is not None:
        yield f"`/iora run {facts['runbook']} {facts['target']}`"
    if any(one["method"] == "learned" for one in facts["changes"]):
        yield f"usual: learned by {who(facts['learned_by'])} {day_and_time(facts['learned_at'])}"
        yield f"if it is meant to be so: `/iora baseline learn {facts['target']}`"


def _span(facts: Facts) -> str:
    return f"{day_and_time(facts['first'])} to {day_and_time(facts['last'])}"


def _usual(one: Facts) -> str:
    """``P95: 24 hours of the day, means 81 to 140 ms, P95s 102 to 190 ms``."""
    low, high = (format_value(value, "") for value in one["mean"])
    least, most = (format_value(value, "") for value in one["p95"])
    unit = f" {one['unit']}" if one["unit"] else ""
    return (
        f"{title(one['metric'])}: {one['hours']} hours of the day, means {low} to {high}{unit},"
        f" P95s {least} to {most}{unit}"
    )


def _compared(change: Facts, window: int) -> str:
    name = title(change["metric"])
    if not change["told"]:
        which = {"guide": "the guide's formula", "learned": "the learned baseline"}[
            change["method"]
        ]
        return f"{name}, by {which}: not known, {change['reason']}"
    worse = f"*{by(change['degradation'])}*" if change["shows"] else None
    text = line(change, change["unit"], window)
    shown = text.replace(by(change["degradation"]), worse, 1) if worse else text
    return f"{name}, {shown[:1].lower()}{shown[1:]}"


def _earlier(facts: Facts) -> str:
    return f" {facts['earlier']} learned before it are kept." if facts["earlier"] else ""
