"""Records drawn as Block Kit, and as plain text for a terminal. Pure."""
