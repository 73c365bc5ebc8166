"""What holds for every policy, whatever its levels, readings and people do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.model.incident import Status
from bot.model.policy import Policy
from bot.rules.escalation import LAST_RESORT_EVERY_MS
from bot.rules.rehearsal import Happening, Moment
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB
from tests.support.escalations import (
    BOSS,
    CAROL,
    acknowledged,
    from_minute,
    minute,
    noted,
    over,
    play,
    rated,
    values,
    written,
)

DESTINATIONS = ["channel", f"user:{ALICE}", f"user:{BOB}", "group:engineering", f"user:{CAROL}"]
CONDITIONS = ["cpu_percent > 90", "memory_mb > 1024", "incident.age > 10m"]
HORIZON = (
    370  # minutes: the last level, four repeats and the last resort, an hour from each to the next
)


@st.composite
def policies(draw: st.DrawFn, *, conditions: bool = True) -> Policy:
    seconds = draw(st.lists(st.integers(0, 3_600), min_size=1, max_size=6).map(sorted))
    levels: list[dict[str, Any]] = []
    for second in seconds:
        told = draw(st.lists(st.sampled_from(DESTINATIONS), min_size=1, max_size=3, unique=True))
        level: dict[str, Any] = {"after": f"{second}s", "notify": told}
        if conditions and draw(st.booleans()):
            level["when"] = draw(st.sampled_from(CONDITIONS))
            level["after_acknowledge"] = draw(st.booleans())
        levels.append(level)
    repeat = {"every": f"{draw(st.integers(60, 3_600))}s", "times": draw(st.integers(0, 4))}
    return written(*levels, repeat=repeat)


@st.composite
def readings(draw: st.DrawFn) -> Any:
    numbers = st.sampled_from([None, 50.0, 95.0])
    minutes = draw(st.lists(st.integers(0, 120), max_size=5).map(sorted))
    changes = [(one, values(draw(numbers), draw(st.sampled_from([None, 2e3])))) for one in minutes]
    return from_minute(*changes)


@st.composite
def people_doing_things(draw: st.DrawFn) -> list[Happening]:
    """An acknowledgement, then notes now and then."""
    first = draw(st.integers(1, 90)) + 0.5
    notes = draw(st.lists(st.integers(1, 120), max_size=6).map(sorted))
    return [acknowledged(first), *(noted(first + one) for one in notes)]


def fired(moments: list[Moment]) -> list[tuple[int, int]]:
    return [(one.at, level) for one in moments if one.fire for level in one.fire.levels]


def pings_by_time(policy: Policy) -> bool:
    return any(level.plain and level.pings_people for level in policy.levels)


@given(policies(conditions=False))
def test_every_level_fires_exactly_once_in_order_and_on_time(policy: Policy) -> None:
    found = fired(play(policy, until=HORIZON))
    assert found == [(NOON + level.after, at) for at, level in enumerate(policy.levels)]


@given(policies(), readings())
def test_no_level_fires_twice_or_early_and_none_without_its_condition(
    policy: Policy, read: Any
) -> None:
    found = fired(play(policy, read=read, until=HORIZON))
    assert len({level for _, level in found}) == len(found)
    for at, level in found:
        assert at >= NOON + policy.levels[level].after
        asked = policy.levels[level].asked
        known = read(at)["iora"]
        if asked.startswith("cpu"):
            assert known["cpu_percent"].value > 90
        elif asked.startswith("memory"):
            assert known["memory_mb"].value > 1024
        elif asked:
            assert at > NOON + 600_000


@given(policies(), readings())
def test_nobody_is_pinged_twice_in_one_moment_and_everyone_of_a_level_is(
    policy: Policy, read: Any
) -> None:
    for moment in play(policy, read=read, until=HORIZON):
        if moment.fire is None or moment.account is None:
            continue
        people = [ping.person for ping in moment.account.pings]
        assert len(set(people)) == len(people)
        wanted = {text for level in moment.fire.levels for text in policy.levels[level].notify}
        assert wanted <= set(moment.fire.notify)


@given(policies(), readings())
def test_it_is_never_silent_until_somebody_answers(policy: Policy, read: Any) -> None:
    moments = play(policy, read=read, until=HORIZON)
    if not pings_by_time(policy):
        return
    times = [one.at for one in moments]
    longest = max(LAST_RESORT_EVERY_MS, policy.repeat.every, 3_600_000)
    gaps = [
        later - earlier for earlier, later in zip(times, [*times[1:], minute(HORIZON)], strict=True)
    ]
    assert max(gaps) <= longest
    repeated = (policy.repeat.times + 1) * policy.repeat.every
    if NOON + policy.levels[-1].after + repeated < minute(HORIZON):
        assert f"user:{BOSS}" in {text for one in moments if one.fire for text in one.fire.notify}


@given(policies(), readings(), st.sampled_from([Status.MITIGATED, Status.RESOLVED]))
def test_nobody_hears_anything_once_it_is_over(policy: Policy, read: Any, status: Status) -> None:
    moments = play(policy, over(20.5, status), read=read, until=HORIZON)
    assert all(one.at < minute(20.5) for one in moments)


@given(policies(), readings(), people_doing_things())
def test_after_an_acknowledgement_nobody_is_told_who_was_not_asked_for_first(
    policy: Policy, read: Any, doings: list[Happening]
) -> None:
    """Whatever is told after it was asked about at least five minutes before, without an answer since."""
    moments = play(policy, *doings, read=read, until=HORIZON)
    acts = [one.at for one in doings]
    for moment in moments:
        if moment.fire is None or moment.at < acts[0]:
            continue
        asked = [one.at for one in moments if one.ask is not None]
        unanswered = [
            at
            for at in asked
            if at + 300_000 <= moment.at and not any(at < act < moment.at for act in acts)
        ]
        assert unanswered


@given(policies(), readings(), people_doing_things())
def test_an_acknowledger_is_never_left_alone_for_longer_than_idle_and_five_minutes(
    policy: Policy, read: Any, doings: list[Happening]
) -> None:
    moments = play(policy, *doings, read=read, until=HORIZON)
    last = max(one.at for one in doings)
    after = [one for one in moments if one.at > last]
    assert any(one.ask is not None and one.ask.idle and one.at <= last + 1_800_000 for one in after)
    told = [one.at for one in after if one.fire is not None]
    assert told
    assert min(told) <= last + 1_800_000 + 300_000


@given(policies(conditions=False), policies(conditions=False), st.integers(1, 120))
def test_another_policy_tells_nobody_again_and_leaves_nobody_out_who_is_overdue(
    before: Policy, after: Policy, changed: int
) -> None:
    # Between two levels of the old policy: what it tells in the same moment is not the new one's doing.
    at = minute(changed + 0.6)
    known = {
        text for one in play(before, until=changed + 0.6) if one.fire for text in one.fire.notify
    }
    moments = play(before, rated(changed + 0.6, "sev1", after), until=changed + 0.6)
    told = {text for one in moments if one.at == at and one.fire for text in one.fire.notify}
    overdue = {text for level in after.levels if NOON + level.after <= at for text in level.notify}
    assert told == overdue - known
