"""A small service that gets into trouble for real: ``python trouble.py KIND LOG``; it prints its port.

``GET /api/health`` is always well. ``GET /work`` logs a JSON line a request, and fails or is slow where
that is the trouble.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import resource
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KIND, LOG = sys.argv[1], Path(sys.argv[2])
HELD: list[object] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        began = time.monotonic()
        status = 200
        if self.path == "/work":
            if KIND == "slow":
                time.sleep(0.7)
            status = 500 if KIND == "errors" else 200
        body = json.dumps({"status": "ok"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/work":
            record(status, (time.monotonic() - began) * 1000)

    def log_message(self, *arguments: object) -> None:
        pass


def record(status: int, took_ms: float) -> None:
    line = {
        "level": "error" if status >= 500 else "info",
        "method": "GET",
        "path": "/work",
        "status": status,
        "duration_ms": round(took_ms, 1),
        "timestamp": time.time(),
    }
    with LOG.open("a") as log:
        print(json.dumps(line), file=log)


def burn() -> None:
    while True:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 20_000)  # without the interpreter's lock


def leak() -> None:
    while True:
        held = mmap.mmap(-1, 500_000)
        held.write(b"x" * 500_000)
        HELD.append(held)
        time.sleep(0.1)


def begin() -> None:
    match KIND:
        case "cpu":
            # All that it may use is one core, and others who want it too get a share of that one only.
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            for _ in range(4):
                threading.Thread(target=burn, daemon=True).start()
        case "leak":
            threading.Thread(target=leak, daemon=True).start()
        case "threads":
            for _ in range(400):
                threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        case "descriptors":
            resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
            HELD.extend(LOG.open() for _ in range(260))


if __name__ == "__main__":
    LOG.touch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    begin()
    print(server.server_address[1], flush=True)
    server.serve_forever()
