"""The shipped runbooks carry the whole troubleshooting guide, and the table in their README is true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.files.runbooks import load_books
from bot.model.runbook import Runbook
from bot.model.step import AdviseStep, CheckStep, NotifyStep, Step
from bot.template import render_mrkdwn

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "runbooks"
README = (FOLDER / "README.md").read_text(encoding="utf-8")

TEN = {
    "system-health-check",
    "performance-baseline-verification",
    "high-response-time",
    "high-memory-usage",
    "high-cpu-usage",
    "database-performance",
    "performance-regression",
    "diagnostic-collection",
    "emergency-data-collection",
    "critical-performance-degradation",
}

# The guide, in its order: its headings, and below each its steps, commands, numbers, causes and code.
GUIDE: Mapping[str, tuple[str, ...]] = {
    "Quick Diagnosis Checklist: System Health Check": (
        "Quick system health assessment",
        "./scripts/health-check.sh",
        "Check key metrics",
        "curl -s http://localhost:8080/api/metrics | jq '.overall_score'",
        "Verify service availability",
        "curl -s http://localhost:8080/api/health | jq '.status'",
    ),
    "Quick Diagnosis Checklist: Performance Baseline Verification": (
        "Compare current performance against baselines",
        "./scripts/performance-baseline-check.sh",
        "Response time under 500ms (P95)",
        "response_time_p95_ms < 500",
        "Error rate under 0.1%",
        "error_rate_percent < 0.1",
        "Memory usage under 256MB",
        "memory_mb < 256",
        "CPU usage under 70%",
        "cpu_percent < 70",
        "Test coverage over 85%",
        "test_coverage_percent > 85",
    ),
    "1. High Response Times: Symptom": ("API responses slower than expected",),
    "1. High Response Times: Diagnostic Steps": (
        "Check system load",
        "top -l 1 | head -10",
        "uptime",
        "logs for slow operations",
        'tail -f logs/iora.log | grep -E "(slow|timeout|duration)"',
        "Profile application performance",
        "cargo flamegraph --bin iora -- --profile-time 60",
        "Check database query performance",
        "./scripts/db-performance-check.sh",
        "Analyze network latency",
        "ping -c 5",
        "traceroute",
        "api.coingecko.com",
    ),
    "1. High Response Times: Common Causes and Solutions": (
        "Database Query Optimization",
        "N+1 query problem",
        "get_user_portfolios_bad",
        "Single optimized query",
        "get_user_portfolios_good",
        "ANY($1)",
        "Caching Issues",
        "Implement intelligent caching",
        "IntelligentCacheManager",
        "Try L1 cache first",
        "Try L2 cache",
        "Promote to L1",
        "Fetch from source and cache",
        "Async Operation Bottlenecks",
        "This blocks the async runtime!",
        "std::thread::sleep(Duration::from_secs(1))",
        "tokio::time::sleep(Duration::from_secs(1))",
        "tokio::task::spawn_blocking for CPU-intensive work",
    ),
    "2. High Memory Usage: Symptom": ("Memory consumption exceeds normal levels",),
    "2. High Memory Usage: Diagnostic Steps": (
        "Check memory usage",
        "ps aux | grep iora | head -1",
        "top -pid $(pgrep iora) -stats mem",
        "Analyze memory allocation patterns",
        "valgrind --tool=massif ./target/release/iora",
        "Check for memory leaks",
        "valgrind --leak-check=full ./target/release/iora --test-run",
        "Profile heap usage",
        "heaptrack ./target/release/iora",
        "heaptrack_gui heaptrack.iora.*",
    ),
    "2. High Memory Usage: Memory Leak Detection": (
        "Implement memory monitoring",
        "MemoryMonitor",
        "monitoring_interval",
        "total_memory_mb > self.leak_threshold_mb",
        ".take(5)",
        "top five",
    ),
    "2. High Memory Usage: Memory Optimization Strategies": (
        "Object pooling for frequent allocations",
        "ObjectPool",
        "Create new object if pool is empty",
        "Streaming processing to reduce memory usage",
        "StreamingProcessor",
        "Process data in chunks",
        "Lazy loading for large datasets",
        "LazyDataLoader",
        "max_cache_size",
    ),
    "3. High CPU Usage: Symptom": ("CPU utilization consistently high",),
    "3. High CPU Usage: Diagnostic Steps": (
        "Check CPU usage",
        "top -pid $(pgrep iora) -stats cpu",
        "htop -p $(pgrep iora)",
        "Profile CPU usage",
        "perf record -F 99 -p $(pgrep iora) -g -- sleep 60",
        "perf report",
        "Generate flame graph",
        "cargo flamegraph --bin iora --dev -- --bench",
        "Check thread utilization",
        "ps -T -p $(pgrep iora)",
    ),
    "3. High CPU Usage: CPU Optimization Strategies": (
        "Algorithm optimization",
        "AlgorithmOptimizer",
        "Fast path for small data",
        "Optimized path for large data",
        "Use SIMD, parallel processing",
        "Parallel processing optimization",
        "ParallelProcessor",
        "rayon::ThreadPool",
        "CPU cache optimization",
        "align(64)",
        "Hot fields first",
        "Padding to avoid false sharing",
        "[u8; 44]",
        "Prefetch data for better cache performance",
        "_mm_prefetch",
    ),
    "4. Database Performance Issues: Symptom": ("Slow database queries or high connection usage",),
    "4. Database Performance Issues: Diagnostic Steps": (
        "Check database connection pool status",
        "./scripts/db-connection-check.sh",
        "Analyze slow queries",
        "./scripts/db-slow-query-analysis.sh",
        "Check database locks and deadlocks",
        "./scripts/db-lock-analysis.sh",
        "Monitor database metrics",
        "./scripts/db-metrics-monitoring.sh",
    ),
    "4. Database Performance Issues: Database Optimization Strategies": (
        "Query optimization with prepared statements",
        "QueryOptimizer",
        "Use prepared statement",
        "Execute ad-hoc query",
        "average_execution_time",
        "slowest_execution_time",
        "Connection pool optimization",
        "Duration::from_secs(30)",
        "utilization_rate > 0.8",
        "consider increasing pool size",
        "utilization_rate < 0.3 && metrics.idle_connections > 5",
        "consider reducing pool size",
        "Index optimization",
        "Analyze WHERE clauses for potential indexes",
        "Analyze JOIN patterns",
        "IndexType::BTree",
        "usage_frequency > 10.0",
        "10 queries per hour",
        "usage_frequency > 5.0",
        "5 queries per hour",
    ),
    "Automated Troubleshooting: 1. Performance Regression Detection": (
        "Duration::hours(24)",
        "recent_samples.len() < 10",
        "not enough data",
        "degradation = (avg_current_value - baseline.p95_value) / baseline.p95_value",
        "degradation > self.regression_threshold",
        "send_regression_alert",
        "samples.len() < 3",
        "0.5 with fewer than 3 samples or a mean of 0",
        "cv = std_dev / mean",
        "1.0 / (1.0 + cv)",
        "Over 50 %",
        "Critical performance regression - immediate investigation required",
        "api_response_time",
        "Profile API endpoints for bottlenecks",
        "Check database query performance",
        "Review caching strategy",
        "memory_usage",
        "Check for memory leaks",
        "Review data structure sizes",
        "Implement memory pooling",
        "cpu_usage",
        "Profile CPU-intensive operations",
        "Consider algorithm optimization",
        "Review parallel processing implementation",
        "Profile application performance",
        "Review recent code changes",
    ),
    "Automated Troubleshooting: 2. Automated Diagnostic Collection": (
        "diag_",
        "timestamp",
        "issue_description",
        "system_info",
        "performance_metrics",
        "recent_logs",
        "thread_dump",
        "heap_dump",
        "recommendations",
        "last 50",
        "128 MB",
        "64 MB",
        "15432",
        "cpu_percent > 80",
        "High CPU usage detected - profile for bottlenecks",
        "memory_mb > 512",
        "High memory usage detected - check for leaks",
        "more than 10 errors",
        "High error count in logs",
        "more than 5 timeouts",
        "Multiple timeouts detected",
    ),
    "Emergency Response Procedures: Immediate Actions": (
        "Assess Impact",
        "Determine affected users and systems",
        "Enable Circuit Breakers",
        "Prevent cascade failures",
        "Scale Resources",
        "Increase instance count or capacity",
        "Enable Degraded Mode",
        "Reduce functionality to maintain stability",
        "Alert Stakeholders",
        "Notify relevant teams and users",
    ),
    "Emergency Response Procedures: Recovery Steps": (
        "Collect Diagnostics",
        "Gather comprehensive diagnostic data",
        "Identify Root Cause",
        "Analyze diagnostic data for failure patterns",
        "Implement Fix",
        "Apply immediate mitigation or rollback",
        "Validate Recovery",
        "Confirm system stability and performance",
        "Post-Mortem",
        "Document incident and preventive measures",
    ),
    "Emergency Response Procedures: Data Collection During Incidents": (
        "Collect critical diagnostic data immediately",
        "incident_id",
        "system_snapshot",
        "process_info",
        "resource_usage",
        "network_connections",
        "open_files",
        "performance_snapshot",
        "log_snapshot",
        "active_incidents",
        "incident.age > 300s",
        "5 minutes",
        "cpu_percent > 90",
        "Critical CPU usage",
        "memory_mb > 1024",
        "Critical memory usage",
        "engineering team",
    ),
}
# The guide's blocks of Rust: runbook, cause, and what must be recognised in its example.
CODE = {
    ("high-response-time", "Database Query Optimization"): ("// Before:", "// After:"),
    ("high-response-time", "Caching Issues"): ("hot_cache", "warm_cache", "cold_cache"),
    ("high-response-time", "Async Operation Bottlenecks"): ("// Before:", "// After:"),
    ("high-memory-usage", "Nobody sees which part grows"): ("start_monitoring", "check_for_leaks"),
    ("high-memory-usage", "Object pooling for frequent allocations"): ("acquire",),
    ("high-memory-usage", "Streaming processing to reduce memory usage"): ("process_stream",),
    ("high-memory-usage", "Lazy loading for large datasets"): ("DataSource<T>",),
    ("high-cpu-usage", "Algorithm optimization"): ("fast_path_processing",),
    ("high-cpu-usage", "Parallel processing optimization"): ("process_parallel",),
    ("high-cpu-usage", "CPU cache optimization"): ("CacheOptimizedData", "fn prefetch"),
    ("database-performance", "Query optimization with prepared statements"): (
        "execute_optimized_query",
        "record_query_metrics",
    ),
    ("database-performance", "Connection pool optimization"): (
        "monitor_and_optimize",
        "collect_pool_metrics",
        "optimize_pool_configuration",
    ),
    ("database-performance", "Index optimization"): (
        "analyze_and_optimize_indexes",
        "analyze_index_needs",
        "should_index_column",
    ),
    ("performance-regression", "Any other metric"): ("detect_regressions", "calculate_confidence"),
}
INCIDENT = {
    "key": "INC-7",
    "title": "API slow",
    "severity": "sev1",
    "status": "open",
    "impact": "not said yet",
    "commander": "nobody",
}


class Row(NamedTuple):
    """One line of the table: each phrase must stand in the step."""

    section: str
    phrases: tuple[str, ...]
    file: str
    step: str


@cache
def books() -> dict[str, Runbook]:
    return {name: book.runbook for name, book in load_books(FOLDER).items()}


def lines_below(heading: str) -> Iterator[list[str]]:
    """The cells of each line of the table below a heading of the README."""
    part = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in part.splitlines() if line.startswith("| ")][2:]
    for line in table:
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        yield [cell.replace("\\|", "|").strip() for cell in cells]


def rows() -> list[Row]:
    return [
        Row(section, tuple(re.findall(r"`([^`]+)`", says)), file, step.strip("`"))
        for section, says, file, step in lines_below("Where the guide's steps are")
    ]


def own_steps() -> list[tuple[str, str]]:
    found = lines_below("Steps that the guide doesn't have")
    return [(file, step.strip("`")) for file, step, _why in found]


def step_of(file: str, name: str) -> Step:
    return next(step for step in books()[file].steps if step.id == name)


def texts(value: Any) -> Iterator[str]:
    """Every text in a step, and its settings as ``key: value``."""
    match value:
        case dict():
            for key, item in value.items():
                yield from [f"{key}: {item}"] if isinstance(item, str | int) else texts(item)
        case list() | tuple():
            for item in value:
                yield from texts(item)
        case None:
            return
        case _:
            yield str(value)


def plain(text: str) -> str:
    """Line breaks and capitals don't count."""
    return " ".join(text.split()).lower()


