"""The workspace's web page: rendered on the server, with a little script that swaps what changed."""

from bot.workspace.page.handlers import routes

__all__ = ["routes"]
