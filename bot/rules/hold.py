"""How long a condition has held: ``for``, ``clear_for``, ``verify`` and ``wait_for``."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rules.condition import Truth


@dataclass(frozen=True)
class Held:
    """``since`` when it holds without a break (``None``: it doesn't), last seen to hold ``at``.

    Milliseconds since the epoch. Two numbers, so that it can be kept.
    """

    since: int | None = None
    at: int = 0

    @property
    def lasted(self) -> int:
        """For how long it was seen to hold, in ms: from the first yes to the last one."""
        return 0 if self.since is None else self.at - self.since

    def met(self, span: int) -> bool:
        """Whether it holds, and has for ``span`` ms; a span of 0 is met by the first yes."""
        return self.since is not None and self.lasted >= span


NOTHING = Held()


def hold(previous: Held, truth: Truth, now: int, gap: int, *, recovery: bool) -> Held:
    """One more observation, made at ``now``; begin with ``NOTHING``.

    - Yes goes on from the last yes, when that is at most ``gap`` ms ago: what nobody looked at
      is not taken to have held. After a longer gap, or a clock that went back, it begins anew.
    - No ends it.
    - Unknown ends a ``recovery`` (``clear_for``, ``verify``, ``wait_for``): no data is never
      green. A trigger (``for``) waits: unknown neither ends it nor makes it longer, and data
      that stays away for longer than ``gap`` ends it by the gap.
    """
    if truth is Truth.NO or (truth is Truth.UNKNOWN and recovery):
        return NOTHING
    seen_lately = previous.since is not None and 0 <= now - previous.at <= gap
    if truth is Truth.UNKNOWN:
        return previous if seen_lately else NOTHING
    return Held(previous.since if seen_lately else now, now)
