"""Everything that a card, a ping or an answer shows of one incident, read in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.incident import Entry, Facts, Incident, Status
from bot.model.message import State


@dataclass(frozen=True)
class Ping:
    """One notification of a person, and what became of it."""

    person: str
    state: State
    at: int
    sent_at: int | None
    error: str | None


@dataclass(frozen=True)
class Upcoming:
    """Who is told next, and when, if nobody acknowledges. ``people`` are member ids."""

    due_at: int
    people: tuple[str, ...]
    channel: bool

    @classmethod
    def nobody(cls, due_at: int) -> Upcoming:
        """Something is due, and tells nobody who isn't told yet."""
        return cls(due_at, (), channel=False)


@dataclass(frozen=True)
class Overview:
    """The incident with its timeline, its pings and what comes next. ``now`` is when it was read."""

    incident: Incident
    entries: tuple[Entry, ...]
    pings: tuple[Ping, ...]
    upcoming: Upcoming | None
    now: int

    def asks(self, ping: Facts) -> bool:
        """Whether a ping of these facts still asks for somebody, or the incident has its answer.

        One that was called after an acknowledgement (``called``) asks until it is mitigated.
        """
        status = self.incident.status
        return status is Status.OPEN or (status is Status.ACKNOWLEDGED and bool(ping.get("called")))

    def last(self, *kinds: str) -> Entry | None:
        """The newest entry of one of the kinds."""
        return last_entry(self.entries, *kinds)


def last_entry(entries: Iterable[Entry], *kinds: str) -> Entry | None:
    """The newest entry of one of the kinds."""
    found = None
    for entry in entries:
        if entry.kind in kinds:
            found = entry
    return found
