"""JSON logs: one object a line, with the incident and the request that the line is about."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

_incident: ContextVar[int | None] = ContextVar("incident", default=None)
_request: ContextVar[str | None] = ContextVar("request", default=None)


def about(*, incident: int | None = None, request: str | None = None) -> None:
    """What the log lines of this task are about from here on."""
    _incident.set(incident)
    _request.set(request)


def on_incident(incident: int) -> None:
    """The incident that this task turned out to be about; its request stays."""
    _incident.set(incident)


def request() -> str | None:
    """The request that this task is about."""
    return _request.get()


class JsonLines(logging.Formatter):
    """``redact`` is asked for every text that is written."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        incident, request = _incident.get(), _request.get()
        if incident is not None:
            line["incident"] = f"INC-{incident}"
        if request is not None:
            line["request"] = request
        if record.exc_info:
            line["error"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def start(level: str, redact: Callable[[str], str]) -> None:
    """Log to standard error. The libraries' chatter starts at warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(redact))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("slack_sdk", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # Bolt warns at every start that it leaves the token unused, as it is told to.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)
