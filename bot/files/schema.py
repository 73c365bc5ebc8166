"""The JSON Schemas of the files that people write, so that editors complete and underline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from bot.model.agent import AgentConfig
from bot.model.config import Config
from bot.model.runbook import Runbook

SCHEMAS: Mapping[str, type[BaseModel]] = {
    "config": Config,
    "agent": AgentConfig,
    "runbook": Runbook,
}
_FILLED = frozenset({"config", "agent"})
"""Files whose text may hold ``${NAME}``, which no pattern knows."""


class _Written(GenerateJsonSchema):
    """As people write it: defaults too (``5m``, not 300000), and no titles that repeat the keys."""

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        serialization = schema["schema"].get("serialization", {})
        if "default" in written and serialization.get("type") == "function-plain":
            written["default"] = serialization["function"](schema["default"])
        return written

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_json(name: str) -> str:
    """The JSON Schema (draft 2020-12) of one of ``SCHEMAS``, as text."""
    schema = SCHEMAS[name].model_json_schema(schema_generator=_Written)
    return json.dumps(_loosened(schema, filled=name in _FILLED), indent=2, ensure_ascii=False)


def _loosened(part: Any, *, filled: bool) -> Any:
    """A pattern also takes ``${NAME}``; a table takes only keys of its pattern."""
    if isinstance(part, list):
        return [_loosened(one, filled=filled) for one in part]
    if not isinstance(part, dict):
        return part
    written = {key: _loosened(one, filled=filled) for key, one in part.items()}
    if filled and isinstance(part.get("pattern"), str):
        written["pattern"] = rf"{part['pattern']}|\$\{{"
    if "patternProperties" in part:
        written.setdefault("additionalProperties", False)
    return written
