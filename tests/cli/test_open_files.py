"""`iora serve` may have as many sockets as the system allows it: a thousand targets may hang at once."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from bot.cli.serve import allow_open_files


@pytest.fixture
def hard() -> Iterator[int]:
    """The hard limit; the soft one is as at the beginning afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_as_far_as_it_may_be(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    allow_open_files()
    soft, still = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert (soft, still) == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536), hard)


def test_a_limit_that_is_high_already_stays(hard: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_open_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(before[0], 65_536)
