"""All that looks after the bot itself, and what it has counted since the start."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bot.clock import SystemClock
from bot.http import Client
from bot.model.upkeep import Upkeep
from bot.model.way import SLACK
from bot.send.slack import Slack
from bot.services.alarm import Alarm
from bot.services.auditor import Auditor
from bot.services.backups import Backups
from bot.services.heartbeat import Heartbeat
from bot.services.live import Live
from bot.services.other_ways import OtherWays
from bot.services.unrecorded import Unrecorded
from bot.store.database import Database

log = logging.getLogger(__name__)

BLIND_S = 180.0


class Keeper:
    """``steady``: seconds of a clock that nobody sets or moves."""

    def __init__(
        self,
        database: Database,
        live: Live,
        slack: Slack,
        ways: OtherWays,
        backups: Backups,
        client: Client,
        clock: SystemClock,
        steady: Callable[[], float],
    ) -> None:
        self._ways = ways
        self._backups = backups
        self._steady = steady
        self._looked = steady()
        self._alarm = Alarm(database, live, slack, ways, clock)
        self.auditor = Auditor(database, self._alarm, clock, steady)
        self.unrecorded = Unrecorded(database, live, slack, ways, clock)
        self.heartbeat = Heartbeat(client, live)

    async def work(self) -> None:
        """Page from memory what can't be stored, and about the bot itself what is wrong with it."""
        await self.unrecorded.work()
        await self.auditor.look()
        self._looked = self._steady()

    def came_through(self) -> None:
        """A beat has gone all the way. Without somebody who looks for what is late it says nothing."""
        blind = self._steady() - self._looked
        if blind < BLIND_S:
            self.heartbeat.came_through()
        else:
            log.error("nobody has looked after the bot for %d s: no heartbeat", blind)

    def counts(self, paged: int, sockets: int) -> Upkeep:
        """``paged``: in Slack; ``sockets``: how many clients the link has made."""
        late = self.auditor.late
        try:
            newest = self._backups.newest()
        except OSError:
            newest = None
        return Upkeep(
            paged={SLACK: paged, **self._ways.told},
            unrecorded=self.unrecorded.pages,
            sockets=sockets,
            late=(late.timers, late.messages),
            alarms=self._alarm.episodes,
            clock_jumps=self.auditor.jumps,
            backups_made=self._backups.made,
            backups_failed=self._backups.failed,
            backup_at=newest.at if newest else None,
            heartbeats=self.heartbeat.beats,
        )
