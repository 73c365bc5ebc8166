"""What speaks against resolving an incident, by the last poll of its target."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.model.config import GUIDE_BASELINES, GUIDE_CRITICAL
from bot.model.reading import Reading, Verdict
from bot.rules.closing import Latest, failing
from bot.rules.verdict import Said, judge
from tests.support.clock import NOON

OK = Said(Verdict.HEALTHY, 'status word "ok"', failed=False)
DOWN = Said(Verdict.DOWN, "refused from here and on its own host", failed=True)
AWAY = Said(
    Verdict.UNKNOWN, "unreachable from here (refused): it answers on its host", failed=False
)
STALE_MS = 95_000


def read(metric: str, value: float | None, unit: str, source: str = "agent") -> Reading:
    reason = None if value is not None else "the agent gave no answer"
    at = NOON - 4_000
    return Reading(metric=metric, value=value, unit=unit, reason=reason, at=at, source=source)


def at_last_poll(said: Said, *readings: Reading, age: int = 4_000) -> Latest:
    bounds = GUIDE_BASELINES, GUIDE_CRITICAL
    return Latest(said, judge("iora", said, None, readings, *bounds, NOON - age))


WELL = (read("cpu_percent", 42, "%"), read("memory_mb", 212, "MB"))
LAST: dict[str, tuple[Latest | None, Sequence[str]]] = {
    "all is well": (at_last_poll(OK, *WELL), []),
    "one baseline is broken": (
        at_last_poll(OK, WELL[0], read("memory_mb", 300, "MB")),
        ["iora memory 300 MB (must be under 256), read 4 s ago"],
    ),
    "a critical bound is broken": (
        at_last_poll(OK, read("cpu_percent", 96, "%"), WELL[1]),
        ["iora CPU 96 % (critical above 90), read 4 s ago"],
    ),
    "two are broken: the critical one first": (
        at_last_poll(OK, read("memory_mb", 300, "MB"), read("cpu_percent", 96, "%")),
        [
            "iora CPU 96 % (critical above 90), read 4 s ago",
            "iora memory 300 MB (must be under 256), read 4 s ago",
        ],
    ),
    "coverage is informative": (
        at_last_poll(OK, *WELL, read("test_coverage_percent", 12, "%", "metrics")),
        [],
    ),
    "it is down": (
        at_last_poll(DOWN, *WELL),
        ["iora is DOWN: refused from here and on its own host, read 4 s ago"],
    ),
    "it can't be reached": (
        at_last_poll(AWAY, *WELL),
        [
            "iora is UNKNOWN: unreachable from here (refused): it answers on its host, read 4 s ago",
        ],
    ),
    "its status word says so": (
        at_last_poll(Said(Verdict.DEGRADED, 'status word "degraded"', failed=False), *WELL),
        ['iora is DEGRADED: status word "degraded", read 4 s ago'],
    ),
    "the agent is away": (
        at_last_poll(OK, read("cpu_percent", None, "%"), WELL[1]),
        ["iora CPU unknown: the agent gave no answer, read 4 s ago"],
    ),
    "the bot's own polls are too few to say anything, as after each start": (
        at_last_poll(
            OK,
            *WELL,
            read("response_time_p95_ms", None, "ms", "bot"),
            read("error_rate_percent", None, "%", "bot"),
        ),
        [],
    ),
    "the bot's own polls say that it is slow": (
        at_last_poll(OK, *WELL, read("response_time_p95_ms", 910, "ms", "bot")),
        ["iora P95 910 ms (must be under 500), read 4 s ago"],
    ),
    "nothing was ever read": (None, ["iora is UNKNOWN: it was not read yet"]),
    "just not too old": (at_last_poll(OK, *WELL, age=STALE_MS), []),
    "too old to say anything of now": (
        at_last_poll(OK, *WELL, age=STALE_MS + 1),
        [
            'iora is UNKNOWN: nothing was read for 95 s, it was HEALTHY then: status word "ok"',
        ],
    ),
}


@pytest.mark.parametrize("name", LAST)
def test_what_speaks_against_it(name: str) -> None:
    latest, lines = LAST[name]
    assert list(failing("iora", latest, STALE_MS, NOON)) == list(lines)
