"""What an agent offers to run on its host, and what became of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal[
    "unreachable",
    "unauthorized",
    "not_offered",
    "needs_approval",
    "busy",
    "no_process",
    "not_runnable",
    "timeout",
    "too_large",
    "gone",
    "no_agent",
]
"""Why there is no result. ``timeout``, and ``unreachable`` after it was sent: it may still have run.
``gone``: a file that the agent does not keep any more. ``no_agent``: what answers is none."""


@dataclass(frozen=True, kw_only=True)
class ProbeOffer:
    """A probe that the agent's own config names; ``timeout`` in milliseconds."""

    name: str
    description: str
    argv: tuple[str, ...]
    timeout: int
    needs_approval: bool


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a run left: with its content where it is small, else to be downloaded."""

    run: str
    name: str
    size: int
    sha256: str
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ProbeRun:
    """A command that ran to its end, or was ended. Texts are redacted by the agent and here.

    ``at`` in ms since the epoch; ``exit_code`` None where ``signal`` ended it; ``stopped`` says why
    the agent ended it; ``left_out``: why an expected file is not among the artifacts.
    """

    probe: str
    at: int
    took_ms: float
    exit_code: int | None
    signal: int | None
    stopped: str | None
    stdout: str
    stderr: str
    stdout_dropped: int
    stderr_dropped: int
    artifacts: tuple[Artifact, ...]
    left_out: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and says that it went well."""
        return self.exit_code == 0 and self.stopped is None


@dataclass(frozen=True)
class ProbeFailed:
    """No result: the kind for programs, the reason for people."""

    kind: Trouble
    reason: str


Offers = Mapping[str, ProbeOffer] | ProbeFailed
ProbeOutcome = ProbeRun | ProbeFailed
