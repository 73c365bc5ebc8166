"""``python -m bot.agent``: the agent without the command line; ``IORA_AGENT_CONFIG`` names its file."""

import os
import sys
from pathlib import Path

from bot.agent.program import run

if __name__ == "__main__":
    sys.exit(run(Path(os.environ.get("IORA_AGENT_CONFIG", "agent.yaml")), os.environ))
