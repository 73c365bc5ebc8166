"""What a watched service is, and the bounds that it is held against."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from bot.model.record import Written, shaped
from bot.model.units import Duration


def _http_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme.lower() not in {"http", "https"} or not separator or not rest.split("/")[0]:
        raise ValueError("expected a URL that starts with http:// or https://")
    if "@" in rest.split("/")[0]:
        raise ValueError("expected a URL without a user name or password in it")
    return url


Url = Annotated[str, AfterValidator(_http_url)]
Name = Annotated[
    str,
    shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a name of lower-case letters, digits, - and _ that begins with a letter",
    ),
]


class HealthSource(Written):
    """Where a target says how it is."""

    url: Url
    status: str | None = Field(None, description="JMESPath to the status word in the JSON answer")
    healthy: tuple[str, ...] = Field(
        ("ok", "healthy", "up", "pass", "running"), description="status words that mean healthy"
    )
    timeout: Duration = 5_000


class AgentSource(Written):
    """The agent on the target's host."""

    url: Url
    token: SecretStr | None = None
    timeout: Duration = 5_000

    @field_validator("token", mode="before")
    @classmethod
    def _empty_is_none(cls, token: object) -> object:
        """``${IORA_AGENT_TOKEN:-}`` without the variable: an agent on loopback needs none."""
        return None if token == "" else token


class Target(Written):
    """A watched service."""

    description: str = ""
    poll: Duration = 30_000
    window: Duration = Field(300_000, description="over which P95 and error rate are taken")
    health: HealthSource
    agent: AgentSource | None = None

    @model_validator(mode="after")
    def _poll_is_sane(self) -> Self:
        if not 500 <= self.poll <= 3_600_000:
            raise ValueError("poll: expected between 500ms and 1h")
        return self


class Bound(Written):
    """What a healthy target stays within: strictly below, or strictly above, a number."""

    below: float | None = None
    above: float | None = None
    informative: bool = False

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.below is None) == (self.above is None):
            raise ValueError("expected exactly one of below and above")
        return self

    def holds(self, value: float) -> bool:
        """Whether the value is strictly within the bound."""
        if self.below is not None:
            return value < self.below
        assert self.above is not None
        return value > self.above

    @property
    def limit(self) -> float:
        """The number, whichever side it is on."""
        limit = self.below if self.below is not None else self.above
        assert limit is not None
        return limit

    @property
    def direction(self) -> Literal["under", "over"]:
        """The side on which a healthy value lies, as a word for a person."""
        return "under" if self.below is not None else "over"
