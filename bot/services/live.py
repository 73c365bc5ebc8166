"""The config and the runbooks as they are now: a reload replaces them whole.

What is under way keeps what it read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model.book import Books, Broken
from bot.model.config import Config


@dataclass
class Live:
    """Holds the one config, and the runbooks, that everything reads at its start.

    ``broken``: the runbooks that can't be used, and why. They keep nobody from using the others.
    """

    config: Config
    books: Books = field(default_factory=dict)
    broken: Broken = field(default_factory=dict)
