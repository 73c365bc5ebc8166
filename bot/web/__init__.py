"""The bot's HTTP side: Slack's events, health, metrics, and the command line's socket."""
