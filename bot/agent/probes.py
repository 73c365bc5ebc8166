"""The commands that agent.yaml offers: run by name, one at a time, exactly as they stand there."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.agent import artifact
from bot.agent.artifact import Artifact
from bot.agent.command import Command, Ended, Stream, run
from bot.clock import Clock
from bot.model.agent import Probe, ProcessRule
from bot.text import redact, without_controls

KEPT_RUNS = 5  # whose artifacts can be downloaded
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "XDG_RUNTIME_DIR")
"""Of the agent's environment; its token and its other secrets stay with it."""


class ProbeRefused(Exception):
    """Why a probe can't be run; ``kind`` for programs."""

    def __init__(self, kind: str, error: str, fix: str) -> None:
        super().__init__(error)
        self.kind = kind
        self.fix = fix


@dataclass(frozen=True)
class Running:
    """The probe that runs now; ``since`` in ms since the epoch."""

    name: str
    since: int

    def json(self) -> dict[str, object]:
        return {"probe": self.name, "since": self.since}


@dataclass(frozen=True)
class Run:
    """One run and what it left. The folder is ours until the run is forgotten."""

    id: str
    name: str
    at: int
    took_ms: int
    ended: Ended
    artifacts: tuple[Artifact, ...]
    left_out: Mapping[str, str]
    folder: Path

    def json(self) -> dict[str, object]:
        code = self.ended.exit_code
        return {
            "probe": self.name,
            "run": self.id,
            "at": self.at,
            "took_ms": self.took_ms,
            "exit_code": code if code is not None and code >= 0 else None,
            "signal": -code if code is not None and code < 0 else None,
            "stopped": self.ended.stopped,
            "stdout": _text(self.ended.out),
            "stderr": _text(self.ended.err),
            "stdout_dropped_bytes": self.ended.out.dropped,
            "stderr_dropped_bytes": self.ended.err.dropped,
            "artifacts": [one.json(self.id) for one in self.artifacts],
            "left_out": dict(self.left_out),
        }


class Probes:
    """``run`` must be awaited on the event loop; nothing else changes the state."""

    def __init__(
        self,
        offered: Mapping[str, Probe],
        rule: ProcessRule,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self._offered = offered
        self._rule = rule
        self._clock = clock
        self._environ = {name: environ[name] for name in _PASSED_ON if name in environ}
        self._runs: deque[Run] = deque()
        self.running: Running | None = None

    def list(self) -> dict[str, object]:
        """What the diagnostics say of them."""
        running = self.running.json() if self.running else None
        return {"offered": sorted(self._offered), "running": running}

    def describe(self) -> dict[str, object]:
        """What ``GET /v1/probes`` says: also the commands, so that people know what would be run."""
        probes = [
            {
                "name": name,
                "description": probe.description,
                "argv": [redact(word) for word in probe.argv],
                "timeout_ms": probe.timeout,
                "output_kb": probe.output_kb,
                "artifacts": list(probe.artifacts),
                "artifact_mb": probe.artifact_mb,
                "approval": probe.approval,
            }
            for name, probe in sorted(self._offered.items())
        ]
        return self.list() | {"probes": probes}

    async def run(self, name: str, pid: int | None, *, approved: bool = False) -> Run:
        """``pid`` is the watched process's; ``approved``: a person said yes to this run.

        Raises ``ProbeRefused``.
        """
        if (probe := self._offered.get(name)) is None:
            known = ", ".join(sorted(self._offered)) or "none"
            raise ProbeRefused(
                "no_such_probe",
                f"there is no probe called {name[:64]}",
                f"use one that agent.yaml names: {known}",
            )
        if probe.approval and not approved:
            raise ProbeRefused(
                "approval_needed",
                f"the probe {name} wants an approval: it may pause the process",
                'have a person agree, then send {"approved": true}',
            )
        if self.running is not None:
            raise ProbeRefused(
                "probe_running",
                f"the probe {self.running.name} is running, and one runs at a time",
                "ask again when it has ended",
            )
        argv = filled(probe, self._rule, pid)
        self.running = Running(name, self._clock.now())
        try:
            return self._keep(await self._run(name, probe, argv))
        finally:
            self.running = None

    async def _run(self, name: str, probe: Probe, argv: tuple[str, ...]) -> Run:
        folder = Path(tempfile.mkdtemp(prefix="iora-probe-"))
        at, began = self._clock.now(), self._clock.monotonic()
        size = probe.artifact_mb * 1_000_000
        command = Command(
            argv=[word.replace("{folder}", str(folder)) for word in argv],
            folder=folder,
            environ=self._environ | {"TMPDIR": str(folder)},
            limit_s=probe.timeout / 1000,
            output_bytes=probe.output_kb * 1_000,
            folder_bytes=2 * size,
        )
        try:
            ended = await run(command)
            took_ms = round((self._clock.monotonic() - began) * 1000)
            found, left_out = artifact.collect(folder, probe.artifacts, size)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            fix = "install it on the agent's machine, or correct argv in agent.yaml"
            why = f"{argv[0]} can't be run: {error.strerror or error}"
            raise ProbeRefused("probe_not_runnable", why, fix) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        run_id = secrets.token_hex(8)
        return Run(run_id, name, at, took_ms, ended, found, left_out, folder)

    def _keep(self, run: Run) -> Run:
        if not run.artifacts:
            shutil.rmtree(run.folder, ignore_errors=True)
            return run
        self._runs.append(run)
        while len(self._runs) > KEPT_RUNS:
            shutil.rmtree(self._runs.popleft().folder, ignore_errors=True)
        return run

    def file(self, run_id: str, name: str) -> Path | None:
        """An artifact that is still there."""
        for kept in self._runs:
            if kept.id == run_id and any(one.name == name for one in kept.artifacts):
                return kept.folder / name
        return None

    def close(self) -> None:
        """Forget all runs with their files."""
        while self._runs:
            shutil.rmtree(self._runs.popleft().folder, ignore_errors=True)


def filled(probe: Probe, rule: ProcessRule, pid: int | None) -> tuple[str, ...]:
    """The arguments with pid and port in their places; the folder comes when there is one.

    Raises ``ProbeRefused`` where the process is needed and isn't there.
    """
    if pid is None and any("{pid}" in word for word in probe.argv):
        raise ProbeRefused(
            "process_not_found",
            "the probe needs the watched process, and it does not run",
            "start the service, or correct process in agent.yaml",
        )
    return tuple(
        word.replace("{pid}", str(pid)).replace("{port}", str(rule.port)) for word in probe.argv
    )


def _text(stream: Stream) -> str:
    return redact(without_controls(stream.text.decode("utf-8", "replace")))
