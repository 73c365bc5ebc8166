"""The outbox: what goes next, what waits, and what is known about each send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.model.message import Message, State
from bot.store import outbox
from bot.store.database import Database, Tx
from tests.support.clock import NOON, ManualClock
from tests.support.store import open_database

LIMIT_MS = 13_000
HERE = "channel:incidents"


def add_incident(tx: Tx) -> None:
    tx.run(
        """INSERT INTO incidents (title, severity, status, policy, declared_by, channel, started_at,
        declared_at, opened_at) VALUES ('t', 'sev2', 'open', '{}', 'bot', 'incidents', 1, 1, 1)"""
    )


def add(tx: Tx, key: str, named: dict[str, Any]) -> int | None:
    kind = named.pop("kind", "card")
    return outbox.add(tx, key, kind, named.pop("to", HERE), {"key": key}, **named)


class Post:
    """The outbox as its tests speak of it: by keys."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def add(self, key: str, **named: Any) -> int | None:
        return await self.database.write(add, key, named)

    async def row(self, key: str) -> Message:
        found = await self.database.read(outbox.by_key, key)
        assert found is not None
        return found

    async def next(self, destination: str = HERE) -> str | None:
        found = await self.database.read(outbox.head, destination)
        return found.key if found else None

    async def sending(self, key: str) -> None:
        await self.database.write(outbox.sending, (await self.row(key)).id)

    async def sent(self, key: str, revision: int | None = None) -> None:
        row = await self.row(key)
        await self.sending(key)
        await self.database.write(
            outbox.sent, row.id, revision or row.revision, "C01", f"1.{row.id:04}"
        )

    async def all_in_order(self, destination: str = HERE) -> list[str]:
        order = []
        while (key := await self.next(destination)) is not None:
            order.append(key)
            await self.sent(key)
        return order


async def test_messages_go_in_the_order_in_which_they_were_added(database: Database) -> None:
    post = Post(database)
    for key in ("one", "two", "three"):
        await post.add(key)
    assert await post.all_in_order() == ["one", "two", "three"]


async def test_pages_go_before_the_rest_of_their_destination(database: Database) -> None:
    post = Post(database)
    await post.add("an update")
    await post.add("a page", page=True)
    await post.add("another page", page=True)
    assert await post.all_in_order() == ["a page", "another page", "an update"]