def said(file: str, name: str) -> str:
    """All that a step says, its bounds as ``metric < number``, and the defaults of its inputs."""
    step = step_of(file, name)
    parts = list(texts(step.model_dump(mode="json")))
    for metric, bound in step.bounds.items() if isinstance(step, CheckStep) else ():
        side = "<" if bound.below is not None else ">"
        parts.append(f"{metric} {side} {bound.limit:g}")
    whole = " ; ".join(parts)
    inputs = books()[file].inputs
    defaults = [
        f"inputs.{name} = {one.default}"
        for name, one in inputs.items()
        if f"inputs.{name}" in whole
    ]
    return plain(" ; ".join((whole, *defaults)))


def test_the_ten_are_there_and_listed():
    listed = {re.match(r"\[(.+)\]", file)[1] for file, _for in lines_below("The ten")}
    assert set(books()) == TEN == listed
    for name in TEN:
        assert f"[{name}]({name}.yaml)" in README


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.file}.{row.step}: {row.phrases[0]}")
def test_what_a_row_says_stands_in_its_step(row: Row):
    assert row.section in GUIDE, "the table has a section that the guide doesn't have"
    assert row.file in books(), f"there is no runbook {row.file}"
    assert row.step in {step.id for step in books()[row.file].steps}
    text = said(row.file, row.step)
    for phrase in row.phrases:
        assert plain(phrase) in text, f"{phrase!r} does not stand in {row.file}, step {row.step}"


