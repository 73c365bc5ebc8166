"""What arrived in the workspace, counted by the bot's own keys; and waiting until all of it has."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from bot.model.message import Message, State
from bot.store import outbox
from bot.store.database import Tx
from tests.support.house import ALICE, House
from tests.support.scale import scaled

PATIENCE_S = scaled(60, 300)


def arrived(house: House) -> Counter[str]:
    """How often each key is in the workspace, replies included; a file's key is in its name."""
    there = [
        message for channel in house.slack.workspace.channels for message in house.messages(channel)
    ]
    counts = Counter(
        message.metadata["event_payload"]["key"] for message in there if message.metadata
    )
    counts.update(
        f"file:{file.name.replace('.', ':')}" for message in there for file in message.files
    )
    return counts


def of_itself(key: str) -> bool:
    """What the bot tells of itself, such as that messages are late: that stands in no table."""
    return key.startswith("bot:")


def escalating(
    *levels: tuple[str, list[str]], every: str = "15m", times: int = 1
) -> dict[str, Any]:
    """The ``escalation`` of a config: one policy for every severity."""
    written = [{"after": after, "notify": notify} for after, notify in levels]
    policy = {"levels": written, "repeat": {"every": every, "times": times}}
    return {
        "default": "critical",
        "last_resort": [f"user:{ALICE}"],
        "policies": {"critical": policy},
    }


TELL_ALICE = escalating(("0s", ["channel", f"user:{ALICE}"]))


def pending(tx: Tx) -> list[Message]:
    """Every message that is not outside as it should be."""
    rows = tx.all(f"SELECT {outbox.COLUMNS} FROM outbox WHERE delivered < revision ORDER BY id")
    found = [outbox.get(tx, row["id"]) for row in rows]
    return [message for message in found if message is not None]


def every_message(tx: Tx) -> list[Message]:
    """The whole outbox."""
    found = [outbox.get(tx, row["id"]) for row in tx.all("SELECT id FROM outbox ORDER BY id")]
    return [message for message in found if message is not None]


async def outbox_of(house: House) -> list[Message]:
    """The whole outbox of the bot that lives."""
    assert house.bot is not None
    return await house.bot.database.read(every_message)


async def row(house: House, key: str) -> Message | None:
    """The outbox's row of a key."""
    assert house.bot is not None
    return await house.bot.database.read(outbox.by_key, key)


async def settle(house: House, *expected: str) -> None:
    """Until these keys are known and nothing waits, moving the clock to whatever is due next."""
    assert house.bot is not None
    end = time.monotonic() + PATIENCE_S
    while True:
        # What is collected adds messages: look at them after it, and at what waits last.
        collected = not await house.bot.database.read(_collecting)
        known = {message.key for message in await outbox_of(house)}
        waits = await house.bot.database.read(pending)
        if not waits and collected and known.issuperset(expected):
            return
        assert time.monotonic() < end, f"not delivered: {waits}, known: {known}"
        now = house.clock.now()
        later = [message.due_at for message in waits if message.due_at > now]
        if later and not await house.bot.database.read(outbox.due_destinations):
            house.advance(min(later) - now)
        await asyncio.sleep(0.01)


def _as_text(row: Message) -> bool:
    """A file that the server did not take: its report went as text."""
    return row.kind == "file" and row.state is State.WITHDRAWN


def _in_another(row: Message) -> bool:
    """A reply that waited long, and is told in the one before it."""
    return row.kind == "entry" and row.state is State.WITHDRAWN and "told in" in (row.error or "")


def _collecting(tx: Tx) -> bool:
    return bool(tx.all("SELECT id FROM timers WHERE kind = 'collect'"))


async def nothing_lost_or_twice(house: House, *expected: str) -> None:
    """Every message of the outbox is in the workspace exactly once, and these are among them."""
    rows = [row for row in await outbox_of(house) if not (_as_text(row) or _in_another(row))]
    counts = arrived(house)
    keys = {message.key for message in rows}
    assert keys.issuperset(expected), keys
    assert {key: counts[key] for key in keys} == dict.fromkeys(keys, 1)
    assert {key for key in counts if not of_itself(key)} <= keys, "nothing else is there"
    assert all(message.state is State.SENT for message in rows), rows
    assert not house.slack.rejections
