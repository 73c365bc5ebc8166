"""What must never be shown: which keys hold secrets, and how a line of a file is masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.model.nearest import nearest

MASK = "***"
_WORDS = "token|secret|password|passwd|passphrase|credential|api[_-]?key|private[_-]?key|dsn"
_NAMED = re.compile(_WORDS, re.IGNORECASE)
_TOLD = re.compile(rf"(?:{_WORDS})[\w-]*[\"']?\s*[:=]\s*\S", re.IGNORECASE)
_LIKELY = ("token", "secret", "password")
# Slack's tokens, a user and password in a URL, a bearer header: secret under any key.
_SHAPES = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=://)[^/@\s\"']+(?=@)|(?<=earer )\S+")
_LINE = re.compile(rf"^([ \t-]*)(.*?(?:{_WORDS})[\w-]*[\"']?\s*:)", re.IGNORECASE)


@dataclass(frozen=True)
class Secrets:
    """The keys whose values are secret: by the schema, by their words, and by a likely slip."""

    fields: frozenset[str] = frozenset()

    def named(self, key: str) -> bool:
        """Whether the value under this key is to be hidden."""
        if key in self.fields or _NAMED.search(key):
            return True
        return nearest(key, (*self.fields, *_LIKELY), likeness=0.75) != ""

    def told_in(self, text: str) -> bool:
        """Whether a text seems to hold a secret: ``token=...``, perhaps by a quote gone astray."""
        return _TOLD.search(text) is not None


def shapes(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Spans that look like a secret wherever they stand."""
    for match in _SHAPES.finditer(text):
        yield start + match.start(), start + match.end()


def guessed(text: str) -> Iterator[tuple[int, int]]:
    """Spans after keys that hold secrets, in a text that can't be parsed.

    Generous: the rest of the line and all lines below that are indented deeper.
    """
    offset, deeper = 0, -1
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if deeper >= 0 and (indent > deeper or not line.strip()):
            yield offset, offset + len(line)
        else:
            match = _LINE.match(line)
            deeper = len(match[1]) if match else -1
            if match:
                yield offset + match.end(), offset + len(line)
        offset += len(line) + 1


def masked(text: str, start: int, end: int, spans: Iterable[tuple[int, int]]) -> str:
    """``text[start:end]`` with the spans (in offsets of the text) replaced, each by a mask."""
    shown, at = [], start
    for first, last in sorted(spans):
        if max(first, at) < min(last, end):
            shown += [text[at : max(first, at)], MASK]
            at = min(last, end)
    return "".join([*shown, text[at:end]])