async def test_an_edit_that_comes_again_and_again_goes_behind_what_waits_already(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await post.add("the run")
    await post.sent("the run")
    await post.add("a finding")
    clock.advance(500)
    await database.write(outbox.set_facts, (await post.row("the run")).id, {"key": "the run"})
    assert await post.all_in_order() == ["a finding", "the run"]


async def test_a_destination_does_not_see_what_goes_to_another(database: Database) -> None:
    post = Post(database)
    await post.add("to bob", to="user:U02BOB")
    await post.add("to the channel")
    assert await post.next("user:U02BOB") == "to bob"
    assert await post.all_in_order() == ["to the channel"]
    assert await database.read(outbox.due_destinations) == ["user:U02BOB"]


async def test_a_reply_waits_until_its_parent_is_there(database: Database) -> None:
    post = Post(database)
    parent = await post.add("the card")
    await post.add("a reply", parent_id=parent, page=True)
    assert await post.next() == "the card", "although the reply is a page"
    await post.sending("the card")
    assert await post.next() != "a reply"
    await post.sent("the card")
    assert await post.next() == "a reply"


async def test_a_reply_whose_parent_never_will_be_there_goes_on_its_own(
    database: Database,
) -> None:
    post = Post(database)
    parent = await post.add("the card")
    assert parent is not None
    await post.add("a reply", parent_id=parent)
    await database.write(outbox.close, parent, State.REFUSED, "is_archived")
    assert await post.all_in_order() == ["a reply"]


async def test_a_key_is_added_once(database: Database) -> None:
    post = Post(database)
    assert await post.add("one") is not None
    assert await post.add("one") is None
    assert await database.read(outbox.waiting) == 1


async def test_revisions_coalesce_into_one_edit(database: Database) -> None:
    post = Post(database)
    await database.write(add_incident)
    await post.add("card", incident_id=1)
    await post.sent("card")
    for _ in range(5):
        await database.write(outbox.revise, 1, ("card",))
    assert (await post.row("card")).revision == 6
    assert await post.all_in_order() == ["card"]
    assert await database.read(outbox.waiting) == 0


async def test_what_was_revised_while_it_was_sent_is_edited_afterwards(
    database: Database,
) -> None:
    post = Post(database)
    await database.write(add_incident)
    await post.add("card", incident_id=1)
    drawn_as = (await post.row("card")).revision
    await database.write(outbox.revise, 1, ("card",))
    await post.sent("card", drawn_as)
    row = await post.row("card")
    assert (row.ts is not None, row.delivered, row.revision) == (True, 1, 2)
    assert await post.next() == "card"


async def test_nothing_is_revised_that_was_refused_or_withdrawn(database: Database) -> None:
    post = Post(database)
    await database.write(add_incident)
    for key, state in (("refused", State.REFUSED), ("withdrawn", State.WITHDRAWN)):
        message_id = await post.add(key, incident_id=1)
        assert message_id is not None
        await database.write(outbox.close, message_id, state, None)
    await database.write(outbox.revise, 1, ("card",))
    assert await post.next() is None


async def test_a_failed_send_is_tried_again_later_and_not_before(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await post.add("one")
    await post.sending("one")
    row = await post.row("one")
    await database.write(outbox.later, row.id, clock.now() + 2_000, "internal_error")
    clock.advance(1_999)
    assert await post.next() is None
    clock.advance(1)
    assert await post.next() == "one"
    row = await post.row("one")
    assert (row.state, row.attempts, row.error) == (State.WAITING, 1, "internal_error")


async def test_an_unsure_send_is_looked_up_when_its_attempt_must_be_over(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await post.add("one")
    await post.sending("one")
    row = await post.row("one")
    clock.advance(1_000)
    await database.write(outbox.unsure, row.id, LIMIT_MS, "reset")
    row = await post.row("one")
    assert row.sending_at is not None
    assert (row.state, row.due_at) == (State.UNSURE, row.sending_at + LIMIT_MS)


async def test_a_change_of_the_incident_does_not_hurry_the_look_up_of_an_unsure_send(
    database: Database, clock: ManualClock
) -> None:
    """Looked up too early it would not be there yet, and be sent twice."""
    post = Post(database)
    await database.write(add_incident)
    await post.add("ping", incident_id=1, kind="ping", page=True)
    await post.sending("ping")
    row = await post.row("ping")
    await database.write(outbox.unsure, row.id, LIMIT_MS, "timed out")
    due = (await post.row("ping")).due_at
    clock.advance(1_000)
    await database.write(outbox.revise, 1, ("ping",))
    row = await post.row("ping")
    assert (row.revision, row.due_at) == (2, due)
    assert await post.next() is None


async def test_a_change_of_the_incident_hurries_what_waits_to_be_tried_again(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await database.write(add_incident)
    await post.add("card", incident_id=1)
    await post.sent("card")
    row = await post.row("card")
    await database.write(outbox.revise, 1, ("card",))
    await database.write(outbox.later, row.id, clock.now() + 60_000, "internal_error")
    await database.write(outbox.revise, 1, ("card",))
    assert await post.next() == "card"


async def test_a_look_up_that_is_not_to_be_had_remembers_since_when(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await post.add("one")
    await post.sending("one")
    row = await post.row("one")
    await database.write(outbox.unsure, row.id, LIMIT_MS, "reset")
    first = clock.advance(LIMIT_MS)
    await database.write(outbox.not_looked_up, row.id, first + 5_000, "missing_scope")
    second = clock.advance(5_000)
    await database.write(outbox.not_looked_up, row.id, second + 5_000, "missing_scope")
    row = await post.row("one")
    assert (row.state, row.lookup_failed_at, row.due_at) == (State.UNSURE, first, second + 5_000)


async def test_what_the_look_up_did_not_find_may_be_sent_again_at_once(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await post.add("one")
    await post.sending("one")
    row = await post.row("one")
    await database.write(outbox.unsure, row.id, LIMIT_MS, "reset")
    clock.advance(LIMIT_MS)
    await database.write(outbox.absent, row.id)
    assert (await post.row("one")).state is State.WAITING
    assert await post.next() == "one"


async def test_at_a_start_what_was_being_sent_is_unsure_and_what_is_there_is_left_alone(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await database.write(add_incident)
    await post.add("waiting")
    await post.add("half sent")
    await post.add("half edited", incident_id=1)
    await post.sent("half edited")
    await database.write(outbox.revise, 1, ("card",))
    began = clock.now()
    await post.sending("half sent")
    await post.sending("half edited")
    clock.advance(3_000)
    assert await database.write(outbox.recover, LIMIT_MS) == 1
    assert (await post.row("half sent")).state is State.UNSURE
    assert (await post.row("half sent")).due_at == began + LIMIT_MS
    assert (await post.row("half edited")).state is State.SENT, "an edit does no harm twice"
    assert await post.all_in_order() == ["waiting", "half edited"]
    clock.advance(LIMIT_MS)
    assert await post.next() == "half sent"


async def test_a_clock_that_was_set_back_before_a_restart_holds_no_message_up(
    tmp_path: Path,
) -> None:
    async with open_database(tmp_path / "iora.db", ManualClock(NOON)) as database:
        post = Post(database)
        for key in ("waits", "half sent", "unsure"):
            await post.add(key)
        for key in ("half sent", "unsure"):
            await post.sending(key)
        row = await post.row("unsure")
        await database.write(outbox.unsure, row.id, LIMIT_MS, "no answer")
    clock = ManualClock(NOON - 86_400_000)
    async with open_database(tmp_path / "iora.db", clock) as database:
        post = Post(database)
        await database.write(outbox.recover, LIMIT_MS)
        assert await post.next() == "waits"
        await post.sent("waits")
        assert await post.next() is None, "their attempts may not be over"
        clock.advance(LIMIT_MS)
        assert sorted(await post.all_in_order()) == ["half sent", "unsure"]


async def test_what_was_deleted_outside_is_posted_anew(database: Database) -> None:
    post = Post(database)
    await post.add("card")
    await post.sent("card")
    assert await post.next() is None
    row = await post.row("card")
    await database.write(outbox.post_anew, row.id)
    row = await post.row("card")
    assert (row.state, row.ts, row.channel) == (State.WAITING, None, None)
    assert await post.all_in_order() == ["card"]


async def test_a_refused_card_of_a_live_incident_is_tried_again_after_a_reload(
    database: Database,
) -> None:
    post = Post(database)
    await database.write(add_incident)
    for key, kind in (("card", "card"), ("ping", "ping")):
        message_id = await post.add(key, kind=kind, incident_id=1)
        assert message_id is not None
        await database.write(outbox.close, message_id, State.REFUSED, "channel_not_found")
    assert await database.write(outbox.retry_refused_cards) == 1
    assert await post.all_in_order() == ["card"]


async def test_a_sent_message_keeps_when_it_first_arrived(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    await database.write(add_incident)
    await post.add("card", incident_id=1)
    arrived = clock.advance(10)
    await post.sent("card")
    clock.advance(1_000)
    await database.write(outbox.revise, 1, ("card",))
    await post.sent("card")
    assert (await post.row("card")).sent_at == arrived


async def test_next_due_is_when_the_soonest_message_is_due(
    database: Database, clock: ManualClock
) -> None:
    post = Post(database)
    assert await database.read(outbox.next_due) is None
    await post.add("one")
    assert await database.read(outbox.next_due) == clock.now()
    await post.sent("one")
    assert await database.read(outbox.next_due) is None
