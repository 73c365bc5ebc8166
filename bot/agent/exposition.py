"""The agent's own metrics, and its target's, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import __version__
from bot.agent.part import Outcome
from bot.agent.reading import Measured
from bot.agent.search import NotFound
from bot.agent.watch import Metrics
from bot.model.units import METRIC_UNITS

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Exposition:
    """A registry of its own: nothing of the library's global one."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "iora_agent_requests", "Requests answered", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "iora_agent_request_seconds", "How long answers took", ["route"], registry=registry
        )
        self._parts = Histogram(
            "iora_agent_part_seconds", "How long parts took", ["part"], registry=registry
        )
        self._failures = Counter(
            "iora_agent_part_failures", "Parts that failed", ["part"], registry=registry
        )
        self._probes = Counter(
            "iora_agent_probe_runs", "Probes run", ["probe", "outcome"], registry=registry
        )
        self._found = Gauge(
            "iora_agent_target_found", "1 while the watched process runs", registry=registry
        )
        self._readings = Gauge(
            "iora_agent_target",
            "Readings of the watched process",
            ["metric", "unit"],
            registry=registry,
        )
        about = Gauge("iora_agent", "The agent's version", ["version"], registry=registry)
        about.labels(__version__).set(1)

    def request(self, route: str, status: int, seconds: float) -> None:
        """``route`` is the pattern, so that no request makes a new series."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def parts(self, outcomes: Iterable[Outcome]) -> None:
        for one in outcomes:
            self._parts.labels(one.name).observe(one.took_ms / 1000)
            if one.error is not None:
                self._failures.labels(one.name).inc()

    def probe(self, name: str, outcome: str) -> None:
        self._probes.labels(name, outcome).inc()

    def text(self, metrics: Metrics | NotFound) -> bytes:
        """What is unknown has no line, so that nobody takes it for 0."""
        self._readings.clear()
        readings: Iterable[Measured] = () if isinstance(metrics, NotFound) else metrics.readings
        for one in readings:
            if one.value is not None:
                self._readings.labels(one.metric, METRIC_UNITS.get(one.metric, "")).set(one.value)
        self._found.set(0 if isinstance(metrics, NotFound) else 1)
        return generate_latest(self._registry)
