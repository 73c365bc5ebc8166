"""One rule on one target, looked at again and again: what comes of it, in order."""

from __future__ import annotations

import json
from typing import Any

from bot.model.detection import Rule
from bot.rules import detection
from bot.rules.condition import Judged, Truth
from bot.rules.detection import Hold, Look, Standing
from tests.support.clock import NOON

POLL = 30_000
LATE = POLL + 6_000

YES, NO, LOST = "yes", "no", "lost"
_JUDGED = {
    YES: Judged(Truth.YES, ("CPU 96 % > 90",)),
    NO: Judged(Truth.NO, ("CPU 12 %, not > 90",)),
    LOST: Judged(Truth.UNKNOWN, ("CPU unknown: the agent refused the connection",)),
}


def rule(**changes: Any) -> Rule:
    """``cpu-critical`` for 2 min, as a file would write it."""
    written = {"name": "cpu-critical", "when": "cpu_percent > 90", "for": "2m"}
    return Rule.model_validate_json(json.dumps(written | changes))


class Looks:
    """``now`` moves with each look; ``told`` is everything but nothing and pending, with when."""

    def __init__(self, asked: Rule | None = None, poll: int = POLL) -> None:
        self.rule = asked or rule()
        self.poll = poll
        self.now = NOON
        self.hold = Hold(rule=self.rule.name, target="iora")
        self.data = Hold(rule=self.rule.name, target="iora", data=True)
        self.incident: Standing = "none"
        self.muted: str | None = None
        self.told: list[tuple[str, int]] = []

    def look(self, truth: str, *, next_in: int | None = None) -> str:
        """One look now, at the condition and at the data; the next one is planned in ``next_in`` ms.

        What comes of the condition.
        """
        look = Look(
            judged=_JUDGED[truth],
            lost=truth == LOST,
            now=self.now,
            next_at=self.now + (next_in or self.poll),
            late=LATE,
            incident=self.incident,
            muted=self.muted,
        )
        decision = detection.decide(self.rule, self.hold, look)
        about_data = detection.decide(self.rule, self.data, look)
        self.hold, self.data = decision.hold, about_data.hold
        for what in (decision.what, about_data.what):
            if what not in {"nothing", "pending"}:
                self.told.append((what, self.now - NOON))
        return decision.what

    def see(self, truth: str, span: int) -> str:
        """Looks at the planned times for so long (ms); what came of the last one."""
        what = "nothing"
        for _ in range(span // self.poll):
            what = self.look(truth)
            self.now += self.poll
        return what
