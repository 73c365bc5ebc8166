"""Ways out beside Slack: how the config writes them, whom they reach, and what goes through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.model.auth import Token
from bot.model.calendar import Timezone
from bot.model.incident import Severity
from bot.model.network import is_loopback, refusal
from bot.model.record import Written, shaped
from bot.model.target import Name, Url
from bot.model.units import Duration

SLACK = "slack"
"""The built-in way, and everybody's where ``people`` says nothing else."""
Event = Literal["page", "acknowledged", "resolved"]
EVENTS_API = "https://events.pagerduty.com/v2/enqueue"


def _private_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.lower() != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("expected a URL that starts with https://, or one of this machine")
    return url


def _patience(timeout: int) -> int:
    if not 1_000 <= timeout <= 60_000:
        raise ValueError("expected between 1s and 1m")
    return timeout


def _host(host: str) -> str:
    reason = refusal(host)
    if reason is not None:
        raise ValueError(f"expected a host that the bot may ask: {reason}")
    return host


PrivateUrl = Annotated[Url, AfterValidator(_private_url)]
Patience = Annotated[Duration, AfterValidator(_patience)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Address = Annotated[
    str,
    # Plain ones only: no quotes, comments or brackets, so that an address is never more than that.
    shaped(
        r"[A-Za-z0-9._%+=~-]{1,64}@(?=.{1,253}\Z)(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}",
        "an address such as bob@example.com",
    ),
]
Host = Annotated[
    str,
    shaped(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}", "a host such as smtp.example.com"),
    AfterValidator(_host),
]
PagerDutyUser = Annotated[
    str,
    shaped(r"[A-Z0-9]{4,30}", "a PagerDuty user id such as PXPGF42 (the end of a profile's URL)"),
]


class PagerDutyWay(Written):
    """A service of PagerDuty: it calls whoever is on call there, not the person who is paged here."""

    kind: Literal["pagerduty"]
    routing_key: Token = Field(description="the integration key of an Events API v2 integration")
    webhook_secret: Secret | None = Field(
        None, description="of a v3 webhook, so that an acknowledgement there counts here"
    )
    url: PrivateUrl = EVENTS_API
    timeout: Patience = 10_000


class WebhookWay(Written):
    """Signed JSON to a URL."""

    kind: Literal["webhook"]
    url: PrivateUrl
    secret: Secret
    timeout: Patience = 10_000


class EmailWay(Written):
    """Mail through an SMTP server, to the address of whoever is paged."""

    kind: Literal["email"]
    host: Host
    port: int = Field(587, ge=1, le=65_535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(None, min_length=1, max_length=320)
    password: Secret | None = None
    sender: Address = Field(alias="from")
    timeout: Patience = 10_000

    @model_validator(mode="after")
    def _login_is_safe(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("expected both user and password, or neither")
        if self.tls == "none" and self.user is not None and not is_loopback(self.host):
            raise ValueError(
                "tls: expected starttls or tls: the password would be readable on its way"
            )
        return self

    @property
    def domain(self) -> str:
        """What the ids of its messages end with."""
        return self.sender.rpartition("@")[2]


WaySettings = Annotated[PagerDutyWay | WebhookWay | EmailWay, Field(discriminator="kind")]


class Contact(Written):
    """How a person is reached: the ways in the order in which they are tried."""

    ways: tuple[Name, ...] = Field((SLACK,), min_length=1, max_length=10)
    name: str = Field(
        "", max_length=60, description="what is read where Slack's names aren't known"
    )
    email: Address | None = None
    timezone: Timezone | None = Field(None, description="of the times in what is not Slack's")
    pagerduty: PagerDutyUser | None = Field(
        None, description="the PagerDuty user whose acknowledgement is this person's"
    )


NOBODY = Contact()
"""What counts for somebody whom ``people`` doesn't name."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is told about an incident by another way than Slack: plain words, nothing to be drawn.

    ``key`` is the outbox row's, ``thread`` the incident's: what is said again carries the same. ``at``:
    when it was decided, in milliseconds since the epoch. ``text`` is the whole of it, with lines;
    ``address`` where mail goes; ``repeated``: it may have arrived before. ``anew``: it calls anew after the
    entry of this number, with which somebody had answered; 0: nobody had.
    """

    key: str
    thread: str
    incident: str
    severity: Severity
    title: str
    text: str
    reason: str
    at: int
    person: str | None = None
    address: str | None = None
    link: str | None = None
    targets: tuple[str, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    drill: bool = False
    repeated: bool = False
    anew: int = 0

    @property
    def alert(self) -> str:
        """What it is called where an alert that was acknowledged calls nobody any more."""
        return f"{self.thread}:{self.anew}" if self.anew else self.thread

    @property
    def subject(self) -> str:
        """``[SEV2] INC-7 API slow``: the same for all that is said of the incident."""
        drill = "DRILL " if self.drill else ""
        return f"[{drill}{self.severity.upper()}] {self.incident} {self.title}"


def thread_of(house: str, incident_id: int) -> str:
    """What an incident is called outside; ``house`` is the team's id, so that two bots don't mix."""
    return f"iora:{house}:INC-{incident_id}"


def incident_in(thread: str, house: str) -> int | None:
    """The number of the incident that is called so, or its alert; None if it is not one of this house."""
    said = thread.removeprefix(f"iora:{house}:INC-")
    number, *anew = said.split(":", 1)
    usable = all(one.isascii() and one.isdecimal() and len(one) <= 15 for one in (number, *anew))
    return int(number) if usable and said != thread else None
