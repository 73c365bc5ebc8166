"""``iora agent``: the agent on a watched host."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
def agent() -> None:
    """Measure the process that agent.yaml names (IORA_AGENT_CONFIG names another file)."""
    from bot.agent import run

    config = Path(os.environ.get("IORA_AGENT_CONFIG", "") or "agent.yaml")
    sys.exit(run(config, os.environ))
