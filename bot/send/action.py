"""Calls an action of a target: once, and says whether it is done, failed, or may have been done."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue, SecretStr

from bot.http import Client, RequestFailed, credentials
from bot.model.action import ActionOutcome, Done, Failed, Request, Unclear
from bot.model.target import Target
from bot.send.said import said
from bot.text import redacted

_SAID = 500  # characters of an answer that are kept


def request_of(target: Target, name: str) -> Request | None:
    """The exact request of the target's action; None where the target has none of this name.

    Calls nothing: this is what a preview shows, and what ``call`` sends.
    """
    action = target.actions.get(name)
    if action is None:
        return None
    body = None if action.body is None else _compact(action.body)
    kind = {} if body is None else {"Content-Type": SecretStr("application/json")}
    known = credentials.of_target(target.auth, credentials.NO_BODY if body is None else body)
    signed = {header: SecretStr(value) for header, value in known.items()}
    return Request(
        action=name,
        title=target.action_title(name),
        method=action.method,
        url=action.url,
        headers=_merged(kind, action.headers, signed),
        body=body,
        shown_json=redacted(action.body),
        timeout=action.timeout,
    )


async def call(client: Client, target: Target, name: str) -> ActionOutcome:
    """Call the action, once: no retry, no redirect. Whoever calls has recorded before that it starts.

    Certainly not done is what never got a connection, and a 4xx. A timeout, a connection that broke
    off, a 5xx, a redirect or any other status that the config doesn't expect leaves it open.
    """
    request = request_of(target, name)
    if request is None:
        return Failed(f"the config names no action {name} of this target (any more)")
    try:
        answer = await client.call(
            request.method,
            request.url,
            request.body,
            headers={header: value.get_secret_value() for header, value in request.headers.items()},
            timeout_ms=request.timeout,
        )
    except RequestFailed as error:
        return Unclear(str(error)) if error.sent else Failed(str(error))
    words = said(answer.body, request.secrets, _SAID)
    if target.actions[name].means_done(answer.status):
        return Done(answer.status, words)
    reason = f"HTTP {answer.status}" + (f": {words}" if words else "")
    return Failed(reason) if 400 <= answer.status <= 499 else Unclear(reason)


def _compact(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _merged(*layers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    """Later ones win, however their names are written."""
    merged = {name.lower(): (name, value) for layer in layers for name, value in layer.items()}
    return dict(merged.values())
