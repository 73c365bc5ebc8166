"""`samples`: for how long raw values and the statistics of hours are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text

DAY_MS = 86_400_000
HEAD = """\
version: 1
targets: {iora: {health: {url: http://127.0.0.1:8080/api/health}}}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies: {page: {levels: [{after: 0s, notify: [channel]}]}}
"""


@pytest.mark.parametrize(
    ("written", "raw", "hours"),
    [
        ("", DAY_MS, 90 * DAY_MS),
        ("samples: {raw: 3d}\n", 3 * DAY_MS, 90 * DAY_MS),
        ("samples: {raw: 36h, hours: 36h}\n", 1.5 * DAY_MS, 1.5 * DAY_MS),
    ],
)
def test_a_day_of_values_and_ninety_of_hours_unless_the_file_says_more(
    written: str, raw: float, hours: float
) -> None:
    kept = load_config_text(HEAD + written, "c.yaml", {}).samples
    assert (kept.raw, kept.hours) == (raw, hours)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{raw: 23h}", "c.yaml:7:16: got text '23h'; expected at least 24h"),
        ("{raw: 24}", "c.yaml:7:16: got number 24; expected a duration such as 30s"),
        (
            "{raw: 7d, hours: 6d}",
            "c.yaml:7:27: got text '6d'; expected at least as long as raw",
        ),
        ("{hour: 6d}", "c.yaml:7:11: unknown key 'hour'; did you mean hours?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(written: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config_text(f"{HEAD}samples: {written}\n", "c.yaml", {})
    (problem,) = caught.value.problems
    assert str(problem).startswith(expected)


def test_the_tour_shows_both() -> None:
    tour = Path(__file__).parents[2] / "config.yaml"
    written = tour.read_text().split("\nsamples:")[1].splitlines()[0]
    assert written == " {raw: 24h, hours: 90d}"
    environ = {"IORA_AGENT_TOKEN": "t" * 16}
    assert "samples" in load_config(tour, environ).model_fields_set
