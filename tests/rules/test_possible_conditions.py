"""Which conditions can hold at all, whatever the world does."""

from __future__ import annotations

import pytest

from bot.model.condition import parse
from bot.rules.possible import can_hold


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("unknown(cpu_percent)", True),
        ("not unknown(cpu_percent)", True),
        ("not unknown(incident.age)", True),
        ("not unknown(inputs.host)", True),
        ("not unknown(incident.severity)", True),
        ("cpu_percent > 90 and not unknown(cpu_percent)", True),
        ("cpu_percent > 90 and unknown(cpu_percent)", False),
        ("unknown(cpu_percent) and not unknown(cpu_percent)", False),
        ("cpu_percent > 90 and cpu_percent < 50", False),
    ],
)
def test_a_condition_can_hold_if_some_values_of_its_names_meet_it(text: str, possible: bool):
    assert can_hold(parse(text), {}) is possible
