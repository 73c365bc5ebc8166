"""Starts the project's own programs and small children as real processes, and waits for what they do."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

DEADLINE_SECONDS = 60.0
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, deadline: float = DEADLINE_SECONDS) -> T:
    """The first truthy value of ``condition``, asked again and again; fails when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline:g} s: {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; ``seconds`` is how long it took."""

    status: int
    text: str
    headers: Mapping[str, str]
    seconds: float

    def json(self) -> Any:
        return json.loads(self.text)


def ask(
    url: str,
    send: object = None,
    raw: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """GET, or POST of JSON; any status is a reply, a refused connection raises URLError."""
    data = raw if raw is not None else None if send is None else json.dumps(send).encode()
    request = urllib.request.Request(url, data, dict(headers or {}))
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
            return Reply(answer.status, text, answer.headers, time.monotonic() - began)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
            return Reply(error.code, text, error.headers, time.monotonic() - began)


@contextlib.contextmanager
def child(
    arguments: Sequence[str],
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    errors: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A child process with its output piped, killed at the end if it is still there.

    A program that logs much to standard error wants ``errors``, a file: nobody empties the pipe.
    """
    with contextlib.ExitStack() as stack:
        stderr = stack.enter_context(errors.open("w")) if errors else subprocess.PIPE
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environ, cwd=cwd
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def script(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python child that has printed its first line, so that it is ready."""
    with child([sys.executable, "-c", code, *arguments]) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), "the child ended before it was ready"
        yield process


@dataclass(frozen=True)
class Sample:
    """A running sample service."""

    process: subprocess.Popen[str]
    url: str
    control: str
    log: Path
    pid_file: Path

    def mode(self, mode: str) -> Reply:
        return ask(f"{self.control}/mode", {"mode": mode})

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@contextlib.contextmanager
def sample(folder: Path, *more: str) -> Iterator[Sample]:
    """The sample service on free ports, ready to answer."""
    log, pid_file = folder / "sample.log", folder / "sample.pid"
    arguments = [
        "--port",
        "0",
        "--control-port",
        "0",
        "--log",
        str(log),
        "--pid-file",
        str(pid_file),
    ]
    with child([sys.executable, "-m", "bot.sample", *arguments, *more]) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:2] == ["sample", "ready:"], words
        yield Sample(process, words[3], words[5], log, pid_file)
