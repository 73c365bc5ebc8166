"""For all tests: how many run side by side, one browser for them, and patience with a loaded machine."""

import os

from hypothesis import settings

from tests.support.browser import browser

__all__ = ["browser"]

settings.register_profile("iora", deadline=None)
settings.load_profile("iora")


def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: one more than there are cores, for many tests wait rather than compute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(8, (cores or 1) + 1)
