"""What runbooks ask for and nobody offers is told in few lines, and is no error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.files.runbook_note import runbook_findings
from bot.files.runbooks import load_books
from bot.model.runbook import Runbook
from tests.support.configs import ALICE, BOB, config
from tests.support.runs import book, books, step

ROOT = Path(__file__).parents[2]
ACTION = {"url": "http://127.0.0.1:8080/api/ops/breaker"}
HEALTH = {"url": "http://127.0.0.1:8080/api/health"}
AGENT = {"url": "http://127.0.0.1:9108"}
TARGETS = {
    "iora": {"health": HEALTH, "agent": AGENT, "actions": {"open": ACTION, "close": ACTION}},
    "worker": {"health": HEALTH, "agent": AGENT, "actions": {"close": ACTION}},
}
PEOPLE = {"commander": [ALICE, BOB], "responder": [ALICE, BOB, "cli:alice"]}


def breaker(**more: Any) -> dict[str, Any]:
    return step("action", "breaker", action="open", undo="close", **more)


def notes(
    folder: Path, *written: dict[str, Any], offered: dict[str, set[str]] | None = None, **more: Any
) -> list[str]:
    made = config(**{"targets": TARGETS, "roles": PEOPLE} | more)
    found = [one.runbook for one in books(folder, *written).values()]
    return [str(note) for note in runbook_findings(found, made, offered or {})]


def test_where_everything_is_offered_there_is_nothing_to_say(tmp_path: Path) -> None:
    written = book(breaker(target="iora"), step("probe", "look", probe="uptime"))
    offered = {"iora": {"uptime"}, "worker": {"uptime", "top"}}
    assert notes(tmp_path, written, offered=offered) == []


def test_an_action_that_a_target_lacks_is_one_line_with_all_the_runbooks(tmp_path: Path) -> None:
    written = [book(breaker(), name=name) for name in ("cpu", "memory")]
    assert notes(tmp_path, *written) == [
        (
            "note: runbooks: worker offers no action open:"
            " a person does it by hand in cpu (breaker) and memory (breaker)"
        )
    ]


def test_an_action_that_only_takes_back_is_asked_for_too(tmp_path: Path) -> None:
    check = step("check", "look", undo="shut")
    assert notes(tmp_path, book(check)) == [
        (
            "note: runbooks: iora and worker offer no action shut:"
            " a person does it by hand in breaker (look)"
        )
    ]


def test_a_step_with_a_target_of_its_own_asks_only_that_one(tmp_path: Path) -> None:
    assert notes(tmp_path, book(breaker(target="iora"))) == []
    assert "worker offers" in notes(tmp_path, book(breaker(target="worker")))[0]


def test_targets_without_any_action_are_one_line(tmp_path: Path) -> None:
    bare = {name: {"health": HEALTH, "agent": AGENT} for name in ("a", "b", "c", "d", "e")}
    written = [book(breaker(), name=f"book{number}") for number in range(10)]
    assert notes(tmp_path, *written, targets=bare) == [
        (
            "note: runbooks: a, b, c, d and e have no actions: a person does by hand what the actions"
            " open and close do in book0, book1, book2, book3, book4 and 5 more;"
            " add actions: to the target"
        )
    ]


def test_what_agents_offer_is_only_told_where_they_were_asked(tmp_path: Path) -> None:
    written = book(step("probe", "look", probe="perf-record"))
    assert notes(tmp_path, written) == []
    assert notes(tmp_path, written, offered={"iora": {"top"}}) == [
        (
            "note: runbooks: iora offers no probe perf-record:"
            " a person does it by hand in breaker (look)"
        )
    ]


def test_a_target_without_an_agent_offers_no_probe(tmp_path: Path) -> None:
    targets = TARGETS | {"worker": {"health": HEALTH, "actions": {"open": ACTION}}}
    written = book(step("probe", "look", probe="top"), step("probe", "more", probe="ps"))
    assert notes(tmp_path, written, targets=targets) == [
        (
            "note: runbooks: worker has no agent: a person does by hand what the probes top and ps do"
            " in breaker; run `iora agent` on its host and add agent:"
        )
    ]


APPROVALS = {
    "an action that nobody can approve": (
        {},
        {"responder": [ALICE]},
        (
            "nobody has the role commander, to approve breaker (breaker);"
            " name more people below roles.commander"
        ),
    ),
    "an approval that takes more people than there are": (
        {"approval": {"roles": ["responder", "commander"], "min": 4}},
        PEOPLE,
        (
            "the role responder or commander has only 3 of the 4 people who are needed,"
            " to approve breaker (breaker); name more people below roles.responder"
        ),
    ),
    "an approval that needs everybody, but whoever starts it": (
        {"approval": {"min": 2, "not_requester": True}},
        PEOPLE,
        (
            "where whoever starts it has the role commander, too few others have it,"
            " to approve breaker (breaker); name more people below roles.commander"
        ),
    ),
}


@pytest.mark.parametrize(("more", "roles", "expected"), APPROVALS.values(), ids=APPROVALS.keys())
def test_approvals_that_too_few_can_give_are_told(
    tmp_path: Path, more: dict[str, Any], roles: dict[str, list[str]], expected: str
) -> None:
    told = notes(tmp_path, book(breaker(target="iora", **more)), roles=roles)
    assert told == [f"note: runbooks: {expected}"]


def shipped() -> list[Runbook]:
    return [one.runbook for one in load_books(ROOT / "runbooks").values()]


def test_the_shipped_runbooks_and_five_bare_targets_make_few_lines() -> None:
    bare = {name: {"health": HEALTH} for name in ("a", "b", "c", "d", "e")}
    assert len(runbook_findings(shipped(), config(targets=bare, roles={}), {})) <= 5
