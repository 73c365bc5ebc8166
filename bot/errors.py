"""The tree of errors that the bot raises on purpose.

Every message says what, where, what was expected and what to do next, because it is shown to a
person as it is. A refusal of a business rule is not an error: rules return it.
"""

from __future__ import annotations


class IoraError(Exception):
    """Anything that is reported to a person as one line, without a traceback."""


class ConfigError(IoraError):
    """A file that people write is wrong; ``problems`` holds every finding, in file order."""

    def __init__(self, problems: tuple[object, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class WrongSettings(IoraError):
    """The environment does not say what is needed, or says what can't be done."""


class StoreError(IoraError):
    """The database can't be opened, is held by another process, or is damaged."""


class TargetError(IoraError):
    """A watched target could not be read; the subclasses in ``http`` say how."""


class Misplaced(ValueError):
    """A text in a small language of ours is wrong at ``offset``, in characters from its beginning.

    Raised by a validator, it moves the column of a located problem into the text.
    """

    def __init__(self, text: str, offset: int, *, expected: str = "", near: str = "") -> None:
        self.text = text
        self.offset = offset
        self.expected = expected
        self.near = near
        parts = [text]
        if expected:
            parts.append(f"expected {expected}")
        if near:
            parts.append(f"did you mean {near}?")
        super().__init__("; ".join(parts))


class TemplateFailed(IoraError):
    """A text can't be made of a template and these values; the message is one line that says why."""
