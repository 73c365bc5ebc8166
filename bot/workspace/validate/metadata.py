"""Message metadata: an event type, and a payload of plain values."""

from __future__ import annotations

import json
from typing import Any

from bot.workspace.records import Json
from bot.workspace.refusal import Refusal

EVENT_TYPE_CHARACTERS = 255
PAYLOAD_CHARACTERS = 16_000


def parse_metadata(value: object) -> Json | None:
    """The metadata of a request, or a Refusal ``invalid_metadata_format`` / ``metadata_too_large``."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal("invalid_metadata_format") from None
    if not isinstance(value, dict) or set(value) - {"event_type", "event_payload", "entities"}:
        raise Refusal("invalid_metadata_format")
    kind, payload = value.get("event_type"), value.get("event_payload")
    if not isinstance(kind, str) or not 1 <= len(kind) <= EVENT_TYPE_CHARACTERS:
        raise Refusal("invalid_metadata_format")
    if not isinstance(payload, dict) or not all(_plain(item) for item in payload.values()):
        raise Refusal("invalid_metadata_format")
    if len(json.dumps(payload)) > PAYLOAD_CHARACTERS:
        raise Refusal("metadata_too_large")
    return value


def _plain(value: Any) -> bool:
    """Texts, numbers, flags, and flat lists and objects of them; Slack takes no null."""
    if isinstance(value, list):
        return all(isinstance(item, str | int | float | bool) for item in value)
    if isinstance(value, dict):
        return all(isinstance(item, str | int | float | bool) for item in value.values())
    return isinstance(value, str | int | float | bool)
