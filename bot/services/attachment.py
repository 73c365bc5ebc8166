"""What a ``file`` row of the outbox shares: a report that is kept, or a file in the data folder.

The row holds facts only. ``report`` with its ``format`` (``html`` or ``json``); or ``path``, relative to
the data folder, or the ``text`` itself, with the ``title`` that people see. ``name`` is what the file is
called in Slack and looked up by, so no two files have the same.
"""

from __future__ import annotations

import logging
from pathlib import Path

from bot.model.attempt import Attempt
from bot.model.message import Refused, Upload
from bot.render.page import Unshown, upload
from bot.store import folder

log = logging.getLogger(__name__)


def upload_of(attempt: Attempt, data: Path) -> Upload | Refused:
    """The file as it is now, or why there is none. Reads and draws: call it in a thread."""
    facts = attempt.message.facts
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


def _on_disk(data: Path, path: str, name: str, title: str) -> Upload | Refused:
    try:
        return Upload(name, title, folder.read(data, path))
    except OSError as error:
        return Refused(f"the file can't be read: {error.strerror or error}")