@pytest.mark.parametrize("section", GUIDE)
def test_the_table_has_everything_that_a_section_of_the_guide_says(section: str):
    table = plain(
        " ; ".join(one for row in rows() if row.section == section for one in row.phrases)
    )
    missing = [item for item in GUIDE[section] if plain(item) not in table]
    assert not missing, f"no step carries {missing}"


def test_the_table_follows_the_guide():
    assert list(dict.fromkeys(row.section for row in rows())) == list(GUIDE)


def test_every_step_is_in_the_table_or_marked_as_our_own():
    of_guide = {(row.file, row.step) for row in rows()}
    own = own_steps()
    every = {(name, step.id) for name, book in books().items() for step in book.steps}
    assert every - of_guide - set(own) == set(), "steps that neither table has"
    assert set(own) - every == set(), "steps that no file has"
    assert of_guide & set(own) == set(), "steps of the guide that are called our own"
    assert len(own) == len(set(own))


@pytest.mark.parametrize(("where", "signs"), CODE.items(), ids=lambda value: str(value[-1]))
def test_the_guides_code_is_the_example_of_its_cause(
    where: tuple[str, str], signs: tuple[str, ...]
):
    file, cause = where
    steps = [step for step in books()[file].steps if isinstance(step, AdviseStep)]
    example = next(one.example for step in steps for one in step.causes if one.cause == cause)
    assert example is not None
    assert example.count("{") == example.count("}"), "the code is cut"
    for sign in signs:
        assert sign in example


