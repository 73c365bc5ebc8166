"""What a ``file`` row of the outbox shares: a report that is kept, a chart, or a file in the data folder.

The row holds facts only. ``report`` with its ``format`` (``html`` or ``json``); or ``path``, relative to
the data folder, or the ``text`` itself, or what ``chart`` to draw, with the ``title`` that people see.
``name`` is what the file is called in Slack and looked up by, so no two files have the same.
"""

from __future__ import annotations

import logging
from pathlib import Path

from bot.model.attempt import Attempt
from bot.model.chart import Chart
from bot.model.incident import Facts
from bot.model.message import Refused, Upload
from bot.render.chart import chart_png, words
from bot.render.page import Unshown, upload
from bot.store import folder

log = logging.getLogger(__name__)


def upload_of(attempt: Attempt, data: Path, chart: Chart | None = None) -> Upload | Refused:
    """The file as it is now, or why there is none. Reads and draws: call it in a thread."""
    facts = attempt.message.facts
    if chart is not None:
        return _drawn(chart, facts)
    if "path" in facts:
        return _on_disk(data, facts["path"], facts["name"], facts["title"])
    if "text" in facts:
        return Upload(facts["name"], facts["title"], facts["text"].encode())
    if attempt.report is None:
        return Refused("the report is not kept any more")
    try:
        return upload(attempt.report, facts["format"])
    except Unshown:
        log.exception("%s can't be drawn", attempt.message.key)
        return Refused("it can't be drawn: see the bot's log")


def _drawn(chart: Chart, facts: Facts) -> Upload | Refused:
    """The image; one that can't be drawn must hold up nothing that waits behind it."""
    try:
        return Upload(facts["name"], facts["title"], chart_png(chart), words(chart))
    except Exception:
        log.exception("the chart %s can't be drawn", facts["name"])
        return Refused("it can't be drawn: see the bot's log")


def _on_disk(data: Path, path: str, name: str, title: str) -> Upload | Refused:
    try:
        return Upload(name, title, folder.read(data, path))
    except OSError as error:
        return Refused(f"the file can't be read: {error.strerror or error}")
