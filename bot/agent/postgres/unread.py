"""Why a database was not read."""

from __future__ import annotations

from bot.agent.part import PartFailed


class DatabaseUnread(PartFailed):
    """One line for a person; it never holds the connection string, nor what a driver said of it."""
