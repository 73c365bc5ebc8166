"""The one place where text from outside is made harmless: escaped and redacted."""

from __future__ import annotations

import re

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
    )
)
_MASK = "[redacted]"
# No token holds another one's beginning: so no text takes longer than its length.
_ENTITY = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DATE = re.compile(r"<!date\^\d+\^[^<|>]*\|([^<>]*)>")
_STYLE = re.compile(r"(?<![\w`])([*_~])(?=\S)(.{1,300}?)(?<=\S)\1(?![\w`])")
# What commands a terminal or turns the reading direction, and halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HALF = re.compile(r"(?:<[^<>]*|&(?:a|am|amp|l|lt|g|gt)?)\Z")


def redact(text: str) -> str:
    """Mask what looks like a secret."""
    for pattern in _SECRETS:
        text = pattern.sub(_MASK, text)
    return text


def escape(text: str) -> str:
    """Text for Slack's mrkdwn: ``<!channel>``, ``<@U...>`` and links from outside do nothing."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def outside(text: str, limit: int = 2_000) -> str:
    """Text from outside, redacted, cut and escaped: what every drawing puts such text through."""
    return escape(clean(text, limit))


def clean(text: str, limit: int = 2_000) -> str:
    """The same without escaping, for plain text such as a header, where nothing is a mention."""
    return cut(redact(without_controls(text)), limit)


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
