"""The page as a visitor uses it: a real browser, a real Bolt app at the other end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.workspace.records import Json
from bot.workspace.server import Server, serve
from tests.support.browser import OpenPage
from tests.support.workspace_app import bolt_app, connected

pytestmark = pytest.mark.browser

ALICE, BOB, IORA = "U01ALICE", "U02BOB", "U00IORA"
INCIDENTS, GENERAL = "C01INCIDENTS", "C02GENERAL"
PHONE = {"width": 390, "height": 844, "touch": True}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(text: str, action: str, **more: object) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action, "value": "INC-7", **more}


SURE = {"title": plain("Resolve INC-7?"), "text": plain("It is over"), "confirm": plain("Resolve")}
MORE = [{"text": plain("Escalate"), "value": "escalate"}, {"text": plain("Note"), "value": "note"}]
CARD: list[Json] = [
    {"type": "header", "text": plain("SEV2 INC-7 API slow")},
    {
        "type": "section",
        "block_id": "state",
        "text": {"type": "mrkdwn", "text": "*OPEN*"},
        "accessory": {"type": "overflow", "action_id": "more", "options": MORE},
    },
    {
        "type": "actions",
        "block_id": "do",
        "elements": [
            button("Acknowledge", "ack", style="primary"),
            button("Resolve", "resolve", confirm={**SURE, "deny": plain("Keep open")}),
            {"type": "users_select", "action_id": "assign", "placeholder": plain("Assign")},
        ],
    },
]
DECLARE: Json = {
    "type": "modal",
    "callback_id": "declare",
    "title": plain("Declare"),
    "submit": plain("Declare it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": plain("Title"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "targets",
            "optional": True,
            "label": plain("Targets"),
            "element": {
                "type": "checkboxes",
                "action_id": "which",
                "options": [{"text": plain("iora"), "value": "iora"}],
            },
        },
    ],
}


class Bot:
    """What the bot at the other end was told."""

    def __init__(self, server: Server) -> None:
        self.app = bolt_app(server)
        self.actions: list[Json] = []
        self.submitted: list[Json] = []
        self.app.command("/iora")(self.command)
        for name in ("ack", "resolve", "assign", "more"):
            self.app.action(name)(self.action)
        self.app.view("declare")(self.view)

    async def command(self, ack: Any, command: Json, client: Any) -> None:
        if command["text"] == "declare":
            await client.views_open(trigger_id=command["trigger_id"], view=DECLARE)
            await ack()
        else:
            await ack(f"You typed *{command['text'] or 'nothing'}*")

    async def action(self, ack: Any, action: Json, body: Json, client: Any) -> None:
        self.actions.append({**action, "person": body["user"]["id"]})
        await ack()
        if action["action_id"] == "ack":
            where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
            await client.chat_update(**where, text="Acknowledged", blocks=CARD[:1])

    async def view(self, ack: Any, view: Json) -> None:
        values = view["state"]["values"]
        if len(values["title"]["text"]["value"]) < 5:
            await ack(response_action="errors", errors={"title": "Five characters or more"})
            return
        self.submitted.append(values)
        await ack()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve() as running:
        running.workspace.join(INCIDENTS, IORA)
        yield running


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[Bot]:
    made = Bot(server)
    async with connected(server, made.app):
        yield made


def seen_by(server: Server, person: str, channel: str = INCIDENTS) -> str:
    return f"{server.url}/?as={person}&in={channel}"


def card(server: Server) -> str:
    """Post an incident's card; its ts."""
    message = server.workspace.post(INCIDENTS, IORA, "SEV2 INC-7", blocks=CARD, by_app=True)
    return message.ts


async def live(page: Page) -> Page:
    """The page, once it hears of changes."""
    await page.wait_for_selector("html[data-live]")
    return page


async def test_a_message_is_sent_with_enter_and_seen_by_the_other_person_at_once(
    server: Server, open_page: OpenPage
) -> None:
    alice = await live(await open_page(seen_by(server, ALICE)))
    bob = await live(await open_page(seen_by(server, BOB)))
    await alice.get_by_label("Message to #incidents").fill("Looking at *it*, @bob")
    await alice.keyboard.press("Enter")
    for page in (alice, bob):
        await expect(page.locator("article .said strong")).to_have_text("it")
    await expect(bob.locator("article .mention-me")).to_have_text("@Bob")
    await expect(alice.get_by_label("Message to #incidents")).to_have_value("")
    await expect(bob.locator("#said")).to_contain_text("Alice")


async def test_the_switch_shows_the_page_as_another_person(
    server: Server, open_page: OpenPage
) -> None:
    server.workspace.post(INCIDENTS, IORA, "for alice only", ephemeral_to=ALICE)
    page = await live(await open_page(seen_by(server, ALICE)))
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await page.get_by_role("link", name="Bob").click()
    await expect(page.locator("#as-U02BOB")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_text("Only visible to you")).to_have_count(0)


