"""When a target is polled next."""

from __future__ import annotations

import pytest

from bot.rules.pace import interval

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
