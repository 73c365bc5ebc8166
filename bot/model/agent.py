"""``agent.yaml`` as frozen records. Reading the file is the work of ``bot.files``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.model.record import Written, shaped
from bot.model.target import Name, Url
from bot.model.units import Duration

PLACEHOLDERS = ("pid", "port", "folder")
"""What a probe's arguments may hold in braces: the watched process's pid, the port that
``process.port`` names, the folder that the probe runs in."""

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s\[\]:/]+)):(?P<port>\d{1,5})")
_BRACES = re.compile(r"\{([A-Za-z_]+)\}")
_UNIT = r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,250}"
_FILE = r"(?!\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]{0,99}"


@dataclass(frozen=True)
class Address:
    """Where a program listens; port 0 takes a free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it; a host name other than localhost counts as beyond."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``127.0.0.1:9108``, ``[::1]:9108`` or ``localhost:9108``. Raises ``ValueError``."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError("expected HOST:PORT such as 127.0.0.1:9108 or [::1]:9108")
    return Address(match["six"] or match["host"], int(match["port"]))


def _address(text: str) -> str:
    parse_address(text)
    return text


def _argument(text: str) -> str:
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            raise ValueError(f"expected no other placeholder than {known}")
    if "\0" in text:
        raise ValueError("expected no NUL")
    return text


def _loopback(url: str) -> str:
    try:
        parts = urlsplit(url)
        address = Address(parts.hostname or "", parts.port or 80)
    except ValueError:
        raise ValueError("expected a URL with a host and a port") from None
    if not address.loopback:
        raise ValueError(
            "expected a URL of this machine, such as http://127.0.0.1:8080/api/metrics"
        )
    return url


class ProcessRule(Written):
    """How the watched process is found: by exactly one of the three."""

    port: int | None = Field(None, ge=1, le=65535, description="the TCP port that it listens on")
    pid_file: str | None = Field(
        None, min_length=1, description="a relative path starts at the folder of agent.yaml"
    )
    name: str | None = Field(
        None, min_length=1, description="of the process, or of the program or script that it runs"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [value for value in (self.port, self.pid_file, self.name) if value is not None]
        if len(given) != 1:
            raise ValueError("expected exactly one of port, pid_file and name")
        return self


class LogSource(Written):
    """Where the watched service's log is: in exactly one of the three."""

    file: str | None = Field(
        None, min_length=1, description="a relative path starts at the folder of agent.yaml"
    )
    journald: Annotated[str, shaped(_UNIT, "a unit such as iora.service")] | None = None
    container: str | None = Field(
        None, min_length=1, description="the JSON log that the container's engine writes"
    )
    window: Duration = Field(900_000, description="how far back lines count")
    slow: Duration = Field(500, description="a request that takes longer counts as slow")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len([value for value in (self.file, self.journald, self.container) if value]) != 1:
            raise ValueError("expected exactly one of file, journald and container")
        if self.window < 1_000:
            raise ValueError("window: expected at least 1s")
        return self

    @property
    def label(self) -> str:
        """What it is called in an answer: ``file logs/iora.log``."""
        kinds = {"file": self.file, "journald": self.journald, "container": self.container}
        return next(f"{kind} {where}" for kind, where in kinds.items() if where)


class Probe(Written):
    """A command that may be run on request, as it stands here: no shell, no arguments from outside."""

    argv: tuple[Annotated[str, AfterValidator(_argument)], ...] = Field(min_length=1, max_length=64)
    description: str = ""
    timeout: Duration = 30_000
    output_kb: int = Field(256, ge=1, le=1_024, description="of what it prints, each stream")
    artifacts: tuple[Annotated[str, shaped(_FILE, "the name of a file, no path")], ...] = Field(
        (), max_length=8, description="files that it leaves in its folder"
    )
    artifact_mb: int = Field(16, ge=1, le=256, description="for all its files together")
    approval: bool = Field(
        False,
        description="it pauses or burdens the process: it is run only for who says `approved`",
    )

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not 100 <= self.timeout <= 600_000:
            raise ValueError("timeout: expected between 100ms and 10m")
        if not self.argv[0] or "{" in self.argv[0]:
            raise ValueError("argv: expected a program first")
        return self


class LeakRule(Written):
    """When memory is worth a word: over the threshold, or on the way to it within the window's trend."""

    threshold_mb: float = Field(512, gt=0)
    window: Duration = 1_800_000

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not 5_000 <= self.window <= 86_400_000:
            raise ValueError("window: expected between 5s and 1d")
        return self


class Tls(Written):
    """The files that the agent's HTTPS is made of (PEM)."""

    certificate: str = Field(min_length=1, description="with the chain, if it has one")
    key: str = Field(min_length=1)


def _dsn(dsn: SecretStr) -> SecretStr:
    """Only its shape: what is in it is never said."""
    text = dsn.get_secret_value()
    if not (text.startswith(("postgresql://", "postgres://")) or "=" in text):
        raise ValueError("expected a connection string that begins with postgresql://")
    return dsn


class PostgresRule(Written):
    """The watched service's database, read with the extra ``postgres``."""

    dsn: Annotated[SecretStr, AfterValidator(_dsn)] = Field(
        description="of a role that is a member of pg_monitor and needs no other right"
    )


class AgentConfig(Written):
    """The whole file."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:9108"
    token: SecretStr | None = Field(
        None, description="without it: the environment's IORA_AGENT_TOKEN, if it is set"
    )
    process: ProcessRule
    logs: tuple[LogSource, ...] = Field((), max_length=16)
    relay: dict[Name, Annotated[Url, AfterValidator(_loopback)]] = Field(
        {}, description="URLs of this machine that the agent fetches for the bot"
    )
    probes: dict[Name, Probe] = {}
    leak: LeakRule = LeakRule()
    tls: Tls | None = None
    postgres: PostgresRule | None = None

    @model_validator(mode="after")
    def _port_is_known(self) -> Self:
        for name, probe in self.probes.items():
            if self.process.port is None and any("{port}" in word for word in probe.argv):
                raise ValueError(f"probes.{name}: {{port}} needs process.port")
        return self
