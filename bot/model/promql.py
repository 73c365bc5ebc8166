"""What is asked of a Prometheus: an expression of the config, with the target's labels filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

TARGET = "target"
"""The label that every target has: its name."""

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_QUERY = "/api/v1/query"


def names(expression: str) -> tuple[str, ...]:
    """The labels that the expression asks for, such as ``instance`` for ``$instance``.

    What else begins with ``$`` is left alone: the end of a regular expression, ``$1`` of ``label_replace``.
    """
    return tuple(_NAME.findall(expression))


def filled(expression: str, labels: Mapping[str, str]) -> str:
    """The expression with each ``$NAME`` that is among the labels replaced.

    A label's value has no quotes and no backslashes, so it can't end the string that it stands in.
    """
    return _NAME.sub(lambda match: labels.get(match[1], match[0]), expression)


def question(url: str, expression: str) -> str:
    """The URL of an instant query; ``url`` is the server's base, or its ``/api/v1/query``."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(_QUERY) + _QUERY
    asked = f"query={quote(expression, safe='')}"
    query = f"{parts.query}&{asked}" if parts.query else asked
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))
