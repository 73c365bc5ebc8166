"""Slack's message markup, drawn as HTML. Whatever is no markup comes out escaped."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from bot.workspace.page import dates, emoji
from bot.workspace.page.reader import Reader
from bot.workspace.page.tag import tag

SAFE_SCHEMES = ("http://", "https://", "mailto:", "tel:")
NESTING = 6
STYLES = {"bold": "strong", "italic": "em", "strike": "s"}

FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
QUOTE = re.compile(r"(?:&gt;|>)(?!\w+>) ?")
INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|<(?P<control>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>(?=\S)[^*\n]*[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>(?=\S)[^_\n]*(?:\w_\w[^_\n]*)*[^\s_])_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>(?=\S)[^~\n]*[^\s~])~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+\-]+(?:::skin-tone-\d)?):"
    r"|(?P<url>https?://[^\s<>|`]*[^\s<>|`.,;:!?)'\"*_~])"
)


def plain(text: str) -> str:
    """Text as people read it: Slack's three escapes undone."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def draw(text: str, reader: Reader) -> Markup:
    """A whole mrkdwn text: code fences, quotes, lines and what stands in them."""
    parts = FENCE.split(text)
    drawn = []
    for index, part in enumerate(parts):
        if index % 2:
            drawn.append(Markup("<pre><code>{}</code></pre>").format(code(part)))
        else:
            after_one, before_one = index > 0, index < len(parts) - 1
            words = part.removeprefix("\n") if after_one else part
            drawn.append(lines(words.removesuffix("\n") if before_one else words, reader))
    return Markup().join(drawn)


def code(text: str) -> str:
    """Code is shown as written, except that links which the server made are plain again."""
    return plain(re.sub(r"<((?:https?://|mailto:)[^<>|\n]+)(?:\|([^<>\n]*))?>", r"\1", text))


def lines(text: str, reader: Reader) -> Markup:
    """Lines of one paragraph; those that begin with `>` become one quote."""
    out: list[Markup] = []
    quoted: list[Markup] = []
    fresh = True
    for line in text.split("\n"):
        mark = QUOTE.match(line)
        if mark:
            quoted.append(inline(line[mark.end() :], reader))
            continue
        if quoted:
            out.append(quote(quoted))
            quoted, fresh = [], True
        if not fresh:
            out.append(Markup("<br>"))
        out.append(inline(line, reader))
        fresh = False
    if quoted:
        out.append(quote(quoted))
    return Markup().join(out)


def quote(quoted: list[Markup]) -> Markup:
    return Markup("<blockquote>{}</blockquote>").format(Markup("<br>").join(quoted))


def inline(text: str, reader: Reader, depth: int = 0) -> Markup:
    """One line: code, mentions, links, dates, bold, italic, strike, emoji, bare addresses."""
    if depth > NESTING:
        return escape(plain(text))
    out: list[Markup] = []
    at = 0
    for found in INLINE.finditer(text):
        out.append(escape(plain(text[at : found.start()])))
        out.append(piece(found, reader, depth))
        at = found.end()
    out.append(escape(plain(text[at:])))
    return Markup().join(out)


def piece(found: re.Match[str], reader: Reader, depth: int) -> Markup:
    """What one match of INLINE is drawn as."""
    kind = found.lastgroup or ""
    inside = found[kind]
    match kind:
        case "code":
            return Markup("<code>{}</code>").format(code(inside[1:-1]))
        case "control":
            return control(inside, reader)
        case "emoji":
            return emoji.draw(inside) or escape(found[0])
        case "url":
            return link(plain(inside), plain(inside))
    return tag(STYLES[kind], inline(inside, reader, depth + 1))


def control(inside: str, reader: Reader) -> Markup:
    """What stands between angle brackets; what is none of Slack's forms is shown as typed."""
    target, _, label = inside.partition("|")
    if inside.startswith("@"):
        return person(target[1:], reader, label)
    if inside.startswith("#"):
        return channel(target[1:], reader, label)
    if inside.startswith("!date^"):
        return date(target, label, reader)
    if inside.startswith("!subteam^"):
        return mention(plain(label or target.split("^")[1]).removeprefix("@"))
    if inside in ("!here", "!channel", "!everyone"):
        return mention(inside[1:], mine=True)
    if plain(target).lower().startswith(SAFE_SCHEMES):
        return link(plain(target), plain(label) or plain(target).removeprefix("mailto:"))
    return escape(f"<{plain(inside)}>")


def link(address: str, label: str) -> Markup:
    """A link that leaves the page; an address that isn't a safe one is only text."""
    if not address.lower().startswith(SAFE_SCHEMES):
        return escape(label if label == address else f"{label} ({address})")
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(
        address, label
    )


def person(user: str, reader: Reader, label: str = "") -> Markup:
    name = reader.people.get(user) or plain(label).removeprefix("@") or user
    return mention(name, mine=user == reader.person)


def mention(name: str, *, mine: bool = False) -> Markup:
    kind = "mention mention-me" if mine else "mention"
    return Markup('<span class="{}">@{}</span>').format(kind, name)


def channel(identity: str, reader: Reader, label: str = "") -> Markup:
    name = reader.channels.get(identity)
    if name is None:
        return Markup('<span class="mention">#{}</span>').format(plain(label) or identity)
    return Markup('<a class="mention" href="{}">#{}</a>').format(reader.href(identity), name)


def date(target: str, fallback: str, reader: Reader) -> Markup:
    """`!date^SECONDS^FORM[^LINK]`; the fallback where it can't be read."""
    _, seconds, form, *address = [*target.split("^"), ""]
    if not re.fullmatch(r"-?\d{1,11}", seconds):
        return escape(plain(fallback))
    written = dates.write(int(seconds), form, reader)
    if written is None:
        return escape(plain(fallback))
    moment = reader.local(int(seconds))
    drawn = Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), f"{moment:%A, %d %B %Y, %H:%M:%S %Z}", plain(written)
    )
    if address and address[0].lower().startswith(SAFE_SCHEMES):
        return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(
            plain(address[0]), drawn
        )
    return drawn
