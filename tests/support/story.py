"""An incident's story through the services, on a real database, at the tests' own pace."""

from __future__ import annotations

from typing import Any

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.command import Declare, OnIncident
from bot.model.config import Config
from bot.model.incident import Entry, Incident
from bot.model.message import Message
from bot.model.overview import Overview
from bot.model.timer import Timer
from bot.services import escalation, incidents
from bot.services.incidents import Asked, Done
from bot.services.overview import overview
from bot.store import incidents as stored
from bot.store import outbox, timers
from bot.store.database import Database, Tx
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.incidents import alice


class Story:
    """Incidents are named by number; the first one is 1."""

    def __init__(
        self, database: Database, clock: ManualClock, settings: Config | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.config = settings or config()

    async def declare(self, title: str = "API slow", *, by: Actor = alice, **fields: Any) -> Done:
        """Declare; a refusal fails the test."""
        done = await self.try_declare(title, by=by, **fields)
        assert isinstance(done, Done), done
        return done

    async def try_declare(
        self, title: str = "API slow", *, by: Actor = alice, **fields: Any
    ) -> Done | Refusal:
        command = Declare(title=title, **fields)
        return await self.database.write(incidents.declare, self.config, command, Asked(by))

    async def change(self, command: OnIncident, *, by: Actor = alice) -> Done:
        """Do it; a refusal fails the test."""
        done = await self.try_change(command, by=by)
        assert isinstance(done, Done), done
        return done

    async def try_change(
        self, command: OnIncident, *, by: Actor = alice, channel: str = ""
    ) -> Done | Refusal:
        asked = Asked(by, frozenset({channel} if channel else ()))
        return await self.database.write(incidents.change, self.config, command, asked)

    async def fire(self) -> int:
        """Fire every level that is due now; how many timers that were."""
        claimed = [timer for timer in await self.claim() if timer.kind == "level"]
        for timer in claimed:
            await self.database.write(escalation.fire, timer, self.config)
        return len(claimed)

    async def claim(self) -> list[Timer]:
        return await self.database.write(timers.claim, 64)

    async def go_on(self, milliseconds: int) -> None:
        """Let time pass, firing each level on time."""
        end = self.clock.now() + milliseconds
        while await self.fire():
            pass
        while (due := await self.database.read(_next_level)) is not None and due <= end:
            self.clock.advance(due - self.clock.now())
            await self.fire()
        self.clock.advance(end - self.clock.now())

    async def incident(self, number: int = 1) -> Incident:
        found = await self.database.read(stored.get, number)
        assert found is not None
        return found

    async def timeline(self, *kinds: str, number: int = 1) -> list[Entry]:
        return await self.database.read(stored.timeline, number, kinds)

    async def messages(self, kind: str, number: int = 1) -> list[Message]:
        return await self.database.read(outbox.of_incident, number, kind)

    async def paged(self, number: int = 1) -> list[str]:
        """Who was pinged, in order, once a ping."""
        return [ping.facts["person"] for ping in await self.messages("ping", number)]

    async def levels(self, number: int = 1) -> list[Timer]:
        """The armed level timers; there is one at the most."""
        return await self.database.read(timers.of_incident, "level", number)

    async def seen(self, number: int = 1) -> Overview:
        found = await self.database.read(overview, self.config, number)
        assert found is not None
        return found

    async def deliver(self, message: Message) -> None:
        """As if it had been sent."""
        await self.database.write(outbox.sending, message.id)
        await self.database.write(
            outbox.sent, message.id, message.revision, "C01", f"1.{message.id:04}"
        )


def _next_level(tx: Tx) -> int | None:
    row = tx.one("SELECT MIN(due_at) AS due FROM timers WHERE kind = 'level'")
    return row["due"] if row else None
