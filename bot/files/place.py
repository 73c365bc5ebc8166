"""Where a character of a value stands in the YAML that it was written in."""

from __future__ import annotations

_ESCAPES = {"x": 2, "u": 4, "U": 8}
_BLANK = " \t\n"


def place(written: str, value: str, offset: int) -> int | None:
    """The offset in ``written`` (a scalar from its first to its last character, with its quotes or
    its block header) of ``value[offset]``; ``None`` when the two don't match.

    Folded lines match the blank that they became.
    """
    style = written[:1]
    at = _begin(written, style)
    done = 0
    while done < len(value):
        if value[done] in _BLANK and written[at : at + 1] not in ("\\", ""):
            after = _past_blanks(value, done)
            if offset < after:
                return at
            done, at = after, _past_blanks(written, at)
            continue
        if style == '"' and written[at : at + 2] == "\\\n":
            at = _past_blanks(written, at + 1)
            continue
        if done == offset:
            return at
        width = _width(written, at, style)
        if width == 1 and written[at : at + 1] != value[done]:
            return None
        done, at = done + 1, at + width
    return at if offset == done else None


def _begin(written: str, style: str) -> int:
    """Where the value begins: behind the quote, or in the line after a block's header."""
    if style in ("|", ">"):
        return _past_blanks(written, written.find("\n"))
    return 1 if style in ("'", '"') else 0


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _width(written: str, at: int, style: str) -> int:
    """How many characters were written for one of the value."""
    if style == "'" and written[at : at + 2] == "''":
        return 2
    if style == '"' and written[at : at + 1] == "\\":
        return 2 + _ESCAPES.get(written[at + 1 : at + 2], 0)
    return 1
