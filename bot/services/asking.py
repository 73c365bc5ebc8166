"""A diagnosis that somebody asked for in Slack: begun, on its way, done."""

from __future__ import annotations

import re
from typing import Any

from bot.model.answer import Answer, Refusal
from bot.model.command import Diagnose
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.report import Report, Wanted
from bot.model.timer import Timer
from bot.services.incidents import Asked, of_thread
from bot.store import incidents, outbox, reports, timers
from bot.store.database import Tx

_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
_SUMMARY = 5  # findings that the message shows; the report has all
_LINES = 10


def begin(
    tx: Tx, config: Config, command: Diagnose, asked: Asked, report_id: str
) -> Answer | Refusal:
    """A message that will show the progress, and the timer that does the work, due now."""
    if command.target not in config.targets:
        return Refusal(f"There is no target `{command.target}`.", "See `/iora health`.")
    incident = incident_of(tx, command.target, asked)
    agent = config.targets[command.target].agent is not None
    facts = {
        "report": report_id,
        "target": command.target,
        "person": asked.actor.person,
        "thread_ts": asked.thread,
        "state": "collecting",
        "done": 0,
        "total": None,
    }
    outbox.add(tx, key(report_id), "report", destination(asked), facts)
    timers.arm(
        tx,
        "diagnose",
        report_id,
        tx.now,
        incident_id=incident,
        target=command.target,
        description=command.description,
        by=asked.actor.text,
    )
    return Answer(
        kind="diagnosing", facts={"report": report_id, "target": command.target, "agent": agent}
    )


def wanted(timer: Timer) -> Wanted:
    """What the timer of a diagnosis asks for."""
    return Wanted(
        id=timer.subject,
        target=timer.detail["target"],
        description=timer.detail["description"],
        by=timer.detail["by"],
        incident=timer.incident_id,
    )


def progress(tx: Tx, report_id: str, done: int, total: int) -> None:
    """Edit the message: ``3 of 6 parts``."""
    _tell(tx, report_id, {"done": done, "total": total})


def finish(tx: Tx, timer: Timer, report: Report, config: Config) -> None:
    """Keep the report; the message says what was found, and the whole follows in its thread."""
    if not timers.fire(tx, timer):
        return
    keep(tx, report, timer.incident_id, config)
    _tell(tx, report.id, {"state": "done", "summary": summary(report, config)})
    message = outbox.by_key(tx, key(report.id))
    if message is not None:
        add_files(tx, report.id, message.destination, message.id, ("html", "json"))
        if config.reports.logs == "thread" and report.recent_logs:
            add_text(tx, report.id, "log", message.destination, message.id)


def give_up(tx: Tx, timer: Timer, reason: str) -> None:
    """It can't be done: say so where it was asked."""
    if timers.fire(tx, timer):
        _tell(tx, timer.subject, {"state": "failed", "reason": reason})


def keep(tx: Tx, report: Report, incident_id: int | None, config: Config) -> None:
    """Keep a report that somebody asked for, also as a line of the incident that it belongs to."""
    reports.add(tx, report, incident_id, config.reports.keep)
    if incident_id is not None:
        facts = {"report": report.id, "target": report.target, "finding": first(report)}
        incidents.add_entry(tx, incident_id, report.asked_by, "diagnosed", facts)


def add_files(
    tx: Tx,
    report_id: str,
    destination: str,
    parent_id: int | None,
    formats: tuple[str, ...],
    incident_id: int | None = None,
) -> None:
    """The whole report as files in a thread. The file's name is what it is looked up by."""
    for form in formats:
        facts = {"report": report_id, "format": form, "name": f"{report_id}.{form}"}
        outbox.add(
            tx,
            f"file:{report_id}:{form}",
            "file",
            destination,
            facts,
            incident_id=incident_id,
            parent_id=parent_id,
        )


def add_text(tx: Tx, report_id: str, what: str, destination: str, parent_id: int | None) -> None:
    """The report (``whole``) or its log lines (``log``) as a message in a thread."""
    facts = {"report": report_id, "what": what}
    outbox.add(
        tx, f"text:{report_id}:{what}", "report_text", destination, facts, parent_id=parent_id
    )


def first(report: Report) -> str:
    """The finding that explains most; without any, why there is none."""
    if report.findings:
        return str(report.findings[0]["text"])
    return (
        "nothing stands out" if not report.partial else "nothing stands out in what could be read"
    )


def summary(report: Report, config: Config) -> dict[str, Any]:
    """What the message shows of a report."""
    lines = report.recent_logs[-_LINES:] if config.reports.logs == "channel" else []
    return {
        "id": report.id,
        "target": report.target,
        "at": report.at,
        "incident": report.incident,
        "asked_by": report.asked_by,
        "issue_description": report.issue_description,
        "verdict": report.verdict,
        "reason": report.reason,
        "findings": [dict(one) for one in report.findings[:_SUMMARY]],
        "more": max(0, len(report.findings) - _SUMMARY),
        "changed": report.changed,
        "partial": dict(report.partial),
        "log": [dict(line) for line in lines],
    }


def key(report_id: str) -> str:
    """The outbox's key of a report's message."""
    return f"report:{report_id}"


def _tell(tx: Tx, report_id: str, news: Facts) -> None:
    message = outbox.by_key(tx, key(report_id))
    if message is not None:
        outbox.set_facts(tx, message.id, {**message.facts, **news})


def incident_of(tx: Tx, target: str, asked: Asked) -> int | None:
    """The incident whose thread it was asked in, else the newest open one of the target."""
    threaded = of_thread(tx, asked)
    if threaded is not None:
        return threaded.id
    return incidents.newest_live_of(tx, target)


def destination(asked: Asked) -> str:
    """Where it was asked: by the conversation's id where that is known."""
    where = next((one for one in asked.channel if _ID.fullmatch(one)), None)
    return f"channel:{where}" if where else f"user:{asked.actor.person}"
