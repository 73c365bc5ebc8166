"""What a watched service is, and the bounds that it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

from bot.model import promql
from bot.model.auth import Auth, Token
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
LabelName = Annotated[
    str, shaped(r"[A-Za-z_][A-Za-z0-9_]{0,99}", "a label's name of letters, digits and _")
]
LabelValue = Annotated[
    str, shaped(r"[^\"'`\\\x00-\x1f]{1,200}", "a text without quotes and backslashes")
]


def place_of(url: str) -> str:
    """What messages call a URL: without its query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


class HealthSource(Written):
    """Where a target says how it is, or where a Prometheus says whether it is up."""

    url: Url
    promql: str | None = Field(
        None,
        min_length=1,
        max_length=2_000,
        description="url is a Prometheus: 1 is healthy, 0 down, what is between degraded",
    )
    auth: Auth | None = Field(None, description="with promql: how the Prometheus knows the bot")
    status: str | None = Field(None, description="JMESPath to the status word in the JSON answer")
    healthy: tuple[str, ...] = Field(
        ("ok", "healthy", "up", "pass", "running"), description="status words that mean healthy"
    )
    timeout: Duration = 5_000
    relay: Name | None = Field(
        None,
        description="the same, as the agent relays it: asked where url gives no answer, to tell "
        "down from unreachable from here",
    )

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if self.promql is not None and self.relay is not None:
            raise ValueError("expected relay or promql, not both: an agent relays no Prometheus")
        if self.promql is not None and self.status is not None:
            raise ValueError("expected status or promql, not both: a Prometheus has no status word")
        if self.promql is None and self.auth is not None:
            raise ValueError("expected auth: beside health:, its own auth is for promql")
        return self

    @property
    def label(self) -> str:
        """What messages call it."""
        return place_of(self.url)

    @property
    def asked(self) -> str:
        """The URL that is requested."""
        return self.url if self.promql is None else promql.question(self.url, self.promql)

    def filled(self, labels: Mapping[str, str]) -> HealthSource:
        """With the target's labels in the expression."""
        if self.promql is None:
            return self
        return self.model_copy(update={"promql": promql.filled(self.promql, labels)})


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
        max_length=2_000,
        description="json: a JMESPath; text and prometheus: the name that begins the line; promql:"
        " the expression",
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
        max_length=2_000,
        description="where its time is; json: a `timestamp` beside the value by default; promql: an"
        " expression such as timestamp(up)",
    )
    labels: dict[str, str] = Field({}, description="prometheus: those that the sample must have")

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale: expected another number than 0")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("range: expected the lowest value, then the highest")
        return self

    def filled(self, labels: Mapping[str, str]) -> Value:
        """With the target's labels in the expressions."""
        at = None if self.at is None else promql.filled(self.at, labels)
        return self.model_copy(update={"path": promql.filled(self.path, labels), "at": at})


class MetricSource(Written):
    """An answer that holds metrics: of a URL, or of what the agent relays under a name."""

    url: Url | None = None
    relay: Name | None = Field(None, description="a name below `relay` of the agent's own config")
    format: Literal["json", "text", "prometheus", "promql"] = Field(
        "json", description="promql: url is a Prometheus, which is asked for each value"
    )
    auth: Auth | None = Field(None, description="promql: how the Prometheus knows the bot")
    values: dict[
        MetricName,
        Annotated[Value, BeforeValidator(_in_full, json_schema_input_type=str | Value)],
    ] = Field(min_length=1)
    timeout: Duration = 5_000

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.relay is None):
            raise ValueError("expected exactly one of url and relay")
        if self.format != "promql" and self.auth is not None:
            raise ValueError("expected auth: of the target, its own auth is for format promql")
        if self.format == "promql" and self.url is None:
            raise ValueError("expected url: of a Prometheus, a relay takes no query")
        return self

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.relay} via agent" if self.url is None else place_of(self.url)

    @property
    def asked(self) -> Iterator[str]:
        """The URLs that are requested, without an agent's."""
        if self.url is None:
            return
        if self.format != "promql":
            yield self.url
            return
        for value in self.values.values():
            for expression in (value.path, value.at):
                if expression is not None:
                    yield promql.question(self.url, expression)

    def filled(self, labels: Mapping[str, str]) -> MetricSource:
        """With the target's labels in the expressions."""
        if self.format != "promql":
            return self
        values = {metric: value.filled(labels) for metric, value in self.values.items()}
        return self.model_copy(update={"values": values})


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
    labels: dict[LabelName, LabelValue] = Field(
        {}, description="what $NAME stands for in PromQL; $target is the target's name"
    )
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
    def polled(self) -> bool:
        """Whether the bot asks the target itself, so that its polls tell of response times and errors."""
        return self.health.promql is None

    def filled(self, name: str) -> Target:
        """Called by this name, with its labels in what a Prometheus is asked."""
        labels = {promql.TARGET: name, **self.labels}
        metrics = tuple(source.filled(labels) for source in self.metrics)
        return self.model_copy(update={"health": self.health.filled(labels), "metrics": metrics})

    @property
    def timeout(self) -> int:
        """How long the slowest of its sources may take, in milliseconds.

        Where the health URL gives no answer, the agent is asked after that.
        """
        second_look = self.agent.timeout if self.agent is not None else 0
        limits = [source.timeout for source in self.metrics]
        return max(self.health.timeout + second_look, *limits, 0)

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
