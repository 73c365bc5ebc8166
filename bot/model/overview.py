"""Everything that a card, a ping or an answer shows of one incident, read in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.actor import person_of
from bot.model.alert import Firing
from bot.model.incident import Entry, Facts, Incident, Status
from bot.model.message import State
from bot.model.silence import Muted
from bot.model.way import SLACK


@dataclass(frozen=True)
class Ping:
    """One notification of a person by one way, and what became of it.

    ``instead``: why it went by this way, where the person's first one was of no use.
    """

    person: str
    state: State
    at: int
    sent_at: int | None
    error: str | None
    via: str = SLACK
    entry: int = 0
    instead: str | None = None


@dataclass(frozen=True)
class Upcoming:
    """Who is told next, and when, if nobody acknowledges. ``people`` are member ids.

    ``hours``: the working hours that are waited for.
    """

    due_at: int
    people: tuple[str, ...]
    channel: bool
    hours: str | None = None


@dataclass(frozen=True)
class Waiting:
    """A level that waits for a condition, from a time on; ``skipped``: why it never will fire."""

    condition: str
    since: int
    people: tuple[str, ...]
    channel: bool
    skipped: str | None = None


@dataclass(frozen=True)
class Asking:
    """When whoever acknowledged is asked whether they are on it; ``asked``: when it goes on instead."""

    at: int
    person: str | None
    asked: bool


@dataclass(frozen=True)
class Overview:
    """The incident with its timeline, its pings and what comes next. ``now`` is when it was read.

    ``normal_since``: since when what a rule found is over; None while it isn't.
    ``silenced``: on account of what nobody is told of it now. ``alerts``: those of other tools that
    it was opened for.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    pings: tuple[Ping, ...]
    upcoming: Upcoming | None
    now: int
    waiting: tuple[Waiting, ...] = ()
    asking: Asking | None = None
    normal_since: int | None = None
    silenced: Muted | None = None
    alerts: Firing | None = None

    def asks(self, ping: Facts) -> bool:
        """Whether a ping of these facts still asks for somebody, or the incident has its answer.

        One that was called after an acknowledgement (``called``) asks until it is mitigated; one that
        went out as whoever acknowledged did nothing (``unanswered``), until anybody does something.
        """
        status = self.incident.status
        if self.silenced is not None:
            return False
        if self.incident.drill and self._answered(ping):
            return False
        if status is not Status.ACKNOWLEDGED:
            return status is Status.OPEN
        quiet = bool(ping.get("unanswered")) and not self.active_since(ping["entry"])
        return bool(ping.get("called")) or quiet

    def _answered(self, ping: Facts) -> bool:
        """In a drill each person answers for themselves."""
        return any(
            one.kind == "answered"
            and one.seq > ping["entry"]
            and person_of(one.actor) == ping["person"]
            for one in self.entries
        )

    def asks_still(self, asking: Facts) -> bool:
        """Whether whoever acknowledged still owes an answer to an asking of these facts."""
        quiet = not self.active_since(asking["entry"])
        return self.incident.status is Status.ACKNOWLEDGED and quiet

    def active_since(self, seq: int) -> bool:
        """Whether a person did anything about it after an entry."""
        return any(one.seq > seq and one.by_a_person for one in self.entries)

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
