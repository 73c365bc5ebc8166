"""SQL without its values: what was written between quotes, numbers and comments is not shown."""

from __future__ import annotations

import re

from bot.text import clean

SHOWN = 500  # characters

# In the order in which PostgreSQL reads them. Text may be cut off anywhere, so an end may be missing.
# A comment within a comment takes the rest with it: where it ends can't be told by a pattern.
_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*(?:(?!/\*|\*/).)*\*/|/\*.*)
    | (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<escaped>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))
    | (?P<quoted>'(?:[^']|'')*(?:'|\Z))
    | (?P<dollars>(?<![\w$])(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z))
    | (?P<number>(?<![\w$])\.?\d[\w.]*)
    """,
    re.VERBOSE | re.DOTALL,
)


def masked(sql: str) -> str:
    """At most 500 characters on one line: each value as ``?``, parameters (``$1``) and names kept."""
    return clean(" ".join(_TOKEN.sub(_shown, sql).split()), SHOWN)


def _shown(match: re.Match[str]) -> str:
    if match["name"]:
        return match[0]
    if match["comment"]:
        return " "
    return "?"
