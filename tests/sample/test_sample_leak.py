"""The leak takes real memory, keeps within its limits and gives all of it back."""

import os

import psutil

from bot.sample.leak import LIMIT, MEGABYTE, SPARE, Leak, available_bytes


def resident() -> int:
    return psutil.Process(os.getpid()).memory_info().rss


def test_what_is_taken_is_resident_and_goes_back_to_the_system():
    leak = Leak(lambda: 1.0)
    before = resident()
    leak.take(60 * MEGABYTE)
    assert resident() - before > 55 * MEGABYTE
    leak.stop()
    assert resident() - before < 10 * MEGABYTE
    assert leak.held == 0


def test_it_stops_at_its_limit():
    leak = Leak(lambda: 1.0)
    leak.held = LIMIT - MEGABYTE
    leak.take(2 * MEGABYTE)
    assert leak.held == LIMIT - MEGABYTE


def test_it_leaves_a_small_machine_some_memory():
    leak = Leak(lambda: 1.0, available=lambda: SPARE + MEGABYTE)
    leak.take(2 * MEGABYTE)
    assert leak.held == 0


def test_where_the_system_does_not_tell_its_memory_only_the_limit_counts(tmp_path):
    assert available_bytes(tmp_path / "nothing") is None
    leak = Leak(lambda: 1.0, available=lambda: None)
    leak.take(MEGABYTE)
    assert leak.held == MEGABYTE
    leak.stop()
