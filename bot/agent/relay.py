"""Fetches what listens on this machine's loopback only, for a bot elsewhere. Only URLs of agent.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.agent.answer import problem
from bot.http import RELAY, Client, RequestFailed, TimedOut, reach
from bot.model.reading import Reach

TIMEOUT_MS = 4_000  # within the 5 s that the bot gives the agent


class Relay:
    """``urls`` by the names that the bot uses; the client follows no redirects and reads at most 1 MiB."""

    def __init__(self, urls: Mapping[str, str], client: Client) -> None:
        self._urls = urls
        self._client = client

    async def fetch(self, name: str) -> web.Response:
        """The service's status and body; 404, 502 or 504 with the agent's own words otherwise.

        These say in ``reach`` how far the agent's request got.
        """
        if name not in self._urls:
            known = ", ".join(sorted(self._urls)) or "none"
            fix = f"use one that agent.yaml names: {known}"
            return problem(404, "no_such_relay", f"there is no relay called {name[:64]}", fix)
        fix = f"look whether {self._urls[name]} answers on the agent's machine"
        try:
            answer = await self._client.get(self._urls[name], timeout_ms=TIMEOUT_MS)
        except TimedOut as error:
            return problem(504, "relay_failed", str(error), fix, reach=reach(error))
        except RequestFailed as error:
            return problem(502, "relay_failed", str(error), fix, reach=reach(error))
        if 300 <= answer.status < 400:
            said = f"the answer is a redirect ({answer.status}), which is not followed"
            fix = f"correct relay.{name} in agent.yaml"
            return problem(502, "relay_failed", said, fix, reach=Reach.ANSWERED)
        headers = {RELAY: name, "X-Content-Type-Options": "nosniff"}
        if answer.retry_after is not None:
            headers["Retry-After"] = answer.retry_after
        return web.Response(
            status=answer.status,
            body=answer.body,
            content_type="text/plain",
            charset="utf-8",
            headers=headers,
        )
