"""Modals and the Home: triggers, submissions, errors, and what the app may answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.workspace.server import Server, serve
from tests.support.hand_clock import HandClock
from tests.support.workspace_app import bolt_app, connected, web_client

INCIDENTS = "C01INCIDENTS"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Declare", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "iora:incident:declare",
        "title": plain(title),
        "submit": plain("Declare"),
        "private_metadata": "C01INCIDENTS",
        "blocks": [
            {
                "type": "input",
                "block_id": "title",
                "label": plain("Title"),
                "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
            },
            {
                "type": "input",
                "block_id": "severity",
                "label": plain("Severity"),
                "element": {
                    "type": "static_select",
                    "action_id": "choice",
                    "options": [{"text": plain("SEV2"), "value": "sev2"}],
                    "initial_option": {"text": plain("SEV2"), "value": "sev2"},
                },
            },
            {
                "type": "input",
                "block_id": "since",
                "optional": True,
                "label": plain("Since"),
                "element": {"type": "datetimepicker", "action_id": "at"},
            },
        ],
        **more,
    }


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[Server]:
    async with serve(clock=clock) as running:
        yield running


@pytest.fixture
async def app(server: Server) -> AsyncIterator[AsyncApp]:
    """An app whose command opens the modal, and whose answer to a submission the test chooses."""
    made = bolt_app(server)

    @made.command("/iora")
    async def declare(ack: Any, client: Any, command: dict[str, Any]) -> None:
        await client.views_open(trigger_id=command["trigger_id"], view=modal())
        await ack()

    async with connected(server, made):
        yield made


async def opened(server: Server) -> str:
    outcome = await server.acts.slash("U01ALICE", INCIDENTS, "/iora", "declare")
    assert outcome.view is not None, outcome.why
    return outcome.view.id


async def test_a_submission_carries_what_was_typed_and_what_was_left_as_it_was(
    server: Server, app: AsyncApp
) -> None:
    seen: list[dict[str, Any]] = []

    @app.view("iora:incident:declare")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        seen.append(view)
        await ack()

    view_id = await opened(server)
    outcome = await server.acts.submit("U01ALICE", view_id, {"title": {"text": "API slow"}})
    assert outcome.ok, (outcome.why, outcome.errors)
    assert outcome.view is None, "the modal closes"
    values = seen[0]["state"]["values"]
    assert values["title"]["text"] == {"type": "plain_text_input", "value": "API slow"}
    assert values["severity"]["choice"]["selected_option"]["value"] == "sev2"
    assert values["since"]["at"] == {"type": "datetimepicker", "selected_date_time": None}
    assert seen[0]["private_metadata"] == "C01INCIDENTS"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "complete this required field"), ("x" * 21, "at most 20 characters")],
)
async def test_a_form_that_is_not_filled_in_never_reaches_the_app(
    server: Server, app: AsyncApp, text: str, reason: str
) -> None:
    view_id = await opened(server)
    outcome = await server.acts.submit("U01ALICE", view_id, {"title": {"text": text}})
    assert not outcome.ok
    assert reason in outcome.errors["title"]


async def test_errors_of_the_app_are_shown_and_the_form_stays(
    server: Server, app: AsyncApp
) -> None:
    @app.view("iora:incident:declare")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"title": "Say more"})

    view_id = await opened(server)
    outcome = await server.acts.submit("U01ALICE", view_id, {"title": {"text": "x"}})
    assert (outcome.ok, outcome.errors) == (False, {"title": "Say more"})
    (view,) = server.workspace.views_of("U01ALICE")
    assert view.errors == {"title": "Say more"}


async def test_an_error_on_a_block_that_is_not_there_is_not_valid(
    server: Server, app: AsyncApp
) -> None:
    @app.view("iora:incident:declare")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"subject": "Say more"})

    view_id = await opened(server)
    outcome = await server.acts.submit("U01ALICE", view_id, {"title": {"text": "x"}})
    assert "no input block has the block_id 'subject'" in outcome.why
    assert [item.where for item in server.rejections] == ["ack"]


async def test_a_submission_may_be_answered_with_another_view(
    server: Server, app: AsyncApp
) -> None:
    answers = [
        {"response_action": "push", "view": modal("Second")},
        {"response_action": "update", "view": modal("Third")},
        {"response_action": "clear"},
    ]

    @app.view("iora:incident:declare")
    async def submitted(ack: Any) -> None:
        await ack(**answers.pop(0))

    view_id = await opened(server)
    titles = []
    while answers:
        outcome = await server.acts.submit("U01ALICE", view_id, {"title": {"text": "x"}})
        assert outcome.ok, outcome.why
        stack = server.workspace.views_of("U01ALICE")
        titles.append([view.body["title"]["text"] for view in stack])
        view_id = stack[-1].id if stack else ""
    assert titles == [["Declare", "Second"], ["Declare", "Third"], []]


async def test_a_modal_that_is_cancelled_tells_the_app_only_when_it_asked(
    server: Server, app: AsyncApp
) -> None:
    closed: asyncio.Queue[str] = asyncio.Queue()

    @app.view_closed("iora:incident:declare")
    async def cancelled(ack: Any, view: dict[str, Any]) -> None:
        await ack()
        closed.put_nowait(view["id"])

    quiet = await opened(server)
    assert (await server.acts.close("U01ALICE", quiet)).ok
    assert server.workspace.views_of("U01ALICE") == []
    loud = await opened(server)
    view = server.workspace.view(loud)
    assert view is not None
    await web_client(server).views_update(view_id=loud, view=modal(notify_on_close=True))
    assert (await server.acts.close("U01ALICE", loud)).ok
    assert closed.get_nowait() == loud
    assert closed.empty()


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


async def test_a_trigger_opens_one_modal_within_three_seconds(
    server: Server, clock: HandClock
) -> None:
    client = web_client(server)
    trigger = server.site.tickets.trigger("U01ALICE")
    clock.move(3)
    await client.views_open(trigger_id=trigger, view=modal())
    assert await refused(client.views_open(trigger_id=trigger, view=modal())) == (
        "exchanged_trigger_id"
    )
    late = server.site.tickets.trigger("U01ALICE")
    clock.move(3.1)
    assert await refused(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2", view=modal())) == "invalid_trigger_id"


async def test_a_view_that_is_not_valid_does_not_use_the_trigger_up(server: Server) -> None:
    client = web_client(server)
    trigger = server.site.tickets.trigger("U01ALICE")
    assert await refused(client.views_open(trigger_id=trigger, view=modal("x" * 25))) == (
        "invalid_arguments"
    )
    await client.views_open(trigger_id=trigger, view=modal())


async def test_three_modals_lie_on_each_other_and_no_fourth(server: Server) -> None:
    client = web_client(server)
    opened_one = await client.views_open(
        trigger_id=server.site.tickets.trigger("U01ALICE"), view=modal()
    )
    root = opened_one["view"]["id"]
    for _ in range(2):
        top = server.workspace.views_of("U01ALICE")[-1].id
        pushed = await client.views_push(
            trigger_id=server.site.tickets.trigger("U01ALICE", top), view=modal()
        )
        assert pushed["view"]["root_view_id"] == root
        assert pushed["view"]["previous_view_id"] == top
    trigger = server.site.tickets.trigger("U01ALICE", root)
    assert await refused(client.views_push(trigger_id=trigger, view=modal())) == (
        "push_limit_reached"
    )


async def test_an_update_may_name_an_external_id_and_must_know_the_last_hash(
    server: Server,
) -> None:
    client = web_client(server)
    first = await client.views_open(
        trigger_id=server.site.tickets.trigger("U01ALICE"), view=modal(external_id="form-1")
    )
    await client.views_update(
        external_id="form-1", hash=first["view"]["hash"], view=modal("Next", external_id="form-1")
    )
    stale = client.views_update(
        external_id="form-1", hash=first["view"]["hash"], view=modal(external_id="form-1")
    )
    assert await refused(stale) == "hash_conflict"
    assert await refused(client.views_update(view_id="V99", view=modal())) == "not_found"


async def test_a_choice_in_a_modal_reaches_the_app_with_the_form(
    server: Server, app: AsyncApp
) -> None:
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @app.action("choice")
    async def chosen(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        seen.put_nowait(body)

    view_id = await opened(server)
    outcome = await server.acts.press_in_view(
        "U01ALICE", view_id, "severity", "choice", "sev2", {"title": {"text": "so far"}}
    )
    assert outcome.ok, outcome.why
    body = seen.get_nowait()
    assert body["container"] == {"type": "view", "view_id": view_id}
    assert body["view"]["state"]["values"]["title"]["text"]["value"] == "so far"


async def test_the_home_is_published_and_seen(server: Server, app: AsyncApp) -> None:
    heard = asyncio.Event()

    @app.event("app_home_opened")
    async def looked(client: Any, event: dict[str, Any]) -> None:
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "No open incident"}}
        await client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [section]}
        )
        heard.set()

    await server.acts.open_home("U01ALICE")
    async with asyncio.timeout(60):
        await heard.wait()
    home = server.workspace.home_of("U01ALICE")
    assert home is not None
    assert home.body["blocks"][0]["text"]["text"] == "No open incident"
    assert server.workspace.home_of("U02BOB") is None
