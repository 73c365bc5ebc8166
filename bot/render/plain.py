"""Answers for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.model.answer import Answer, Refusal
from bot.model.message import Block, Drawing
from bot.model.overview import Overview
from bot.text import plain


def text(drawing: Drawing) -> str:
    """A drawing as lines of plain text."""
    lines = [line for block in drawing.blocks for line in _lines(block)]
    return "\n".join(lines) if lines else plain(drawing.text)


def json_of(given: Answer | Refusal) -> dict[str, Any]:
    """What ``--json`` prints: an incident's columns with its targets and timeline, or the facts."""
    if isinstance(given, Refusal):
        return {"refused": given.reason, "remedy": given.remedy}
    facts = dict(given.facts)
    if "overview" in facts:
        incident = _incident(facts.pop("overview"))
        return incident if given.kind in {"show", "timeline"} else {**facts, "incident": incident}
    if "overviews" in facts:
        facts["incidents"] = [_incident(seen) for seen in facts.pop("overviews")]
    return facts


def _incident(seen: Overview) -> dict[str, Any]:
    columns = asdict(seen.incident)
    columns["policy"] = dict(seen.incident.policy)
    return {"key": seen.incident.key, **columns, "timeline": [asdict(e) for e in seen.entries]}


def _lines(block: Block) -> list[str]:
    match block["type"]:
        case "header":
            return [block["text"]["text"], ""]
        case "section" if "fields" in block:
            # A line break in a field parts its label from its value.
            return ["  " + plain(field["text"]).replace("\n", ": ") for field in block["fields"]]
        case "section":
            return plain(block["text"]["text"]).splitlines()
        case "context":
            return [" | ".join(plain(_text(element)) for element in block["elements"])]
    return []


def _text(element: Mapping[str, Any]) -> str:
    return str(element.get("text", ""))
