"""What the other side answered, for people: short, harmless, and without what the request was signed with."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.action import HIDDEN
from bot.text import clean

_READ = 8_000  # bytes of an answer that are looked at
_SHORT = 6  # characters: a shorter secret stands in too many words by chance


def said(body: bytes, secrets: Iterable[str], limit: int) -> str:
    """The beginning of an answer, at most ``limit`` characters of it."""
    text = body[:_READ].decode("utf-8", "replace")
    for secret in secrets:
        if len(secret) >= _SHORT:
            text = text.replace(secret, HIDDEN)
    return clean(text, limit).strip()
