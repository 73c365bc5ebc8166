"""Who may do what."""

from __future__ import annotations

import pytest

from bot.model.actor import Actor
from bot.model.command import (
    Acknowledge,
    Assign,
    Escalate,
    Mitigate,
    Note,
    OnIncident,
    Reopen,
    Resolve,
    SetSeverity,
    Update,
)
from bot.model.incident import Severity
from bot.rules import access
from tests.support.configs import ALICE, BOB, MALLORY, TEAM, config
from tests.support.incidents import alice, bob, incident, mallory

COMMANDS: dict[str, OnIncident] = {
    "acknowledge": Acknowledge(),
    "note": Note(text="x"),
    "update": Update(impact="x"),
    "escalate": Escalate(),
    "reopen": Reopen(),
    "assign": Assign(person=BOB),
    "change the severity of": SetSeverity(severity=Severity.SEV1),
    "mitigate": Mitigate(),
    "resolve": Resolve(),
}
FOR_ALL = {"acknowledge", "note", "update", "escalate", "reopen"}
SETTINGS = config(
    roles={"responder": [BOB, "cli:ops"], "commander": [ALICE]},
    slack={"team": TEAM, "guests": ["U09GUEST"]},
)
WHO = {
    "a responder": (bob, {}, True),
    "the role commander": (alice, {}, True),
    "a login with a role": (Actor.login("ops"), {}, True),
    "a login without one": (Actor.login("root"), {}, False),
    "the commander of this incident": (mallory, {"commander": MALLORY}, True),
    "whoever was paged": (mallory, {"paged": [MALLORY]}, True),
    "any other member": (mallory, {}, False),
    "a login called like a member id": (Actor.login(BOB), {}, False),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("who", WHO)
def test_the_table_of_people_and_commands(who: str, command: str) -> None:
    actor, known, stands = WHO[who]
    found = incident(commander=known.get("commander"))
    refused = access.refuse(SETTINGS, actor, COMMANDS[command], found, known.get("paged", ()))
    if command in FOR_ALL or stands:
        assert refused is None
    else:
        assert refused is not None
        assert refused.reason == f"You may not {command} INC-7."
        assert f"<@{BOB}>, the login ops, <@{ALICE}>" in refused.remedy


def test_a_refusal_names_the_commander_and_those_who_were_paged() -> None:
    found = incident(commander="U05CAROL")
    refused = access.refuse(SETTINGS, mallory, Resolve(), found, ["U06DAVE", BOB])
    assert refused is not None
    assert refused.remedy == (
        f"Who may: <@{BOB}>, the login ops, <@{ALICE}>, <@U05CAROL>, <@U06DAVE>."
    )


def test_while_nobody_has_a_role_the_refusal_says_where_to_name_people() -> None:
    refused = access.refuse(config(roles={}), mallory, Resolve(), incident(), ())
    assert refused is not None
    assert "`roles`" in refused.remedy


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        pytest.param(Actor.slack(TEAM, MALLORY), True, id="a full member"),
        pytest.param(Actor.slack(TEAM, "U08OTHER", guest=True), False, id="a guest"),
        pytest.param(Actor.slack(TEAM, "U09GUEST", guest=True), True, id="a guest who is listed"),
        pytest.param(Actor.slack("T99", BOB, guest=True), False, id="another team's U02BOB"),
        pytest.param(Actor.login("anyone"), True, id="a login of this machine"),
    ],
)
def test_guests_and_other_teams_are_refused_unless_they_are_listed(actor: Actor, may: bool) -> None:
    refused = access.refuse_outsider(SETTINGS, actor)
    assert (refused is None) == may
    if refused is not None:
        assert "slack.guests" in refused.remedy
