"""For all tests: a loaded machine makes no example of hypothesis fail."""

from hypothesis import settings

settings.register_profile("iora", deadline=None)
settings.load_profile("iora")
