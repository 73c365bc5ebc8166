"""An action's request, exactly as it is sent, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import JsonValue, SecretStr

HIDDEN = "***"
_OPEN = frozenset({"content-type"})  # headers whose values are no secrets


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent, and the only thing that is: a preview shows the same record.

    ``url``, ``headers`` and ``body`` may hold secrets: people see what is called ``shown``.
    ``timeout`` in milliseconds.
    """

    action: str
    title: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, SecretStr]
    body: bytes | None = field(repr=False)
    shown_json: JsonValue
    timeout: int

    @property
    def shown_url(self) -> str:
        """The URL with the values of its query hidden, as one of them may be a key."""
        parts = urlsplit(self.url)
        query = [(name, HIDDEN) for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        return urlunsplit(parts._replace(query=urlencode(query, safe="*"), fragment=""))

    @property
    def shown_headers(self) -> Mapping[str, str]:
        """Their names, the values hidden that may be secrets."""
        return {
            name: value.get_secret_value() if name.lower() in _OPEN else HIDDEN
            for name, value in self.headers.items()
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of headers that nobody should read."""
        return tuple(
            value.get_secret_value()
            for name, value in self.headers.items()
            if name.lower() not in _OPEN
        )


@dataclass(frozen=True)
class Done:
    """The target said that it is done. ``said`` is what it answered, for people: redacted and cut."""

    status: int
    said: str


@dataclass(frozen=True)
class Failed:
    """It is certain that nothing was done."""

    reason: str


@dataclass(frozen=True)
class Unclear:
    """It may have been done, or not: a person looks, and decides."""

    reason: str


ActionOutcome = Done | Failed | Unclear
