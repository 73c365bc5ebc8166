"""Alerts of other tools: stored as they come, and looked at a few seconds later, group by group.

A storm is so a few looks and not as many as there are alerts; what is too much to be told group by group
is told in one incident of the source.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import StoreError
from bot.model.actor import BOT, Actor
from bot.model.alert import Alert, Group, Tally
from bot.model.command import Reopen, SetSeverity
from bot.model.config import Config
from bot.model.found import Found
from bot.model.incident import Incident, Severity
from bot.model.intake import Opening
from bot.model.timer import Timer
from bot.rules import alerting, lifecycle
from bot.rules.alert import counted, key_of, named, titled
from bot.services import alert_suggestions, found
from bot.services.incidents import add_reply, apply
from bot.services.live import Live
from bot.services.silences import muting, note_muted
from bot.store import alerts, incidents, outbox, timers
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

KIND = "alerts"
REST = "*"
"""The key of the group that takes what is too much."""
AT_ONCE = 200
"""Alerts that are stored in one function: a few milliseconds, so that a command waits no longer."""
MOST_WAITING = 20_000
_BOT = Actor(BOT)


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


def look_soon(tx: Tx, group_id: int, at: int) -> None:
    """Have a group looked at, by a time at the latest: what is armed already is not put off."""
    due = timers.due_of(tx, KIND, str(group_id))
    if due is None or due > at:
        timers.arm(tx, KIND, str(group_id), at)


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
    if rest is not None and rest[1]:
        return rest[0]
    if own is not None:
        return own[0]
    if alerts.active(tx, alert.source) >= alerting.MOST_GROUPS:
        return _rest(tx, alert.source)
    return alerts.add_group(tx, alert.source, key, alert.target, alert.group)


def _rest(tx: Tx, source: str) -> int:
    known = alerts.known(tx, source, REST)
    return known[0] if known else alerts.add_group(tx, source, REST, "", (), rest=True)


def settle(tx: Tx, timer: Timer, config: Config) -> None:
    """Look at a group: open what it asks for, or say what has changed."""
    if not timers.fire(tx, timer):
        return
    group = alerts.group(tx, int(timer.subject))
    opening = config.intake.opening(group.source, group.labels) if group is not None else None
    if group is None or opening is None:  # a reload took the source away
        return
    incident = incidents.get(tx, group.incident_id) if group.incident_id is not None else None
    group, tally = _looked_at(tx, group, incident)
    move = alerting.decide(group, tally, incident, tx.now)
    if move.opens:
        _open(tx, config, group, tally, opening)
    elif incident is not None and incident.live:
        _tell(tx, config, incident, group, tally, move)
    alert_suggestions.update(tx, group, tally)
    if move.again_at is not None:
        look_soon(tx, group.id, move.again_at)


def _looked_at(tx: Tx, group: Group, incident: Incident | None) -> tuple[Group, Tally]:
    """The group with its episode, and its alerts now; what is seen is kept."""
    resolved_at = incident.resolved_at if incident is not None else None
    after = resolved_at if resolved_at is not None else 0
    since = alerts.tally(tx, group, after, after + alerting.RELAPSE_MS)
    begun = alerting.begins(group, since, tx.now)
    seen = replace(group, since=begun)
    tally = (
        since
        if begun == group.since
        else alerts.tally(tx, seen, after, after + alerting.RELAPSE_MS)
    )
    changes: dict[str, Any] = {
        "since": begun,
        "firing": tally.firing,
        "resolved": tally.resolved,
        "active": int(tally.firing > 0),
    }
    if tally.firing:
        changes |= {"titles": tally.titles, "cleared_at": None}
    elif group.firing:
        changes |= {"cleared_at": tx.now}
    if not tally.firing:
        changes |= {"worst": Severity.SEV4}
    alerts.settle(tx, group.id, changes)
    return seen, tally


def found_of(group: Group, tally: Tally, config: Config, opening: Opening) -> Found:
    """What an incident for a group is opened with."""
    targets = tuple(one for one in (group.target, *tally.targets) if one in config.targets)
    because = f"{counted(tally.firing, tally.resolved)}: {named(tally.titles)}"
    key = REST if group.rest else key_of(group.target, group.labels)
    return Found(
        key=f"alerts:{group.source}:{key}",
        title=titled(tally.titles, group.target, group.source, rest=group.rest),
        severity=group.worst,
        targets=tuple(dict.fromkeys(targets)),
        since=tally.oldest or 0,
        because=(because, *tally.summaries),
        policy=opening.policy,
        runbook=opening.runbook,
        reopen_within=alerting.RELAPSE_MS,
    )


def _open(tx: Tx, config: Config, group: Group, tally: Tally, opening: Opening) -> None:
    """An incident or a suggestion; nothing while it is muted; with the rest where it is too much."""
    what = found_of(group, tally, config, opening)
    muted = muting(tx, config, what.targets, tx.now)
    if muted is not None:
        note_muted(tx, muted, what.title, group.target)
        look_soon(tx, group.id, muted.until)
        return
    if _too_much(tx, group):
        rest = _rest(tx, group.source)
        alerts.move(tx, group.id, rest)
        alerts.touch(tx, rest, group.worst, group.cut)
        alerts.settle(tx, group.id, {"active": 0, "firing": 0, "cleared_at": tx.now})
        look_soon(tx, rest, tx.now + alerting.GATHER_MS)
    elif opening.open == "suggest":
        if alert_suggestions.post(tx, config, group, what, tally):
            alerts.settle(tx, group.id, {"opened_at": tx.now})
    else:
        open_incident(tx, config, group, tally, what, _BOT)


def _too_much(tx: Tx, group: Group) -> bool:
    if group.rest or (group.opened_at is not None and tx.now - group.opened_at < alerting.STORM_MS):
        return False
    opened = alerts.opened_since(tx, group.source, tx.now - alerting.STORM_MS)
    return opened >= alerting.MOST_INCIDENTS


def open_incident(
    tx: Tx, config: Config, group: Group, tally: Tally, what: Found, by: Actor
) -> Incident:
    """The incident of a group, opened, joined or reopened."""
    done = found.declare(tx, config, what, by)
    changes: dict[str, Any] = {
        "incident_id": done.incident.id,
        "opened_at": tx.now,
        "opened_worst": min(group.worst, done.incident.severity),
        "noted_at": tx.now,
        "noted_gap": alerting.FIRST_GAP_MS,
        "noted_firing": tally.firing,
        "noted_resolved": tally.resolved,
    }
    alerts.settle(tx, group.id, changes)
    outbox.revise(tx, done.incident.id, ("card",))
    return done.incident


def _tell(
    tx: Tx, config: Config, incident: Incident, group: Group, tally: Tally, move: alerting.Move
) -> None:
    """What has changed of an incident's alerts: the card says it now, the timeline now and then."""
    if (tally.firing, tally.resolved) != (group.firing, group.resolved):
        outbox.revise(tx, incident.id, ("card",))
    if move.raised is not None:
        _do(tx, config, incident, SetSeverity(severity=move.raised))
        alerts.settle(tx, group.id, {"opened_worst": move.raised})
    if move.note is None:
        return
    if move.reopens:
        text = f"it is back: {counted(tally.firing, tally.resolved)}: {named(tally.titles)}"
        _do(tx, config, incident, Reopen(text=text))
    facts = {
        "what": move.note,
        "source": group.source,
        "firing": tally.firing,
        "resolved": tally.resolved,
        "titles": dict(tally.titles or group.titles),
    }
    seq = incidents.add_entry(tx, incident.id, BOT, "alerts", facts)
    outbox.revise(tx, incident.id, ("card",))
    if move.note != "changed":
        add_reply(tx, incident, seq)
    changes = {
        "noted_at": tx.now,
        "noted_gap": alerting.gap(group, tx.now),
        "noted_firing": tally.firing,
        "noted_resolved": tally.resolved,
    }
    alerts.settle(tx, group.id, changes)


def _do(tx: Tx, config: Config, incident: Incident, command: SetSeverity | Reopen) -> None:
    now = incidents.get(tx, incident.id)
    assert now is not None
    decided = lifecycle.decide(now, command, _BOT, tx.now)
    if isinstance(decided, lifecycle.Change):
        apply(tx, config, now, decided, _BOT)
