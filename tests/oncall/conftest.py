"""Every message of this room is one that Slack would take."""

from tests.support.store import clock, database
from tests.support.valid import everything_is_valid

__all__ = ["clock", "database", "everything_is_valid"]
