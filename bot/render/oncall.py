"""Who is on call: the answer, what the channel is told of an override, and the handover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import at
from bot.model.message import Drawing
from bot.model.units import format_duration
from bot.render.blocks import Block, button, context, header, paragraphs, section
from bot.render.entry import holder, who
from bot.text import outside

Facts = Mapping[str, Any]
_OPENED = 5  # incidents with a button of their own
_NEXT = 2  # of those who are on call afterwards; the JSON has more


def oncall(facts: Facts, now: int, buttons: bool) -> Drawing:
    """Each schedule in a line: who is on call and until when, and who is next."""
    found = facts["schedules"]
    lines = [_line(one, asked_at=facts["asked_at"]) for one in found]
    zones = {one["timezone"] for one in found}
    note = f"Shown in your own time zone; the schedules are in {', '.join(sorted(zones))}."
    if not buttons:
        note = f"Times are those of {', '.join(sorted(zones))}."
    return Drawing("; ".join(lines), [header("On call"), *paragraphs(lines), context(note)])


def override(facts: Facts, now: int, buttons: bool) -> Drawing:
    """The answer to the one who made or ended an override."""
    text = f"{'' if facts['fresh'] else 'Done already: '}{_override(facts)}"
    return Drawing(text, (section(text),))


def told(facts: Facts) -> Drawing:
    """The same for the channel."""
    text = f"{_override(facts)} By {who(facts['by'])}."
    return Drawing(text, (section(text),))


def handover(facts: Facts) -> Drawing:
    """What somebody reads whose turn begins: until when, after whom, and what is open."""
    duty, zone = facts["duty"], facts["timezone"]
    head = f"You are on call ({facts['schedule']}){_since(facts)}{_until(duty, zone)}."
    lines = [_open(one, facts["at"]) for one in facts["open"]]
    more = "at least " if facts["more"] else ""
    what = f"Open {more}{len(lines)}" if lines else "Nothing is open"
    blocks: list[Block] = [section(f"*{head}* {_before(facts)}"), section(f"{what}.")]
    for one, line in zip(facts["open"][:_OPENED], lines, strict=False):
        show = button(f"Open {one['key']}", "iora:incident:open", one["key"])
        blocks.append({**section(line), "accessory": show})
    blocks += paragraphs(lines[_OPENED:])
    said = f"{what}: {'; '.join(lines)}" if lines else what
    note = f"To hand over for a while: `/iora override {facts['schedule']} @person 4h`"
    return Drawing(f"{head} {_before(facts)} {said}.", [*blocks, context(note)])


def moment(milliseconds: int, timezone: str) -> str:
    """A day with its time: in the reader's own zone in Slack, in the schedule's where tokens don't work."""
    shown = _local(milliseconds, timezone)
    return f"<!date^{milliseconds // 1000}^{{date_short_pretty}} {{time}}|{shown}>"


def _local(milliseconds: int, timezone: str) -> str:
    from_epoch = at(milliseconds).astimezone(ZoneInfo(timezone))
    return f"{from_epoch:%a %Y-%m-%d %H:%M %Z}"


def _line(one: Facts, *, asked_at: bool) -> str:
    duty, zone = one["now"], one["timezone"]
    why = {"override": " (override)"}.get(duty["because"], "")
    when = f" at {moment(one['at'], zone)}" if asked_at else ""
    parts = [f"*{one['schedule']}*{when}: {_person(duty)}{why}{_until(duty, zone)}"]
    parts += [f"then {_person(duty)}{_until(duty, zone)}" for duty in one["next"][:_NEXT]]
    return ", ".join(parts)


def _person(duty: Facts) -> str:
    return f"<@{duty['person']}>" if duty["person"] else "*nobody*"


def _until(duty: Facts, zone: str) -> str:
    return f" until {moment(duty['until'], zone)}" if duty["until"] is not None else ""


def _since(facts: Facts) -> str:
    """Said where it began a while ago, because the bot was away or the schedule is new."""
    since = facts["duty"]["since"]
    late = since is not None and facts["at"] - since >= 60_000
    return f" since {moment(since, facts['timezone'])}" if late else " now"


def _before(facts: Facts) -> str:
    before = facts["before"]
    if before is None:
        return ""
    if before["person"]:
        return f"Before you: <@{before['person']}>."
    since = f" since {moment(before['since'], facts['timezone'])}" if before["since"] else ""
    return f"Before you nobody was{since}."


def _open(one: Facts, now: int) -> str:
    drill = "DRILL " if one["drill"] else ""
    age = format_duration(now - one["opened_at"])
    state = f"{one['status'].upper()}, {age}, commander {holder(one['commander'])}"
    return f"{drill}{one['severity'].upper()} *{one['key']}* {outside(one['title'], 150)} ({state})"


def _override(facts: Facts) -> str:
    zone, name = facts["timezone"], facts["schedule"]
    between = f"from {moment(facts['since'], zone)} until {moment(facts['until'], zone)}"
    other = f"<@{facts['instead']}>" if facts["instead"] else "nobody"
    same = facts["instead"] == facts["person"]
    if facts["what"] == "ended" and same:
        return f"<@{facts['person']}> is on call ({name}) {between} also without the override."
    if facts["what"] == "ended":
        back = f"instead: {other}"
        return f"<@{facts['person']}> is not on call ({name}) {between} any more; {back}."
    instead = "" if same else f" instead of {other}"
    return f"<@{facts['person']}> is on call ({name}) {between}{instead}."
