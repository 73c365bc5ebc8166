"""What a watched service is, and the bounds that it is held against."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    SecretStr,
    field_validator,
    model_validator,
)

from bot.model.network import refusal
from bot.model.record import Written, shaped
from bot.model.units import Duration


def _http_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme.lower() not in {"http", "https"} or not separator or not rest.split("/")[0]:
        raise ValueError("expected a URL that starts with http:// or https://")
    if "@" in rest.split("/")[0]:
        raise ValueError("expected a URL without a user name or password in it")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected a URL with a host, and a port from 1 to 65535 if any")
    reason = refusal(parts.hostname or "")
    if reason is not None:
        raise ValueError(f"expected a URL that the bot may ask: {reason}")
    return url


def _token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected a token: ASCII characters that can be printed, no spaces")
    return token


def _in_full(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def _pair(value: object) -> object:
    """A list, as it comes from a file, is a tuple for a strict schema."""
    if not isinstance(value, list):
        return value
    if len(value) != 2:
        raise ValueError("expected two numbers: the lowest value, then the highest")
    return tuple(value)


Url = Annotated[
    str,
    AfterValidator(_http_url),
    Field(json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"}),
]
Name = Annotated[
    str,
    shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a name of lower-case letters, digits, - and _ that begins with a letter",
    ),
]
MetricName = Annotated[
    str,
    shaped(
        r"[a-z][a-z0-9_]{0,62}",
        "a metric's name of lower-case letters, digits and _ that begins with a letter",
    ),
]
Token = Annotated[SecretStr, AfterValidator(_token)]


def place_of(url: str) -> str:
    """What messages call a URL: without its query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


class HealthSource(Written):
    """Where a target says how it is."""

    url: Url
    status: str | None = Field(None, description="JMESPath to the status word in the JSON answer")
    healthy: tuple[str, ...] = Field(
        ("ok", "healthy", "up", "pass", "running"), description="status words that mean healthy"
    )
    timeout: Duration = 5_000

    @property
    def label(self) -> str:
        """What messages call it."""
        return place_of(self.url)


class AgentSource(Written):
    """The agent on the target's host."""

    url: Url
    token: Token | None = None
    timeout: Duration = 5_000

    @field_validator("token", mode="before")
    @classmethod
    def _empty_is_none(cls, token: object) -> object:
        """``${IORA_AGENT_TOKEN:-}`` without the variable: an agent on loopback needs none."""
        return None if token == "" else token

    def endpoint(self, path: str) -> str:
        """The URL of one thing that the agent offers, such as ``metrics`` or ``relay/dashboard``."""
        return f"{self.url.rstrip('/')}/v1/{path}"


class Value(Written):
    """Where in an answer a metric's value is, and when it counts."""

    path: str = Field(
        min_length=1,
        max_length=200,
        description="JMESPath in json; in text and prometheus the name that begins the line",
    )
    scale: float = Field(
        1.0, allow_inf_nan=False, description="what the number is multiplied by to be in its unit"
    )
    range: Annotated[tuple[float, float], BeforeValidator(_pair)] | None = Field(
        None, description="the lowest and highest value that can be true, after scale"
    )
    max_age: Duration | None = None
    at: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="where its time is; json: a `timestamp` beside the value by default",
    )
    labels: dict[str, str] = Field({}, description="prometheus: those that the sample must have")

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale: expected another number than 0")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("range: expected the lowest value, then the highest")
        return self


class MetricSource(Written):
    """An answer that holds metrics: of a URL, or of what the agent relays under a name."""

    url: Url | None = None
    relay: Name | None = Field(None, description="a name below `relay` of the agent's own config")
    format: Literal["json", "text", "prometheus"] = "json"
    values: dict[
        MetricName,
        Annotated[Value, BeforeValidator(_in_full, json_schema_input_type=str | Value)],
    ] = Field(min_length=1)
    timeout: Duration = 5_000

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.relay is None):
            raise ValueError("expected exactly one of url and relay")
        return self

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.relay} via agent" if self.url is None else place_of(self.url)


class HmacKey(Written):
    """Requests carry the hex HMAC-SHA256 of their compact JSON body; of ``{}`` where they have none."""

    header: Annotated[str, shaped(r"[A-Za-z0-9-]{1,100}", "the name of a header")] = (
        "x-iora-signature"
    )
    secret: Annotated[SecretStr, Field(min_length=1)]


class Auth(Written):
    """How the target knows the bot; sent to this target's URLs only, not to its agent."""

    hmac_sha256: HmacKey | None = None
    bearer: Token | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.hmac_sha256 is None) == (self.bearer is None):
            raise ValueError("expected exactly one of hmac_sha256 and bearer")
        return self


def _header_name(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError(f"expected another header: {name} is the HTTP client's own")
    return name


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("expected a header's value: ASCII characters that can be printed")
    return value


# What the HTTP client writes itself, and what would change how the request is framed.
_OURS = frozenset(
    {"host", "connection", "content-length", "content-encoding", "transfer-encoding", "expect"}
    | {"te", "trailer", "upgrade", "keep-alive", "proxy-connection", "accept-encoding"}
)
HeaderName = Annotated[
    str,
    shaped(r"[A-Za-z0-9_-]{1,100}", "the name of a header such as X-Api-Key"),
    AfterValidator(_header_name),
]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]


class Action(Written):
    """A request that changes the target: called once, after an approval, by its name only."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: Url
    body: JsonValue = Field(
        None, alias="json", description="what is sent, as JSON; null, as without it: no body"
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        {}, max_length=20, description="never shown; secrets as ${NAME} from the environment"
    )
    timeout: Duration = 10_000
    expect: tuple[Annotated[int, Field(ge=200, le=499)], ...] | None = Field(
        None, min_length=1, description="status codes that mean done; default: 200 to 299"
    )
    undo: Name | None = Field(None, description="the action of this target that takes it back")
    title: str = Field("", max_length=150, description="what people read; default: its name")
    description: str = Field("", max_length=1_000)

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not 100 <= self.timeout <= 600_000:
            raise ValueError("timeout: expected between 100ms and 10m")
        if len({name.lower() for name in self.headers}) != len(self.headers):
            raise ValueError("headers: expected each header once, however it is written")
        return self

    def means_done(self, status: int) -> bool:
        """Whether the status code of an answer says that it is done."""
        return 200 <= status <= 299 if self.expect is None else status in self.expect


class Target(Written):
    """A watched service."""

    description: str = ""
    poll: Duration = 30_000
    window: Duration = Field(300_000, description="over which P95 and error rate are taken")
    health: HealthSource
    metrics: tuple[MetricSource, ...] = Field(
        (), description="where several give a metric, the first one that has it counts"
    )
    agent: AgentSource | None = None
    auth: Auth | None = None
    actions: dict[Name, Action] = Field(
        {}, description="what may be called to change it, always behind an approval"
    )

    @property
    def timeout(self) -> int:
        """How long the slowest of its sources may take, in milliseconds."""
        limits = [self.health.timeout, *(source.timeout for source in self.metrics)]
        return max(limits if self.agent is None else [*limits, self.agent.timeout])

    @model_validator(mode="after")
    def _poll_is_sane(self) -> Self:
        if not 500 <= self.poll <= 3_600_000:
            raise ValueError("poll: expected between 500ms and 1h")
        return self

    def action_title(self, name: str) -> str:
        """What people read of one of its actions: its title, or its name as words."""
        words = name.replace("_", " ").replace("-", " ").strip()
        return self.actions[name].title or words[:1].upper() + words[1:]


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
