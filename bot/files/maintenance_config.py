"""What the windows of maintenance name: targets that there are, and themselves, each once."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.problem import Fault
from bot.files.tree import Data, each
from bot.model.nearest import nearest


def windows(data: Data) -> Iterator[Fault]:
    """Their targets are configured, and no two are called the same."""
    known = tuple(str(loc[-1]) for loc, _ in each(data, "targets", None))
    for loc, name in each(data, "maintenance", None, "targets", None):
        if isinstance(name, str) and name not in known:
            near = nearest(name, known)
            fix = "" if near else "add it below targets"
            yield Fault(at=loc, text="there is no target of this name", near=near, fix=fix)
    seen: set[str] = set()
    for loc, name in each(data, "maintenance", None, "name"):
        if isinstance(name, str) and name in seen:
            yield Fault(at=loc, text="another window is called so", fix="give it another name")
        seen.add(str(name))
