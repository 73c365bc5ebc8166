"""Keeping hold of the process over time: samples, restarts, and reads that hang. Time is injected."""

import threading
from pathlib import Path

import psutil
import pytest

from bot.agent import watch as watch_module
from bot.agent.search import NotFound
from bot.agent.watch import SEARCH_EVERY_S, USS_EVERY_S, Metrics, Target, Watch
from bot.model.agent import ProcessRule
from tests.support.programs import script

WAIT = "import time; print('ready', flush=True); time.sleep(60)"


class ManualClock:
    """Time that passes only when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> int:
        return round(1_790_000_000_000 + self.seconds * 1000)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(tmp_path: Path, clock: ManualClock) -> Watch:
    return Watch(ProcessRule(pid_file="pid"), tmp_path, clock)


def reading(metrics: Metrics, metric: str):
    return next(one for one in metrics.readings if one.metric == metric)


def point(folder: Path, pid: int) -> None:
    (folder / "pid").write_text(str(pid))


async def test_the_first_answer_has_no_cpu_and_the_one_a_second_later_has(watch, clock, tmp_path):
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        first = await watch.metrics()
        clock.seconds += 0.5
        soon = await watch.metrics()
        clock.seconds += 0.6
        later = await watch.metrics()
    for early in (first, soon):
        cpu = reading(early, "cpu_percent")
        assert (cpu.value, cpu.reason) == (None, "needs two samples, a second apart")
    assert reading(later, "cpu_percent").value == 0.0
    assert reading(later, "memory_mb").value > 1


async def test_a_restart_starts_the_samples_anew(watch, clock, tmp_path):
    with script(WAIT) as first:
        point(tmp_path, first.pid)
        await watch.look()
        clock.seconds += 1
        assert reading(await watch.metrics(), "cpu_percent").value is not None
    with script(WAIT) as second:
        point(tmp_path, second.pid)
        clock.seconds += 1
        found = await watch.metrics()
        assert found.target.process.pid == second.pid
        assert reading(found, "cpu_percent").value is None


async def test_a_pid_file_that_names_another_process_is_followed_while_the_old_one_lives(
    watch, clock, tmp_path
):
    with script(WAIT) as old, script(WAIT) as new:
        point(tmp_path, old.pid)
        assert (await watch.look()).process.pid == old.pid
        point(tmp_path, new.pid)
        clock.seconds += SEARCH_EVERY_S
        assert (await watch.look()).process.pid == new.pid


async def test_a_living_process_is_kept_when_its_pid_file_goes_and_the_doubt_is_told(
    watch, clock, tmp_path
):
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        assert (await watch.look()).note is None
        (tmp_path / "pid").unlink()
        clock.seconds += SEARCH_EVERY_S
        found = await watch.look()
        assert isinstance(found, Target)
        assert "is not there; the process that was found before still runs" in found.note
        point(tmp_path, process.pid)
        clock.seconds += SEARCH_EVERY_S
        assert (await watch.look()).note is None


async def test_an_ended_process_is_not_found_at_the_very_next_question(watch, tmp_path):
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        await watch.look()
        process.kill()
        process.wait(10)
        found = await watch.metrics()
    assert isinstance(found, NotFound)
    assert "is stale" in found.error


async def test_a_missing_process_is_searched_at_once_by_a_question_and_rarely_without(
    watch, clock, tmp_path
):
    assert isinstance(await watch.look(), NotFound)
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        clock.seconds += 1
        assert isinstance(await watch.look(), NotFound)
        assert (await watch.metrics()).target.process.pid == process.pid


async def test_uss_is_dear_and_read_again_only_after_a_while(watch, clock, tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(
        watch_module, "uss_mb", lambda process: float(len(reads.append(1) or reads))
    )
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        first = reading(await watch.metrics(), "uss_mb")
        clock.seconds += USS_EVERY_S - 1
        second = reading(await watch.metrics(), "uss_mb")
        clock.seconds += 1
        third = reading(await watch.metrics(), "uss_mb")
    assert first == second
    assert (first.value, third.value) == (1.0, 2.0)
    assert third.at - first.at == USS_EVERY_S * 1000


async def test_a_read_that_hangs_leaves_the_other_readings(watch, tmp_path, monkeypatch):
    gate = threading.Event()
    watch._reading_uss._limit_s = 0.05
    monkeypatch.setattr(watch_module, "uss_mb", lambda process: gate.wait(30) or 0.0)
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        metrics = await watch.metrics()
    gate.set()
    uss = reading(metrics, "uss_mb")
    assert uss.value is None
    assert uss.reason.startswith("reading it took over")
    assert reading(metrics, "memory_mb").value > 1


async def test_cpu_times_that_may_not_be_read_are_said(watch, clock, tmp_path, monkeypatch):
    def refuse(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "cpu_times", refuse)
    with script(WAIT) as process:
        point(tmp_path, process.pid)
        metrics = await watch.metrics()
    assert reading(metrics, "cpu_percent").reason == "permission denied"
    assert reading(metrics, "threads").value == 1
