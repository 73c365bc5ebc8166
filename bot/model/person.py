"""People as the config names them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

PERSON_SHAPE = "[UW][A-Z0-9]{2,30}"
PERSON = re.compile(rf"^{PERSON_SHAPE}\Z")


def _person(text: str) -> str:
    if not PERSON.match(text):
        raise ValueError(
            "expected a Slack member id such as U02BOB (profile, More, Copy member ID)"
        )
    return text


Person = Annotated[
    str, AfterValidator(_person), Field(json_schema_extra={"pattern": f"^{PERSON_SHAPE}$"})
]
