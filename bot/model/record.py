"""The two kinds of records: those that people write in YAML, and those that the program makes."""

from __future__ import annotations

import re

from pydantic import AfterValidator, BaseModel, ConfigDict


class Written(BaseModel):
    """A frozen record that people write: an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def shaped(pattern: str, expected: str) -> AfterValidator:
    """A text that matches the whole pattern; the error says ``expected`` instead of the pattern."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)
