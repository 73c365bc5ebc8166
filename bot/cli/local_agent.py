"""The agent's config in ``iora local``: the sample's pid file and log, and the probes that this machine has."""

from __future__ import annotations

import json
import shutil

_PROBES: dict[str, dict[str, object]] = {
    "uptime": {"argv": ["uptime"], "timeout": "5s", "description": "load of the host"},
    "top": {
        "argv": ["top", "-b", "-n", "1", "-w", "200"],
        "timeout": "10s",
        "description": "what takes CPU and memory on the host",
    },
    "ps": {
        "argv": ["ps", "-o", "user,pid,pcpu,pmem,vsz,rss,stat,etime,args", "-p", "{pid}"],
        "timeout": "5s",
    },
    "ps-threads": {
        "argv": ["ps", "-T", "-o", "spid,pcpu,stat,time,comm", "-p", "{pid}"],
        "timeout": "5s",
        "description": "CPU by thread",
    },
    "ping": {"argv": ["ping", "-c", "5", "-i", "0.2", "127.0.0.1"], "timeout": "10s"},
    "traceroute": {"argv": ["traceroute", "127.0.0.1"], "timeout": "10s"},
    "eu-stack": {
        "argv": ["eu-stack", "-p", "{pid}"],
        "timeout": "30s",
        "approval": True,
        "description": "stacks of all threads",
    },
}


def agent_yaml() -> str:
    """The file's text; a probe is offered where its program is installed."""
    probes = {name: probe for name, probe in _PROBES.items() if _installed(probe)}
    return json.dumps(
        {
            "listen": "127.0.0.1:0",
            "process": {"pid_file": "sample.pid"},
            "logs": [{"file": "iora.log"}],
            "probes": probes,
            "leak": {"threshold_mb": 512, "window": "2m"},
        },
        indent=1,
    )


def _installed(probe: dict[str, object]) -> bool:
    argv = probe["argv"]
    assert isinstance(argv, list)
    return shutil.which(argv[0]) is not None
