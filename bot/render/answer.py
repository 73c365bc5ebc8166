"""Answers to the person who asked. Each kind of answer has one drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from bot.model.answer import Answer, Confirm, Refusal
from bot.model.chart import Chart
from bot.model.message import Drawing
from bot.model.overview import Overview
from bot.model.units import format_duration
from bot.model.words import BY_WORD, WORDS, Word
from bot.render import (
    card,
    drill,
    health,
    oncall,
    preview,
    regression,
    report,
    run,
    runbooks,
    silence,
)
from bot.render.blocks import (
    Block,
    actions,
    button,
    context,
    fields,
    fit,
    header,
    paragraphs,
    section,
    that_fit,
)
from bot.render.chart import words
from bot.render.entry import changes, holder, line
from bot.render.outlook import upcoming
from bot.render.sparkline import GAP, strip
from bot.text import cut_mrkdwn, escape, outside

_DONE = {
    "declared": "declared",
    "acknowledged": "is yours, nobody else is told",
    "severity": "has another severity",
    "mitigated": "is mitigated",
    "resolved": "is resolved",
    "reopened": "is open again",
    "note": "has your note",
    "answered": "is a drill, and has your answer: thank you",
    "escalated": "goes to the next level now",
    "on_it": "is yours still: nothing else happens by itself",
}
_NONE = {
    "open": "No incident is open.",
    "mine": "No open incident has you as commander.",
    "resolved": "No resolved incident is found.",
    "all": "No incident is found.",
}
_TIMELINE = 60
_NARROW, _WIDE = 32, 72  # signs of a line: on a phone, in a terminal
_IMAGES = {
    "follows": "The image follows here; where I am not a member, in your direct messages.",
    "not installed": "No image: the bot is installed without its extra `charts`.",
}


def counted(count: int, one: str, many: str = "") -> str:
    """``1 incident``, ``3 incidents``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def refusal(refused: Refusal) -> Drawing:
    """What was refused, and what to do instead."""
    text = str(refused)
    blocks: list[Block] = [section(text)]
    if isinstance(refused, Confirm):
        yes = button(refused.label, refused.action, refused.value, style="primary")
        blocks.append(actions([yes]))
    return fit(Drawing(text, blocks))


def answer(given: Answer, now: int, *, buttons: bool = True) -> Drawing:
    """The drawing of an answer; ``buttons`` False in a terminal: no buttons there, and no limits."""
    drawn = _DRAWINGS[given.kind](given.facts, now, buttons)
    return fit(drawn) if buttons else drawn


