"""A draft as one page without anything from elsewhere: it opens as it is years later, and prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from bot.render.page import environment
from bot.render.postmortem.layout import NOTHING, Sheet


def html(sheet: Sheet) -> str:
    """The whole file; charts are part of it."""
    return _template().render(sheet=sheet, nothing=NOTHING)


@cache
def _template() -> Template:
    pages = environment(Path(__file__).parent)
    # Only what our own chart drew, which escapes all text in it, goes in as it is.
    pages.filters["drawn"] = Markup
    return pages.get_template("draft.html")
