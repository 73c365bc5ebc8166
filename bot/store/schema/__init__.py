"""The tables, as migrations: a migration that has been released is never edited.

Stored times are integer milliseconds since the epoch, flags are 0 or 1, JSON is TEXT that is never
queried. Only these files may use what SQLite alone understands.
"""

from bot.store.schema.noticing import migrations

__all__ = ["migrations"]
