"""A real Prometheus for tests: on loopback, with a folder of its own, gone at the end.

It scrapes every other second what the test names; the first time after 5 s, which no option changes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.installed import installed
from tests.support.ports import kept_port
from tests.support.programs import ask, child, until

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Prometheus:
    """A server that is up."""

    url: str
    process: subprocess.Popen[str]

    def query(self, expression: str) -> list[float]:
        """The values of the series that the expression comes to now."""
        answer = ask(f"{self.url}/api/v1/query?{urlencode({'query': expression})}").json()
        return [float(one["value"][1]) for one in answer["data"]["result"]]

    async def until(self, expression: str, *values: float) -> None:
        """Until the expression comes to these values; none: to no series."""
        ends = time.monotonic() + PATIENCE_S
        while sorted(found := await asyncio.to_thread(self.query, expression)) != sorted(values):
            assert time.monotonic() < ends, f"{expression} is {found}"
            await asyncio.sleep(0.02)

    def end(self) -> None:
        """End it before its time."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@contextmanager
def prometheus(
    folder: Path, scraped: Mapping[str, str], bearer: str | None = None
) -> Iterator[Prometheus]:
    """Scraping the metrics' URLs, each under its job's name and as its instance, with this token."""
    program = installed("prometheus", "prometheus")
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text(json.dumps(_config(scraped, bearer)))
    with kept_port() as port:
        url = f"http://127.0.0.1:{port}"
        arguments = [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        with child(arguments, errors=log) as process:
            until(lambda: _ready(url, process, log), "a Prometheus that is ready")
            yield Prometheus(url, process)


def _config(scraped: Mapping[str, str], bearer: str | None) -> dict[str, Any]:
    key = {"authorization": {"credentials": bearer}} if bearer else {}
    jobs = []
    for name, url in scraped.items():
        parts = urlsplit(url)
        targets = [{"targets": [parts.netloc], "labels": {"instance": name}}]
        job = {"job_name": name, "metrics_path": parts.path, "static_configs": targets}
        jobs.append(job | key)
    often = {"scrape_interval": "2s", "scrape_timeout": "2s"}  # what is late makes a series end
    return {"global": often, "scrape_configs": jobs}


def _ready(url: str, process: subprocess.Popen[str], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return ask(f"{url}/-/ready").status == 200
    except urllib.error.URLError:
        return False


class Exposition:
    """A service that a Prometheus scrapes: the lines are what the test says."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{line}\n" for line in service.lines).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def end(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Exposition:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()
