"""How much worse a metric is, as people say it."""

from __future__ import annotations

import pytest

from bot.render.worse import by


@pytest.mark.parametrize(
    ("degradation", "said"),
    [
        (0.22, "22 % worse"),
        (-0.03, "3 % better"),
        (0.001, "the same"),
        (9.99, "999 % worse"),
        (10.0, "10 times worse"),
        (246.64, "247 times worse"),
    ],
)
def test_it_is_percent_up_to_ten_times(degradation: float, said: str) -> None:
    assert by(degradation) == said