def _health(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    complete = facts.get("complete", True)
    return health.health(facts["targets"], now, buttons=buttons, complete=complete)


def _baseline(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    beside = {one["target"]: regression.beside(one) for one in facts["targets"]}
    return health.baseline(facts["targets"], now, beside)


def _done(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    seen: Overview = facts["overview"]
    incident = seen.incident
    words = _words(seen, facts["done"]) if facts["fresh"] else " was declared by you a moment ago"
    text = f"{incident.mark}{incident.key}{words}: {incident.severity.upper()} {outside(incident.title, 200)}."
    blocks: list[Block] = [section(text)]
    following = upcoming(seen)
    if following and facts["done"] in {"declared", "reopened", "severity"}:
        text = f"{text} Next: {following}."
        blocks.append(context(f"Next: {following}"))
    if facts["done"] == "resolved":
        took = f"It took {format_duration(incident.time_to_resolve or 0)}."
        text = f"{text} {took}"
        blocks.append(context(took))
    return Drawing(text, blocks)


def _words(seen: Overview, done: str) -> str:
    """What was done, with what was understood: a person, a time."""
    last = seen.last(done)
    if done == "assigned" and last:
        return f": {holder(last.facts['person'])} is {outside(last.facts['role'], 60)} now"
    if done == "updated" and last:
        return f" is updated: {changes(last.facts)}"
    return f" {_DONE[done]}"


def _show(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    drawn = card.card(facts["overview"])
    return drawn if buttons else Drawing(drawn.text, drawn.blocks[:-1])


def _incidents(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    found: Sequence[Overview] = facts["overviews"]
    if not found:
        text = _NONE[facts["which"]]
        return Drawing(text, (section(text),))
    lines = [_in_list(seen) for seen in found]
    lines = that_fit(lines) if buttons else lines
    text = f"{counted(len(found), 'incident')} ({facts['which']})"
    blocks: list[Block] = [header(text)]
    blocks += paragraphs(lines)
    if facts["more"] or len(lines) < len(found):
        blocks.append(context("There are more: narrow it down with words of the title."))
    return Drawing(f"{text}: {'; '.join(lines)}", blocks)


def _in_list(seen: Overview) -> str:
    one = seen.incident
    took = (
        f"took {format_duration(one.time_to_resolve or 0)}"
        if not one.live
        else f"open for {format_duration(seen.now - one.opened_at)}"
    )
    return (
        f"{one.mark}*{one.key}* {one.severity.upper()} {one.status.upper()}: {outside(one.title, 150)} "
        f"({took}, commander {holder(one.commander)})"
    )


def _timeline(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    seen: Overview = facts["overview"]
    lines = [line(entry) for entry in seen.entries]
    if buttons:
        newest_first = [cut_mrkdwn(one, 700) for one in reversed(lines[-_TIMELINE:])]
        lines = that_fit(newest_first)[::-1]
    incident = seen.incident
    blocks: list[Block] = [header(f"{incident.mark}{incident.key}: timeline")]
    blocks += paragraphs(lines)
    left = len(seen.entries) - len(lines)
    if left:
        blocks.append(context(f"{left} older entries: `iora timeline {seen.incident.key}` has all"))
    text = f"{incident.mark}{incident.key}: {counted(len(seen.entries), 'entry', 'entries')}"
    return Drawing(f"{text}, the last: {lines[-1]}", blocks)


def _stats(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    window = format_duration(facts["window"])
    text = f"{counted(facts['count'], 'incident')} in {window}"
    blocks: list[Block] = [header(text)]
    if facts["count"]:
        severities = ", ".join(f"{count} {name}" for name, count in facts["by_severity"].items())
        blocks.append(section(severities))
        blocks.append(fields(_duration(name, row) for name, row in facts["durations"].items()))
        medians = [
            f"median {name.replace('_', ' ')} {format_duration(row['median'])}"
            for name, row in facts["durations"].items()
            if row["count"]
        ]
        text = "; ".join([f"{text}: {severities}", *medians])
    blocks.append(
        context(
            "Drills are left out. Acknowledging counts from the declaration, the rest from the "
            "start of the impact."
        )
    )
    return Drawing(text, blocks)


def _duration(name: str, row: Mapping[str, Any]) -> str:
    label = name.replace("_", " ").capitalize()
    if not row["count"]:
        return f"*{label}*\nnone yet"
    median, p90 = format_duration(row["median"]), format_duration(row["p90"])
    return f"*{label}*\nmedian {median}, P90 {p90} ({row['count']})"


def _doctor(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    lines = [
        f"{row['state'].upper()} {outside(row['what'], 500)}"
        + (f"\n      Fix: {outside(row['fix'], 500)}" if row["fix"] else "")
        for row in facts["lines"]
    ]
    bad = [line for line, row in zip(lines, facts["lines"], strict=True) if row["state"] != "ok"]
    need = "needs" if len(bad) == 1 else "need"
    text = "The bot is well" if not bad else f"{len(bad)} of {len(lines)} checks {need} a look"
    blocks: list[Block] = [header(text)]
    blocks += paragraphs(lines)
    return Drawing("; ".join([text, *bad]), blocks)


def _diagnosing(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    rest = "" if facts["agent"] else " It has no agent in the config: only what the bot sees."
    text = f"Looking at {facts['target']}: the result comes here as a message.{rest}"
    return Drawing(text, (section(text),))


def _chart(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    """The chart in words, and as one line of signs: as long as the place is wide."""
    shown: Chart = facts["chart"]
    said = escape(words(shown))
    signs = strip(shown.within(), _NARROW if buttons else _WIDE)
    unknown = f"  ({GAP} unknown)" if GAP in signs else ""
    line = f"`{signs}`{unknown}" if buttons else f"{signs}{unknown}"
    blocks: list[Block] = [section(said), section(line)]
    if facts["image"] in _IMAGES:
        blocks.append(context(_IMAGES[facts["image"]]))
    return Drawing(said, blocks)


def _deployed(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    what = f"{outside(facts['title'], 100)} on " if facts["title"] else "a deploy on "
    text = f"Noted: {what}{facts['target']}. Its charts show it, and incidents of the next hour say so."
    return Drawing(text, (section(text),))


def _drafting(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    text = f"Writing a draft of the post-mortem of {facts['incident']}: it comes into its thread."
    return Drawing(text, (section(text),))


def _postmortem(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    """In a terminal, where the paths are of use."""
    parts = [
        f"{facts['sections']} sections",
        counted(facts["entries"], "entry", "entries"),
        counted(facts["charts"], "chart"),
    ]
    still = " It is still open." if facts["live"] else ""
    text = f"Draft of the post-mortem of {facts['incident']}: {', '.join(parts)}.{still}"
    lines = [f"`{escape(path)}`" for path in facts["paths"]]
    if facts["kept"]:
        lines.append(f"`{escape(facts['kept'])}` was edited and is left as it is.")
    return Drawing(f"{text} {'; '.join(lines)}", (section(text), *paragraphs(lines)))


def _run(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    if facts["verb"] == "show":
        drawn = run.run(facts["outlook"])
        return (
            drawn
            if buttons
            else Drawing(drawn.text, (*drawn.blocks[:1], *run.steps(facts["outlook"])))
        )
    text = run.noted(facts["outlook"], facts["verb"])
    return Drawing(text, (section(text),))


def _runbooks(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    return runbooks.runbooks(facts, buttons=buttons)


def _dismissed(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    text = f"Dismissed: {outside(facts['title'], 200)}. It is told again when it comes back."
    return Drawing(text, (section(text),))


def _preview(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    return preview.preview(facts, buttons=buttons)


def _report(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    drawn = report.found({**facts, "more": 0, "log": ()}, buttons=False)
    if buttons:
        return drawn
    how = f"The whole: `iora reports {facts['id']} --html FILE`, or --json"
    return Drawing(drawn.text, [*drawn.blocks, context(how)])


def _reports(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    return report.listed(facts["reports"])


def _help(facts: Mapping[str, Any], now: int, buttons: bool) -> Drawing:
    return _help_on(BY_WORD.get(facts["topic"]))


@cache
def _help_on(topic: Word | None) -> Drawing:
    if topic is not None:
        text = _usage(topic)
        return Drawing(text, (section(text),))
    blocks = paragraphs(_usage(word) for word in WORDS)
    blocks.append(
        context("`INC-n` may be left out where only one incident is open. Try `/iora health`.")
    )
    return Drawing("/iora: " + ", ".join(word.word for word in WORDS), blocks)


def _usage(word: Word) -> str:
    return f"`/iora {escape(word.usage)}`  {escape(word.does)}"


_DRAWINGS: Mapping[str, Callable[[Mapping[str, Any], int, bool], Drawing]] = {
    "health": _health,
    "baseline": _baseline,
    "learned": regression.learned,
    "done": _done,
    "show": _show,
    "incidents": _incidents,
    "timeline": _timeline,
    "stats": _stats,
    "doctor": _doctor,
    "diagnosing": _diagnosing,
    "chart": _chart,
    "deployed": _deployed,
    "drafting": _drafting,
    "postmortem": _postmortem,
    "report": _report,
    "reports": _reports,
    "run": _run,
    "runbooks": _runbooks,
    "preview": _preview,
    "help": _help,
    "drill": drill.plan,
    "oncall": oncall.oncall,
    "override": oncall.override,
    "silence": silence.silence,
    "silences": silence.silences,
    "dismissed": _dismissed,
}
