"""Which causes fit what was read: the guide's "Common Causes and Solutions"."""

from __future__ import annotations

from bot.model.incident import Facts
from bot.model.step import AdviseStep
from bot.rules.condition import Truth, evaluate
from bot.rules.known import Values


def matched(step: AdviseStep, values: Values, now: int) -> list[Facts]:
    """The causes whose condition holds, then those that may, then those that always can.

    Each by its number in the step, with what decided it; one that certainly does not fit is left out.
    """
    found: list[tuple[int, Facts]] = []
    for number, cause in enumerate(step.causes):
        if cause.when is None:
            found.append((2, {"number": number, "fits": "possible", "because": ""}))
            continue
        judged = evaluate(cause.when, values, now)
        because = "; ".join(judged.because)
        if judged.truth is Truth.YES:
            found.append((0, {"number": number, "fits": "fits", "because": because}))
        elif judged.truth is Truth.UNKNOWN:
            found.append((1, {"number": number, "fits": "unknown", "because": because}))
    return [facts for _, facts in sorted(found, key=lambda one: one[0])]


def words(step: AdviseStep, found: list[Facts]) -> str:
    """The causes in one line."""
    if not found:
        return "no known cause fits"
    fitting = [step.causes[one["number"]].cause for one in found if one["fits"] == "fits"]
    if fitting:
        return f"fits: {', '.join(fitting)}"
    return f"possible: {', '.join(step.causes[one['number']].cause for one in found)}"
