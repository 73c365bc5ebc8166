"""HTML elements from Python values: content and attributes are escaped, always."""

from __future__ import annotations

from hashlib import blake2b

from markupsafe import Markup, escape

VOID = frozenset({"img", "input", "hr", "br"})


def tag(name: str, /, *content: str | Markup, **attributes: str | int | None) -> Markup:
    """One element.

    Attributes: `class_` is `class`, other underscores are hyphens; None and False are left out,
    True stands bare.
    """
    written = Markup().join(
        Markup(" {}").format(key) if value is True else Markup(' {}="{}"').format(key, value)
        for key, value in (
            (key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
        )
        if value is not None and value is not False
    )
    start = Markup("<{}{}>").format(name, written)
    if name in VOID:
        return start
    return start + Markup().join(escape(part) for part in content) + Markup("</{}>").format(name)


def key(*parts: str) -> str:
    """A short id for an element, the same in every rendering, whatever the parts contain."""
    return "e" + blake2b("\0".join(parts).encode(), digest_size=6).hexdigest()
