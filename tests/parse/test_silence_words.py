"""How a silence is typed, and what is said where it is typed wrong."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from bot.model.answer import Refusal
from bot.model.command import Command, EndSilence, SetSilence, Silences
from bot.slack.parse import parse

MINUTE = 60_000
TARGETS = ("iora", "worker", "nightly")

TYPED = [
    ("silence iora 30m deploy", SetSilence(targets=("iora",), length=30 * MINUTE, reason="deploy")),
    (
        "silence iora, worker for 1h30m a new disk",
        SetSilence(targets=("iora", "worker"), length=90 * MINUTE, reason="a new disk"),
    ),
    ("silence iora 30 m move", SetSilence(targets=("iora",), length=30 * MINUTE, reason="move")),
    ("silence all 2h move", SetSilence(targets=(), length=120 * MINUTE, reason="move")),
    (
        "SILENCE iora until 14:30 deploy",
        SetSilence(targets=("iora",), until=time(14, 30), reason="deploy"),
    ),
    (
        "silence iora until 2026-03-29T02:30 deploy",
        SetSilence(targets=("iora",), until=datetime(2026, 3, 29, 2, 30), reason="deploy"),  # noqa: DTZ001
    ),
    ("silence iora 30m &lt;b&gt; &amp; c", SetSilence(targets=("iora",), length=30 * MINUTE, reason="<b> & c")),
    ("silence end 3", EndSilence(silence=3)),
    ("silence off #3", EndSilence(silence=3)),
    ("silence end", EndSilence()),
    ("silences", Silences()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "command"), TYPED)
def test_it_is_understood(text: str, command: Command) -> None:
    assert parse(text, TARGETS, 0) == command


WRONG = [
    ("silence", "Name a target"),
    ("silence iroa 30m deploy", "Did you mean `iora`?"),
    ("silence iora", "Say for how long, and why."),
    ("silence iora for", "Say for how long, and why."),
    ("silence iora deploy", "`deploy` is no target, and no duration"),
    ("silence iora 0s deploy", "no duration"),
    ("silence iora 30m", "needs a reason"),
    ("silence iora until 14:30", "needs a reason"),
    ("silence iora until noon deploy", "`noon` is no time such as 14:30"),
    ("silence iora until", "Say until when, and why."),
    (f"silence iora 30m {'x' * 201}", "201 characters"),
    ("silence end soon", "no number of a silence"),
    ("silence end 99999999999999999999", "no number of a silence"),
    ("silences all", "is too much"),
    ("silense iora", "Did you mean `/iora silence`?"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    refused = parse(text, TARGETS, 0)
    assert isinstance(refused, Refusal)
    assert said in str(refused)
