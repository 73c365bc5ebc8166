"""Blocking reads aside from the event loop."""

import threading

import pytest

from bot.agent.flight import Flight


@pytest.fixture
def gate():
    """Opened at the end, so that no thread outlives the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_the_result_and_the_error_of_the_work_come_back():
    flight = Flight("test", 10)
    assert await flight.result(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        await flight.result(lambda: 1 // 0)
    assert await flight.result(lambda: 4) == 4


async def test_work_that_hangs_is_given_up_and_not_started_twice(gate):
    flight = Flight("test", 0.05)
    calls = []

    def hang() -> int:
        calls.append(1)
        gate.wait(30)
        return 7

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await flight.result(hang)
    assert len(calls) == 1


async def test_work_about_something_else_is_not_waited_for(gate):
    flight = Flight("test", 0.05)
    with pytest.raises(TimeoutError):
        await flight.result(lambda: gate.wait(30), about="old process")
    assert await flight.result(lambda: 3, about="new process") == 3


async def test_its_thread_does_not_hold_up_the_end_of_the_program():
    assert await Flight("test", 10).result(lambda: threading.current_thread().daemon)
