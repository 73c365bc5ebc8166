"""What becomes of a group of alerts: an incident, a word on its timeline, or nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.model.alert import Group, Tally
from bot.model.incident import Incident, Severity, Status

GATHER_MS = 3_000
"""So long is waited for what belongs to the first alert, so that a burst is one incident; and at most so
often is a group looked at again, and its card drawn."""
FIRST_GAP_MS, LAST_GAP_MS = 5_000, 600_000
"""Between two words on the timeline: twice as long each time, while it does not calm down."""
RELAPSE_MS = 1_800_000
"""What comes back so soon is the same thing; and so long a source may repeat what somebody resolved."""
MOST_INCIDENTS, MOST_GROUPS, STORM_MS = 5, 50, 600_000
"""So many incidents are opened of a source within ``STORM_MS``, and so many groups are told of; everything
else goes into one, which takes what is new until nothing new came for so long."""


@dataclass(frozen=True)
class Move:
    """``note``: what the timeline is to say; ``raised``: the severity that it has now.

    ``again_at``: when to look again though nothing new comes.
    """

    opens: bool = False
    note: Literal["changed", "cleared", "back"] | None = None
    reopens: bool = False
    raised: Severity | None = None
    again_at: int | None = None


def decide(group: Group, tally: Tally, incident: Incident | None, now: int) -> Move:
    """What the alerts of a group mean, as the group was looked at last, and as they are now."""
    if incident is None or not incident.live:
        return Move(opens=tally.firing > 0 and tally.fresh > 0)
    raised = _raised(group, tally, incident)
    if incident.status is Status.MITIGATED and tally.firing and not group.firing:
        return Move(note="back", reopens=True, raised=raised)  # at once: nobody is on it any more
    note = _note(group, tally)
    if note is None:
        return Move(raised=raised)
    due = group.noted_at + group.noted_gap
    if now < due:
        return Move(raised=raised, again_at=due)
    return Move(note=note, raised=raised)


def gap(group: Group, now: int) -> int:
    """How long the timeline is left alone after what it is told now: longer each time, until it is calm."""
    calm = now - group.noted_at > 2 * LAST_GAP_MS
    return FIRST_GAP_MS if calm else min(2 * group.noted_gap, LAST_GAP_MS)


def begins(group: Group, tally: Tally, resolved_at: int, now: int) -> int | None:
    """Since when the episode lasts: one that comes back soon after it was over goes on.

    ``resolved_at``: when its incident was resolved, 0 where there is none or it is open; what fires
    after that is another episode.
    """
    if not tally.firing or tally.oldest is None:
        return group.since
    over = group.cleared_at is not None and now - group.cleared_at > RELAPSE_MS
    since = tally.oldest if group.since is None or over else group.since
    return max(since, resolved_at) if tally.fresh else since


def _note(group: Group, tally: Tally) -> Literal["changed", "cleared", "back"] | None:
    if tally.firing == 0:
        return "cleared" if group.noted_firing else None
    if group.noted_firing == 0:
        return "back"
    seen = (tally.firing, tally.resolved)
    return "changed" if seen != (group.noted_firing, group.noted_resolved) else None


def _raised(group: Group, tally: Tally, incident: Incident) -> Severity | None:
    """A worse alert came; what a person set stands as long as none is worse than all before."""
    worse = group.worst < group.opened_worst and group.worst < incident.severity
    return group.worst if worse and tally.firing else None
