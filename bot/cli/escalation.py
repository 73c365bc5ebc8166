"""``iora escalation simulate``: whom an incident would ping, when, through what; nobody is told."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from bot.cli.fail import plainly
from bot.clock import SystemClock, at
from bot.errors import WrongSettings
from bot.files.config import load_config
from bot.files.document import load
from bot.model.config import Config
from bot.model.incident import Incident, Severity, Status
from bot.model.operand import change_of
from bot.model.policy import Policy
from bot.model.reading import Reading
from bot.model.rehearsed import Readings
from bot.model.settings import Settings
from bot.model.units import parse_duration, unit_of
from bot.model.way import SLACK
from bot.rules import known
from bot.rules.oncall import Roster
from bot.rules.rehearsal import Happening, Moment, rehearse
from bot.store import overrides

LONGEST_MS = 7 * 86_400_000
_MOST = 500  # moments that are shown
_SOURCE = "simulated"


@dataclass(frozen=True)
class Play:
    """What is played: the incident as it would be declared, its policy, and what is read meanwhile."""

    config: Config
    incident: Incident
    policy: Policy
    readings: Readings | None
    roster: Roster

    def moments(self, ack_after: int | None) -> Iterator[Moment]:
        """What would happen, in order; it ends with the last resort, or after a week."""
        from bot.services import course
        from bot.services.reasons import words

        declared_at = self.incident.declared_at
        happenings = [] if ack_after is None else [_acknowledged(declared_at + ack_after)]
        case = course.case(self.config, self.incident, self.policy)
        people = self.roster.people
        until = declared_at + LONGEST_MS
        for one in rehearse(case, people, self.read, until, happenings, words):
            yield one
            if one.fire is not None and one.fire.stage == "last_resort":
                return

    def read(self, now: int) -> Mapping[str, known.Values]:
        """The readings at a time, with the changes over time that the conditions ask for."""
        assert self.readings is not None
        after = now - self.incident.declared_at
        found = {
            name: known.of_reading(_reading(name, value, now))
            for name, value in self.readings.at(after).items()
        }
        for name in self._changes():
            metric, span = change_of(name) or ("", 0)
            ends = [self.readings.at(one) for one in (after, after - span)]
            first, last = (_of(metric, one, now) for one in ends)
            found[name] = known.of_change(name, first, last)
        return {self.incident.targets[0]: found}

    def _changes(self) -> tuple[str, ...]:
        conditions = [level.when for level in self.policy.levels if level.when is not None]
        names = [name for one in conditions for name, _ in one.names if change_of(name)]
        return tuple(dict.fromkeys(names))

    def not_asked(self) -> tuple[str, ...]:
        """The conditions that there are no readings for."""
        levels = self.policy.levels if self.readings is None else ()
        return tuple(dict.fromkeys(level.asked for level in levels if level.asked))


@click.group()
def escalation() -> None:
    """What policies do."""


@escalation.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="IORA_CONFIG",
    default=Path("config.yaml"),
    show_default=True,
    help="The config (or IORA_CONFIG).",
)
@click.option(
    "--severity", type=click.Choice([str(one) for one in Severity]), help="The incident's."
)
@click.option("--policy", "name", help="Another policy than the severity's.")
@click.option("--readings", type=click.Path(path_type=Path), help="A YAML file of readings.")
@click.option("--target", help="Take this target's readings as they are now.")
@click.option("--at", "when", metavar="TIME", help="Declared at 03:00 or 2026-01-05T03:00, UTC.")
@click.option(
    "--ack", metavar="DURATION", help="Acknowledged after 2m, say, and nothing more done."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(
    path: Path,
    severity: str | None,
    name: str | None,
    readings: Path | None,
    target: str | None,
    when: str | None,
    ack: str | None,
    *,
    as_json: bool,
) -> None:
    """Print whom an incident would ping, minute by minute, until the last resort.

    The decisions are the bot's own, and so are the overrides of who is on call. The file of readings:
    {readings: [{at: 0s, cpu_percent: 96}, {at: 10m, cpu_percent: unknown}]}.
    """
    if readings and target:
        raise click.UsageError("Give --readings or --target, not both.")
    now = SystemClock().now()
    declared_at, ack_after = _moment(when, now), _after(ack)
    with plainly():
        config = load_config(path, os.environ)
        severe = Severity(severity) if severity else config.escalation.default_severity
        followed = name or config.escalation.policy_name(severe)
        if followed not in config.escalation.policies:
            there = ", ".join(config.escalation.policies)
            raise WrongSettings(f"there is no policy {followed}: there are {there}")
        measured = _measured(config, target) if target else None
        given = load(readings, Readings, None) if readings else measured
        overridden = overrides.beside(Settings.read(os.environ).database, declared_at)
    targets = (target or next(iter(config.targets)),) if given is not None else ()
    incident = _incident(severe, declared_at, targets)
    roster = Roster.of(config, overridden)
    play = Play(config, incident, config.escalation.policies[followed], given, roster)
    rows = [_row(config, incident, one) for one in islice(play.moments(ack_after), _MOST)]
    if as_json:
        head = {"severity": severe, "policy": followed, "declared_at": declared_at}
        print(json.dumps({**head, "moments": rows, "not_asked": play.not_asked()}, indent=2))
        return
    print(f"{severe.upper()}, policy {followed}, declared {at(declared_at):%a %Y-%m-%d %H:%M} UTC")
    for line in _lines(rows):
        print(line)
    for condition in play.not_asked():
        print(f"Not asked, for there are no readings (--readings or --target): {condition}")


def _row(config: Config, incident: Incident, moment: Moment) -> dict[str, Any]:
    """One moment for a program."""
    row: dict[str, Any] = {"at": moment.at, "after_ms": moment.at - incident.declared_at}
    if moment.account is not None and moment.fire is not None:
        facts = moment.account.facts
        row |= {
            "stage": facts["stage"],
            "levels": [level + 1 for level in facts["levels"]],
            "channel": "channel" in facts["notify"],
            "people": [
                {
                    "person": ping.person,
                    "name": config.contact(ping.person).name,
                    "ways": list(config.contact(ping.person).ways),
                    "reason": ping.reason,
                }
                for ping in moment.account.pings
            ],
            "nobody": facts["nobody"],
            "reason": facts["reason"],
        }
    if moment.ask is not None:
        row["asks"] = {"person": moment.asked, "because": list(moment.ask.because)}
    return row


def _lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "Nobody is told anything."
    for row in rows:
        when = f"{_clock(row['after_ms'])}  {at(row['at']):%a %H:%M}"
        if "stage" in row:
            people = [_named(one) for one in row["people"]]
            told = [*people, *(["the channel"] if row["channel"] else [])]
            told += [f"nobody behind {one}" for one in row["nobody"]]
            yield f"{when}  {_what(row):<12}  {', '.join(told)}: {row['reason']}"
        if "asks" in row:
            asked = row["asks"]["person"] or "whoever acknowledged"
            yield f"{when}  {'asks':<12}  {asked}: {'; '.join(row['asks']['because'])}: still on it?"


def _named(one: Mapping[str, Any]) -> str:
    """``Bob (U02BOB) by slack, then pagerduty``."""
    who = f"{one['name']} ({one['person']})" if one["name"] else str(one["person"])
    ways = [str(way) for way in one["ways"]] or [SLACK]
    return f"{who} by {', then '.join(ways)}"


def _what(row: Mapping[str, Any]) -> str:
    if row["stage"] == "level":
        levels = " and ".join(map(str, row["levels"]))
        return f"level {levels}" if levels else "data lost"
    return str(row["stage"]).replace("_", " ")


def _clock(after: int) -> str:
    minutes, seconds = divmod(after // 1_000, 60)
    return f"+{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _measured(config: Config, target: str) -> Readings:
    """What the target's sources say now; the bot's own figures take a bot that polls."""
    from bot.cli.live import look

    if target not in config.targets:
        there = ", ".join(config.targets)
        raise WrongSettings(f"there is no target {target}: there are {there}")
    only = config.model_copy(update={"targets": {target: config.targets[target]}})
    seen = asyncio.run(look(only, SystemClock()))
    values = {
        one.metric: one.value if isinstance(one.value, float | int) else "unknown"
        for one in reversed(seen)
        if one.metric is not None
    }
    return Readings.model_validate({"readings": ({"at": "0s", **values},)})


def _incident(severity: Severity, declared_at: int, targets: tuple[str, ...]) -> Incident:
    return Incident(
        id=0,
        title="simulated",
        severity=severity,
        status=Status.OPEN,
        policy={},
        declared_by="cli:somebody",
        channel="",
        started_at=declared_at,
        declared_at=declared_at,
        opened_at=declared_at,
        targets=targets,
    )


def _acknowledged(when: int) -> Happening:
    columns = {"status": Status.ACKNOWLEDGED, "acknowledged_at": when}
    return Happening(when, "cli:somebody", "acknowledged", {}, columns)


def _of(metric: str, values: Mapping[str, float | None], now: int) -> Reading | None:
    return _reading(metric, values[metric], now) if metric in values else None


def _reading(metric: str, value: float | None, now: int) -> Reading:
    reason = None if value is not None else "simulated as lost"
    return Reading(
        metric=metric, value=value, unit=unit_of(metric), reason=reason, at=now, source=_SOURCE
    )


def _moment(text: str | None, now: int) -> int:
    """``03:00``, today, or a date and a time; UTC where no offset says otherwise."""
    if text is None:
        return now
    try:
        today = at(now).date().isoformat()
        found = datetime.fromisoformat(text if len(text) > 5 else f"{today}T{text:0>5}")
    except ValueError:
        raise click.BadParameter(f"{text} is no time such as 03:00 or 2026-01-05T03:00") from None
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000)


def _after(text: str | None) -> int | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{text}: {error}") from None