async def test_an_empty_channel_says_what_to_try_and_types_it(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#chip-health").click()
    await expect(page.locator("#say")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".ephemeral .said strong")).to_have_text("health")


async def test_commands_are_completed_with_the_keyboard(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    field = page.locator("#say")
    await field.press_sequentially("/iora s")
    offers = page.get_by_role("option")
    await expect(offers).to_have_count(5)
    await expect(offers.nth(0)).to_have_attribute("aria-selected", "true")
    await field.press("ArrowDown")
    await expect(field).to_have_attribute("aria-activedescendant", "say-offer-severity")
    await field.press("Tab")
    await expect(field).to_have_value("/iora severity ")
    await expect(page.locator("#say-status")).to_contain_text("sev1..sev4")
    await field.fill("")
    await field.press_sequentially("/iora he")
    await field.press("Escape")
    await expect(offers).to_have_count(0)
    await expect(field).to_have_value("/iora he")


@pytest.mark.parametrize("word", ["stats", "run"])  # `runbooks` begins like `run`
async def test_a_whole_command_is_sent_by_enter_and_is_not_completed_again(
    server: Server, bot: Bot, open_page: OpenPage, word: str
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#say").press_sequentially(f"/iora {word}")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ephemeral .said strong")).to_have_text(word)


async def test_a_refused_command_stays_in_the_field_with_the_reason(
    server: Server, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#say").fill("/iora health")
    await page.keyboard.press("Enter")
    await expect(page.locator("#say-status")).to_contain_text("The bot is not connected")
    await expect(page.locator("#say")).to_have_value("/iora health")


async def test_a_pressed_button_reaches_the_bot_and_the_card_changes_in_place(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    card(server)
    page = await live(await open_page(seen_by(server, BOB)))
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("article .edited")).to_have_text("edited")
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert [(one["action_id"], one["value"], one["person"]) for one in bot.actions] == [
        ("ack", "INC-7", BOB)
    ]
    await expect(page.locator("article")).to_be_focused()


async def test_a_button_that_asks_first_does_nothing_until_it_is_confirmed(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    card(server)
    page = await live(await open_page(seen_by(server, ALICE)))
    press = page.locator("article").get_by_role("button", name="Resolve")
    await press.click()
    await expect(page.get_by_role("dialog", name="Resolve INC-7?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(press).to_be_focused()
    assert bot.actions == []
    await press.click()
    async with page.expect_response("**/page/press"):
        await page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    assert [one["action_id"] for one in bot.actions] == ["resolve"]


async def test_menus_tell_the_bot_what_was_chosen(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    card(server)
    page = await live(await open_page(seen_by(server, ALICE)))
    async with page.expect_response("**/page/press"):
        await page.get_by_label("Assign").select_option(label="Bob")
    more = page.locator("article .accessory summary")
    await more.press("Enter")
    await more.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    async with page.expect_response("**/page/press"):
        await page.keyboard.press("Enter")
    await expect(more).to_be_focused()
    assert bot.actions[0]["selected_user"] == BOB
    assert bot.actions[1]["selected_option"]["value"] == "note"


async def test_a_form_keeps_what_was_typed_beside_its_error_until_it_is_right(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#say").fill("/iora declare")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Declare")).to_be_visible()
    title = page.get_by_label("Title")
    await expect(title).to_be_focused()
    await page.get_by_label("iora", exact=True).check()
    await title.fill("API")
    await title.press("Enter")
    await expect(page.get_by_text("Five characters or more")).to_be_visible()
    await expect(title).to_have_value("API")
    await expect(title).to_have_attribute("aria-invalid", "true")
    await expect(title).to_be_focused()
    await title.fill("API slow")
    await page.get_by_role("button", name="Declare it").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert bot.submitted[0]["title"]["text"]["value"] == "API slow"
    assert [one["value"] for one in bot.submitted[0]["targets"]["which"]["selected_options"]] == [
        "iora"
    ]


async def test_escape_closes_a_form_and_focus_goes_back_to_where_it_was(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#say").fill("/iora declare")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Declare")
    await expect(dialog).to_be_visible()
    for _ in range(12):
        await page.keyboard.press("Tab")
        outside = (
            "document.activeElement !== document.body && !document.activeElement.closest('dialog')"
        )
        assert not await page.evaluate(outside)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#say")).to_be_focused()
    assert server.workspace.views_of(ALICE) == []


async def test_a_thread_opens_beside_the_channel_and_takes_a_reply(
    server: Server, open_page: OpenPage
) -> None:
    ts = card(server)
    server.workspace.post(INCIDENTS, BOB, "on it", thread_ts=ts)
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.get_by_role("link", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_text("on it")).to_be_visible()
    await expect(page.locator("#reply")).to_be_focused()
    await page.keyboard.type("thanks")
    await page.keyboard.press("Enter")
    await expect(thread.locator("article")).to_have_count(3)
    await expect(page.get_by_role("link", name="2 replies")).to_be_visible()
    assert server.workspace.messages[INCIDENTS][-1].thread_ts == ts
    await page.keyboard.press("Escape")
    await expect(thread).to_have_count(0)
    await expect(page.get_by_role("link", name="2 replies")).to_be_focused()


async def test_news_leave_alone_what_is_being_typed_and_where_one_reads(
    server: Server, open_page: OpenPage
) -> None:
    for number in range(60):
        server.workspace.post(INCIDENTS, BOB, f"line {number}")
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("#say").press_sequentially("half a sent")
    await page.evaluate("document.getElementById('scroll').scrollTop = 0")
    server.workspace.post(INCIDENTS, BOB, "the newest")
    await expect(page.get_by_role("button", name="New messages below")).to_be_visible()
    await expect(page.locator("#say")).to_have_value("half a sent")
    await expect(page.locator("#say")).to_be_focused()
    assert await page.evaluate("document.getElementById('scroll').scrollTop") == 0
    await page.get_by_role("button", name="New messages below").click()
    await expect(page.locator("article", has_text="the newest")).to_be_in_viewport()


async def test_a_direct_message_is_counted_opened_and_answered(
    server: Server, open_page: OpenPage
) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    direct = server.workspace.direct(ALICE, IORA)
    server.workspace.post(direct.id, IORA, "INC-7: you are on call", by_app=True)
    place = page.get_by_role("link", name="I.O.R.A. 1 unread")
    await place.click()
    await expect(page.get_by_text("you are on call")).to_be_visible()
    await page.get_by_role("button", name="Mallory").click()
    await expect(page.get_by_role("heading", name="Mallory", level=1)).to_be_visible()


async def test_a_reaction_is_added_and_taken_back(server: Server, open_page: OpenPage) -> None:
    server.workspace.post(INCIDENTS, BOB, "done")
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.locator("article summary[aria-label='Add a reaction']").press("Enter")
    await page.get_by_role("button", name="eyes").click()
    reaction = page.locator(".reaction")
    await expect(reaction).to_have_attribute("aria-pressed", "true")
    await reaction.click()
    await expect(reaction).to_have_count(0)


async def test_script_in_a_message_never_runs(server: Server, open_page: OpenPage) -> None:
    page = await live(await open_page(seen_by(server, ALICE)))
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    server.workspace.post(INCIDENTS, BOB, evil)
    await expect(page.locator("article .said")).to_contain_text("<script>")
    assert "owned" not in await page.title()


@pytest.mark.parametrize("query", ["", "&thread=parent"])
async def test_nothing_is_wider_than_a_phone(
    server: Server, open_page: OpenPage, query: str
) -> None:
    ts = card(server)
    server.workspace.post(INCIDENTS, BOB, "x" * 300 + "\n```" + "y" * 300 + "```")
    address = seen_by(server, ALICE) + query.replace("parent", ts)
    page = await live(await open_page(address, **PHONE))
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.evaluate("document.getElementById('scroll').scrollWidth") <= 390


async def test_on_a_phone_the_panels_are_drawers_and_a_thread_fills_the_screen(
    server: Server, open_page: OpenPage
) -> None:
    ts = card(server)
    server.workspace.post(INCIDENTS, BOB, "on it", thread_ts=ts)
    page = await live(await open_page(seen_by(server, ALICE), **PHONE))
    side = page.locator("#side")
    await expect(side).not_to_be_in_viewport()
    await page.get_by_role("button", name="Open the menu").click()
    await expect(side).to_be_in_viewport()
    await expect(side).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(side).not_to_be_in_viewport()
    await expect(page.get_by_role("button", name="Open the menu")).to_be_focused()
    await page.get_by_role("button", name="Break it").click()
    await expect(page.get_by_text("Break the sample service")).to_be_in_viewport()
    await page.get_by_role("button", name="Close the sample service").click()
    await page.get_by_role("link", name="1 reply").click()
    box = await page.get_by_role("complementary", name="Thread").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}


async def test_everything_can_be_done_with_the_keyboard_alone(
    server: Server, bot: Bot, open_page: OpenPage
) -> None:
    card(server)
    page = await live(await open_page(seen_by(server, ALICE)))
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#say")).to_be_focused()
    acknowledge = page.get_by_role("button", name="Acknowledge")
    for _ in range(20):
        if await acknowledge.evaluate("one => one === document.activeElement"):
            break
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("article .edited")).to_have_text("edited")
    assert bot.actions[0]["action_id"] == "ack"
