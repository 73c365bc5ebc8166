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
    while done < len(value) and at <= len(written):
        escaped = style == '"' and written[at : at + 1] == "\\"
        if value[done] in _BLANK and at < len(written) and not escaped:
            after, past = _past_blanks(value, done), _past_blanks(written, at)
            if style == '"':  # the next blank of the value may be an escape
                after = min(after, done + _folded(written[at:past]))
            if offset < after:
                return at
            done, at = after, past
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
    return at if offset == done and at <= len(written) else None


def _begin(written: str, style: str) -> int:
    """Where the value begins: behind the quote, or in the line after a block's header."""
    if style in ("|", ">"):
        return _past_blanks(written, max(0, written.find("\n")))
    return 1 if style in ("'", '"') else 0


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _folded(blanks: str) -> int:
    """How many blanks stay of these between two words of a quoted value."""
    breaks = blanks.count("\n")
    return max(1, breaks - 1) if breaks else len(blanks)


def _width(written: str, at: int, style: str) -> int:
    """How many characters were written for one of the value."""
    if style == "'" and written[at : at + 2] == "''":
        return 2
    if style == '"' and written[at : at + 1] == "\\":
        return 2 + _ESCAPES.get(written[at + 1 : at + 2], 0)
    return 1
