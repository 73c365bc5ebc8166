"""A deploy: something new runs on a target from a moment on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Deploy:
    """``at`` in milliseconds since the epoch; ``title`` is what it is, such as ``v1.2.3``, or empty.

    ``source`` says who told of it: an actor, or the name of a source that reports deploys by itself.
    """

    target: str
    at: int
    title: str
    source: str
