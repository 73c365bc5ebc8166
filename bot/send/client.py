"""Makes clients of the Web API, and names the ways in which a call fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.model.message import Failed, Limited, Refused, Unsure
from bot.model.network import is_loopback

TIME_LIMIT_S = 10
SOCKETS_EVERY_S = 1.0
CALL_ERRORS = (SlackApiError, aiohttp.ClientError, asyncio.TimeoutError, json.JSONDecodeError)

# Nothing is wrong with the message: the token or the other side is, and someone mends that.
_PASSING = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "unknown_method",
    "team_added_to_org",
    "accesslimited",
}
# It may have been done all the same.
_UNCLEAR = {"internal_error", "fatal_error", "request_timeout", "service_unavailable"}


def session() -> aiohttp.ClientSession:
    """One connection pool for every call, with the one time limit of a call."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIME_LIMIT_S))


def web_client(token: str, base_url: str, pool: aiohttp.ClientSession) -> AsyncWebClient:
    """A client without the SDK's own retries: what is unsure is looked up, never sent again blindly."""
    return _made(AsyncWebClient, token, base_url, pool)


def _made(
    kind: type[AsyncWebClient], token: str, base_url: str, pool: aiohttp.ClientSession
) -> AsyncWebClient:
    client = kind(
        token=token, base_url=base_url, session=pool, timeout=TIME_LIMIT_S, retry_handlers=[]
    )
    if is_loopback(urlsplit(base_url).hostname or ""):
        client.proxy = None
    return client


class _SocketClient(AsyncWebClient):
    """Asks for a socket's address once a second at the most.

    Where the app has too many sockets, the library asks for another at once, and again, for ever.
    """

    _not_before = 0.0

    async def apps_connections_open(self, *, app_token: str, **more: Any) -> AsyncSlackResponse:
        now = asyncio.get_running_loop().time()
        wait = self._not_before - now
        self._not_before = max(now, self._not_before) + SOCKETS_EVERY_S
        if wait > 0:
            await asyncio.sleep(wait)
        return await super().apps_connections_open(app_token=app_token, **more)


def socket_client(token: str, base_url: str, pool: aiohttp.ClientSession) -> AsyncWebClient:
    """A client of the app's own token, which opens sockets."""
    return _made(_SocketClient, token, base_url, pool)


def failure(error: Exception) -> Limited | Refused | Unsure | Failed:
    """What an exception of a call means for the message that it carried."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failed(f"no connection to Slack: {error.os_error.strerror or error.os_error}")
    if not isinstance(error, SlackApiError):
        return Unsure(f"{type(error).__name__}: no answer from Slack")
    status = _status(error)
    code = error_code(error)
    if status == 429 or code == "ratelimited":
        return Limited(_retry_ms(error))
    if status >= 500 or code in _UNCLEAR or not code:
        return Unsure(code or f"HTTP {status} from Slack")
    if code in _PASSING:
        return Failed(described(error))
    return Refused(described(error))


def error_code(error: SlackApiError) -> str:
    """Slack's word for what went wrong, or an empty text."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def described(error: SlackApiError) -> str:
    """Slack's word, with the scope that is needed or the reason that it gave."""
    data = getattr(error.response, "data", None)
    code = error_code(error)
    if not isinstance(data, dict):
        return code
    if data.get("needed"):
        return f"{code}: {data['needed']}"
    messages = (data.get("response_metadata") or {}).get("messages") or []
    return f"{code}: {messages[0]}" if messages else code


def _status(error: SlackApiError) -> int:
    """The HTTP status, of either of the two shapes in which the SDK keeps a response."""
    for name in ("status_code", "status"):
        status = getattr(error.response, name, None)
        if isinstance(status, int):
            return status
    return 0


def _retry_ms(error: SlackApiError) -> int:
    headers = getattr(error.response, "headers", None) or {}
    try:
        return max(1, int(headers.get("Retry-After", "1"))) * 1000
    except ValueError:
        return 1000
