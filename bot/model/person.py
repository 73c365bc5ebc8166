"""People as the config names them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

PERSON = re.compile(r"^[UW][A-Z0-9]{2,30}\Z")


def _person(text: str) -> str:
    if not PERSON.match(text):
        raise ValueError(
            "expected a Slack member id such as U02BOB (profile, More, Copy member ID)"
        )
    return text


Person = Annotated[str, AfterValidator(_person)]
