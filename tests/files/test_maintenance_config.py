"""Windows of maintenance in the config: read as written, wrong ones located, endless ones warned about."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config_text
from bot.files.note import findings
from bot.model.config import Config

_HEAD = """\
version: 1
targets:
  iora: {health: {url: http://127.0.0.1:8080/api/health}}
  worker: {health: {url: http://127.0.0.1:8081/api/health}}
escalation:
  default: critical
  policies:
    critical: {levels: [{after: 0s, notify: [channel]}]}
maintenance:
"""
_BACKUP = "{name: backup, from: '23:30', to: '00:30', timezone: Europe/Berlin, reason: backup}"


def load(*windows: str) -> Config:
    text = _HEAD + "".join(f"  - {one}\n" for one in windows)
    return load_config_text(text, "config.yaml", {})


def test_a_window_is_on_every_target_and_every_day_unless_it_says_otherwise() -> None:
    (window,) = load(_BACKUP).maintenance
    assert (window.targets, window.days) == ((), (0, 1, 2, 3, 4, 5, 6))
    assert str(window) == "daily 23:30-00:30 Europe/Berlin"


def test_days_and_targets_restrict_it() -> None:
    (window,) = load(_BACKUP[:-1] + ", days: sat-sun, targets: [iora]}").maintenance
    assert (window.targets, window.days) == (("iora",), (5, 6))
    assert str(window) == "sat, sun 23:30-00:30 Europe/Berlin"


WRONG = [
    (_BACKUP[:-1] + ", targets: [iroa]}", "config.yaml:10:", "iora"),
    (_BACKUP[:-1] + ", targets: []}", "config.yaml:10:", "targets"),
    (_BACKUP.replace("Berlin", "Berlyn"), "config.yaml:10:", "Europe/Berlin"),
    (_BACKUP.replace("'23:30'", "'25:00'"), "config.yaml:10:", "09:00"),
    (_BACKUP.replace(", reason: backup", ""), "config.yaml:10:", "reason"),
    (_BACKUP.replace("reason: backup", "reason: ''"), "config.yaml:10:", "reason"),
    (_BACKUP.replace(", to: '00:30'", ""), "config.yaml:10:", "to"),
    (_BACKUP.replace("name:", "nmae:"), "config.yaml:10:", "name"),
]


@pytest.mark.parametrize(("window", "where", "said"), WRONG)
def test_a_wrong_window_is_located(window: str, where: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(window)
    assert where in str(caught.value)
    assert said in str(caught.value)


def test_two_windows_of_one_name_are_told_apart_by_nobody() -> None:
    with pytest.raises(ConfigError, match=r"config.yaml:11:.*another window is called so"):
        load(_BACKUP, _BACKUP)


ENDLESS = [
    ("", "every target"),
    (", targets: [iora]", "iora"),
    (", targets: [iora, worker]", "every target"),
]


@pytest.mark.parametrize(("more", "what"), ENDLESS)
def test_a_window_that_never_ends_is_warned_about(more: str, what: str) -> None:
    endless = "{name: quiet, from: '06:00', to: '06:00', timezone: UTC, reason: it is loud" + more
    notes = [one for one in findings(load(endless + "}")) if one.at == "maintenance[0]"]
    assert [f"on {what} is ever told" in one.text for one in notes] == [True]


@pytest.mark.parametrize("more", [", days: mon-sat", ", days: sun"])
def test_one_that_ends_is_not(more: str) -> None:
    ending = "{name: quiet, from: '06:00', to: '06:00', timezone: UTC, reason: it is loud" + more
    assert not any(one.at == "maintenance[0]" for one in findings(load(ending + "}")))


def test_the_tour_shows_a_window_as_it_may_be_written() -> None:
    tour = (Path(__file__).parents[2] / "config.yaml").read_text()
    begin = tour.index("maintenance: []\n")
    end = tour.index("\n\n", begin)
    below = [line.removeprefix("#") for line in tour[begin:end].split("\n")[1:]]
    written = tour[:begin] + "\n".join(["maintenance:", *below]) + tour[end:]
    (window,) = load_config_text(written, "config.yaml", {}).maintenance
    assert (window.name, window.targets, window.days) == ("backup", ("iora",), (0, 1, 2, 3, 4))
