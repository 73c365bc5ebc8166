"""``${NAME}`` and ``${NAME:-default}`` inside the text of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<wrong>\$\{)"
)
_WHOLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}")


@dataclass(frozen=True)
class Filled:
    """A text with its references filled in; each fault is the reference and what is wrong."""

    text: str
    faults: tuple[tuple[str, str], ...]


def fill(text: str, environ: Mapping[str, str]) -> Filled:
    """Fill the references in; ``$${`` stands for a plain ``${``.

    As in a shell, ``:-`` also replaces an empty value. What is filled in is never read again,
    neither as YAML nor for references.
    """
    faults: list[tuple[str, str]] = []

    def one(match: re.Match[str]) -> str:
        if match["escape"]:
            return "${"
        if match["wrong"]:
            faults.append(("${", "a reference that can't be read"))
            return ""
        name, default = match["name"], match["default"]
        value = environ.get(name)
        if not value and default is not None:
            return default
        if value is None:
            faults.append(("${" + name, f"the environment has no {name}"))
            return ""
        if not encodable(value):
            faults.append(("${" + name, f"the value of {name} is not valid UTF-8"))
            return ""
        return value

    return Filled(_REFERENCE.sub(one, text), tuple(faults))


def only_refers(text: str) -> bool:
    """Whether the text is one reference and holds nothing of its own."""
    return _WHOLE.fullmatch(text) is not None


def encodable(text: str) -> bool:
    """Whether the text is free of lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
