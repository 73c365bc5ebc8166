"""The two kinds of records: those that people write in YAML, and those that the program makes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Written(BaseModel):
    """A frozen record that people write: an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class Shaped:
    """See ``shaped``."""

    pattern: str
    expected: str

    def check(self, text: str) -> str:
        """The text, where it matches; raises ``ValueError``."""
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.expected}")
        return text

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


def shaped(pattern: str, expected: str) -> Shaped:
    """A text that matches the whole pattern; the error says ``expected`` instead of the pattern.

    The pattern is for editors too (JSON Schema), so it has nothing that only Python knows.
    """
    return Shaped(pattern, expected)
