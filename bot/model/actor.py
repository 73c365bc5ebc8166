"""Who did it: ``slack:TEAM:USER``, ``cli:LOGIN``, ``pagerduty:NAME`` or ``bot``."""

from __future__ import annotations

from dataclasses import dataclass

BOT = "bot"
_DOORS = {"cli": "command line", "pagerduty": "PagerDuty"}


@dataclass(frozen=True)
class Actor:
    """A person at one of the bot's doors. ``guest``: not a full member of the bot's own team."""

    text: str
    guest: bool = False

    @classmethod
    def slack(cls, team: str, user: str, *, guest: bool = False) -> Actor:
        """Someone in Slack: a user id is unique in its team only, so both are kept."""
        return cls(f"slack:{team}:{user}", guest)

    @classmethod
    def login(cls, login: str) -> Actor:
        """Someone on the bot's own machine, by the login that the kernel vouches for."""
        return cls(f"cli:{login}")

    @classmethod
    def pagerduty(cls, name: str) -> Actor:
        """Someone in PagerDuty whom the config doesn't know, by the name that PagerDuty vouches for.

        They chose it themselves: nothing stays in it that would be markup in Slack.
        """
        kept = (one for one in name if one.isprintable() or one.isspace())
        shown = " ".join("".join(one for one in kept if one not in "<>&").split())
        return cls(f"pagerduty:{shown[:60].strip() or 'somebody'}")

    @property
    def person(self) -> str | None:
        """The Slack member id, if it is someone in Slack."""
        return person_of(self.text)

    @property
    def holder(self) -> str:
        """How ``roles`` in the config names this actor."""
        return self.person or self.text


def outsider_of(text: str) -> str | None:
    """The name of someone who is not in Slack, and from where: ``bob (PagerDuty)``; else None."""
    door, separator, name = text.partition(":")
    return f"{name} ({_DOORS[door]})" if separator and door in _DOORS else None


def person_of(actor: str | None) -> str | None:
    """The Slack member id in an actor's text, else None."""
    if actor is None or not actor.startswith("slack:"):
        return None
    return actor.rsplit(":", 1)[1]
