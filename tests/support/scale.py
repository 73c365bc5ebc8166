"""How much the tests of faults do: little within ``make test``, all of it within ``make faults``."""

from __future__ import annotations

import os
import random
from typing import TypeVar

Figure = TypeVar("Figure", int, float)

FULL = os.environ.get("FAULTS_FULL") == "1"


def scaled(short: Figure, full: Figure) -> Figure:
    """The figure of the form that is run."""
    return full if FULL else short


def lot(name: str) -> random.Random:
    """Chance, from a seed that is printed; FAULTS_SEED plays the same again (the machine's timing aside).

    In the short form it is always the same one: what fails for some seeds is to be found by ``make faults``.
    """
    drawn = scaled(1, random.SystemRandom().randrange(1, 10**6))
    seed = int(os.environ.get("FAULTS_SEED", "0")) or drawn
    print(f"{name}: FAULTS_SEED={seed}")
    return random.Random(seed)


def told(name: str, figures: str) -> None:
    """Print what was measured: ``make faults`` shows it."""
    print(f"FIGURES {name}: {figures}")
