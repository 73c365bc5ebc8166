"""``iora agent``: measures the watched process on its own host and serves what it reads over HTTP."""

from bot.agent.program import run

__all__ = ["run"]
