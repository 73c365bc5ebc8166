"""``config.yaml`` as frozen records. Reading the file is the work of ``bot.files``."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.model.detection import Rules, metrics_of
from bot.model.intake import Intake
from bot.model.person import PERSON, PERSON_SHAPE, Person
from bot.model.policy import Escalation
from bot.model.record import Written, shaped
from bot.model.regression import RegressionSettings
from bot.model.schedule import Schedule
from bot.model.silence import Window
from bot.model.target import Bound, Name, Target
from bot.model.upkeep import Backups, Heartbeat, Samples
from bot.model.way import NOBODY, Contact, EmailWay, WaySettings


def _person_or_login(text: str) -> str:
    if text.startswith("cli:") and len(text) > 4:
        return text
    if not PERSON.match(text):
        raise ValueError("expected a Slack member id such as U02BOB, or a login such as cli:alice")
    return text


RoleHolder = Annotated[
    str,
    AfterValidator(_person_or_login),
    Field(json_schema_extra={"pattern": f"^(?:{PERSON_SHAPE}|cli:.+)$"}),
]
Role = Literal["responder", "commander"]


Team = Annotated[str, shaped(r"T[A-Z0-9]{2,30}", "a team id such as T01TEAM")]
Channel = Annotated[
    str,
    shaped(
        r"#?[a-z0-9_-]{1,80}|[CG][A-Z0-9]{2,30}",
        "a channel's name such as incidents, or its id such as C01ABCDEF",
    ),
]


class SlackSettings(Written):
    """The team that the bot serves, and where incidents are announced."""

    team: Team | None = None
    channel: Channel = "incidents"
    guests: tuple[Person, ...] = Field(
        (), description="guests and people of connected teams who may use the bot all the same"
    )


# The guide's five bounds ("Performance Baseline Verification"), strict.
GUIDE_BASELINES = {
    "response_time_p95_ms": Bound(below=500),
    "error_rate_percent": Bound(below=0.1),
    "memory_mb": Bound(below=256),
    "cpu_percent": Bound(below=70),
    "test_coverage_percent": Bound(above=85, informative=True),
}
# The guide's escalation bounds ("Data Collection During Incidents").
GUIDE_CRITICAL = {"cpu_percent": Bound(below=90), "memory_mb": Bound(below=1024)}


class ReportSettings(Written):
    """How diagnostic reports are kept and shown."""

    keep: int = Field(50, ge=1, le=10_000, description="the newest; an open incident's always stay")
    logs: Literal["report", "thread", "channel"] = Field(
        "report", description="where log lines may go: the report only, its thread, the channel"
    )
    emails: Literal["redact", "keep"] = Field(
        "redact", description="addresses of people in what a report quotes"
    )


def _filled(targets: dict[str, Target]) -> dict[str, Target]:
    return {name: target.filled(name) for name, target in targets.items()}


class Config(Written):
    """The whole file."""

    version: Literal[1]
    slack: SlackSettings = SlackSettings()
    targets: Annotated[dict[Name, Target], AfterValidator(_filled)] = Field(min_length=1)
    baselines: dict[Name, Bound] = GUIDE_BASELINES
    critical: dict[Name, Bound] = GUIDE_CRITICAL
    regression: RegressionSettings = RegressionSettings()
    escalation: Escalation
    groups: dict[Name, Annotated[tuple[Person, ...], Field(min_length=1)]] = {}
    oncall: dict[Name, Schedule] = {}
    roles: dict[Role, tuple[RoleHolder, ...]] = {}
    reports: ReportSettings = ReportSettings()
    ways: dict[Name, WaySettings] = {}
    people: dict[Person, Contact] = {}
    heartbeat: Heartbeat | None = None
    backups: Backups = Backups()
    intake: Intake = Intake()
    samples: Samples = Samples()
    detection: Rules = ()
    maintenance: tuple[Window, ...] = Field((), max_length=100)

    def holders(self, role: Role) -> tuple[str, ...]:
        """Who has the role: member ids, and logins as ``cli:LOGIN``."""
        return self.roles.get(role, ())

    def contact(self, person: str) -> Contact:
        """How a person is reached: by Slack, where the file says nothing else."""
        return self.people.get(person, NOBODY)

    def allows(self, url: str) -> bool:
        """Whether the file names the URL, or it is an endpoint of an agent that the file names."""
        return url in self._urls or url.rpartition("/v1/")[0] in self._agents

    @cached_property
    def asked(self) -> frozenset[str]:
        """The first part of every name that conditions of levels and of rules speak of."""
        return self.escalation.metrics | metrics_of(self.detection)

    @cached_property
    def _urls(self) -> frozenset[str]:
        targets = self.targets.values()
        measured = (url for target in targets for source in target.metrics for url in source.asked)
        changed = (action.url for target in targets for action in target.actions.values())
        told = (way.url for way in self.ways.values() if not isinstance(way, EmailWay))
        alive = (self.heartbeat.url,) if self.heartbeat else ()
        health = (target.health.asked for target in targets)
        return frozenset((*health, *measured, *changed, *told, *alive))

    @cached_property
    def _agents(self) -> frozenset[str]:
        agents = (target.agent for target in self.targets.values())
        return frozenset(agent.url.rstrip("/") for agent in agents if agent)
