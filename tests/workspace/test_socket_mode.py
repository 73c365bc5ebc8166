"""Socket Mode, with a real Bolt app at the other end."""

from __future__ import annotations

from typing import Any

from bot.workspace.server import serve
from tests.support.workspace_app import bolt_app, connected


async def test_a_slash_command_is_answered_to_the_person_alone() -> None:
    async with serve() as server:
        app = bolt_app(server)
        seen: list[dict[str, Any]] = []

        @app.command("/iora")
        async def answer(ack: Any, command: dict[str, Any]) -> None:
            seen.append(command)
            await ack("All is well")

        async with connected(server, app):
            outcome = await server.acts.slash("U01ALICE", "C01INCIDENTS", "/iora", "health")

        assert outcome.ok, outcome.why
        assert outcome.message is not None
        assert (outcome.message.text, outcome.message.ephemeral_to) == ("All is well", "U01ALICE")
        assert seen[0]["text"] == "health"
        assert seen[0]["user_id"] == "U01ALICE"
        assert server.workspace.history("C01INCIDENTS", "U02BOB") == []
        assert server.rejections == []
