"""A request's body as the raw bytes that a signature is of, and no more of it than is allowed."""

from __future__ import annotations

from aiohttp import web


async def raw(request: web.Request, limit: int) -> bytes | None:
    """The bytes, or None where there are more than ``limit``."""
    if (request.content_length or 0) > limit:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