def test_the_numbers_of_the_baselines_are_conditions_and_not_only_words():
    bounds = step_of("performance-baseline-verification", "key_metrics")
    assert isinstance(bounds, CheckStep)
    assert {name: bound.limit for name, bound in bounds.bounds.items()} == {
        "response_time_p95_ms": 500,
        "error_rate_percent": 0.1,
        "memory_mb": 256,
        "cpu_percent": 70,
        "test_coverage_percent": 85,
    }


def test_what_changes_a_service_waits_for_a_yes_is_verified_and_can_be_taken_back():
    actions = {
        step.id: step for book in books().values() for step in book.steps if step.kind == "action"
    }
    assert set(actions) == {"circuit_breaker", "scale", "degraded_mode", "rollback"}
    for step in actions.values():
        assert step.approval is not None
        assert step.verify is not None
        assert step.undo is not None
    assert actions["rollback"].approval.roles == ("commander",)


def test_the_emergency_collection_alone_starts_by_itself_and_needs_nobody_to_begin():
    starting = {
        name: str(book.triggers.opened)
        for name, book in books().items()
        if book.triggers.opened is not None
    }
    assert starting == {"emergency-data-collection": "incident.severity == sev1"}
    first = books()["emergency-data-collection"].steps[0]
    assert (first.kind, first.when, first.approval) == ("collect", None, None)


def test_every_step_says_what_is_done_and_why():
    silent = [
        f"{name}.{step.id}"
        for name, book in books().items()
        for step in book.steps
        if not step.text and step.kind != "notify"
    ]
    assert silent == []


def test_the_example_in_the_readme_loads(tmp_path: Path):
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1]
    name = re.search(r"^id: (.+)$", example, re.MULTILINE)[1]
    (tmp_path / f"{name}.yaml").write_text(example, encoding="utf-8")

    assert list(load_books(tmp_path)) == [name]


@pytest.mark.parametrize("incident", [None, INCIDENT], ids=["no incident", "an incident"])
@pytest.mark.parametrize("name", sorted(TEN))
def test_its_texts_can_be_shown_when_nothing_could_be_read(name: str, incident: Any):
    runbook = books()[name]
    values = {
        "target": "iora",
        "run": {"key": "RUN-5", "by": "slack:T01TEAM:U02BOB", "runbook": name},
        "inputs": {key: one.default for key, one in runbook.inputs.items()},
        "incident": incident,
        "readings": {},
        "steps": {},
    }
    for step in runbook.steps:
        for source in (step.text, step.message if isinstance(step, NotifyStep) else ""):
            shown = render_mrkdwn(source, values)
            assert "{{" not in shown
            assert "{%" not in shown
            assert not re.search("<[^>]*>", shown), "Slack would take this for a link"
        values["steps"][step.id] = {"state": "ok", "text": "looked", "reason": ""}
