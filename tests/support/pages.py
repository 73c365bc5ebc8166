"""Pages for other ways than Slack, and the ways that carry them."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from bot.http import Client
from bot.model.incident import Severity
from bot.model.way import Page, WaySettings
from bot.send.way import Way, way
from tests.support.clock import NOON, ManualClock

LINK = "https://acme.slack.com/archives/C01INCIDENTS/p1750000000000000"


def page(**changes: Any) -> Page:
    """INC-7, of which Bob is paged at NOON."""
    known: dict[str, Any] = {
        "key": "ping:7:12:U02BOB",
        "thread": "iora:T01TEAM:INC-7",
        "incident": "INC-7",
        "severity": Severity.SEV2,
        "title": "API slow",
        "text": "SEV2 INC-7 API slow\n\nOpen for 5 min, nobody has acknowledged.",
        "reason": "open for 5 min, nobody has acknowledged",
        "at": NOON,
        "person": "U02BOB",
        "address": "bob@example.com",
        "link": LINK,
        "targets": ("iora",),
        "readings": {"iora CPU": "96 %"},
    }
    return Page(**(known | changes))


def settings_of(**written: Any) -> WaySettings:
    """A way as the config would write it."""
    adapter: TypeAdapter[WaySettings] = TypeAdapter(WaySettings)
    return adapter.validate_json(json.dumps(written))


def way_of(client: Client, name: str = "out", **written: Any) -> Way:
    """A way with a clock that stands at NOON."""
    return way(name, settings_of(**written), client, ManualClock())
