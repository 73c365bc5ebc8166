"""The grammar of `/iora`, and of the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import at
from bot.model.answer import Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Baseline,
    Command,
    Declare,
    Doctor,
    Escalate,
    Health,
    Help,
    Incidents,
    LearnBaseline,
    Mitigate,
    Note,
    RecordDeploy,
    Reopen,
    Resolve,
    SetSeverity,
    Show,
    ShowChart,
    Stats,
    Timeline,
    Update,
)
from bot.model.incident import Severity
from bot.model.words import WORDS
from bot.slack.parse import TEXT, TITLE, moment, parse
from tests.support.clock import NOON
from tests.support.configs import BOB

TARGETS = ("iora", "worker")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SEV1 = Severity.SEV1


def parsed(text: str) -> Command | Refusal:
    return parse(text, TARGETS, NOON)


COMMANDS: dict[str, Command] = {
    "": Help(),
    "   ": Help(),
    "help": Help(),
    "help declare": Help(topic="declare"),
    "HELP Declare": Help(topic="declare"),
    "health": Health(),
    "health iora": Health(targets=("iora",)),
    "health iora worker iora": Health(targets=("iora", "worker")),
    "health iora, worker": Health(targets=("iora", "worker")),
    "baseline worker": Baseline(targets=("worker",)),
    "baseline learn iora": LearnBaseline(target="iora"),
    "baseline LEARN worker 7d": LearnBaseline(target="worker", length=7 * DAY),
    "baseline learn iora 24h anyway": LearnBaseline(target="iora", length=DAY, anyway=True),
    "baseline learn iora anyway": LearnBaseline(target="iora", anyway=True),
    "baseline learn iora 2025-06-01..2025-06-02": LearnBaseline(
        target="iora", first=1_748_736_000_000, last=1_748_822_400_000
    ),
    "baseline learn iora 2025-06-01T12:00..2025-06-02T00:00+02:00": LearnBaseline(
        target="iora", first=1_748_779_200_000, last=1_748_815_200_000
    ),
    "chart iora cpu": ShowChart(target="iora", metric="cpu"),
    "chart worker, memory_mb 7d": ShowChart(target="worker", metric="memory_mb", window=7 * DAY),
    "chart iora p95 1h 30m": ShowChart(target="iora", metric="p95", window=HOUR + 30 * MINUTE),
    "chart iora p95 last 6h": ShowChart(target="iora", metric="p95", window=6 * HOUR),
    "deploy iora": RecordDeploy(target="iora"),
    "deploy worker v1.2.3 (abc1234) &amp; more": RecordDeploy(
        target="worker", title="v1.2.3 (abc1234) & more"
    ),
    "doctor": Doctor(),
    f"doctor --test-ping <@{BOB}|bob>": Doctor(test_ping=BOB),
    f"doctor \u2014test-ping <@{BOB}>": Doctor(test_ping=BOB),
    "declare": Declare(title=""),
    "declare API slow": Declare(title="API slow"),
    "declare sev1 API slow": Declare(title="API slow", severity=SEV1),
    "declare SEV1 iora API slow": Declare(title="API slow", severity=SEV1, targets=("iora",)),
    "declare iora sev1 API slow": Declare(title="API slow", severity=SEV1, targets=("iora",)),
    "declare iora worker both slow": Declare(title="both slow", targets=("iora", "worker")),
    "declare sev1": Declare(title="", severity=SEV1),
    "declare sev1 sev2 was wrong": Declare(title="sev2 was wrong", severity=SEV1),
    "declare -- iora is slow": Declare(title="iora is slow"),
    "declare sev1 -- sev2 is wrong": Declare(title="sev2 is wrong", severity=SEV1),
    "declare iora -- worker -- both": Declare(title="worker -- both", targets=("iora",)),
    "declare iora \u2014 worker fails": Declare(title="worker fails", targets=("iora",)),
    "declare the iora API": Declare(title="the iora API"),
    "declare   too    many   spaces": Declare(title="too many spaces"),
    "declare a &lt;b&gt; &amp; c": Declare(title="a <b> & c"),
    "declare &lt;!channel&gt; look": Declare(title="<!channel> look"),
    f"declare ask <@{BOB}|bob>": Declare(title="ask @bob"),
    "declare <http://x.example|x.example> is down": Declare(title="x.example is down"),
    "declare tab\x1b[31mred\u202e": Declare(title="tab[31mred"),
    "incidents": Incidents(which="open"),
    "incidents mine": Incidents(which="mine"),
    "incidents resolved api slow": Incidents(which="resolved", words="api slow"),
    "incidents api": Incidents(which="all", words="api"),
    "show": Show(),
    "show INC-7": Show(incident=7),
    "show inc-7": Show(incident=7),
    "show Inc-7": Show(incident=7),
    "show INC7": Show(incident=7),
    "show #7": Show(incident=7),
    "show 7": Show(incident=7),
    "ack 7": Acknowledge(incident=7),
    "resolve 7": Resolve(incident=7),
    "reopen 7": Reopen(incident=7),
    "escalate 12": Escalate(incident=12),
    "show INC-007": Show(incident=7),
    "show <#C07WAR|inc-7>": Show(incident=7),
    "show INC-99999999999": Show(incident=99_999_999_999),
    "ack": Acknowledge(),
    "ACK inc-7": Acknowledge(incident=7),
    "timeline INC-7": Timeline(incident=7),
    f"assign <@{BOB}|bob>": Assign(person=BOB),
    "assign <@UABCDEF>": Assign(person="UABCDEF"),
    f"assign INC-7 <@{BOB}>": Assign(incident=7, person=BOB),
    f"assign INC-7 {BOB} scribe": Assign(incident=7, person=BOB, role="scribe"),
    f"assign INC-7 @{BOB} Customer Liaison": Assign(
        incident=7, person=BOB, role="customer liaison"
    ),
    "severity sev1": SetSeverity(severity=SEV1),
    "severity INC-7 SEV1": SetSeverity(incident=7, severity=SEV1),
    "mitigate": Mitigate(),
    "mitigate INC-7 breaker opened": Mitigate(incident=7, text="breaker opened"),
    "mitigate breaker opened": Mitigate(text="breaker opened"),
    "resolve INC-7": Resolve(incident=7),
    "resolve INC-7: rolled back": Resolve(incident=7, text="rolled back"),
    "resolve 3 pods replaced": Resolve(text="3 pods replaced"),
    "resolve INC-7 anyway the sensor is broken": Resolve(
        incident=7, text="the sensor is broken", anyway=True
    ),
    "resolve Anyway: the sensor is broken": Resolve(text="the sensor is broken", anyway=True),
    "resolve INC-7 anyway": Resolve(incident=7, anyway=True),
    "resolve INC-7 it was slow anyway": Resolve(incident=7, text="it was slow anyway"),
    "reopen INC-7 it came back": Reopen(incident=7, text="it came back"),
    "note look at the pool": Note(text="look at the pool"),
    "note INC-7 look": Note(incident=7, text="look"),
    "escalate": Escalate(),
    "escalate INC-7 I am stuck": Escalate(incident=7, text="I am stuck"),
    "update impact checkout fails": Update(impact="checkout fails"),
    "update INC-7 title API down": Update(incident=7, title="API down"),
    "update started 20m ago": Update(started_at=NOON - 20 * MINUTE),
    "update INC-7 started 14:05": Update(incident=7, started_at=NOON - 61 * MINUTE - 40_000),
    "stats": Stats(window=30 * DAY),
    "stats 12h": Stats(window=12 * HOUR),
    "stats 1d 12h": Stats(window=36 * HOUR),
}


@pytest.mark.parametrize("text", COMMANDS)
def test_what_people_type(text: str) -> None:
    assert parsed(text) == COMMANDS[text]


REFUSED = {
    # what was typed: words of the reason, words of what to do instead
    "helth": ("no command `helth`", "Did you mean `/iora health`?"),
    "declar x": ("no command `declar`", "`/iora declare`"),
    "resolv": ("no command `resolv`", "`/iora resolve`"),
    "acknowledge": ("no command `acknowledge`", "/iora"),
    "runbooks iora worker": ("Name one target", "/iora runbooks [target]"),
    "run": ("Name a runbook", "/iora run RUNBOOK"),
    "run RUN-5 aprove": ("did you mean approve?", "/iora run RUNBOOK"),
    "xyzzy": ("no command `xyzzy`", "See `/iora help`."),
    "health ioar": ("no target `ioar`", "Did you mean `iora`?"),
    "health xyz": ("no target `xyz`", "There are: iora, worker."),
    "baseline nothing": ("no target `nothing`", "iora"),
    "baseline learn": ("Name a target", "learn TARGET"),
    "baseline learn iora yesterday": ("`yesterday` is no window", "24h, 7d"),
    "baseline learn iora 2025-06-02..2025-06-01": ("is no window", "baseline"),
    "baseline learn iora 24h please": ("Name a target", "learn TARGET"),
    f"declare {'x' * (TITLE + 1)}": ("201 characters, at most 200", "Write `/iora declare"),
    f"note {'x' * (TEXT + 1)}": ("2001 characters, at most 2000", "Write `/iora note"),
    f"resolve {'x' * (TEXT + 1)}": ("2001 characters, at most 2000", "Write `/iora resolve"),
    f"update impact {'x' * (TEXT + 1)}": ("2001 characters, at most 2000", "/iora update"),
    f"update title {'x' * (TITLE + 1)}": ("201 characters, at most 200", "/iora update"),
    "note": ("needs its text", "Write `/iora note [INC-n] TEXT`."),
    "note INC-7": ("needs its text", "/iora note"),
    "show that": ("`that` is no incident such as INC-7", "Write `/iora show [INC-n]`."),
    "show 7 8": ("`7 8` is no incident", "/iora show"),
    "ack INC-7 now": ("`now` is no incident", "/iora ack"),
    "note 7": ("needs its text", "/iora note"),
    "assign": ("Name a person", "/iora assign"),
    "assign bob": ("Name a person", "type @"),
    "assign @bob": ("Name a person", "type @"),
    "assign URGENT": ("Name a person", "type @"),
    "assign INC-7 @WHOEVER scribe": ("Name a person", "type @"),
    "doctor --test-ping UPTIME": ("Name a person", "type @"),
    f"assign <@{BOB}> {'x' * 61}": ("at most 60 characters", "/iora assign"),
    "severity": ("Name a severity: sev1 is the worst, sev4 the least.", "/iora severity"),
    "severity INC-7": ("Name a severity: sev1", "/iora severity"),
    "severity sev5": ("`sev5` is no severity", "/iora severity"),
    "severity INC-7 high": ("`high` is no severity", "sev1"),
    "update": ("Say what to update", "/iora update"),
    "update impact": ("Say what to update", "/iora update"),
    "update colour red": ("Say what to update", "/iora update"),
    "update started soon": ("`soon` is no time", "20m ago"),
    "update started 25:00": ("`25:00` is no time", "14:05 (UTC)"),
    "stats soon": ("`soon` is no window", "/iora stats"),
    "stats 0s": ("`0s` is no window", "/iora stats"),
    f"stats {'9' * 400}d": ("is no window", "/iora stats"),
    "stats 400d": ("is no window", "/iora stats"),
    "doctor now": ("Name a person to ping", "/iora doctor"),
    "chart": ("Name a target. There are: iora, worker.", "Write `/iora chart TARGET METRIC"),
    "chart ioar cpu": ("no target `ioar`", "Did you mean `iora`?"),
    "chart iora": ("Name a metric too", "Write `/iora chart TARGET METRIC [window]`."),
    "chart iora cpu yesterday": ("`yesterday` is no window such as 30m, 6h or 7d", "/iora chart"),
    "chart iora cpu 0s": ("`0s` is no window", "/iora chart"),
    "deploy": ("Name a target", "Write `/iora deploy TARGET [what]`."),
    "deploy v1.2.3": ("no target `v1.2.3`", "There are: iora, worker."),
    f"deploy iora {'x' * 101}": ("101 characters, at most 100", "/iora deploy"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_says_why_and_how_it_is_written(text: str) -> None:
    refusal = parsed(text)
    reason, remedy = REFUSED[text]
    assert isinstance(refusal, Refusal), refusal
    assert reason in refusal.reason
    assert remedy in str(refusal)


HOSTILE = "&lt;!channel&gt;xoxb-12345678901-abcdef&lt;@U01ALICE&gt;"


@pytest.mark.parametrize(
    "text",
    ["{}", "health {}", "show {}", "severity {}", "update started {}", "stats {}"],
)
def test_a_refusal_repeats_nothing_that_mentions_or_is_a_secret(text: str) -> None:
    refusal = parsed(text.format(HOSTILE))
    assert isinstance(refusal, Refusal)
    assert "<" not in str(refusal)
    assert "xoxb-" not in str(refusal)


def examples(usage: str) -> list[str]:
    """A usage line as people would type it: with and without what is in brackets."""
    given = {
        "target ...": "iora worker",
        "target": "iora",
        "sev1..sev4": "sev1",
        "INC-n": "INC-7",
        "@person": f"<@{BOB}|bob>",
        "open|mine|resolved|all": "mine",
        "24h|7d|FROM..TO": "2025-06-01..2025-06-02",
        "window": "12h",
        "topic": "declare",
        "DURATION": "4h",
        "TIME": "18:00",
        "TARGET": "iora",
        "SILENCE": "3",
        "ID": "diag_1750000000_a1b2c3d4e5f6",
        "RUNBOOK": "high-cpu-usage",
        "name=value ...": "hold=5m reason=slow",
        "RUN-n": "RUN-5",
        "done|skip|approve|reject|do|repeat|undo|preview|pause|resume|cancel": "skip",
    }
    word, _, rest = usage.partition(" ")
    texts = []
    for alternative in rest.split(" | "):
        for keep in (True, False):
            text = re.sub(r"\[([^\]]*)\]", r"\1" if keep else "", alternative)
            for placeholder, value in given.items():
                text = text.replace(placeholder, value)
            texts.append(f"{word} {text}".strip())
    return texts


USAGES = [(word.word, text) for word in WORDS for text in examples(word.usage)]


@pytest.mark.parametrize(("word", "text"), USAGES, ids=[text for _, text in USAGES])
def test_every_usage_line_of_the_help_can_be_typed_as_it_stands(word: str, text: str) -> None:
    command = parsed(text)
    assert not isinstance(command, Refusal), command
    assert word == text.split(maxsplit=1)[0]


def test_every_command_of_the_help_is_known_and_every_known_one_is_in_the_help() -> None:
    for word in WORDS:
        answer = parsed(word.word)
        assert "no command" not in str(answer)


MOMENTS: dict[str, int | None] = {
    "20m ago": NOON - 20 * MINUTE,
    "20m": NOON - 20 * MINUTE,
    "1h30m ago": NOON - 90 * MINUTE,
    "0s": NOON,
    "15:06": NOON - 40_000,
    "15:06 UTC": NOON - 40_000,
    "15:07": NOON - 40_000 + MINUTE - DAY,
    "00:00": NOON - 15 * HOUR - 6 * MINUTE - 40_000,
    "9:30": NOON - 5 * HOUR - 36 * MINUTE - 40_000,
    "24:00": None,
    "12:60": None,
    "ago": None,
    "": None,
    "yesterday": None,
    "-5m": None,
    "20": None,
}


@pytest.mark.parametrize("text", MOMENTS)
def test_when_it_began(text: str) -> None:
    """NOON is 15:06:40 UTC; a time of day is the last one, so never in the future."""
    assert moment(text, NOON) == MOMENTS[text]


@given(st.text(max_size=30))
def test_no_moment_is_in_the_future(text: str) -> None:
    found = moment(text, NOON)
    assert found is None or at(found) <= at(NOON)


KNOWN = st.sampled_from([*(word.word for word in WORDS), "iora", "sev1", "INC-7", "--", "7d", "@x"])


@given(st.lists(st.one_of(KNOWN, st.text(max_size=40)), max_size=6))
def test_whatever_is_typed_is_a_command_or_a_refusal_with_a_remedy(words: list[str]) -> None:
    found: Any = parsed(" ".join(words))
    assert isinstance(found, Command | Refusal)
    if isinstance(found, Refusal):
        assert found.reason
        assert found.remedy
    str(found).encode("utf-8")


def test_help_on_what_is_not_there_names_the_nearest():
    refused = parse("help helth", (), 0)
    assert isinstance(refused, Refusal)
    assert refused.remedy == "Did you mean `/iora health`?"
