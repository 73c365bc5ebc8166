"""Who and when, as a file names them that is read years later, by anybody and anywhere."""

from __future__ import annotations

from bot.clock import at
from bot.model.actor import BOT, outsider_of, person_of


def named(actor: str) -> str:
    """An actor: ``@U01ALICE``, ``the bot``, ``alice (command line)``."""
    person = person_of(actor)
    if person:
        return f"@{person}"
    return "the bot" if actor == BOT else holder(actor)


def holder(text: str) -> str:
    """A member id, a ``cli:`` login, or someone in PagerDuty."""
    return outsider_of(text) or f"@{text}"


def moment(milliseconds: int) -> str:
    """A time with its day, in UTC."""
    return f"{at(milliseconds):%Y-%m-%d %H:%M:%S} UTC"
