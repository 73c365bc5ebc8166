"""The main job as a team lives it, in steps that every Slack-compatible server must allow."""

from __future__ import annotations

from tests.support.house import ALICE, BOB, House, text_of


async def play(house: House) -> None:
    """Declare, card, ping, the next level, acknowledge by button, note, resolve: all of it arrives."""
    assert house.bot is not None
    said = await house.slash(BOB, "declare sev2 API slow")
    assert said.ok, said.why
    card = await house.until(house.card, "the card")
    assert "API slow" in text_of(card)
    (ping,) = await house.until(lambda: house.pings(ALICE), "Alice's ping")
    assert "INC-1 SEV2" in ping.text
    house.advance(5 * 60_000)
    await house.until(lambda: house.pings(BOB), "Bob's ping after five minutes")
    assert (await house.press(BOB, house.pings(BOB)[0], "iora:incident:ack")).ok
    await house.until(
        lambda: all("acknowledged" in m.text for m in (*house.pings(ALICE), *house.pings(BOB))),
        "every copy says who acknowledged",
    )
    assert (await house.slash(BOB, "note INC-1 a bad deploy, rolling back")).ok
    assert (await house.slash(BOB, "resolve INC-1 rolled back")).ok
    await house.until(lambda: "resolved after" in house.card().text, "the duration on the card")
    await house.until(lambda: "resolved it" in replies(house), "the resolution in the thread")
    assert len(house.pings(BOB)) == 1
    assert not house.slack.rejections


def replies(house: House) -> str:
    """All words of the card's thread."""
    card = house.card()
    assert card is not None
    return " ".join(text_of(m) for m in house.messages() if m.thread_ts == card.ts)
