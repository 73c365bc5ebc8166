"""The database: one writer, functions committed in groups, every SQL statement of the bot."""
