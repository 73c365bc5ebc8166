"""The `markdown` block: the part of standard Markdown that messages use. HTML in it stays text."""

from __future__ import annotations

import re
from itertools import groupby

from markupsafe import Markup, escape

from bot.workspace.page import emoji, mrkdwn
from bot.workspace.page.reader import Reader
from bot.workspace.page.tag import tag

FENCE = re.compile(r"^```[^\n`]*\n(.*?)\n?^```[ \t]*$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
BULLET = re.compile(r"\s*[-*+]\s+(.*)")
NUMBER = re.compile(r"\s*\d{1,9}[.)]\s+(.*)")
RULE = re.compile(r"\s*([-*_])(?:\s*\1){2,}\s*$")
INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<address>[^()\s]+)\)"
    r"|\*\*(?P<bold>(?=\S).+?\S?)\*\*"
    r"|(?<!\w)(?P<mark>[*_])(?P<italic>(?=\S)[^*_]+?)(?P=mark)(?!\w)"
    r"|~~(?P<strike>.+?)~~"
    r"|<(?P<control>[@#!][^<>\n]+)>"
    r"|:(?P<emoji>[a-z0-9_+\-]+):"
    r"|(?P<url>https?://[^\s<>|`()]*[^\s<>|`().,;:!?'\"*_~])"
)


def draw(text: str, reader: Reader) -> Markup:
    """A whole Markdown text."""
    return Markup().join(
        tag("pre", tag("code", part)) if index % 2 else Markup().join(paragraphs(part, reader))
        for index, part in enumerate(FENCE.split(text))
    )


def kind_of(line: str) -> str:
    """What a line is part of."""
    if not line.strip():
        return "blank"
    if RULE.fullmatch(line):
        return "rule"
    for kind, pattern in (("heading", HEADING), ("bullet", BULLET), ("number", NUMBER)):
        if pattern.match(line):
            return kind
    return "quote" if line.startswith(">") else "text"


def paragraphs(text: str, reader: Reader) -> list[Markup]:
    """Lines of one kind that follow each other make one element."""
    return [
        element
        for kind, found in groupby(text.split("\n"), kind_of)
        for element in drawn(kind, list(found), reader)
    ]


def drawn(kind: str, found: list[str], reader: Reader) -> list[Markup]:
    match kind:
        case "blank":
            return []
        case "rule":
            return [tag("hr")]
        case "heading":
            marks = [HEADING.match(line) for line in found]
            return [
                tag("p", tag("strong", inline(mark[2], reader)), class_=f"heading-{len(mark[1])}")
                for mark in marks
                if mark
            ]
        case "bullet" | "number":
            pattern, name = (BULLET, "ul") if kind == "bullet" else (NUMBER, "ol")
            items = (tag("li", inline(pattern.sub(r"\1", line), reader)) for line in found)
            return [tag(name, Markup().join(items))]
        case "quote":
            inside = "\n".join(line.removeprefix(">").removeprefix(" ") for line in found)
            return [tag("blockquote", Markup().join(paragraphs(inside.lstrip(">"), reader)))]
    return [tag("p", Markup("<br>").join(inline(line, reader) for line in found))]


def inline(text: str, reader: Reader, depth: int = 0) -> Markup:
    """What stands in one line."""
    if depth > mrkdwn.NESTING:
        return escape(text)
    out: list[Markup] = []
    at = 0
    for found in INLINE.finditer(text):
        out += [escape(text[at : found.start()]), piece(found, reader, depth)]
        at = found.end()
    return Markup().join([*out, escape(text[at:])])


def piece(found: re.Match[str], reader: Reader, depth: int) -> Markup:
    if found["code"]:
        return tag("code", found["code"])
    if found["address"]:
        return mrkdwn.link(found["address"], found["label"])
    if found["url"]:
        return mrkdwn.link(found["url"], found["url"])
    if found["control"]:
        return mrkdwn.control(found["control"], reader)
    if found["emoji"]:
        return emoji.draw(found["emoji"]) or escape(found[0])
    for kind, name in (("bold", "strong"), ("italic", "em"), ("strike", "s")):
        if found[kind]:
            return tag(name, inline(found[kind], reader, depth + 1))
    return escape(found[0])
