"""A diagnostic report as files: a page for people, JSON for programs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from bot.clock import at
from bot.model.message import Upload
from bot.model.report import Report

_TIMES = {"since", "from", "to", "at"}


class Unshown(Exception):
    """A report holds what the page has no place for: an agent of another version gave it."""


def upload(report: Report, form: str) -> Upload:
    """The file to share; ``form`` is ``html`` or ``json``. Raises ``Unshown``."""
    content = html(report) if form == "html" else json.dumps(report.json(), indent=2)
    title = f"Diagnosis of {report.target} ({form.upper()})"
    return Upload(f"{report.id}.{form}", title, content.encode())


def html(report: Report) -> str:
    """One page without anything from elsewhere, so that it opens as it is years later.

    Raises ``Unshown``.
    """
    try:
        return _template().render(report=report)
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise Unshown(str(error)) from error


def environment(folder: Path) -> SandboxedEnvironment:
    """Our own templates of pages: all that is put in is escaped, a name that is not there an error."""
    return SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template() -> Template:
    pages = environment(Path(__file__).parent)
    pages.filters |= {"said": _said, "moment": _moment}
    return pages.get_template("report.html")


def _said(value: Any, name: str = "") -> str:
    """A value for a person: what is not known says so, times are times, and ids have no commas."""
    if isinstance(value, int) and (name in _TIMES or name.endswith("_at")):
        return _moment(value)
    if name in {"pid", "tid"}:
        return str(value)
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.2f}".rstrip("0").rstrip(".")
        case int():
            return f"{value:,}"
        case list():
            between = "; " if any(isinstance(item, dict) for item in value) else ", "
            return between.join(map(_said, value)) or "none"
        case dict():
            return ", ".join(f"{one}: {_said(item, one)}" for one, item in value.items()) or "none"
    return str(value)


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        return f"{at(milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):  # a log line may claim any time
        return str(milliseconds)
