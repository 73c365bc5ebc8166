"""The forms about incidents, and what a submitted one says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.clock import at
from bot.model.answer import Challenge
from bot.model.command import Assign, Command, Declare, Note, Resolve, SetSeverity
from bot.model.config import Config
from bot.model.incident import Severity
from bot.render.blocks import paragraphs, section, that_fit
from bot.slack.parse import TEXT, TITLE, moment
from bot.slack.view import OPTIONS, View, field, modal, option, text_field
from bot.text import outside, without_controls

Read = Command | Mapping[str, str]
"""The command that a form asks for, or what is wrong by field."""

_SEVERITIES = {
    Severity.SEV1: "sev1: down for everyone",
    Severity.SEV2: "sev2: badly hurt",
    Severity.SEV3: "sev3: some are hurt",
    Severity.SEV4: "sev4: nobody notices yet",
}


def declare(config: Config, known: Declare) -> View:
    """What an incident needs, filled with what was said already."""
    severity = known.severity or config.escalation.default_severity
    targets = [option(name, name) for name in list(config.targets)[:OPTIONS]]
    named = [option for option in targets if option["value"] in known.targets]
    chosen = {"initial_options": named} if named else {}
    return modal(
        "declare",
        "Declare an incident",
        "Declare",
        [
            text_field(
                "title",
                "What is wrong?",
                known.title,
                limit=TITLE,
                hint="A few words, such as: API slow",
            ),
            field("severity", "How bad is it?", _severity_menu(severity)),
            field(
                "targets",
                "What is affected?",
                {
                    "type": "multi_static_select",
                    "action_id": "targets",
                    "options": targets,
                    **chosen,
                },
                optional=True,
            ),
            text_field(
                "impact",
                "Who notices, and how?",
                known.impact,
                limit=TEXT,
                optional=True,
                lines=True,
            ),
            text_field(
                "started",
                "When did it begin?",
                "",
                limit=40,
                optional=True,
                hint="Such as 20m ago, or 14:05 (UTC). Empty: now.",
            ),
        ],
        {},
    )


def note(incident: int) -> View:
    """A line for the timeline."""
    fields = [text_field("text", "Note", "", limit=TEXT, lines=True)]
    return modal("note", f"Note on INC-{incident}", "Add", fields, {"incident": incident})


def resolve(incident: int) -> View:
    """Resolving asks once, so that a slip of the finger resolves nothing."""
    fields = [
        text_field(
            "text",
            "What ended it?",
            "",
            limit=TEXT,
            optional=True,
            lines=True,
            hint="May be left empty.",
        )
    ]
    return modal("resolve", f"Resolve INC-{incident}", "Resolve", fields, {"incident": incident})


def resolve_anyway(asked: Challenge) -> View:
    """What still fails, and why it is over all the same: nothing is resolved without that."""
    lines = [f"• {outside(line, 200)}" for line in asked.failing]
    fields = [
        section("*It is not over by the last readings:*"),
        *paragraphs(that_fit(lines)),
        text_field(
            "text",
            "Why is it over all the same?",
            asked.text,
            limit=TEXT,
            lines=True,
            hint="It stands on the timeline, with what still failed.",
        ),
    ]
    title = f"INC-{asked.incident} still fails"
    kept = {"incident": asked.incident, "anyway": True, "done": f"INC-{asked.incident}"}
    return modal("resolve", title, "Resolve anyway", fields, kept)


def severity(incident: int, now: Severity) -> View:
    """Another severity brings its policy."""
    fields = [field("severity", "Severity", _severity_menu(now))]
    return modal(
        "severity", f"Severity of INC-{incident}", "Change", fields, {"incident": incident}
    )


def assign(incident: int) -> View:
    """Who commands from now on; they hear of it by direct message."""
    menu = {"type": "users_select", "action_id": "person"}
    fields = [field("person", "Who commands it from now on?", menu)]
    return modal("assign", f"Assign INC-{incident}", "Assign", fields, {"incident": incident})


def typed(values: Mapping[str, Any], name: str) -> str:
    """What was written into a field."""
    return without_controls(values[name].get("value") or "").strip()


def _read_declare(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    title = typed(values, "title")
    if not title:
        return {"title": "Say in a few words what is wrong."}
    began = typed(values, "started")
    started_at = moment(began, now) if began else None
    if began and (started_at is None or started_at > now):
        shown = f"{at(now):%H:%M}"
        return {"started": f"Write 20m ago, or a time in UTC (it is {shown} now)."}
    return Declare(
        title=title,
        severity=Severity(values["severity"]["selected_option"]["value"]),
        targets=tuple(
            option["value"] for option in values["targets"].get("selected_options") or ()
        ),
        impact=typed(values, "impact"),
        started_at=started_at,
    )


def _read_note(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    text = typed(values, "text")
    return (
        Note(incident=kept["incident"], text=text) if text else {"text": "A note needs its text."}
    )


def _read_resolve(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    text, anyway = typed(values, "text"), bool(kept.get("anyway"))
    if anyway and not text:
        return {"text": "Say why: it still fails."}
    return Resolve(incident=kept["incident"], text=text, anyway=anyway)


def _read_severity(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    chosen = Severity(values["severity"]["selected_option"]["value"])
    return SetSeverity(incident=kept["incident"], severity=chosen)


def _read_assign(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    person = values["person"].get("selected_user")
    if not person:
        return {"person": "Pick a person."}
    return Assign(incident=kept["incident"], person=person)


READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], int], Read]] = {
    "declare": _read_declare,
    "note": _read_note,
    "resolve": _read_resolve,
    "severity": _read_severity,
    "assign": _read_assign,
}


def _severity_menu(chosen: Severity) -> View:
    options = [option(label, str(severity)) for severity, label in _SEVERITIES.items()]
    initial = next(option for option in options if option["value"] == chosen)
    return {
        "type": "static_select",
        "action_id": "severity",
        "options": options,
        "initial_option": initial,
    }
