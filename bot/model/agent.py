"""``agent.yaml`` as frozen records. Reading the file is the work of ``bot.files``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.model.record import Written

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s\[\]:/]+)):(?P<port>\d{1,5})")


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


class AgentConfig(Written):
    """The whole file."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:9108"
    token: SecretStr | None = Field(
        None, description="without it: the environment's IORA_AGENT_TOKEN, if it is set"
    )
    process: ProcessRule
