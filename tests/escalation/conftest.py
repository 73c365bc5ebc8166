"""Every test of this room may ask for an open database."""

from tests.support.store import clock, database

__all__ = ["clock", "database"]
