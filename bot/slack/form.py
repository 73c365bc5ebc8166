"""The forms (modals), and what a submitted one says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.clock import at
from bot.model.answer import Refusal
from bot.model.command import Assign, Command, Declare, Note, Resolve, SetSeverity
from bot.model.config import Config
from bot.model.incident import Severity
from bot.slack.parse import TEXT, TITLE, moment
from bot.text import cut, cut_mrkdwn, without_controls

View = dict[str, Any]
Read = Command | Mapping[str, str]
_SEVERITIES = {
    Severity.SEV1: "sev1: down for everyone",
    Severity.SEV2: "sev2: badly hurt",
    Severity.SEV3: "sev3: some are hurt",
    Severity.SEV4: "sev4: nobody notices yet",
}
_MAX_OPTIONS = 100


def declare(config: Config, known: Declare) -> View:
    """What an incident needs, filled with what was said already."""
    severity = known.severity or config.escalation.default_severity
    targets = [_option(name, name) for name in list(config.targets)[:_MAX_OPTIONS]]
    named = [option for option in targets if option["value"] in known.targets]
    chosen = {"initial_options": named} if named else {}
    return _view(
        "declare",
        "Declare an incident",
        "Declare",
        [
            _text(
                "title",
                "What is wrong?",
                known.title,
                limit=TITLE,
                hint="A few words, such as: API slow",
            ),
            _input("severity", "How bad is it?", _severity_menu(severity)),
            _input(
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
            _text(
                "impact",
                "Who notices, and how?",
                known.impact,
                limit=TEXT,
                optional=True,
                lines=True,
            ),
            _text(
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
    fields = [_text("text", "Note", "", limit=TEXT, lines=True)]
    return _view("note", f"Note on INC-{incident}", "Add", fields, {"incident": incident})


def resolve(incident: int) -> View:
    """Resolving asks once, so that a slip of the finger resolves nothing."""
    fields = [
        _text(
            "text",
            "What ended it?",
            "",
            limit=TEXT,
            optional=True,
            lines=True,
            hint="May be left empty.",
        )
    ]
    return _view("resolve", f"Resolve INC-{incident}", "Resolve", fields, {"incident": incident})


def severity(incident: int, now: Severity) -> View:
    """Another severity brings its policy."""
    fields = [_input("severity", "Severity", _severity_menu(now))]
    return _view(
        "severity", f"Severity of INC-{incident}", "Change", fields, {"incident": incident}
    )


def assign(incident: int) -> View:
    """Who commands from now on; they hear of it by direct message."""
    menu = {"type": "users_select", "action_id": "person"}
    fields = [_input("person", "Who commands it from now on?", menu)]
    return _view("assign", f"Assign INC-{incident}", "Assign", fields, {"incident": incident})


def notice(title: str, text: str) -> View:
    """What became of a submitted form."""
    return {
        "type": "modal",
        "title": _plain(title, 24),
        "close": _plain("Close", 24),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": cut_mrkdwn(text, 3_000)}}
        ],
    }


def submitted(view: Mapping[str, Any], now: int) -> Read:
    """The command that a submitted form asks for, or what is wrong by field."""
    name = str(view["callback_id"]).removeprefix("iora:form:")
    values = {
        block: next(iter(fields.values())) for block, fields in view["state"]["values"].items()
    }
    return _READERS[name](values, json.loads(view["private_metadata"] or "{}"), now)


def problem(refusal: Refusal, view: Mapping[str, Any]) -> dict[str, str]:
    """A refusal, shown under the form's first field."""
    block = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
    return {block: str(refusal)}


def _typed(values: Mapping[str, Any], field: str) -> str:
    return without_controls(values[field].get("value") or "").strip()


def _read_declare(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    title = _typed(values, "title")
    if not title:
        return {"title": "Say in a few words what is wrong."}
    began = _typed(values, "started")
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
        impact=_typed(values, "impact"),
        started_at=started_at,
    )


def _read_note(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    text = _typed(values, "text")
    return (
        Note(incident=kept["incident"], text=text) if text else {"text": "A note needs its text."}
    )


def _read_resolve(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    return Resolve(incident=kept["incident"], text=_typed(values, "text"))


def _read_severity(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    chosen = Severity(values["severity"]["selected_option"]["value"])
    return SetSeverity(incident=kept["incident"], severity=chosen)


def _read_assign(values: Mapping[str, Any], kept: Mapping[str, Any], now: int) -> Read:
    person = values["person"].get("selected_user")
    if not person:
        return {"person": "Pick a person."}
    return Assign(incident=kept["incident"], person=person)


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], int], Read]] = {
    "declare": _read_declare,
    "note": _read_note,
    "resolve": _read_resolve,
    "severity": _read_severity,
    "assign": _read_assign,
}


def _view(name: str, title: str, submit: str, blocks: list[View], kept: Mapping[str, Any]) -> View:
    return {
        "type": "modal",
        "callback_id": f"iora:form:{name}",
        "title": _plain(title, 24),
        "submit": _plain(submit, 24),
        "close": _plain("Cancel", 24),
        "private_metadata": json.dumps(kept),
        "blocks": blocks,
    }


def _input(name: str, label: str, element: View, *, optional: bool = False, hint: str = "") -> View:
    drawn: View = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 2_000),
        "element": element,
        "optional": optional,
    }
    if hint:
        drawn["hint"] = _plain(hint, 2_000)
    return drawn


def _text(
    name: str,
    label: str,
    value: str,
    *,
    limit: int,
    optional: bool = False,
    lines: bool = False,
    hint: str = "",
) -> View:
    element: View = {
        "type": "plain_text_input",
        "action_id": name,
        "max_length": limit,
        "multiline": lines,
    }
    if value:
        element["initial_value"] = cut(value, limit)
    return _input(name, label, element, optional=optional, hint=hint)


def _severity_menu(chosen: Severity) -> View:
    options = [_option(label, str(severity)) for severity, label in _SEVERITIES.items()]
    initial = next(option for option in options if option["value"] == chosen)
    return {
        "type": "static_select",
        "action_id": "severity",
        "options": options,
        "initial_option": initial,
    }


def _option(label: str, value: str) -> View:
    return {"text": _plain(label, 75), "value": value}


def _plain(text: str, limit: int) -> View:
    return {"type": "plain_text", "text": cut(text, limit)}
