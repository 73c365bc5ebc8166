"""Measures what the bot costs beside the least that could do the same, in one run."""
