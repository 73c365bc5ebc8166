"""Down, or only unreachable from here: the bot's own view of a target beside the one from its host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.model.reading import Check, Reach, Verdict, View
from bot.model.target import HealthSource
from bot.model.vantage import Sight, Vantage
from bot.rules.verdict import Said, said

SILENT = frozenset({Reach.REFUSED, Reach.TIMED_OUT, Reach.BROKEN, Reach.UNREACHABLE})
"""How far a request got that a second look is worth: no answer at all."""

_WORDS: Mapping[Reach, str] = {
    Reach.REFUSED: "refused",
    Reach.TIMED_OUT: "timed out",
    Reach.BROKEN: "broke off",
    Reach.UNREACHABLE: "no way there",
}
_LOOK = "look at the network between"


def settled(check: Check, there: Vantage | None, source: HealthSource) -> Said:
    """What the health URL says, by both views; ``there`` None: nobody else could be asked.

    Who answers on its own host is not down. It is unknown then, or as bad as it says there, and the poll
    counts neither as an answer nor as an error of the target.
    """
    here = said(check, source)
    if there is None or check.reach not in SILENT:
        return here
    word = _WORDS[check.reach]
    match there.sight:
        case Sight.ASKED if there.check is not None:
            return _asked(here, check, there.check, source)
        case Sight.LISTENS if check.reach is Reach.REFUSED:
            reason = f"unreachable from here ({word}): {there.problem} (agent), {_LOOK}"
            return _unseen(Verdict.UNKNOWN, reason)
        case Sight.LISTENS | Sight.RUNS | Sight.GONE:
            return replace(here, reason=f"{here.reason}; {there.problem} (agent)")
        case Sight.MUTE:
            return replace(here, reason=f"{here.reason}; the agent doesn't answer either")
    return replace(here, reason=f"{here.reason}; the agent can't tell: {there.problem}")


def _asked(here: Said, check: Check, other: Check, source: HealthSource) -> Said:
    """The service was asked on its host too."""
    word = _WORDS[check.reach]
    if other.reach is Reach.UNREACHABLE:  # the agent's own fault, such as a name in agent.yaml
        return replace(
            here, reason=f"{here.reason}; the agent can't ask it either: {other.problem}"
        )
    if other.reach in SILENT:
        return Said(Verdict.DOWN, _both(word, _WORDS[other.reach]), failed=True)
    seen = said(other, source)
    match seen.verdict:
        case Verdict.DOWN:
            return Said(Verdict.DOWN, _both(word, seen.reason), failed=True)
        case Verdict.DEGRADED | Verdict.UNHEALTHY:
            reason = f"{seen.reason} on its own host; unreachable from here ({word})"
            return _unseen(seen.verdict, reason)
    status = "" if seen.verdict is Verdict.HEALTHY else f": {seen.reason}"
    told = f"it answers on its host (agent, {other.elapsed_ms:.0f} ms{status})"
    why = check.problem if check.reach is Reach.UNREACHABLE else word
    return _unseen(Verdict.UNKNOWN, f"unreachable from here ({why}): {told}, {_LOOK}")


def _both(here: str, there: str) -> str:
    return (
        f"{here} from here and on its own host"
        if here == there
        else f"{here} from here, {there} on its own host"
    )


def _unseen(verdict: Verdict, reason: str) -> Said:
    return Said(verdict, reason, failed=False, counts=False)


def views(check: Check, there: Vantage | None, source: HealthSource) -> tuple[View, ...]:
    """Both views, for people and for evidence; none where there was no second one."""
    if there is None:
        return ()
    here = View(place="here", said=said(check, source).reason, elapsed_ms=check.elapsed_ms)
    told = said(there.check, source).reason if there.check is not None else there.problem
    return (here, View(place="its host", said=told, elapsed_ms=there.elapsed_ms))
