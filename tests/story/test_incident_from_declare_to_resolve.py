"""The main job, as a team lives it: declare, card, evidence, ping, acknowledge, resolve."""

from __future__ import annotations

from tests.support.house import ALICE, BOB, INCIDENTS, config_for, living, standing, text_of


async def test_an_incident_lives_from_its_declaration_to_its_end(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)):
        said = await house.slash(BOB, "declare sev2 API slow")
        assert said.ok, said.why
        assert "INC-1 declared" in said.message.text
        card = await house.until(house.card, "the card")
        assert "API slow" in text_of(card)
        await house.until(lambda: "Evidence" in text_of(house.card()), "evidence on the card")
        (ping,) = await house.until(lambda: house.pings(ALICE), "Alice's ping")
        assert "INC-1 SEV2" in ping.text

        house.advance(5 * 60_000)
        await house.until(lambda: house.pings(BOB), "Bob's ping after five minutes")
        (_, second) = await house.until(
            lambda: len(house.pings(ALICE)) == 2 and house.pings(ALICE), "Alice's second ping"
        )

        assert (await house.press(ALICE, second, "iora:incident:ack")).ok
        await house.until(
            lambda: all("acknowledged" in m.text for m in (*house.pings(ALICE), *house.pings(BOB))),
            "every copy says who acknowledged",
        )
        house.advance(60 * 60_000)
        opened = await house.press(ALICE, house.card(), "iora:incident:resolve")
        assert opened.ok
        (form,) = await house.until(lambda: house.slack.workspace.views_of(ALICE), "the form")
        done = await house.slack.acts.submit(ALICE, form.id, {"text": {"text": "a bad deploy"}})
        assert done.ok, done
        await house.until(lambda: "resolved after 65 min" in house.card().text, "the duration")
        assert len(house.pings(BOB)) == 1
        assert not house.slack.rejections


async def test_health_is_answered_with_evidence(tmp_path):
    async with standing(tmp_path) as house, living(house, config_for(house.target)) as bot:
        await bot.monitoring.refresh(("iora",), 5_000)  # the first poll is over
        house.target.cpu = 96.0
        assert (await house.slash(ALICE, "health")).ok
        (answer,) = await house.until(lambda: house.whispers(ALICE), "the answer")
        assert answer.text.startswith("iora is UNHEALTHY: CPU 96 % (critical above 90)")
        assert (await house.press(ALICE, answer, "iora:health:share")).ok
        shared = await house.until(lambda: house.messages(INCIDENTS), "the shared answer")
        assert "CPU 96 %" in text_of(shared[-1])
        assert not house.slack.rejections
