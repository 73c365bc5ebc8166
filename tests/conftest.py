"""For all tests: how many run side by side, one browser for them, and patience with a loaded machine."""

import os

from hypothesis import HealthCheck, settings

from tests.support.browser import browser

__all__ = ["browser"]

# The same examples every time: a run that fails by chance tells nobody what was changed. Others are drawn
# with HYPOTHESIS_SEARCH=1.
settings.register_profile(
    "iora",
    deadline=None,
    derandomize=os.environ.get("HYPOTHESIS_SEARCH") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("iora")


def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: two a core, for the tests wait more than they compute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(8, 2 * (cores or 1))
