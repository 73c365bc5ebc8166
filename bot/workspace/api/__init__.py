"""The Web API: which methods there are, what they need, and how one call goes."""

from __future__ import annotations

from bot.workspace.api.methods import METHODS, offered

__all__ = ["METHODS", "offered"]
