"""The two Bolt apps that are compared, and the request that both of them answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bench.config import ALICE, TEAM, config
from bot.clock import SystemClock
from bot.http import Client
from bot.send.client import session, web_client
from bot.send.identity import Directory, Identity
from bot.services.backups import Backups
from bot.services.commands import Commands
from bot.services.diagnosis import Diagnosis
from bot.services.doctor import Doctor
from bot.services.drill import Drills
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.services.postmortem import Postmortems
from bot.services.run_commands import RunCommands
from bot.slack import app
from bot.slack.desk import Desk
from bot.store.database import Database

SECRET = "a signing secret"
CLIENT = AsyncWebClient("xoxb-bench")
"""Of the bare app; no command that is measured calls Slack."""
_IDENTITY = Identity(TEAM, "Team", "U00BOT", "B00BOT", "", frozenset())


class HurryingClock(SystemClock):
    """Whoever declares under a title that was not declared just now skips a while first."""

    skipped_ms = 0

    def now(self) -> int:
        return super().now() + self.skipped_ms


@asynccontextmanager
async def ours(path: Path, clock: SystemClock) -> AsyncIterator[tuple[AsyncApp, Desk]]:
    """The bot's own app on a database of its own: all that is behind an ack, without the two loops.

    Its target refuses the connection, and no request says where to answer later, so that what
    follows an ack is short.
    """
    live = Live(config())
    database = Database(path, clock)
    try:
        async with session() as pool, Client() as http:
            client = web_client("xoxb-bench", "http://127.0.0.1:9/api/", pool)
            monitoring = Monitoring(database, http, live, clock)
            backups = Backups(database, live, clock)
            doctor = Doctor(database, live, monitoring, None, lambda: None, clock, backups)
            diagnosis = Diagnosis(database, http, monitoring, live, clock)
            postmortems = Postmortems(database, live, path.parent)
            runs = RunCommands(database, live, monitoring, clock)
            directory = Directory(client, clock)
            drills = Drills(database, live, directory.zone)
            commands = Commands(
                database, live, monitoring, doctor, diagnosis, postmortems, runs, drills, clock
            )
            desk = Desk(commands, directory, live, pool, clock)
            yield app.build(client, desk, lambda: _IDENTITY), desk
            await desk.drain(5)
            await monitoring.close()
    finally:
        await database.close()


def bare(answer: dict[str, Any], **options: Any) -> AsyncApp:
    """Bolt with one listener, which acks with the answer that ours gave."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=CLIENT.token)

    async def listener(ack: Any, body: dict[str, Any]) -> None:
        await ack(**answer)

    built = AsyncApp(client=CLIENT, authorize=authorize, process_before_response=True, **options)
    built.command(app.COMMAND)(listener)
    return built


def payload(text: str, number: int = 0) -> dict[str, str]:
    """What Slack sends for ``/iora text``."""
    return {
        "command": app.COMMAND,
        "text": text,
        "team_id": TEAM,
        "team_domain": "team",
        "channel_id": "C01INCIDENTS",
        "channel_name": "incidents",
        "user_id": ALICE,
        "user_name": "alice",
        "api_app_id": "A01APP",
        "is_enterprise_install": "false",
        "trigger_id": f"{number}.2.3",
    }


async def dispatch(bolt: AsyncApp, text: str) -> dict[str, Any]:
    """As Socket Mode hands it to Bolt; the answer that goes back to Slack."""
    request = AsyncBoltRequest(body=payload(text), mode="socket_mode")
    response = await bolt.async_dispatch(request)
    assert response.status == 200, response.body
    answer: dict[str, Any] = json.loads(response.body or "{}")
    return answer
