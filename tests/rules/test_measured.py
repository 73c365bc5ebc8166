"""Numbers as services write them: what can't be one is unknown with the reason, however large it is."""

from __future__ import annotations

import pytest

from bot.model.target import Value
from bot.rules.measured import Found, measured

LARGE = 10**400


@pytest.mark.parametrize(
    "raw", [LARGE, {"secs": LARGE, "nanos": 0}, {"secs": 1, "nanos": LARGE}, "9" * 400]
)
def test_a_number_that_no_float_holds_is_unknown(raw: object) -> None:
    found = measured("queue", Value(path="queue"), Found(raw), 0, "here")
    assert found.value is None
    assert "no number that can be used" in str(found.reason)
