"""Alerts that other tools send: one at a time, those that belong together, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.model.incident import Severity

HEARTBEATS = "heartbeat"
"""The source of what the bot itself misses; no source of the config is called so."""
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert as a source told it last. ``since`` in milliseconds since the epoch.

    ``group``: the labels by which it belongs to others, beside its target. ``cut``: how many more the
    source left out of the message that it came in.
    """

    source: str
    fingerprint: str
    title: str
    firing: bool
    since: int
    severity: Severity | None = None
    target: str = ""
    group: Labels = ()
    labels: Mapping[str, str]
    summary: str = ""
    url: str = ""
    cut: int = 0


@dataclass(frozen=True)
class Told:
    """What a request held. ``ignored``: words of the status that mean neither; ``unreadable``: and why."""

    alerts: tuple[Alert, ...]
    ignored: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """Alerts of a source with the same target and the same labels, as they were looked at last.

    ``worst``: the worst severity since the episode began at ``since``; ``firing``, ``resolved`` and
    ``titles`` (each with its number): of this episode. ``noted_*``: what the timeline said last, and how
    long it is to be left alone from then on. ``rest``: what is too much to be told group by group.
    """

    id: int
    source: str
    target: str
    labels: Labels
    rest: bool
    worst: Severity
    since: int | None
    cleared_at: int | None
    firing: int
    resolved: int
    titles: Mapping[str, int]
    cut: int
    incident_id: int | None
    opened_at: int | None
    opened_worst: Severity
    noted_at: int
    noted_gap: int
    noted_firing: int
    noted_resolved: int


@dataclass(frozen=True)
class Tally:
    """The alerts of a group now. ``oldest``: since when the first of them fires, by the bot's clock.

    ``fresh``: those that began to fire after the incident was resolved, or that their source still
    insists on long after it; without an incident all that fire. ``began``: since when they fire by their
    source's clock, but not before the incident was resolved. ``url``: of the newest.
    """

    firing: int
    resolved: int
    fresh: int
    oldest: int | None
    titles: Mapping[str, int]
    targets: tuple[str, ...]
    summaries: tuple[str, ...] = ()
    began: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Firing:
    """What a card says of an incident's alerts.

    ``url`` and ``says``: where the newest that fires can be looked at, and its own words.
    """

    firing: int
    resolved: int
    titles: Mapping[str, int]
    cut: int = 0
    url: str = ""
    says: str = ""
