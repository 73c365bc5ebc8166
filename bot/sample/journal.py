"""The service's log: one JSON object a line, as the real MCP server writes it."""

from __future__ import annotations

import json
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bot.sample.clock import Clock, stamp

MAX_BYTES = 5_000_000  # then one older file is kept beside it


class Journal:
    """Appends request lines to ``path``; the file never grows beyond ``MAX_BYTES``."""

    def __init__(self, path: Path, clock: Clock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1)
        self._logger = logging.Logger("bot.sample.journal")
        self._logger.addHandler(self._handler)

    def request(self, req_id: str, method: str, path: str, status: int, duration_ms: float) -> None:
        self._logger.info(
            json.dumps(
                {
                    "level": "error" if status >= 500 else "warn" if status >= 400 else "info",
                    "reqId": req_id,
                    "method": method,
                    "path": path,
                    "status": status,
                    "duration_ms": round(duration_ms, 3),
                    "timestamp": stamp(self._clock.now_ns()),
                }
            )
        )

    def close(self) -> None:
        self._handler.close()
