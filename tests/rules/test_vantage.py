"""Two views of a target that gave the bot no answer, and the word that they make together."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.reading import Check, Reach, Verdict
from bot.model.target import HealthSource
from bot.model.vantage import Sight, Vantage
from bot.rules.vantage import settled, views
from tests.support.clock import NOON

HEALTHY, UNKNOWN, DEGRADED, UNHEALTHY, DOWN = Verdict
SOURCE = HealthSource(url="http://10.0.0.5:8080/api/health", status="status")


def check(reach: Reach, **known: Any) -> Check:
    return Check(at=NOON, reach=reach, elapsed_ms=12.3, **known)


REFUSED = check(Reach.REFUSED, problem="nothing listens on 10.0.0.5:8080")
TIMED_OUT = check(Reach.TIMED_OUT, problem="no answer within 5 s")
BROKEN = check(Reach.BROKEN, problem="broken answer: the connection was reset")
NO_WAY = check(Reach.UNREACHABLE, problem="the name iora is not known here")


def answer(status: int, word: str | None = None, *, body: bool = True) -> Check:
    return check(Reach.ANSWERED, http_status=status, word=word, has_body=body)


def asked(found: Check) -> Vantage:
    return Vantage(sight=Sight.ASKED, elapsed_ms=12.3, check=found)


def told(sight: Sight, problem: str) -> Vantage:
    return Vantage(sight=sight, elapsed_ms=12.3, problem=problem)


LISTENS = told(Sight.LISTENS, "process 7 (iora) listens on port 8080 of its host")
RUNS = told(Sight.RUNS, "process 7 (iora) runs on its host")
GONE = told(Sight.GONE, "the process is not found on its host: nothing listens on port 8080")
MUTE = told(Sight.MUTE, "nothing listens on 10.0.0.5:9108")
UNSURE = told(Sight.UNSURE, "it refused the token, check `agent.token`")
BETWEEN = "look at the network between"
ANSWERS = "it answers on its host (agent, 12 ms)"

TOGETHER: dict[str, tuple[Check, Vantage | None, Verdict, str]] = {
    # from here, from its host: the verdict and the reason
    "nobody else to ask: as before": (
        REFUSED, None, DOWN, "nothing listens on 10.0.0.5:8080"
    ),
    "refused from both": (
        REFUSED, asked(check(Reach.REFUSED, problem="x")), DOWN, "refused from here and on its own host"
    ),
    "it hangs here, and nobody listens there": (
        TIMED_OUT, asked(check(Reach.REFUSED, problem="x")), DOWN,
        "timed out from here, refused on its own host",
    ),
    "it hangs from both": (
        TIMED_OUT, asked(check(Reach.TIMED_OUT, problem="x")), DOWN,
        "timed out from here and on its own host",
    ),
    "no way from here, and nobody listens there": (
        NO_WAY, asked(check(Reach.REFUSED, problem="x")), DOWN,
        "no way there from here, refused on its own host",
    ),
    "refused here, an empty 503 there": (
        REFUSED, asked(answer(503, body=False)), DOWN,
        "refused from here, HTTP 503 without a body on its own host",
    ),
    "refused here, well there": (
        REFUSED, asked(answer(200, "ok")), UNKNOWN,
        f"unreachable from here (refused): {ANSWERS}, {BETWEEN}",
    ),
    "it hangs here, and is well there": (
        TIMED_OUT, asked(answer(200, "ok")), UNKNOWN,
        f"unreachable from here (timed out): {ANSWERS}, {BETWEEN}",
    ),
    "it breaks off here, and is well there": (
        BROKEN, asked(answer(200, "ok")), UNKNOWN,
        f"unreachable from here (broke off): {ANSWERS}, {BETWEEN}",
    ),
    "its name is not known here, and it is well there": (
        NO_WAY, asked(answer(200, "ok")), UNKNOWN,
        f"unreachable from here (the name iora is not known here): {ANSWERS}, {BETWEEN}",
    ),
    "refused here, another URL there": (
        REFUSED, asked(answer(404)), UNKNOWN,
        ("unreachable from here (refused): it answers on its host (agent, 12 ms: endpoint not there "
        f"(HTTP 404): check `health.url` in the config), {BETWEEN}"),
    ),
    "refused here, too much there": (
        REFUSED, asked(check(Reach.TOO_LARGE, problem="the answer is larger than 1 MiB")), UNKNOWN,
        ("unreachable from here (refused): it answers on its host (agent, 12 ms: the answer is larger "
        f"than 1 MiB: check `health.url` in the config), {BETWEEN}"),
    ),
    "refused here, and it says there that it fails": (
        REFUSED, asked(answer(200, "failing")), UNHEALTHY,
        'status word "failing" on its own host; unreachable from here (refused)',
    ),
    "refused here, and it says there that it limps": (
        REFUSED, asked(answer(200, "degraded")), DEGRADED,
        'status word "degraded" on its own host; unreachable from here (refused)',
    ),
    "the agent itself has no way to it, which proves nothing": (
        REFUSED, asked(check(Reach.UNREACHABLE, problem="the name x is not known here")), DOWN,
        "nothing listens on 10.0.0.5:8080; the agent can't ask it either: the name x is not known here",
    ),
    "nobody has a way to it": (
        NO_WAY, asked(check(Reach.UNREACHABLE, problem="the name x is not known here")), UNKNOWN,
        ("unreachable from here: the name iora is not known here; the agent can't ask it either: "
        "the name x is not known here"),
    ),
    "refused here, and its process listens there": (
        REFUSED, LISTENS, UNKNOWN,
        ("unreachable from here (refused): process 7 (iora) listens on port 8080 of its host (agent), "
        f"{BETWEEN}"),
    ),
    "it hangs here, and a process that listens may hang": (
        TIMED_OUT, LISTENS, DOWN,
        "no answer within 5 s; process 7 (iora) listens on port 8080 of its host (agent)",
    ),
    "refused here, and its process runs without that port": (
        REFUSED, RUNS, DOWN, "nothing listens on 10.0.0.5:8080; process 7 (iora) runs on its host (agent)"
    ),
    "refused here, and there is no process": (
        REFUSED, GONE, DOWN,
        ("nothing listens on 10.0.0.5:8080; the process is not found on its host: nothing listens on port "
        "8080 (agent)"),
    ),
    "no way from here, and no process, which the agent may look for in the wrong place": (
        NO_WAY, GONE, UNKNOWN,
        ("unreachable from here: the name iora is not known here; the process is not found on its host: "
        "nothing listens on port 8080 (agent)"),
    ),
    "the agent says nothing either": (
        TIMED_OUT, MUTE, DOWN, "no answer within 5 s; the agent doesn't answer either"
    ),
    "no way from here, and none to the agent": (
        NO_WAY, MUTE, UNKNOWN,
        "unreachable from here: the name iora is not known here; the agent doesn't answer either",
    ),
    "the agent can't tell": (
        REFUSED, UNSURE, DOWN,
        "nothing listens on 10.0.0.5:8080; the agent can't tell: it refused the token, check `agent.token`",
    ),
    "an answer from here needs no second view": (
        answer(200, "ok"), asked(check(Reach.REFUSED, problem="x")), HEALTHY, 'status word "ok"'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOGETHER)
def test_both_views_make_one_verdict_with_its_reason(name: str) -> None:
    here, there, verdict, reason = TOGETHER[name]
    found = settled(here, there, SOURCE)
    assert (found.verdict, found.reason) == (verdict, reason)


@pytest.mark.parametrize("name", TOGETHER)
def test_only_what_is_down_counts_as_an_error_of_the_target(name: str) -> None:
    here, there, verdict, _ = TOGETHER[name]
    found = settled(here, there, SOURCE)
    assert found.failed is (verdict is DOWN)
    assert found.counts is (verdict is DOWN or here.reach is Reach.ANSWERED)


def test_nothing_that_was_seen_on_its_host_makes_it_green_without_an_answer_here() -> None:
    for here, there, _, _ in TOGETHER.values():
        if here.reach is not Reach.ANSWERED:
            assert settled(here, there, SOURCE).verdict is not HEALTHY


def test_both_views_are_kept_and_none_where_there_was_only_one() -> None:
    here, there = views(REFUSED, asked(answer(200, "ok")), SOURCE)
    assert (here.place, here.said) == ("here", "nothing listens on 10.0.0.5:8080")
    assert (there.place, there.said) == ("its host", 'status word "ok"')
    assert views(REFUSED, MUTE, SOURCE)[1].said == "nothing listens on 10.0.0.5:9108"
    assert views(REFUSED, None, SOURCE) == ()
