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
        ("cpu_percent >= 90 and cpu_percent <= 90", True),
        ("cpu_percent > 90 or cpu_percent < 50 and memory_mb > 1", True),
        ("incident.severity == sev1 and incident.severity == sev2", False),
        ("incident.severity != sev1 and incident.severity != sev2", True),
        ("time.hour < 6 or time.hour > 22", True),
        ("time.hour < 6 and time.hour > 22", False),
        ("time.hour > 23", False),
        ("inputs.wait > 5m", True),
        ("inputs.wait > 5m and inputs.wait < 5000ms", False),
        ("inputs.mode == fast and not inputs.mode == fast", False),
        ("inputs.mode != fast", True),
    ],
)
def test_a_condition_can_hold_if_some_values_of_its_names_meet_it(text: str, possible: bool):
    assert can_hold(parse(text), {}) is possible


@pytest.mark.parametrize(
    ("states", "possible"), [(("ok", "skipped"), False), (("ok", "failed"), True)]
)
def test_a_step_can_only_be_in_the_states_that_are_given(states: tuple[str, ...], possible: bool):
    condition = parse("steps.look.state == failed and cpu_percent > 90")
    assert can_hold(condition, {"steps.look.state": states}) is possible


def test_what_would_take_too_long_to_try_counts_as_possible():
    parts = " and ".join(f"metric_{n} > 1 and metric_{n} < 0" for n in range(10))
    assert can_hold(parse(parts), {})
