"""The words that end an incident."""

from __future__ import annotations

from bot.model.command import Resolve

_ANYWAY = "anyway"


def resolve(number: int | None, text: str) -> Resolve:
    """``resolve INC-7 anyway REASON``: also where its targets still fail."""
    first, _, rest = text.partition(" ")
    if first.lower().rstrip(":,.") == _ANYWAY:
        return Resolve(incident=number, text=rest.strip(), anyway=True)
    return Resolve(incident=number, text=text)
