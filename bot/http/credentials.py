"""What a request carries so that its target knows the bot."""

from __future__ import annotations

import hashlib
import hmac

from bot.model.auth import Auth
from bot.model.target import AgentSource

NO_BODY = b"{}"


def of_target(auth: Auth | None, body: bytes = NO_BODY) -> dict[str, str]:
    """Headers for one of the target's own URLs; ``body`` is the compact JSON that is sent, if any."""
    if auth is None:
        return {}
    if auth.bearer is not None:
        return _bearer(auth.bearer.get_secret_value())
    assert auth.hmac_sha256 is not None
    key = auth.hmac_sha256
    secret = key.secret.get_secret_value().encode()
    return {key.header: hmac.new(secret, body, hashlib.sha256).hexdigest()}


def of_agent(agent: AgentSource) -> dict[str, str]:
    """Headers for the agent's URLs."""
    return {} if agent.token is None else _bearer(agent.token.get_secret_value())


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
