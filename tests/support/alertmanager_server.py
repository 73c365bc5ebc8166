"""A real Alertmanager for tests: on loopback, without a cluster, with a folder of its own, gone at the end."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.installed import installed
from tests.support.ports import kept_port
from tests.support.programs import Reply, ask, child, until

ENDED = "2020-01-01T00:00:00Z"
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Alertmanager:
    """A server that is up."""

    url: str

    def fire(self, *alerts: Labels) -> None:
        """Alerts with these labels, as a Prometheus sends them."""
        self._post([_alert(labels) for labels in alerts])

    def resolve(self, *alerts: Labels) -> None:
        """They are over."""
        self._post([{**_alert(labels), "endsAt": ENDED} for labels in alerts])

    def sent(self) -> int:
        """How many requests to the webhook it has made, whatever came of them."""
        return self._counted("alertmanager_notification_requests_total")

    def failed(self) -> int:
        """How many of them got no answer, or no good one."""
        return self._counted("alertmanager_notification_requests_failed_total")

    def _post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        reply = ask(
            f"{self.url}/api/v2/alerts", alerts, headers={"Content-Type": "application/json"}
        )
        assert reply.status == 200, reply.text

    def _counted(self, name: str) -> int:
        found = re.search(
            rf'^{name}{{integration="webhook"}} (\S+)$', self._metrics().text, re.MULTILINE
        )
        return int(float(found[1])) if found else 0

    def _metrics(self) -> Reply:
        return ask(f"{self.url}/metrics")


def _alert(labels: Labels) -> dict[str, Any]:
    summary = f"{labels['alertname']} on {labels.get('instance', 'all')}"
    return {"labels": labels, "annotations": {"summary": summary}}


@contextmanager
def alertmanager(folder: Path, config: Mapping[str, Any]) -> Iterator[Alertmanager]:
    """With this config, which is checked first as an operator would."""
    program = installed("prometheus-alertmanager", "prometheus-alertmanager")
    checker = installed("amtool", "prometheus-alertmanager")
    file, log = folder / "alertmanager.yml", folder / "alertmanager.log"
    file.write_text(json.dumps(config))
    checked = subprocess.run(
        [checker, "check-config", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with kept_port() as port:
        url = f"http://127.0.0.1:{port}"
        arguments = [
            program,
            f"--config.file={file}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=debug",
        ]
        with child(arguments, errors=log) as process:
            until(lambda: _ready(url, process, log), "an Alertmanager that is ready")
            yield Alertmanager(url)


def _ready(url: str, process: subprocess.Popen[str], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return ask(f"{url}/-/ready").status == 200
    except urllib.error.URLError:
        return False
