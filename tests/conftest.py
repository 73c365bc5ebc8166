"""For all tests: a loaded machine makes no example of hypothesis fail; one browser serves them all."""

from hypothesis import settings

from tests.support.browser import browser

__all__ = ["browser"]

settings.register_profile("iora", deadline=None)
settings.load_profile("iora")
