"""The config that every measurement uses: as many targets as asked, three levels, three people."""

from __future__ import annotations

import json

from bot.model.config import Config

TEAM, ALICE, BOB = "T01TEAM", "U01ALICE", "U02BOB"


def config(targets: int = 1, url: str = "http://127.0.0.1:9") -> Config:
    """``url`` is where the targets and their agents listen; only a measurement of health asks them."""
    return Config.model_validate_json(
        json.dumps(
            {
                "version": 1,
                "slack": {"team": TEAM, "channel": "incidents"},
                "targets": {
                    f"service-{number}": {
                        "health": {"url": f"{url}/api/health", "status": "status"},
                        "agent": {"url": url},
                    }
                    for number in range(1, targets + 1)
                },
                "escalation": {
                    "default": "critical",
                    "last_resort": [f"user:{ALICE}"],
                    "policies": {
                        "critical": {
                            "levels": [
                                {"after": "0s", "notify": ["channel", f"user:{ALICE}"]},
                                {"after": "5m", "notify": ["group:engineering"]},
                                {"after": "15m", "notify": [f"user:{BOB}"]},
                            ],
                            "repeat": {"every": "15m", "times": 3},
                        }
                    },
                },
                "groups": {"engineering": [ALICE, BOB]},
                "roles": {"responder": [ALICE, BOB], "commander": [ALICE]},
            }
        )
    )
