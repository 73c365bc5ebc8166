"""The one place where text from outside is made harmless: escaped and redacted."""

from __future__ import annotations

import re
from typing import Any

# Each begins with letters or a sign as they are, which is what a search finds quickly.
_SECRETS = tuple(
    re.compile(pattern)
    for pattern in (
        r"xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}",  # Slack
        r"A(?<=\bA)(?:KIA|SIA)[A-Z0-9]{16}\b",  # AWS
        r"gh(?<=\bgh)[pousr]_[A-Za-z0-9]{30,}\b",  # GitHub
        r"eyJ(?<=\beyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # a JWT
        r"(?<= )(?i:(?<=bearer ))[A-Za-z0-9._~+/-]{8,}=*",
        r"(?<=://)[^\s/?#:]*:[^\s/?#]+(?=@)",  # user:password in a URL
        r"(?<==)(?i:(?<=password=)|(?<=passwd=)|(?<=secret=)|(?<=token=)|(?<=api_key=))\S+",
        r"(?<==)(?i:(?<=apikey=)|(?<=access_key=)|(?<=accountkey=)|(?<=private_key=))\S+",
        r"(?<=: )(?i:(?<=password: )|(?<=passwd: )|(?<=api-key: )|(?<=api_key: )|(?<=apikey: ))\S+",
        r"(?<=: )(?i:(?<=password': )|(?<=secret': )|(?<=token': ))\S+",
        r"(?<= )(?i:(?<=authorization: basic )|(?<=--password )|(?<=--token )|(?<=--secret ))\S+",
        r"(?<=: )(?i:(?<=cookie: ))[^\r\n]+",
        r"AIza(?<=\bAIza)[A-Za-z0-9_-]{35}",  # Google
        r"glpat-[A-Za-z0-9_-]{16,}",  # GitLab
        r"sk(?<=\bsk)[-_](?:live|test|proj|ant)[A-Za-z0-9_-]{16,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/]+",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    )
)
# What a JSON key, or the name of a field or a header, must be for its value to be masked.
_MASKED_NAME = (
    r"(?:[A-Za-z0-9]+[_-])*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|account[_-]?key|authorization|cookie|credentials?)"
)
_NAMES_A_SECRET = re.compile(_MASKED_NAME, re.IGNORECASE)
# In text: "password": "hunter2", also where the JSON is a text in JSON itself.
_QUOTED = re.compile(rf'("{_MASKED_NAME}"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE)
_QUOTED_TWICE = re.compile(rf'(\\"{_MASKED_NAME}\\"\s*:\s*)\\"[^"\\]*(?:\\")?', re.IGNORECASE)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}"
)
_MASK = "[redacted]"
# No token holds another one's beginning: so no text takes longer than its length.
_ENTITY = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DATE = re.compile(r"<!date\^\d+\^[^<|>]*\|([^<>]*)>")
_LIVE = re.compile(r"(<(?:[@#!]|https?://|mailto:)[^<>\n]*>)")
_BACKTICKS = "\u02cb" * 3  # look like backticks, and end no code block
_STYLE = re.compile(r"(?<![\w`])([*_~])(?=\S)(.{1,300}?)(?<=\S)\1(?![\w`])")
# What commands a terminal or turns the reading direction, and halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# What Markdown would read as its own; an underscore within a word is none.
_MARKDOWN = re.compile(r"[\\`*\[\]|~&<>]|(?<![^\W_])_|_(?![^\W_])|@(?=(?:channel|here|everyone)\b)")
_BLOCK = re.compile(r"(?:[#+=-]|[0-9]{1,9}[.)])")  # at the beginning of a line only
_AS_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_WEB = re.compile(r"https?://[^\s<>|\"`]+")
_LINK = 1_500  # characters of an address: beside it there must be room for words
_HALF = re.compile(r"(?:<[^<>]*|&(?:a|am|amp|l|lt|g|gt)?)\Z")


