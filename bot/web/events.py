"""``POST /slack/events``: commands, interactions and events where Slack calls us (HTTP mode)."""

from __future__ import annotations

import json
import logging
from typing import Protocol
from urllib.parse import parse_qsl, unquote_to_bytes

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.web.body import raw
from bot.web.signature import BODY_LIMIT, Signature

log = logging.getLogger(__name__)


class Events(Protocol):
    """An aiohttp handler."""

    async def __call__(self, request: web.Request) -> web.Response: ...


def handler(app: AsyncApp, signature: Signature) -> Events:
    """Too large: 413. Not signed by Slack: 401. Not readable: 400. The rest is Bolt's answer."""

    async def handle(request: web.Request) -> web.Response:
        body = await raw(request, BODY_LIMIT)
        if body is None:
            return web.Response(status=413, text="the body is larger than 1 MiB")
        problem = signature.problem(request.headers, body)
        if problem is not None:
            log.warning("a request to /slack/events was refused: %s", problem)
            return web.Response(status=401, text=problem)
        text = _readable(body, request.content_type)
        if text is None:
            return web.Response(status=400, text="the body is neither JSON nor a form in UTF-8")
        answer = await app.async_dispatch(
            AsyncBoltRequest(body=text, query=request.query_string, headers=dict(request.headers))
        )
        if answer.status < 300:
            signature.succeeded(request.headers)
        headers = {name: values[0] for name, values in answer.headers.items() if values}
        return web.Response(status=answer.status, body=answer.body or "", headers=headers)

    return handle


def _readable(body: bytes, content_type: str) -> str | None:
    try:
        text = body.decode("utf-8")
        if content_type == "application/json":
            found = json.loads(text)
        else:
            unquote_to_bytes(text).decode("utf-8")
            # Read as Bolt will read it: the last one counts, and an empty one is there too.
            form = dict(parse_qsl(text, keep_blank_values=True)) if "payload=" in text else {}
            found = json.loads(form["payload"]) if "payload" in form else {}
    except (ValueError, RecursionError):
        return None
    return text if isinstance(found, dict) else None
