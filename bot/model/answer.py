"""What the person who asked is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model.incident import Facts


@dataclass(frozen=True)
class Refusal:
    """No, with the reason, who may, and what to do instead."""

    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".strip()


@dataclass(frozen=True)
class Confirm(Refusal):
    """Not yet: the person is asked first. ``action`` is the id of the button that says yes."""

    label: str = ""
    action: str = ""
    value: str = ""


@dataclass(frozen=True)
class Challenge(Confirm):
    """Not yet: it is resolved only with a reason, for something still fails.

    ``failing``: what, a line each, as it came from outside; ``text``: what was written already.
    """

    incident: int = 0
    failing: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``kind`` names the drawing, ``facts`` what is drawn; ``--json`` prints the facts as they are.

    ``finding``: the answer is bad news (a target that is not healthy), so the exit code is 1.
    """

    kind: str
    facts: Facts = field(default_factory=dict)
    finding: bool = False
