"""The body that every refusal of the agent has."""

from __future__ import annotations

from aiohttp import web


def problem(status: int, kind: str, error: str, fix: str, **facts: object) -> web.Response:
    """A kind for programs; for people what is wrong, and what to do (``next``)."""
    body = {"kind": kind, "error": error, "next": fix, **facts}
    return web.json_response(body, status=status)
