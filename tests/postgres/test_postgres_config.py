"""The key `postgres` of agent.yaml."""

from __future__ import annotations

import pytest

from bot.errors import ConfigError
from bot.files.document import load_text
from bot.model.agent import AgentConfig

FILE = 'process: {port: 8080}\npostgres: {dsn: "${IORA_POSTGRES_DSN}"}\n'


def loaded(dsn: str) -> AgentConfig:
    return load_text(FILE, "agent.yaml", AgentConfig, {"IORA_POSTGRES_DSN": dsn})


@pytest.mark.parametrize(
    "dsn", ["postgresql://bob:s3cret@db/x", "postgres:///x", "host=/run/postgresql user=bob"]
)
def test_a_dsn_comes_out_of_the_environment_and_is_not_shown(dsn: str) -> None:
    config = loaded(dsn)
    assert config.postgres is not None
    assert config.postgres.dsn.get_secret_value() == dsn
    assert dsn not in repr(config)


def test_without_the_key_there_is_no_database() -> None:
    assert load_text("process: {port: 8080}\n", "agent.yaml", AgentConfig, {}).postgres is None


@pytest.mark.parametrize("dsn", ["s3cret", "mysql://bob:s3cret@db/x"])
def test_what_is_no_dsn_is_refused_at_its_place_without_being_told(dsn: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(dsn)
    said = str(refused.value)
    assert said.startswith("agent.yaml:2:17: ")
    assert "expected a connection string that begins with postgresql://" in said
    assert "s3cret" not in said
