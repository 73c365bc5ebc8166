"""A diagnosis as a message: its progress, then what was found; and a report as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.incident import Facts
from bot.model.message import Drawing
from bot.model.report import Report
from bot.render.blocks import (
    Block,
    actions,
    button,
    context,
    day_and_time,
    header,
    paragraphs,
    section,
    time,
)
from bot.render.entry import who
from bot.text import escape, outside

_CHANGES = 6
_LINES = 40


def progress(facts: Facts) -> Drawing:
    """What the message of a diagnosis shows now: ``3 of 6 parts``, the result, or why there is none."""
    target = escape(facts["target"])
    match facts["state"]:
        case "done":
            return found(facts["summary"], buttons=True)
        case "failed":
            text = f"{target} could not be diagnosed: {outside(facts['reason'], 300)}"
            return Drawing(text, (section(text),))
    parts = f"{facts['done']} of {facts['total']} parts" if facts["total"] else "it begins"
    text = f"Diagnosing {target}: {parts}"
    return Drawing(text, (section(text),))


def found(summary: Facts, *, buttons: bool) -> Drawing:
    """The verdict, the findings, what changed, and what is missing."""
    blocks: list[Block] = [section(f"*{_headline(summary)}*: {outside(summary['reason'], 400)}")]
    if summary["issue_description"]:
        blocks.append(section(f"Asked: {outside(summary['issue_description'], 300)}"))
    lines = [_finding(number, one) for number, one in enumerate(summary["findings"], 1)]
    blocks += paragraphs(lines or [_nothing(summary)])
    changed = change_line(summary["changed"])
    if changed:
        blocks.append(section(changed))
    if summary["log"]:
        blocks += paragraphs(_log_line(line) for line in summary["log"])
    blocks.append(context(*_small(summary)))
    if buttons and summary["verdict"] != "healthy" and not summary["incident"]:
        mark = f"{summary['target']}@{summary['at']}"
        blocks.append(actions([button("Declare", "iora:health:declare", mark, style="danger")]))
    return Drawing(_sentence(summary, changed), blocks)


def listed(rows: Sequence[Facts]) -> Drawing:
    """The reports that are kept, newest first."""
    if not rows:
        text = "No report is kept yet: `/iora diagnose TARGET` makes one."
        return Drawing(text, (section(text),))
    lines = [
        f"`{escape(row['id'])}` {day_and_time(row['at'])} {escape(row['target'])} "
        f"{row['verdict'].upper()}{_of(row)}: {outside(row['finding'] or 'nothing stands out', 150)}"
        for row in rows
    ]
    text = f"{len(rows)} diagnostic report{'s' if len(rows) > 1 else ''}"
    return Drawing(f"{text}: {'; '.join(lines)}", [header(text), *paragraphs(lines)])


def text(report: Report, what: str) -> Drawing:
    """A report in a thread where it can't be a file; ``what`` is ``whole``, or ``log`` for its lines."""
    title = f"{report.id}: {report.target}"
    lines = _log(report) if what == "log" else _whole(report)
    return Drawing(
        f"{escape(title)}: {escape(str(len(lines)))} lines", [header(title), *paragraphs(lines)]
    )


def change_line(changed: Facts | None) -> str | None:
    """``Since 14:02, when it was healthy: P95 84 -> 910 ms; threads 12 -> 480``."""
    if not changed:
        return None
    texts = [escape(one["text"]) for one in changed["changes"][:_CHANGES]]
    said = "; ".join(texts) or "nothing that is measured changed much"
    return f"Since {day_and_time(changed['since'])}, when it was healthy: {said}"


def _headline(summary: Facts) -> str:
    return f"{escape(summary['target'])} is {summary['verdict'].upper()}"


def _sentence(summary: Facts, changed: str | None) -> str:
    parts = [f"{_headline(summary)}: {outside(summary['reason'], 300)}"]
    if summary["findings"]:
        first = summary["findings"][0]
        parts.append(
            f"first: {outside(first['text'], 300)}. {outside(first['recommendation'], 200)}"
        )
    else:
        parts.append(_nothing(summary))
    if changed:
        parts.append(changed)
    if summary["partial"]:
        parts.append(f"not read: {', '.join(map(escape, summary['partial']))}")
    return "; ".join(parts)


def _nothing(summary: Facts) -> str:
    if summary["partial"]:
        return "Nothing stands out in what could be read."
    return "Nothing stands out."


def _finding(number: int, one: Facts) -> str:
    marks = []
    if one["explained_by"]:
        marks.append("may come from the one before it")
    if one["stable"]:
        marks.append("as when it was healthy")
    note = f" ({'; '.join(marks)})" if marks else ""
    lines = [f"{number}. *{outside(one['text'], 300)}*{note}", f"     {_do(one)}"]
    lines += [f"     {outside(text, 150)}" for text in one["evidence"][:3]]
    return "\n".join(lines)


def _do(one: Facts) -> str:
    return outside(one["recommendation"], 200)


def _small(summary: Facts) -> list[str]:
    parts = [f"{time(summary['at'])} | {who(summary['asked_by'])} | `{escape(summary['id'])}`"]
    if summary["incident"]:
        parts[0] += f" | {escape(summary['incident'])}"
    if summary["more"]:
        parts.append(f"{summary['more']} more in the report")
    if summary["partial"]:
        missing = "; ".join(
            f"{escape(name)}: {outside(why, 150)}" for name, why in summary["partial"].items()
        )
        parts.append(f"*PARTIAL* not read: {missing}")
    return parts


def _of(row: Facts) -> str:
    return f" INC-{row['incident_id']}" if row["incident_id"] is not None else ""


def _log(report: Report) -> list[str]:
    return [_log_line(line) for line in report.recent_logs[-_LINES:]] or ["no lines"]


def _log_line(line: Mapping[str, Any]) -> str:
    level = str(line.get("level") or "").upper()
    return f"{level} {outside(str(line.get('message')), 250)}".strip()


def _whole(report: Report) -> list[str]:
    """What a file would hold and the message above does not show; log lines stay in the store."""
    lines = [f"*Performance* {_pairs(report.performance_metrics)}"]
    system = report.system_info.get("system") or {}
    lines.append(f"*System* {_pairs(system)}")
    threads = report.thread_dump
    lines.append(f"*Threads* {threads['total_threads']}, {_pairs(threads.get('by_state') or {})}")
    lines += [
        f"      {outside(str(one.get('name')), 40)} {outside(str(one.get('state')), 20)}, "
        f"{one.get('cpu_percent')} % of one core"
        for one in threads["threads"][:5]
    ]
    lines.append(f"*Memory* {_pairs(report.heap_dump)}")
    lines += [f"*Do* {outside(text, 200)}" for text in report.recommendations]
    lines.append(f"All of it: `iora reports {report.id} --json`")
    return lines


def _pairs(facts: Mapping[str, Any]) -> str:
    known = [
        f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in facts.items()
        if isinstance(value, int | float | str)
    ]
    return outside(", ".join(known) or "not known", 1_500)
