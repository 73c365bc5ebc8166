"""For how long a condition has held, from one observation to the next."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.condition import Truth
from bot.rules.hold import NOTHING, Held, hold

NO, UNKNOWN, YES = Truth
GAP = 60


def after(observations: list[tuple[int, Truth]], *, recovery: bool) -> Held:
    held = NOTHING
    for now, truth in observations:
        held = hold(held, truth, now, GAP, recovery=recovery)
    return held


BOTH = {
    "nothing seen": ([], Held()),
    "a first yes": ([(100, YES)], Held(100, 100)),
    "yes goes on": ([(100, YES), (130, YES), (160, YES)], Held(100, 160)),
    "a gap that is just short enough": ([(100, YES), (160, YES)], Held(100, 160)),
    "a gap begins anew": ([(100, YES), (161, YES)], Held(161, 161)),
    "no ends it": ([(100, YES), (130, NO)], Held()),
    "after a no it begins anew": ([(100, YES), (130, NO), (140, YES)], Held(140, 140)),
    "a clock that went back begins anew": ([(100, YES), (90, YES)], Held(90, 90)),
    "unknown begins nothing": ([(100, UNKNOWN)], Held()),
}


@pytest.mark.parametrize("recovery", [True, False], ids=["recovery", "trigger"])
@pytest.mark.parametrize(("observations", "held"), BOTH.values(), ids=BOTH)
def test_what_holds_for_triggers_and_for_recoveries(
    observations: list[tuple[int, Truth]], held: Held, recovery: bool
) -> None:
    assert after(observations, recovery=recovery) == held


DIFFERENT = {
    # the observations, what is held of a trigger, and of a recovery
    "unknown": ([(100, YES), (130, UNKNOWN)], Held(100, 100), Held()),
    "known again": (
        [(100, YES), (130, UNKNOWN), (160, YES)],
        Held(100, 160),
        Held(160, 160),
    ),
    "known again after the gap": (
        [(100, YES), (130, UNKNOWN), (160, UNKNOWN), (161, YES)],
        Held(161, 161),
        Held(161, 161),
    ),
    "unknown for longer than the gap": ([(100, YES), (161, UNKNOWN)], Held(), Held()),
}


@pytest.mark.parametrize(("observations", "trigger", "recovery"), DIFFERENT.values(), ids=DIFFERENT)
def test_unknown_lets_a_trigger_wait_and_ends_a_recovery(
    observations: list[tuple[int, Truth]], trigger: Held, recovery: Held
) -> None:
    assert after(observations, recovery=False) == trigger
    assert after(observations, recovery=True) == recovery


def test_it_is_met_when_it_was_seen_to_hold_for_the_whole_span() -> None:
    held = after([(100, YES), (150, YES)], recovery=True)
    assert held.lasted == 50
    assert held.met(50)
    assert not held.met(51)


def test_the_first_yes_meets_a_span_of_nothing_and_nothing_else_does() -> None:
    assert after([(100, YES)], recovery=True).met(0)
    assert not NOTHING.met(0)


def test_unknown_makes_the_held_time_of_a_trigger_no_longer() -> None:
    assert not after([(100, YES), (150, UNKNOWN)], recovery=False).met(50)


STEPS = st.lists(st.tuples(st.integers(1, 90), st.sampled_from(Truth)), max_size=30)


@given(STEPS, st.booleans())
def test_what_is_held_was_seen_without_a_no_and_without_a_gap(
    steps: list[tuple[int, Truth]], recovery: bool
) -> None:
    now, observations = 0, []
    for step, truth in steps:
        now += step
        observations.append((now, truth))
    held = after(observations, recovery=recovery)
    if held.since is None:
        return
    during = [truth for at, truth in observations if at >= held.since]
    seen = [at for at, truth in observations if held.since <= at <= held.at and truth is YES]
    assert NO not in during
    assert not recovery or set(during) == {YES}
    assert (seen[0], seen[-1]) == (held.since, held.at)
    assert all(later - earlier <= GAP for earlier, later in pairwise(seen))
