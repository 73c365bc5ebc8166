"""When a target is polled next."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.pace import JITTER, interval, shifted

S, M, H = 1_000, 60_000, 3_600_000


@pytest.mark.parametrize(
    ("poll", "silences", "retry_after", "expected"),
    [
        (30 * S, 0, None, 30 * S),
        (30 * S, 1, None, 30 * S),
        (30 * S, 2, None, 60 * S),
        (30 * S, 3, None, 2 * M),
        (30 * S, 4, None, 4 * M),
        (30 * S, 4_000, None, 4 * M),
        (60 * S, 9, None, 5 * M),
        (H, 9, None, H),
        (500, 9, None, 4 * S),
        (30 * S, 0, "90", 90 * S),
        (30 * S, 0, "7", 30 * S),
        (30 * S, 0, "9" * 5_000, 10 * M),
        (30 * S, 0, "Wed, 21 Oct 2026 07:28:00 GMT", 30 * S),
        (30 * S, 0, "²", 30 * S),
    ],
)
def test_silence_and_what_a_busy_target_asks_for_put_the_next_poll_off(
    poll: int, silences: int, retry_after: str | None, expected: int
) -> None:
    assert interval(poll, silences, retry_after) == expected


@given(st.integers(100, H), st.text(min_size=1, max_size=20), st.integers(0, 4_000_000_000_000))
def test_a_poll_is_shifted_by_a_twentieth_at_most(wait: int, target: str, now: int) -> None:
    assert abs(shifted(wait, target, now) - wait) <= wait * JITTER + 1
    assert 0 <= shifted(wait, target, now, earlier=False) - wait <= wait * JITTER + 1


@given(st.text(min_size=1, max_size=20), st.integers(0, 4_000_000_000_000))
def test_ten_polls_stay_within_the_window_that_holds_eleven(target: str, start: int) -> None:
    now = start
    for _ in range(9):  # from the first of ten polls to the tenth
        now += shifted(30 * S, target, now)
    assert now - start < 5 * M


def test_targets_that_were_asked_together_do_not_stay_in_step() -> None:
    due = dict.fromkeys((f"service-{number}" for number in range(1_000)), 0)
    for _ in range(5):
        due = {name: at + shifted(30 * S, name, at) for name, at in due.items()}
    seconds = Counter(at // S for at in due.values())
    assert max(seconds.values()) < 250  # all thousand, without
    assert abs(sum(due.values()) / 1_000 - 150 * S) < S, "as many polls as were asked for"
