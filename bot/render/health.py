"""How targets are: the answer to ``health`` and ``baseline``, and evidence. Drawn from their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bot.model.message import Drawing
from bot.model.reading import Result
from bot.model.target import Bound
from bot.model.units import format_duration, format_value
from bot.render.blocks import (
    VALUE,
    Block,
    actions,
    button,
    context,
    day_and_time,
    fields,
    header,
    section,
    time,
)
from bot.rules.verdict import title
from bot.text import escape, outside

Facts = Mapping[str, Any]
IN_FULL = 3  # beyond that many targets: verdicts and failures only
_LISTED = 40
SCORE = "overall_score"
_CHANGES = 4


def health(targets: Sequence[Facts], now: int, *, buttons: bool, complete: bool = True) -> Drawing:
    """The verdict of each target, failures first, with the buttons that help."""
    blocks: list[Block] = []
    full = len(targets) <= IN_FULL
    for one in _worst_first(targets)[:_LISTED]:
        unread = not complete and one["verdict"] == "unknown"
        blocks += _in_full(one, now, unread=unread) if full else _in_short(one)
    blocks.append(context(_footer(targets, now, complete=complete)))
    blocks += [context(text) for text in map(_since, targets[:IN_FULL]) if text]
    if buttons and complete:
        blocks.append(_buttons(targets))
    return Drawing("; ".join(headline(one) for one in _worst_first(targets)), blocks)


def baseline(
    targets: Sequence[Facts], now: int, beside: Mapping[str, Sequence[Block]] = MappingProxyType({})
) -> Drawing:
    """Every bound with its reading, the passed ones too; ``beside``: what stands below a target's."""
    blocks: list[Block] = []
    for one in targets[:_LISTED]:
        blocks += [header(f"{one['target']}: baseline"), section(_table(one, now))]
        blocks += beside.get(one["target"], ())
    blocks.append(context(_footer(targets, now, complete=True)))
    return Drawing("; ".join(_baseline_sentence(one) for one in targets), blocks)


def headline(one: Facts) -> str:
    """``iora is UNHEALTHY: CPU 96 % (critical above 90)``, escaped."""
    return f"{one['target']} is {one['verdict'].upper()}: {outside(one['reason'], 400)}"


def evidence(targets: Sequence[Facts]) -> str:
    """One line a target: what was bad, then the other readings; escaped."""
    return "; ".join(
        f"{one['target']} {one['verdict'].upper()}: {_readings(one)}" for one in targets
    )


def lines(one: Facts, now: int) -> list[str]:
    """A line a finding, failures first: ``FAIL CPU 96 % of all cores, under 70 (agent, 4 s ago)``."""
    readings = {reading["metric"]: reading for reading in one["readings"]}
    return [_line(finding, readings.get(finding["metric"]), now) for finding in one["findings"]]


def _in_full(one: Facts, now: int, *, unread: bool) -> list[Block]:
    """``unread``: the rest follows at once, so what was not read yet is not listed."""
    name, reason = one["target"], outside(one["reason"], 400)
    drawn = [section(f"*{name} is {one['verdict'].upper()}*: {reason}")]
    measured = [] if unread else lines(one, now)
    if measured:
        drawn.append(fields(measured))
    if one.get("views"):
        drawn.append(context(" | ".join(map(_view, one["views"]))))
    return drawn


def _view(view: Facts) -> str:
    """``From here: nothing listens on 10.0.0.5:8080 (2 ms)``."""
    return f"From {view['place']}: {outside(view['said'], 300)} ({view['elapsed_ms']:.0f} ms)"


def _in_short(one: Facts) -> list[Block]:
    failed = [outside(text, 200) for text in _bad(one)]
    why = "; ".join(failed) if failed else outside(one["reason"], 300)
    return [section(f"*{one['target']} {one['verdict'].upper()}*: {why}")]


def _line(finding: Facts, reading: Facts | None, now: int) -> str:
    bound = Bound.model_validate(dict(finding["bound"]))
    limit = f"{bound.direction} {format_value(bound.limit, '')}"
    name = title(finding["metric"])
    if reading is None:
        return f"NOT MEASURED {name}, {limit}: no source in the config"
    if reading["value"] is None:
        return f"*UNKNOWN* {name}: {outside(reading['reason'] or 'no reason given', 300)}"
    value = format_value(reading["value"], reading["unit"])
    if finding["metric"] == "cpu_percent":
        value += " of all cores"
    word = finding["result"].upper()
    if finding["result"] == Result.FAIL:
        crossed = "critical above" if bound.direction == "under" else "critical below"
        limit = (
            f"{crossed} {format_value(bound.limit, '')}"
            if finding["critical"]
            else f"must be {limit}"
        )
        word = f"*{word}*"
    return f"{word} {name} {value}, {limit} ({_origin(reading, now)})"


