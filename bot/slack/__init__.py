"""Slack's side of the bot: what was typed, pressed and submitted becomes a command."""
