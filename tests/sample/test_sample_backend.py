"""What a mode and a mitigation do to one call of the oracle behind the sample."""

import random

import pytest

from bot.sample.backend import Answer, Backend, BackendFailedError, Mode


def backend(mode: Mode = Mode.HEALTHY, **mitigations: object) -> Backend:
    made = Backend(random.Random(7))
    made.mode = mode
    for name, value in mitigations.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("mode", "mitigations", "shortest", "longest"),
    [
        pytest.param(Mode.HEALTHY, {}, 0.0, 0.1, id="healthy calls are quick"),
        pytest.param(Mode.SLOW, {}, 0.7, 1.2, id="slow calls take 0.7 to 1.2 s"),
        pytest.param(Mode.OVERLOADED, {}, 0.7, 1.2, id="slow and burning calls take as long"),
        pytest.param(Mode.SLOW, {"instances": 3}, 0.2, 0.4, id="three instances divide the wait"),
        pytest.param(Mode.SLOW, {"degraded": True}, 0.2, 0.5, id="degraded mode shortens it"),
    ],
)
def test_how_long_a_call_takes(mode, mitigations, shortest, longest):
    subject = backend(mode, **mitigations)
    assert all(shortest <= subject.call_seconds() <= longest for _ in range(200))


@pytest.mark.parametrize(
    ("mitigations", "fewest", "most"),
    [
        pytest.param({}, 250, 350, id="some 30 % fail"),
        pytest.param({"instances": 4}, 250, 350, id="more instances do not mend the oracle"),
        pytest.param({"degraded": True}, 80, 160, id="degraded mode fails less often"),
    ],
)
def test_how_many_of_a_thousand_calls_fail(mitigations, fewest, most):
    subject = backend(Mode.FAILING, **mitigations)
    assert fewest <= sum(subject.next_call_fails() for _ in range(1000)) <= most


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.FAILING])
def test_only_failing_fails(mode):
    subject = backend(mode)
    assert not any(subject.next_call_fails() for _ in range(200))


async def test_an_open_breaker_answers_from_the_cache_without_calling(monkeypatch):
    subject = backend(Mode.FAILING, breaker_open=True)
    monkeypatch.setattr(subject, "call_seconds", lambda: pytest.fail("the oracle was called"))
    assert [await subject.call() for _ in range(50)] == [Answer.CACHED] * 50


async def test_a_failing_call_says_so(monkeypatch):
    subject = backend(Mode.FAILING)
    monkeypatch.setattr(subject, "next_call_fails", lambda: True)
    with pytest.raises(BackendFailedError, match="did not answer"):
        await subject.call()


def test_the_status_word_follows_failures_and_the_breaker():
    assert backend().status() == "ok"
    assert backend(Mode.FAILING).status() == "failing"
    assert backend(Mode.FAILING, breaker_open=True).status() == "ok"


def test_restoring_takes_every_mitigation_back():
    subject = backend(breaker_open=True, instances=5, degraded=True)
    subject.restore()
    assert (subject.breaker_open, subject.instances, subject.degraded) == (False, 1, False)
    assert subject.work() == 1.0
