"""``/api/METHOD``: token, scope, limits and faults of a call, before and after its handler."""

from __future__ import annotations

import json
import logging

from aiohttp import web

from bot.workspace.api.call import Call
from bot.workspace.api.methods import METHODS, Method
from bot.workspace.faults import Fault
from bot.workspace.limits import RateLimited
from bot.workspace.records import Json
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site

log = logging.getLogger(__name__)

VALIDATIONS = frozenset(
    {
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "invalid_metadata_format",
        "metadata_too_large",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
    }
)
"""Refusals that mean that the app made a payload that Slack would never take."""


class WebApi:
    """Answers the calls of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call: a fault if one is planned, else the method."""
        name = request.match_info["method"]
        try:
            arguments = await _arguments(request)
        except Refusal as refusal:
            return web.json_response(refusal.answer())
        token = _token(request, arguments)
        fault = self._site.faults.take(name)
        if fault is not None and not fault.kind.endswith("_after"):
            self._site.called(name, arguments, None)
            return await self._fail(request, fault)
        answer, status, headers = self._answer(name, token, arguments)
        if fault is not None:
            self._site.called(name, arguments, None)
            return await self._fail(request, fault)
        self._site.called(name, arguments, answer)
        return web.json_response(answer, status=status, headers=headers)

    def _answer(self, name: str, token: str, arguments: Json) -> tuple[Json, int, dict[str, str]]:
        method = METHODS.get(name)
        if method is None or name in self._site.without:
            log.warning("unknown method: %s", name)
            return Refusal("unknown_method", req_method=name).answer(), 200, {}
        headers = self._scope_headers(method)
        try:
            self._authorize(method, token)
            self._site.limits.call(name, method.tier)
            return {"ok": True, **method.handler(Call(self._site, name, arguments))}, 200, headers
        except RateLimited as limit:
            return limit.answer(), 429, headers | {"Retry-After": str(limit.retry_after)}
        except Refusal as refusal:
            if refusal.code in VALIDATIONS:
                self._site.reject(name, arguments, str(refusal))
                log.warning("%s was refused: %s", name, refusal)
            return refusal.answer(), 200, headers

    def _scope_headers(self, method: Method) -> dict[str, str]:
        app = self._site.app
        granted = app.scopes if method.caller == "bot" else app.app_scopes
        return {
            "x-oauth-scopes": ",".join(sorted(granted)),
            "x-accepted-oauth-scopes": ",".join(method.scopes),
        }

    def _authorize(self, method: Method, token: str) -> None:
        app = self._site.app
        if not token:
            raise Refusal("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise Refusal("invalid_auth")
        if token != (app.bot_token if method.caller == "bot" else app.app_token):
            raise Refusal("not_allowed_token_type")
        granted = app.scopes if method.caller == "bot" else app.app_scopes
        if method.scopes and not granted.intersection(method.scopes):
            raise Refusal(
                "missing_scope",
                needed=",".join(method.scopes),
                provided=",".join(sorted(granted)),
            )

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "rate_limited":
            headers = {"Retry-After": str(fault.retry_after)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        if fault.kind == "api_error":
            return web.json_response({"ok": False, "error": fault.code})
        if fault.kind.startswith("hang"):
            await self._site.faults.hang()
        elif fault.kind.startswith("error"):
            return web.Response(status=500, text="Internal Server Error")
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


def _token(request: web.Request, arguments: Json) -> str:
    """The token of the header, or of the body (which then is no argument any more)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_body = arguments.pop("token", "")
    return token.strip() if scheme == "Bearer" else str(in_body)


async def _arguments(request: web.Request) -> Json:
    """The arguments of the query, and of a JSON or form body; a Refusal for JSON that is none."""
    arguments: Json = dict(request.query)
    if request.content_type != "application/json":
        form = await request.post()
        return arguments | {key: value for key, value in form.items() if isinstance(value, str)}
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal("json_not_object")
    return arguments | body
