"""A runbook that is offered with a button: what a press of it starts, or previews."""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = r"[a-z][a-z0-9_-]{0,62}"
_WRITTEN = re.compile(rf"({_NAME}) (?:INC-([0-9]{{1,9}})|-) ({_NAME}|-)")


class Offer(NamedTuple):
    """The runbook with its incident and target, as far as they are known when the button is drawn."""

    runbook: str
    incident: int | None = None
    target: str | None = None

    def __str__(self) -> str:
        """``high-cpu-usage INC-7 iora``, with ``-`` for what is not known."""
        incident = f"INC-{self.incident}" if self.incident is not None else "-"
        return f"{self.runbook} {incident} {self.target or '-'}"

    @classmethod
    def parse(cls, text: str) -> Offer | None:
        """The offer of a button's value; None if it is something else."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        target = found[3] if found[3] != "-" else None
        return cls(found[1], int(found[2]) if found[2] else None, target)
