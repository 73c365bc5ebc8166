"""Frozen records: what the bot knows, decides on and says. No input or output."""
