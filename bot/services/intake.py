"""Alerts of other tools: stored as they come, and looked at a few seconds later, group by group.

A storm is so a few looks and not as many as there are alerts; what is too much to be told group by group
belongs to one group of the source, the rest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.errors import StoreError
from bot.model.alert import HEARTBEATS, Alert
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.intake import AlertSource
from bot.rules import alerting
from bot.rules.alert import REST, key_of
from bot.services.live import Live
from bot.store import alerts, timers
from bot.store.database import Database, Tx

KIND = "alerts"
AT_ONCE = 100
"""Alerts that are stored in one function: a few milliseconds, so that a command waits no longer."""
MOST_WAITING = 20_000


class Flooded(Exception):
    """More waits to be stored than is to be held."""


@dataclass
class _Part:
    alerts: Sequence[Alert]
    future: asyncio.Future[None]


class Intake:
    """Takes alerts into the store: those of many requests in one commit, one commit at a time.

    So a command, which wants to be stored too, never stands behind more than one of them.
    """

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._waiting: deque[_Part] = deque()
        self._held = 0
        self._writing: asyncio.Task[None] | None = None
        self.stored = 0

    async def take(self, told: Sequence[Alert]) -> None:
        """Returned means stored. Raises ``Flooded``, ``StoreError``; a part may be stored then."""
        if self._held + len(told) > MOST_WAITING and self._held:
            raise Flooded
        loop = asyncio.get_running_loop()
        parts = [_Part(some, loop.create_future()) for some in _slices(told)]
        self._waiting.extend(parts)
        self._held += len(told)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="intake")
        done = await asyncio.gather(*(part.future for part in parts), return_exceptions=True)
        failed = [one for one in done if isinstance(one, BaseException)]
        if failed:
            raise failed[0]

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._store(self._next())
        finally:
            self._writing = None

    def _next(self) -> list[_Part]:
        taken = [self._waiting.popleft()]
        size = len(taken[0].alerts)
        while self._waiting and size + len(self._waiting[0].alerts) <= AT_ONCE:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].alerts)
        return taken

    async def _store(self, parts: list[_Part]) -> None:
        batch = [alert for part in parts for alert in part.alerts]
        try:
            await self._database.write(receive, self._live.config, batch)
        except Exception as error:  # noqa: BLE001 - told to each who waits
            if len(parts) > 1 and not isinstance(error, StoreError):
                for part in parts:  # what one request holds must cost none of the others
                    await self._store([part])
                return
            self._held -= len(batch)
            _answer(parts, error)
            return
        self._held -= len(batch)
        self.stored += len(batch)
        _answer(parts, None)


def _answer(parts: Sequence[_Part], error: Exception | None) -> None:
    for part in parts:
        if part.future.done():
            continue
        if error is None:
            part.future.set_result(None)
        else:
            part.future.set_exception(error)


def _slices(told: Sequence[Alert]) -> Iterator[Sequence[Alert]]:
    for first in range(0, len(told), AT_ONCE):
        yield told[first : first + AT_ONCE]


def receive(tx: Tx, config: Config, told: Sequence[Alert]) -> None:
    """Store alerts, and have their groups looked at soon."""
    places: dict[tuple[str, str], int] = {}
    touched: dict[int, tuple[Severity | None, int]] = {}
    for alert in told:
        place = _place(tx, alert, places, touched)
        alerts.keep(tx, alert, place)
        worst, cut = touched.get(place, (None, 0))
        if alert.firing:
            severity = alert.severity or config.escalation.default_severity
            worst = severity if worst is None else min(worst, severity)
        touched[place] = (worst, max(cut, alert.cut))
    for group_id, (worst, cut) in touched.items():
        alerts.touch(tx, group_id, worst, cut)
        look_soon(tx, group_id, tx.now + alerting.GATHER_MS)
    for source in {alert.source for alert in told}:
        alerts.hear(tx, source)


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: a source that was dropped won't say that its alerts are over."""
    kept = {name for name, one in config.intake.sources.items() if isinstance(one, AlertSource)}
    for source in alerts.firing_by_source(tx).keys() - kept - {HEARTBEATS}:
        drop(tx, source)


def drop(tx: Tx, source: str, fingerprint: str | None = None) -> None:
    """The config has a source no more, or one job that must report: what fires of it is not followed."""
    for group_id in alerts.drop(tx, source, fingerprint):
        look_soon(tx, group_id, tx.now)


def look_soon(tx: Tx, group_id: int, at: int) -> None:
    """Have a group looked at, by a time at the latest: what is armed already is not put off.

    Nor is one that is being looked at: in a storm something always comes before that is done.
    """
    if timers.is_claimed(tx, KIND, str(group_id)):
        return
    due = timers.due_of(tx, KIND, str(group_id))
    if due is None or due > at:
        timers.arm(tx, KIND, str(group_id), at)


def look_at_all(tx: Tx) -> None:
    """Have every group that fires looked at now: what it waited for may be over before it was planned."""
    for group_id in alerts.active_groups(tx):
        look_soon(tx, group_id, tx.now)


def _place(
    tx: Tx,
    alert: Alert,
    places: dict[tuple[str, str], int],
    touched: dict[int, tuple[Severity | None, int]],
) -> int:
    """The group of an alert; the one that it leaves is looked at too."""
    key = key_of(alert.target, alert.group)
    known = alerts.place_of(tx, alert.source, alert.fingerprint)
    if known is not None:
        before, firing = known
        if (firing or not alert.firing) and _is_rest(tx, alert.source, before, places):
            return before
        own = alerts.known(tx, alert.source, key)
        if not alert.firing and (own is None or own[0] != before):
            return before  # what is over belongs where it fired
        if own is None or own[0] != before:
            touched.setdefault(before, (None, 0))
    if (alert.source, key) not in places:
        places[alert.source, key] = _group_of(tx, alert, key)
    return places[alert.source, key]


def _is_rest(tx: Tx, source: str, group_id: int, places: dict[tuple[str, str], int]) -> bool:
    if (source, REST) not in places:
        known = alerts.known(tx, source, REST)
        places[source, REST] = known[0] if known is not None else -1
    return places[source, REST] == group_id


def _group_of(tx: Tx, alert: Alert, key: str) -> int:
    own = alerts.known(tx, alert.source, key)
    if own is not None and own[1]:
        return own[0]
    rest = alerts.known(tx, alert.source, REST)
    if rest is not None and rest[1] and _storms(tx, rest[0]):
        return rest[0]
    if own is not None:
        return own[0]
    if alerts.busy(tx, alert.source, tx.now - alerting.STORM_MS) >= alerting.MOST_GROUPS:
        return rest_of(tx, alert.source)
    return alerts.add_group(tx, alert.source, key, alert.target, alert.group)


def _storms(tx: Tx, rest: int) -> bool:
    """Whether the rest still takes what is new: not on account of some that fire in it for ever."""
    newest = alerts.newest(tx, rest)
    return newest is not None and tx.now - newest < alerting.STORM_MS


def rest_of(tx: Tx, source: str) -> int:
    """The group of a source that takes what is too much."""
    known = alerts.known(tx, source, REST)
    return known[0] if known else alerts.add_group(tx, source, REST, "", (), rest=True)