def _origin(reading: Facts, now: int) -> str:
    source = outside(reading["source"], 100)
    if reading["samples"] is not None:
        return f"{reading['samples']} samples, {source}"
    return f"{source}, {format_duration(now - reading['at'])} ago"


def _footer(targets: Sequence[Facts], now: int, *, complete: bool) -> str:
    if not complete:
        return f"{time(now)} | still reading, the rest follows here"
    counted = [f for one in targets for f in one["findings"] if f["result"] != Result.NOT_MEASURED]
    read = [
        finding
        for one in targets
        for finding in one["findings"]
        if finding["metric"] in {r["metric"] for r in one["readings"] if r["value"] is not None}
    ]
    parts = [time(now), f"{len(read)} of {len(counted)} read"]
    if len(targets) == 1 and targets[0]["status"]:
        parts.append(f'status word "{outside(targets[0]["status"], 60)}"')
    if len(targets) == 1:
        parts += [
            _score(reading) for reading in targets[0]["readings"] if reading["metric"] == SCORE
        ]
    if len(targets) > _LISTED:
        parts.append(f"{len(targets) - _LISTED} more targets are not shown")
    return " | ".join(parts)


def _score(reading: Facts) -> str:
    """A service's own word on itself: shown, and never part of a verdict unless it has a bound."""
    if reading["value"] is None:
        return f"{title(SCORE)} unknown ({outside(reading['reason'] or 'no reason given', 200)})"
    return f"{title(SCORE)} {format_value(reading['value'], reading['unit'])}"


def _buttons(targets: Sequence[Facts]) -> Block:
    worst = _worst_first(targets)
    elements = [button("Share", "iora:health:share", _marks(worst))]
    bad = worst[0]["verdict"] != "healthy"
    if bad or len(targets) == 1:
        elements.insert(0, button("Diagnose", "iora:health:diagnose", _mark(worst[0])))
    if bad:
        elements.insert(
            0, button("Declare", "iora:health:declare", _mark(worst[0]), style="danger")
        )
    return actions(elements)


def _mark(one: Facts) -> str:
    """Names what was shown of a target, so that a click shows the same."""
    return f"{one['target']}@{one['at']}"


def _marks(targets: Sequence[Facts]) -> str:
    """The first marks, as many as a button carries whole."""
    marks = _mark(targets[0])
    for one in targets[1:]:
        longer = f"{marks},{_mark(one)}"
        if len(longer) > VALUE:
            break
        marks = longer
    return marks


def _since(one: Facts) -> str | None:
    """``Since 14:02, when it was healthy: P95 84 -> 910 ms``."""
    changed = one.get("changed")
    if not changed or not changed["changes"]:
        return None
    texts = "; ".join(change["text"] for change in changed["changes"][:_CHANGES])
    return f"Since {day_and_time(changed['since'])}, when it was healthy: {escape(texts)}"


def _readings(one: Facts) -> str:
    known = [f["text"] for f in one["findings"] if f["result"] in {Result.FAIL, Result.PASS}]
    first = [] if _bad(one) else [one["reason"]]
    return outside(", ".join(first + known), 600)


def _bad(one: Facts) -> list[str]:
    return [f["text"] for f in one["findings"] if f["result"] == Result.FAIL]


def _worst_first(targets: Sequence[Facts]) -> list[Facts]:
    order = ["down", "unhealthy", "degraded", "unknown", "healthy"]
    return sorted(targets, key=lambda one: order.index(one["verdict"]))


def _table(one: Facts, now: int) -> str:
    return "\n".join(lines(one, now)) or "No baselines in the config."


def _baseline_sentence(one: Facts) -> str:
    """What is broken, then what is not known; only where there is neither, that all is well."""
    not_known = [f["text"] for f in one["findings"] if f["result"] == Result.UNKNOWN]
    said = [*_bad(one), *not_known]
    if not said:
        said = ["no baseline is broken"] if one["findings"] else ["no baselines in the config"]
    return f"{one['target']}: {outside('; '.join(said), 400)}"