def redact(text: str, *, emails: bool = False) -> str:
    """Mask what looks like a secret; with ``emails``, addresses of people too."""
    for pattern in _SECRETS:
        text = pattern.sub(_MASK, text)
    if '"' in text:
        text = _QUOTED.sub(lambda found: f'{found[1]}"{_MASK}"', text)
        text = _QUOTED_TWICE.sub(lambda found: f'{found[1]}\\"{_MASK}\\"', text)
    if emails and "@" in text:
        text = _EMAIL.sub(_MASK, text)
    return text


def redacted(value: Any, *, emails: bool = False) -> Any:
    """JSON with every text redacted, keys too, and whatever a key that names a secret holds."""
    match value:
        case str():
            return redact(without_controls(value), emails=emails)
        case dict():
            return {
                redact(str(key), emails=emails): _MASK
                if item is not None and _NAMES_A_SECRET.fullmatch(str(key))
                else redacted(item, emails=emails)
                for key, item in value.items()
            }
        case list() | tuple():
            return [redacted(item, emails=emails) for item in value]
    return value


def escape(text: str) -> str:
    """Text for Slack's mrkdwn: ``<!channel>``, ``<@U...>`` and links from outside do nothing."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def authored(mrkdwn: str) -> str:
    """What the team wrote as mrkdwn: its mentions and links stay, any other < or > is shown as it is."""
    parts = _LIVE.split(mrkdwn)  # what is live stands between the others
    return "".join(
        part if number % 2 else part.replace("<", "&lt;").replace(">", "&gt;")
        for number, part in enumerate(parts)
    )


def verbatim(text: str) -> str:
    """Text from outside as a code block of its own lines, which nothing in it can end."""
    return f"```\n{escape(text.replace('```', _BACKTICKS))}\n```"


def outside(text: str, limit: int = 2_000) -> str:
    """Text from outside, redacted, cut and escaped: what every drawing puts such text through."""
    return escape(clean(text, limit))


def link(url: str, words: str) -> str:
    """Words of ours as a link to an address from outside; empty where that is none of the web, too
    long, or holds what looks like a secret."""
    address = escape(url)
    if len(address) > _LINK or not _WEB.fullmatch(url) or redact(url) != url:
        return ""
    return f"<{address}|{words}>"


def clean(text: str, limit: int = 2_000) -> str:
    """The same without escaping, for plain text such as a header, where nothing is a mention."""
    return cut(redact(without_controls(text)), limit)


def markdown(text: str) -> str:
    """Text from outside as one line of Markdown that only shows it: no markup, no HTML, no table cell.

    ``@channel`` and its kin wake nobody where the Markdown is pasted into Slack.
    """
    line = " ".join(text.split())
    escaped = _MARKDOWN.sub(lambda found: _AS_ENTITY.get(found[0], f"\\{found[0]}"), line)
    block = _BLOCK.match(escaped)
    return f"{escaped[: block.end() - 1]}\\{escaped[block.end() - 1 :]}" if block else escaped


def without_controls(text: str) -> str:
    """Without the signs that nobody can see and that no store or terminal should get."""
    return _CONTROL.sub("", text)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where some are missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_mrkdwn(text: str, limit: int) -> str:
    """As ``cut``, but no mention, date or entity is left in half."""
    return text if len(text) <= limit else _HALF.sub("", text[: limit - 1]) + "…"


def from_slack(text: str) -> str:
    """What a person typed: Slack's escapes undone, people and links as plain words.

    ``<@U02BOB|bob>`` becomes ``@bob``; ``<https://x.example|x>`` its address, or what was typed of it.
    """
    plain = _ENTITY.sub(_typed, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(mrkdwn: str) -> str:
    """mrkdwn for a terminal: no styles, dates and mentions as words, escapes undone."""
    text = _DATE.sub(r"\1", mrkdwn)
    text = _ENTITY.sub(_word, text)
    text = _STYLE.sub(r"\2", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _typed(match: re.Match[str]) -> str:
    sign, target, label = match.groups()
    if sign or not label or target.endswith(label):
        return _word(match)
    return target


def _word(match: re.Match[str]) -> str:
    sign, target, label = match.groups()
    if sign in {"@", "#"}:
        return sign + (label or target)
    return label or target
