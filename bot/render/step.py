"""What came out of a step, in the thread: its result in words, then what it found."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.units import format_duration
from bot.render.blocks import Block, context, paragraphs, section
from bot.render.entry import holder, who
from bot.text import authored, clean, cut, cut_mrkdwn, escape, outside, verbatim

# Words beside the sign: neither a colour nor a sign alone says how it went.
_SIGNS: Mapping[str, str] = {
    "ok": "\u2713 *OK*",
    "failed": "\u2717 *FAILED*",
    "unknown": "? *UNKNOWN*",
    "stuck": "? *UNCLEAR*",
    "skipped": "\u2013 *SKIPPED*",
}
_SHORT = 1_000  # milliseconds: what takes less is not worth a word
_FINDINGS, _CAUSES, _FILES = 10, 8, 10
OUTPUT, LINE = 2_500, 300  # characters of a code block, and of a line in it
EXAMPLE_LINES = 6
_FITS = {"fits": "*FITS*", "unknown": "*MAY FIT*, not read", "possible": "*POSSIBLE*"}


def sign(state: str) -> str:
    """A result as a sign and a word."""
    return _SIGNS.get(state, f"*{state.upper()}*")


def result(facts: Facts) -> Drawing:
    """What came out of a step."""
    title, said = outside(facts["title"], 150), outside(facts["text"] or "", 1_000)
    took = f" ({format_duration(facts['took'])})" if (facts["took"] or 0) >= _SHORT else ""
    number = f"{facts['number']}. " if facts.get("number") else ""
    head = f"{sign(facts['state'])} *{number}{title}*{took}"
    items = _items(facts)
    blocks: list[Block] = [section(f"{head}: {said}" if said and not items else head)]
    blocks += _reason(facts)
    blocks += items
    blocks += paragraphs(_finding(one) for one in facts.get("findings", ())[:_FINDINGS])
    for one in facts.get("causes", ())[:_CAUSES]:
        blocks += _cause(one)
    blocks += _output(facts)
    blocks.append(context(" | ".join(_small(facts))))
    word = "unclear" if facts["state"] == "stuck" else facts["state"]
    text = f"{facts['run']}: “{title}” {word}{took}"
    return Drawing(f"{text}: {said}" if said else f"{text}.", blocks)


def notice(facts: Facts) -> Drawing:
    """The message of a notify step: its author's mrkdwn, what was filled in is escaped already."""
    text = authored(facts["text"])
    note = context(f"{facts['run']} | sent for {who(facts['by'])}")
    return Drawing(text, (section(text), note))


def _reason(facts: Facts) -> list[Block]:
    """Why, where that is not what was said; and what is to be done about what nobody knows."""
    lines = []
    if facts["reason"] and facts["reason"] != facts["text"]:
        lines.append(outside(facts["reason"], 500))
    if facts.get("held"):
        lines.append(f"Held: {outside(facts['held'], 300)}")
    if facts["state"] == "stuck":
        lines.append(
            "Look at the target before you say what it was: the bot does not call it again by itself."
        )
    return [section("\n".join(lines))] if lines else []


def _finding(one: Facts) -> str:
    marks = []
    if one.get("explained_by"):
        marks.append("may come from the one before it")
    if one.get("stable"):
        marks.append("as when it was healthy")
    note = f" ({'; '.join(marks)})" if marks else ""
    line = f"• {outside(str(one['text']), 300)}{note}"
    do = one.get("recommendation")
    return f"{line}\n      {outside(str(do), 200)}" if do else line


def _items(facts: Facts) -> list[Block]:
    """Who did which line, with what they noted; nothing where the head says it all."""
    ticked: Facts = facts.get("items", {})
    if len(ticked) < 2 and not any(one["owner"] for one in ticked.values()):
        return []
    return paragraphs(_item(number, one) for number, one in ticked.items())


def _item(number: str, one: Facts) -> str:
    note = f": {outside(one['note'], 400)}" if one["note"] else ""
    owner = f" (owner {holder(one['owner'])})" if one["owner"] else ""
    return f"• line {number}{note}, by {who(one['by'])}{owner}"


def _cause(one: Facts) -> list[Block]:
    because = f" ({outside(one['because'], 300)})" if one["because"] else ""
    cause, solution = authored(one["cause"]), authored(one["solution"].strip())
    lines = f"{_FITS[one['fits']]}: *{cause}*{because}\n{cut_mrkdwn(solution, 700)}"
    return [section(lines), *_example(one)]


def _example(one: Facts) -> list[Block]:
    """The first lines of the code of a cause that fits; the whole is in a file, which Slack folds."""
    lines = (one.get("example") or "").rstrip().splitlines()
    if not lines or one["fits"] != "fits":
        return []
    drawn = section(verbatim("\n".join(cut(line, LINE) for line in lines[:EXAMPLE_LINES])))
    left = len(lines) - EXAMPLE_LINES
    return [drawn, context(f"{left} more lines: in the file below")] if left > 0 else [drawn]


def _output(facts: Facts) -> list[Block]:
    """The last lines of what a probe printed."""
    printed = str(facts.get("stdout") or "")
    shown = _tail(printed)
    if not shown:
        return []
    if len(shown) == len(printed.splitlines()) and not facts.get("stdout_cut"):
        return [section(verbatim("\n".join(shown)))]
    kept = "output.txt" in facts.get("files", ())
    where = "output.txt, below" if kept else f"`iora run {facts['run']} --json`"
    return [section(verbatim("\n".join(shown))), context(f"The last lines; all of it: {where}")]


def _tail(printed: str) -> list[str]:
    """As many of the last lines as a code block takes."""
    room, lines = OUTPUT, list[str]()
    for line in reversed(printed.splitlines()):
        shown = clean(line, LINE)
        room -= len(escape(shown)) + 1
        if room < 0:
            break
        lines.append(shown)
    return lines[::-1]


def _small(facts: Facts) -> list[str]:
    parts = [facts["run"], outside(facts["target"], 63)]
    if facts["by"]:
        parts.append(f"by {who(facts['by'])}")
    if facts.get("report"):
        parts.append(f"report `{outside(facts['report'], 60)}`")
    if facts.get("files"):
        names = ", ".join(outside(name, 60) for name in facts["files"][:_FILES])
        parts.append(f"files: {names}")
    for name, why in list(facts.get("left_out", {}).items())[:_FILES]:
        parts.append(f"no {outside(name, 60)}: {outside(why, 150)}")
    return parts
