"""A person or a channel that can't receive: said at once, and the next one is told at once."""

from __future__ import annotations

import json

import pytest

from bot.model.actor import Actor
from bot.workspace.records import Person
from tests.support.delivered import escalating, nothing_lost_or_twice, settle
from tests.support.house import ALICE, BOB, INCIDENTS, House, config_for, living, standing, text_of

DEACTIVATED, ROBOT, UNKNOWN = "U0DEACTIVATED", "U0ROBOT", "U0NOBODY"
REASONS = {DEACTIVATED: "user_disabled", ROBOT: "cannot_dm_bot", UNKNOWN: "user_not_found"}


def strangers(house: House) -> None:
    workspace = house.slack.workspace
    workspace.add_person(Person(id=DEACTIVATED, name="gone", real_name="Gone", kind="deactivated"))
    workspace.add_person(Person(id=ROBOT, name="robot", real_name="Robot", kind="bot"))


async def timeline(house: House) -> str:
    assert house.bot is not None
    told = await house.bot.answer(Actor.login("test"), "timeline INC-1")
    return str(told["text"])


async def escalations(house: House) -> int:
    return (await timeline(house)).count("Told ")


@pytest.mark.parametrize("person", REASONS)
async def test_a_person_who_cant_receive_is_named_at_once_and_the_next_level_goes_at_once(
    tmp_path, person
) -> None:
    levels = escalating(("0s", ["channel", f"user:{person}"]), ("5m", [f"user:{BOB}"]))
    async with standing(tmp_path) as house:
        strangers(house)
        async with living(house, config_for(house.target, escalation=levels)):
            began = house.clock.now()
            assert (await house.slash(ALICE, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(BOB), "the next level, at once")
            assert house.clock.now() - began < 60_000
            told = f"can't be reached*: {REASONS[person]}"
            await house.until(lambda: told in text_of(house.card()), "the card says so")
            assert f"can't be reached in Slack: `{REASONS[person]}`" in await timeline(house)


async def test_whom_it_was_handed_to_without_their_hearing_of_it_is_said_in_the_thread(
    tmp_path,
) -> None:
    async with standing(tmp_path) as house:
        strangers(house)
        async with living(house, config_for(house.target)):
            assert (await house.slash(ALICE, "declare sev2 API slow")).ok
            await house.until_entry(1, "escalation")
            assert (await house.slash(ALICE, "ack INC-1")).ok
            assert (await house.slash(ALICE, f"assign INC-1 <@{DEACTIVATED}>")).ok
            said = f"<@{DEACTIVATED}> can't be reached in Slack: `user_disabled`"
            await house.until(
                lambda: [one for one in house.messages(INCIDENTS) if said in text_of(one)],
                "the thread says so",
            )
            assert len(await house.entries(1, "escalation")) == 1, "nobody else is told for it"


async def test_where_another_of_the_level_can_receive_nothing_is_hurried(tmp_path) -> None:
    levels = escalating(("0s", [f"user:{UNKNOWN}", f"user:{ALICE}"]), ("5m", [f"user:{BOB}"]))
    async with (
        standing(tmp_path) as house,
        living(house, config_for(house.target, escalation=levels)),
    ):
        assert (await house.slash(BOB, "declare sev2 API slow")).ok
        await house.until(lambda: house.pings(ALICE), "Alice's ping")
        await house.until(lambda: "can't be reached" in text_of(house.card()), "the card")
        assert await escalations(house) == 1
        assert not house.pings(BOB)


async def test_where_nobody_at_all_can_receive_the_last_resort_is_not_hurried_in_a_loop(
    tmp_path,
) -> None:
    levels = escalating(("0s", [f"user:{UNKNOWN}"]), ("5m", [f"user:{DEACTIVATED}"]), times=2)
    levels["last_resort"] = [f"user:{ROBOT}"]
    async with standing(tmp_path) as house:
        strangers(house)
        async with living(house, config_for(house.target, escalation=levels)) as bot:
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            last = "the last resort was told"
            await house.until(lambda: house.card() and last in text_of(house.card()), last)
            await settle(house, "card:1")
            assert await escalations(house) == 5, "two levels, two repeats, the last resort"
            (due,) = await bot.database.read(
                lambda tx: [
                    row["due_at"] for row in tx.all("SELECT * FROM timers WHERE kind = 'level'")
                ]
            )
            assert due > house.clock.now() + 3_000_000


def written(house: House, folder, channel: str) -> str:
    """The config as a file, for a reload."""
    target = {"health": {"url": f"{house.target.url}/api/health", "status": "status"}, "poll": "1h"}
    escalation = escalating(("0s", ["channel", f"user:{ALICE}"]))
    text = {
        "version": 1,
        "slack": {"channel": channel},
        "targets": {"iora": target},
        "escalation": escalation,
        "roles": {"responder": [ALICE, BOB]},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(text, indent=2))
    return str(path)


def archive(house: House) -> None:
    house.slack.workspace.channels[INCIDENTS].archived = True


def unarchive(house: House) -> None:
    house.slack.workspace.channels[INCIDENTS].archived = False


def rename(house: House) -> None:
    house.slack.workspace.channels[INCIDENTS].name = "elsewhere"


def rename_back(house: House) -> None:
    house.slack.workspace.channels[INCIDENTS].name = "incidents"


def shut_out(house: House) -> None:
    house.slack.revoke("chat:write.public", "channels:join")


def invite(house: House) -> None:
    house.slack.workspace.join(INCIDENTS, "U00IORA")


TROUBLES = {
    "archived": (archive, unarchive),
    "renamed": (rename, rename_back),
    "the bot is no member": (shut_out, invite),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_without_its_channel_an_incident_goes_on_and_after_a_reload_the_card_appears(
    tmp_path, trouble
) -> None:
    breaks, mends = TROUBLES[trouble]
    async with standing(tmp_path) as house:
        breaks(house)
        config = config_for(
            house.target, escalation=escalating(("0s", ["channel", f"user:{ALICE}"]))
        )
        environ = {"IORA_CONFIG": written(house, tmp_path, "incidents")}
        async with living(house, config, environ) as bot:
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(ALICE), "Alice's ping")
            await settle(house, "card:1")
            assert house.card() is None
            assert "#incidents can't be reached in Slack" in await timeline(house)
            told = await bot.answer(Actor.login("test"), "doctor")
            assert "check slack.channel in the config, and invite the bot" in told["text"]

            mends(house)
            await bot.reload()
            await settle(house, "card:1")
            card = await house.until(house.card, "the card, after the reload")
            assert [m for m in house.messages() if m.thread_ts == card.ts], "with its replies"
            await nothing_lost_or_twice(house, "card:1")


async def test_a_reload_that_names_another_channel_brings_the_card_there(tmp_path) -> None:
    async with standing(tmp_path) as house:
        config = config_for(
            house.target,
            slack={"channel": "incidence"},
            escalation=escalating(("0s", ["channel", f"user:{ALICE}"])),
        )
        environ = {"IORA_CONFIG": written(house, tmp_path, "incidents")}
        async with living(house, config, environ) as bot:
            assert (await house.slash(BOB, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(ALICE), "Alice's ping")
            await settle(house, "card:1")
            assert house.card() is None
            await bot.reload()
            await house.until(house.card, "the card in the other channel")
            assert (await house.slash(BOB, "ack")).ok, "the incident is that channel's now"


async def test_a_level_that_only_told_a_channel_that_is_gone_does_not_wait_for_the_next(
    tmp_path,
) -> None:
    levels = escalating(("0s", ["channel"]), ("5m", [f"user:{BOB}"]))
    async with standing(tmp_path) as house:
        archive(house)
        async with living(house, config_for(house.target, escalation=levels)):
            assert (await house.slash(ALICE, "declare sev2 API slow")).ok
            await house.until(lambda: house.pings(BOB), "the next level, at once")
