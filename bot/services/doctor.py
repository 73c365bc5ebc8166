"""Whether the bot itself is well: each line says what was looked at, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from bot.clock import SystemClock
from bot.model.incident import Facts
from bot.model.reading import Health, Verdict
from bot.model.units import duration_text, format_duration, format_value
from bot.rules.detection import Phase
from bot.send.client import CALL_ERRORS, failure
from bot.send.identity import SCOPES, Identity
from bot.services import intake_doctor, silencing
from bot.services.backups import Backups
from bot.services.live import Live
from bot.services.monitoring import Monitoring
from bot.store import holds, outbox, sketches
from bot.store.database import Database, Tx

_DRIFT_MS = 30_000
_DAY_MS = 86_400_000
_FOUND = 10  # of what the rules found, a line each


@dataclass(frozen=True)
class Line:
    """``ok``: nothing to do; ``look``: someone should; ``bad``: something does not work."""

    state: Literal["ok", "look", "bad"]
    what: str
    fix: str = ""


class Doctor:
    """``identify`` asks Slack who the bot is; None where there is no token."""

    def __init__(
        self,
        database: Database,
        live: Live,
        monitoring: Monitoring,
        identify: Callable[[], Awaitable[Identity]] | None,
        link: Callable[[], str | None],
        clock: SystemClock,
        backups: Backups,
    ) -> None:
        self._backups = backups
        self._database = database
        self._live = live
        self._monitoring = monitoring
        self._identify = identify
        self._link = link
        self._clock = clock

    async def lines(self) -> list[Line]:
        """Every check, in the order in which things depend on each other."""
        return [
            *await self._slack(),
            *await self._store(),
            await self._samples(),
            *await self._targets(),
            *_runbook_lines(self._live),
            *await self._rules(),
            *await self._silences(),
            *await self._intake(),
            *self._copies(),
            self._time(),
        ]

    async def _slack(self) -> list[Line]:
        if self._identify is None:
            fix = "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (see README, Connect Slack)"
            return [Line("bad", "Slack: no token", fix)]
        try:
            who = await self._identify()
        except CALL_ERRORS as error:
            reason = getattr(failure(error), "reason", "busy")
            fix = "check SLACK_BOT_TOKEN, SLACK_API_URL and the network"
            return [Line("bad", f"Slack: auth.test failed ({reason})", fix)]
        lines = [Line("ok", f"Slack: {who.team_name} ({who.team}), bot user {who.user}")]
        lines += _scope_lines(who)
        wanted = self._live.config.slack.team
        if wanted is not None and wanted != who.team:
            fix = f"set slack.team: {who.team}, or use a token of {wanted}"
            lines.append(Line("bad", f"the token is of {who.team}, the config names {wanted}", fix))
        problem = self._link()
        if problem is not None:
            lines.append(
                Line("bad", f"Slack link: {problem}", "it reconnects by itself; see the log")
            )
        return lines

    async def _store(self) -> list[Line]:
        waiting, refused = await self._database.read(_outbox)
        lines = [Line("ok", f"database: {self._database.path}, {_counted(waiting)} waiting")]
        if self._database.reserve.spent:
            fix = f"free some space beside {self._database.path}"
            lines.append(Line("bad", "database: the disk was full, the reserve is spent", fix))
        for reason, count in refused.items():
            what = f"{_counted(count)} refused by Slack: {reason}"
            lines.append(Line("look", what, _remedy(reason)))
        return lines

    async def _samples(self) -> Line:
        """How much is kept of what was measured, and how large the file is by it."""
        kept = self._live.config.samples
        series = values = hours = after = 0
        while (held := await self._database.read(sketches.held, after)) is not None:
            after = held.last
            series, values, hours = series + held.series, values + held.samples, hours + held.hours
        file = await asyncio.to_thread(self._database.path.stat)
        return Line(
            "ok",
            f"samples: {series:,} series with {values:,} values of {duration_text(kept.raw)} "
            f"and {hours:,} hours of {duration_text(kept.hours)}; "
            f"the file has {format_value(file.st_size / 1_000_000, 'MB')}",
        )

    async def _targets(self) -> list[Line]:
        config = self._live.config
        names = tuple(config.targets)
        healths = await self._monitoring.refresh(names, self._monitoring.time_limit(names))
        return [line for health in healths for line in _target_lines(health)]

    async def _silences(self) -> Iterable[Line]:
        """What is not told now: somebody may wonder why."""
        found = await self._database.read(silencing.running, self._live.config)
        return [_silence_line(one, self._clock.now()) for one in found]

    async def _rules(self) -> Iterable[Line]:
        """By what the bot notices by itself, and what is found now."""
        config = self._live.config
        if not config.detection:
            fix = "add rules below detection in the config"
            return [Line("look", "detection: no rules, so the bot notices nothing by itself", fix)]
        found = await self._database.read(holds.standing)
        lines = [Line("ok", f"detection: {_counted_rules(len(config.detection))}")]
        for hold in found[:_FOUND]:
            since = format_duration(self._clock.now() - (hold.since or 0))
            where = f"INC-{hold.incident}" if hold.incident else "its message in the channel"
            says = "can't tell" if hold.phase is Phase.LOST else "holds"
            what = f"detection: {hold.rule} {says} on {hold.target}, for {since}"
            lines.append(Line("look", what, f"see {where}"))
        if len(found) > _FOUND:
            more = f"detection: {len(found) - _FOUND} more findings"
            lines.append(Line("look", more, "see `/iora health`"))
        lines += _named_runbooks(self._live)
        return lines

    async def _intake(self) -> Iterable[Line]:
        found = await self._database.read(intake_doctor.heard, self._live.config)
        return [Line("look" if one.fix else "ok", one.what, one.fix) for one in found]

    def _copies(self) -> Iterable[Line]:
        """The backups: when the newest was made, and whether the last one failed."""
        settings = self._live.config.backups
        if not settings.keep:
            return [Line("look", "backups: none are made", "set backups.keep in the config")]
        if self._backups.error is not None:
            fix = f"mend it, or name another backups.folder than {self._backups.folder}"
            return [Line("bad", f"backups: the last one failed: {self._backups.error}", fix)]
        try:
            newest = self._backups.newest()
        except OSError as error:
            why = f"backups: {self._backups.folder} can't be read ({error.strerror})"
            return [Line("bad", why, "make the folder readable")]
        every = format_duration(settings.every)
        if newest is None:
            return [Line("ok", f"backups: one every {every}, none was due yet")]
        age = max(0, self._clock.now() - newest.at)
        what = f"backups: {newest.file.name}, {format_duration(age)} old, checked"
        if age > 2 * settings.every:
            return [Line("look", what, f"one is due every {every}: see the bot's log")]
        return [Line("ok", what)]

    def _time(self) -> Line:
        drift = self._clock.drift_ms()
        if abs(drift) > _DRIFT_MS:
            moved = format_duration(abs(drift))
            fix = "nothing fires early or late by it; restart the bot to show the new time"
            return Line("look", f"clock: it was moved by {moved} since the start", fix)
        return Line("ok", "clock: not moved since the start")


def _scope_lines(who: Identity) -> Iterable[Line]:
    for scope in who.lacks:
        fix = (
            f"add it under OAuth & Permissions and install the app anew; needed for {SCOPES[scope]}"
        )
        yield Line("look", f"Slack: the scope {scope} is not granted", fix)
    if who.scopes is not None and not who.lacks:
        yield Line("ok", "Slack: every scope of manifest.yaml is granted")


def _target_lines(health: Health) -> Iterable[Line]:
    if health.verdict is Verdict.UNKNOWN and "check `" in health.reason:
        yield Line("bad", f"{health.target}: {health.reason}", "correct it in the config")
    elif health.verdict is Verdict.HEALTHY:
        yield Line("ok", f"{health.target}: {health.verdict}, {health.reason}")
    else:
        fix = f"see what it reads: `/iora health {health.target}`"
        yield Line("look", f"{health.target}: {health.verdict}, {health.reason}", fix)
    reasons = {r.reason for r in health.readings if r.source == "agent" and r.value is None}
    for reason in sorted(reason for reason in reasons if reason):
        yield Line("look", f"{health.target}: {reason}", "start `iora agent` on its host")


def _runbook_lines(live: Live) -> Iterable[Line]:
    for problems in live.broken.values():
        for problem in problems:
            yield Line(
                "bad", f"runbook left out: {problem}", "correct it, then: kill -HUP, or restart"
            )
    if live.books:
        yield Line("ok", f"runbooks: {len(live.books)} can be used")
    elif not live.broken:
        fix = "`iora init` writes those that come with the bot; IORA_RUNBOOKS names their folder"
        yield Line("look", "runbooks: there are none", fix)


def _silence_line(one: Facts, now: int) -> Line:
    what = ", ".join(one["targets"]) or "everything"
    left = format_duration(one["until"] - now)
    if one["silence"] is None:
        return Line("ok", f"maintenance {one['name']}: {what} for {left} yet ({one['reason']})")
    by = one["by"].rpartition(":")[2]
    said = f"silence {one['silence']}: {what} for {left} yet, by {by} ({one['reason']})"
    return Line("look", said, f"to end it: `/iora silence end {one['silence']}`")


def _named_runbooks(live: Live) -> Iterable[Line]:
    """The bot starts without them; whoever is paged misses them."""
    for rule in live.config.detection:
        if rule.runbook is not None and rule.runbook not in live.books:
            what = f"detection: {rule.name} names the runbook {rule.runbook}, which can't be used"
            yield Line("bad", what, "add or correct it, then: kill -HUP, or restart")


def _counted_rules(count: int) -> str:
    return "1 rule" if count == 1 else f"{count} rules"


def _outbox(tx: Tx) -> tuple[int, dict[str, int]]:
    refused: dict[str, int] = {}
    for message in outbox.refused_since(tx, tx.now - _DAY_MS):
        reason = message.error or "no reason given"
        refused[reason] = refused.get(reason, 0) + 1
    return outbox.waiting(tx), refused


def _counted(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _remedy(reason: str) -> str:
    code, _, needed = reason.partition(": ")
    match code:
        case "missing_scope":
            return f"grant {needed or 'the missing scope'}: install the app anew from manifest.yaml"
        case "channel_not_found" | "not_in_channel" | "is_archived":
            return "check slack.channel in the config, and invite the bot: /invite @iora"
        case "user_not_found" | "user_disabled" | "cannot_dm_bot":
            return "take this person out of the policy, the group or the role"
        case "unknown_method":
            return "this server lacks the method; that part is left out"
    return "see the log for the whole answer"
