"""A rule's decisions over time: pending, found, flapping, clear, lost; and what nobody looked at."""

from __future__ import annotations

import pytest

from bot.rules.detection import Standing
from tests.support.looks import LOST, NO, POLL, YES, Looks, rule

MINUTE = 60_000


@pytest.mark.parametrize("opens", ["suggest", "declare"])
@pytest.mark.parametrize("poll", [500, 7_000, 30_000, 45_000])
def test_it_is_found_once_within_for_and_one_poll(opens: str, poll: int) -> None:
    looks = Looks(rule(open=opens), poll)
    looks.see(YES, 10 * MINUTE)
    ((what, after),) = looks.told
    assert what == opens
    assert 2 * MINUTE <= after <= 2 * MINUTE + poll


def test_until_then_it_is_pending_and_says_for_how_much_longer() -> None:
    looks = Looks()
    assert looks.look(YES) == "pending"
    looks.now += POLL
    looks.look(YES)
    assert looks.hold.yes.lasted == POLL


def test_a_for_of_nothing_is_fulfilled_by_the_first_look() -> None:
    assert Looks(rule(**{"for": "0s"})).look(YES) == "suggest"


def test_what_goes_before_for_is_over_is_never_told() -> None:
    looks = Looks()
    for _ in range(20):
        looks.see(YES, 90_000)
        looks.see(NO, 30_000)
    assert looks.told == []


@pytest.mark.parametrize("beat", [30_000, 60_000, 120_000, 180_000, 240_000])
def test_what_flaps_for_ten_minutes_is_one_finding(beat: int) -> None:
    looks = Looks(rule(open="declare"))
    looks.see(YES, 3 * MINUTE)
    looks.incident = "open"
    for _ in range(10 * MINUTE // (2 * beat)):
        looks.see(NO, beat)
        looks.see(YES, beat)
    assert [what for what, _ in looks.told] == ["declare"]


def test_it_is_clear_after_clear_for_without_a_break_and_comes_back_to_its_incident() -> None:
    looks = Looks(rule(open="declare"))
    looks.see(YES, 3 * MINUTE)
    looks.incident = "open"
    looks.see(NO, 4 * MINUTE)
    looks.see(YES, MINUTE)
    looks.see(NO, 6 * MINUTE)
    looks.see(YES, 3 * MINUTE)
    assert [what for what, _ in looks.told] == ["declare", "clear", "join"]


def test_lost_data_is_no_recovery_and_no_end() -> None:
    looks = Looks(rule(unknown_for="off"))
    looks.see(YES, 3 * MINUTE)
    looks.see(NO, 4 * MINUTE)
    looks.see(LOST, 10 * MINUTE)
    looks.see(NO, 4 * MINUTE)
    assert [what for what, _ in looks.told] == ["suggest"]
    looks.see(NO, 2 * MINUTE)
    assert looks.told[-1][0] == "clear"


def test_one_lost_reading_does_not_begin_for_anew() -> None:
    looks = Looks()
    looks.see(YES, 90_000)
    looks.see(LOST, POLL)
    looks.see(YES, 60_000)
    assert [what for what, _ in looks.told] == ["suggest"]


@pytest.mark.parametrize(
    ("down_for", "found"), [(20_000, True), (90_000, False), (3 * MINUTE, False)]
)
def test_what_the_bot_did_not_look_at_is_not_taken_to_have_held(
    down_for: int, *, found: bool
) -> None:
    looks = Looks()
    looks.see(YES, 90_000)
    looks.now += down_for
    looks.see(YES, 60_000)
    assert bool(looks.told) is found
    looks.see(YES, 2 * MINUTE)
    assert looks.told


def test_a_dead_target_that_is_polled_rarely_fulfils_it_all_the_same() -> None:
    looks = Looks(rule(when="verdict == down"))
    for wait in (30_000, 60_000, 120_000, 240_000):
        looks.look(YES, next_in=wait)
        looks.now += wait
    assert [what for what, _ in looks.told] == ["suggest"]


def test_a_clock_that_went_back_begins_it_anew() -> None:
    looks = Looks()
    looks.see(YES, 2 * MINUTE)
    looks.now -= 10 * MINUTE
    assert looks.look(YES) == "pending"


def test_data_that_is_lost_for_too_long_is_told_once_and_when_it_is_back() -> None:
    looks = Looks()
    looks.see(LOST, 20 * MINUTE)
    assert looks.told == [("no data", 5 * MINUTE)]
    looks.see(NO, MINUTE)
    assert [what for what, _ in looks.told] == ["no data", "known again"]


def test_data_that_is_lost_while_something_is_found_is_told_once_and_the_finding_stands() -> None:
    looks = Looks()
    looks.see(YES, 3 * MINUTE)
    looks.see(LOST, 20 * MINUTE)
    looks.see(YES, 3 * MINUTE)
    assert looks.told == [
        ("suggest", 2 * MINUTE),
        ("no data", 8 * MINUTE),
        ("known again", 23 * MINUTE),
    ]
    looks.see(NO, 6 * MINUTE)
    assert looks.told[-1][0] == "clear"


@pytest.mark.parametrize(
    ("incident", "told"), [("open", []), ("mitigated", ["no data"]), ("over", ["no data"])]
)
def test_lost_data_is_left_to_those_who_are_at_its_incident(
    incident: Standing, told: list[str]
) -> None:
    looks = Looks()
    looks.incident = incident
    looks.see(LOST, 10 * MINUTE)
    assert [what for what, _ in looks.told] == told


def test_what_comes_back_joins_its_incident_whether_it_is_mitigated_or_not() -> None:
    looks = Looks()
    looks.incident = "mitigated"
    looks.see(YES, 3 * MINUTE)
    assert [what for what, _ in looks.told] == ["join"]


def test_lost_data_can_be_left_untold() -> None:
    looks = Looks(rule(unknown_for="off"))
    looks.see(LOST, 60 * MINUTE)
    assert looks.told == []


def test_a_silence_holds_it_back_and_at_its_end_it_is_told_at_once() -> None:
    looks = Looks()
    looks.muted = "deploy"
    looks.see(YES, 10 * MINUTE)
    assert {what for what, _ in looks.told} == {"muted"}
    looks.muted = None
    assert looks.look(YES) == "suggest"


def test_a_silence_keeps_nothing_from_an_incident_that_is_open() -> None:
    looks = Looks()
    looks.muted, looks.incident = "deploy", "open"
    looks.see(YES, 3 * MINUTE)
    assert [what for what, _ in looks.told] == ["join"]


def test_what_was_resolved_while_it_held_is_left_until_it_was_gone_and_came_back() -> None:
    looks = Looks(rule(open="declare"))
    looks.see(YES, 3 * MINUTE)
    looks.incident = "over"
    looks.see(YES, 60 * MINUTE)
    assert [what for what, _ in looks.told] == ["declare"]
    looks.see(NO, POLL)
    looks.see(YES, 3 * MINUTE)
    assert [what for what, _ in looks.told] == ["declare", "declare"]
