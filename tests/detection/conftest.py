"""Every test of this room may ask for an open database and for a target that is watched."""

import pytest

from bot.store.database import Database
from tests.support.clock import ManualClock
from tests.support.store import clock, database
from tests.support.watched import Watched

__all__ = ["clock", "database"]


@pytest.fixture
def watched(database: Database, clock: ManualClock) -> Watched:
    """``iora``, watched by the rule ``cpu-critical`` that suggests."""
    return Watched(database, clock)
