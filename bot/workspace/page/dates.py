"""Slack's date tokens (`{date_short_pretty} at {time}`) in the reader's own time zone."""

from __future__ import annotations

import re
from datetime import datetime

from bot.workspace.page.reader import Reader

TOKEN = re.compile(r"\{([a-z_]+)\}")


def write(seconds: int, form: str, reader: Reader) -> str | None:
    """`form` with its tokens filled in; None where a token is not one of Slack's."""
    moment = reader.local(seconds)
    known = True

    def fill(found: re.Match[str]) -> str:
        nonlocal known
        value = token(found[1], moment, reader)
        known = known and value is not None
        return value or ""

    written = TOKEN.sub(fill, form)
    return written if known else None


def token(name: str, moment: datetime, reader: Reader) -> str | None:
    """One of Slack's date tokens, or None."""
    if name == "ago":
        return ago((reader.now - moment).total_seconds())
    plain = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date_slash": f"{moment:%d/%m/%Y}",
        "date": f"{moment.day} {moment:%B %Y}",
        "date_short": f"{moment.day} {moment:%b %Y}",
        "date_long": f"{moment:%A}, {moment.day} {moment:%B %Y}",
        "day_divider_pretty": f"{moment:%A}, {moment.day} {moment:%B}",
        "time": f"{moment:%H:%M}",
        "time_secs": f"{moment:%H:%M:%S}",
    }
    if name in plain and not name.endswith("_pretty"):
        return plain[name]
    base = plain.get(name) or plain.get(name.removesuffix("_pretty"))
    return reader.day(moment, base) if base and name.endswith("_pretty") else None


def ago(seconds: float) -> str:
    """How long ago (or, below zero, in how long), in the largest unit that fits."""
    size, unit = next(
        (size, unit)
        for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
        if abs(seconds) >= size or size == 1
    )
    count = int(abs(seconds) // size)
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds >= 0 else f"in {words}"
