"""How alerts are drawn: on a card, on a timeline, and as a suggestion; text of other tools does nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.model.alert import Firing
from bot.render.alert_suggestion import suggestion
from bot.render.alerting import line, sentence, summary
from bot.text import escape

HOSTILE = "<!channel> <https://evil.example|click> *bold* token=hunter2"
SUGGESTED: dict[str, Any] = {
    "group": 1,
    "key": "alerts:1:5",
    "title": "iora: Errors",
    "severity": "sev3",
    "targets": ["iora"],
    "source": "prometheus",
    "since": 1_750_000_000_000,
    "because": ["Errors on i1"],
    "runbook": None,
    "url": "",
    "firing": 12,
    "resolved": 3,
    "titles": {"Errors": 12},
}


def drawn(**changes: Any) -> str:
    found = suggestion(SUGGESTED | changes)
    return found.text + json.dumps(list(found.blocks), ensure_ascii=False)


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        (None, ""),
        (Firing(0, 0, {}), ""),
        (
            Firing(12, 3, {"Errors": 8, "Disk": 4}),
            "*12 alerts firing, 3 resolved*: Errors (8), Disk (4)",
        ),
        (
            Firing(0, 15, {}),
            "*All 15 alerts are resolved*: resolve the incident once you have seen why",
        ),
        (Firing(1, 0, {"A": 1}, 7), "*1 alert firing*: A _(their source left 7 more out)_"),
        (
            Firing(1, 0, {"A": 1}, url="http://prometheus:9090/graph?a=1&b=2"),
            "*1 alert firing*: A | <http://prometheus:9090/graph?a=1&amp;b=2|the newest>",
        ),
        (
            Firing(1, 0, {"A": 1}, says="93 % of <b> is used"),
            "*1 alert firing*: A\n93 % of &lt;b&gt; is used",
        ),
        (Firing(1, 0, {"A": 1}, says="A"), "*1 alert firing*: A"),
    ],
)
def test_a_card_says_how_many_and_what_the_newest_says(alerts: Firing | None, words: str) -> None:
    assert line(alerts) == words


@pytest.mark.parametrize(
    ("what", "firing", "resolved", "words"),
    [
        ("changed", 12, 3, "12 alerts firing, 3 resolved (builds): Errors (12)."),
        (
            "cleared",
            0,
            15,
            "All 15 alerts are resolved (builds). The incident stays open until somebody resolves it.",
        ),
        ("back", 2, 13, "It fires again: 2 alerts firing, 13 resolved (builds): Errors (12)."),
    ],
)
def test_a_timeline_says_what_has_changed(
    what: str, firing: int, resolved: int, words: str
) -> None:
    facts = {"what": what, "source": "builds", "firing": firing, "resolved": resolved}
    assert sentence(facts | {"titles": {"Errors": 12}}) == words


def test_a_suggestion_asks_until_somebody_answered_or_it_is_over() -> None:
    assert "iora:finding:declare" in drawn()
    assert "Nobody was paged. Is it an incident?" in drawn()
    assert "iora:runbook:start" in drawn(runbook="high-cpu-usage")
    for answered in ({"by": "slack:T:U1"}, {"by": "slack:T:U1", "incident": 7}, {"firing": 0}):
        assert "iora:finding" not in drawn(**answered)
    assert "<@U1> made it INC-7." in drawn(by="slack:T:U1", incident=7)
    assert "It is over." in drawn(firing=0)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://a.example/|click> <!channel>",
        "http://a.example/<!here>",
        "http://bob:hunter2@a.example/",
        "http://a.example/?token=hunter2",
        "http://a.example/" + "x" * 2_000,
    ],
)
def test_an_address_that_is_more_than_an_address_is_not_shown(url: str) -> None:
    assert line(Firing(1, 0, {"A": 1}, url=url)) == "*1 alert firing*: A"
    assert "a.example" not in drawn(url=url)
    assert "there|" not in drawn(url=url)


def test_a_suggestion_leads_to_where_it_was_seen() -> None:
    assert "<https://ci.example/7|look at it there>" in drawn(url="https://ci.example/7")


def test_text_of_another_tool_is_escaped_and_redacted_wherever_it_stands() -> None:
    titles = {HOSTILE: 2}
    seen = [
        line(Firing(2, 0, titles)),
        summary(Firing(2, 0, titles)),
        sentence({"what": "back", "source": "x", "firing": 2, "resolved": 0, "titles": titles}),
        drawn(title=HOSTILE, titles=titles, because=[HOSTILE]),
    ]
    for text in seen:
        assert "<!channel>" not in text
        assert "<https" not in text
        assert "hunter2" not in text
        assert escape("<!channel>") in text
