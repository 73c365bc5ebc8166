"""The whole workspace in memory: it forgets everything when the program stops."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.workspace.clock import Clock, SystemClock
from bot.workspace.records import (
    Change,
    ChangeKind,
    Channel,
    File,
    Json,
    Message,
    Person,
    View,
)

TEAM_ID = "T01TEAM"
BOT_USER = "U00IORA"

PEOPLE = (
    Person(id="U01ALICE", name="alice", real_name="Alice", about="Commander and responder"),
    Person(id="U02BOB", name="bob", real_name="Bob", about="Responder"),
    Person(id="U03MALLORY", name="mallory", real_name="Mallory", about="No role"),
    Person(id=BOT_USER, name="iora", real_name="I.O.R.A.", tz="Etc/UTC", kind="bot"),
)


class Workspace:
    """People, channels, messages, views, and who has read what. Every change is announced."""

    def __init__(self, clock: Clock | None = None, people: Iterable[Person] = PEOPLE) -> None:
        self.clock = clock or SystemClock()
        self.team = TEAM_ID
        self.name = "Local workspace"
        self.domain = "local"
        self.people: dict[str, Person] = {person.id: person for person in people}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.messages: dict[str, list[Message]] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.snoozed_until: dict[str, int] = {}
        self._read: dict[tuple[str, str], int] = {}
        self.listeners: list[Callable[[Message, Message | None], None]] = []
        self._queues: list[asyncio.Queue[Change]] = []
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self._last_ts = 0
        humans = [person.id for person in self.people.values() if person.kind == "member"]
        self.add_channel(
            "incidents",
            members=humans,
            channel_id="C01INCIDENTS",
            topic="Incidents, as they happen",
        )
        self.add_channel(
            "general", members=humans, channel_id="C02GENERAL", topic="Everything else"
        )

    # ids and times

    def new_id(self, prefix: str) -> str:
        """An id as Slack's look: a letter and ten characters."""
        return f"{prefix}{next(self._ids):010d}"

    def new_ts(self) -> str:
        """A message's ``ts``: microseconds, never the same twice, always growing."""
        self._last_ts = max(round(self.clock.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # who and where

    @property
    def humans(self) -> list[Person]:
        """The people that the page can act as."""
        return [person for person in self.people.values() if person.kind != "bot"]

    def add_person(self, person: Person) -> Person:
        self.people[person.id] = person
        return person

    def add_channel(
        self,
        name: str,
        members: Iterable[str] = (),
        channel_id: str = "",
        topic: str = "",
        creator: str = "",
    ) -> Channel:
        channel = Channel(
            id=channel_id or self.new_id("C"),
            name=name,
            members=list(members),
            topic=topic,
            creator=creator,
            created=int(self.clock.now()),
        )
        self.channels[channel.id] = channel
        self.messages[channel.id] = []
        self.announce("channel", channel.id)
        return channel

    def direct(self, one: str, other: str) -> Channel:
        """The direct channel of two people, made when it is not there yet."""
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == {one, other}:
                return channel
        channel = Channel(
            id=self.new_id("D"),
            name="",
            kind="im",
            members=[one, other],
            creator=one,
            created=int(self.clock.now()),
        )
        self.channels[channel.id] = channel
        self.messages[channel.id] = []
        self.announce("channel", channel.id)
        return channel

    def channel_named(self, name: str) -> Channel | None:
        for channel in self.channels.values():
            if channel.kind == "channel" and channel.name == name:
                return channel
        return None

    def channels_of(self, person: str) -> list[Channel]:
        """The channels that a person is in, public ones by name, then direct ones."""
        mine = [channel for channel in self.channels.values() if person in channel.members]
        return sorted(mine, key=lambda channel: (channel.kind == "im", channel.name, channel.id))

    def other_in(self, channel: Channel, person: str) -> Person:
        """Whom a person talks to in a direct channel."""
        others = [member for member in channel.members if member != person]
        return self.people[others[0] if others else person]

    def join(self, channel: str, person: str) -> None:
        members = self.channels[channel].members
        if person not in members:
            members.append(person)
            self.announce("channel", channel)

    # messages

    def post(
        self,
        channel: str,
        author: str,
        text: str,
        *,
        blocks: list[Json] | None = None,
        thread_ts: str | None = None,
        reply_broadcast: bool = False,
        metadata: Json | None = None,
        ephemeral_to: str | None = None,
        files: Iterable[File] = (),
        by_app: bool = False,
    ) -> Message:
        """Add a message that has been validated already."""
        message = Message(
            channel=channel,
            ts=self.new_ts(),
            author=author,
            text=text,
            seq=next(self._seq),
            blocks=blocks or [],
            thread_ts=thread_ts,
            reply_broadcast=reply_broadcast,
            metadata=metadata,
            ephemeral_to=ephemeral_to,
            files=list(files),
            by_app=by_app,
        )
        self.messages[channel].append(message)
        self._tell(message, None)
        self.announce("ephemeral" if ephemeral_to else "posted", channel, ephemeral_to)
        return message

    def edit(
        self, message: Message, text: str, blocks: list[Json], metadata: Json | None = None
    ) -> None:
        """Replace what a message says; its place and its thread stay."""
        before = replace(message)
        message.text, message.blocks = text, blocks
        message.metadata = metadata if metadata is not None else message.metadata
        message.edited = self.new_ts()
        self._tell(message, before)
        self.announce("edited", message.channel, message.ephemeral_to)

    def delete(self, message: Message) -> None:
        before = replace(message)
        message.deleted = True
        self.messages[message.channel].remove(message)
        self._tell(message, before)
        self.announce("deleted", message.channel, message.ephemeral_to)

    def _tell(self, message: Message, before: Message | None) -> None:
        """Tell the listeners of a new message, or of one that is not as it was ``before``."""
        for listener in self.listeners:
            listener(message, before)

    def react(self, message: Message, person: str, name: str, on: bool = True) -> None:
        people = message.reactions.setdefault(name, [])
        if on and person not in people:
            people.append(person)
        elif not on and person in people:
            people.remove(person)
        if not people:
            del message.reactions[name]
        self.announce("reaction", message.channel)

    def message(self, channel: str, ts: str) -> Message | None:
        for message in reversed(self.messages.get(channel, [])):
            if message.ts == ts:
                return message
        return None

    def visible(self, channel: str, person: str) -> list[Message]:
        """Everything that a person sees in a channel, replies included, oldest first."""
        return [
            message
            for message in self.messages.get(channel, [])
            if message.ephemeral_to in (None, person)
        ]

    def history(self, channel: str, person: str) -> list[Message]:
        """What the channel shows: no replies, except those that were broadcast. Oldest first."""
        return [
            message
            for message in self.visible(channel, person)
            if not message.is_reply or message.reply_broadcast
        ]

    def thread(self, channel: str, ts: str, person: str) -> list[Message]:
        """A parent and its replies, oldest first."""
        return [
            message
            for message in self.visible(channel, person)
            if ts in (message.ts, message.thread_ts)
        ]

    def replies(self, message: Message) -> list[Message]:
        """The replies to a message that everybody sees."""
        return [
            reply
            for reply in self.messages[message.channel]
            if reply.is_reply and reply.thread_ts == message.ts and reply.ephemeral_to is None
        ]

    def unread(self, person: str, channel: str) -> int:
        """How many messages of others came since the person looked."""
        seen = self._read.get((person, channel), 0)
        return sum(
            message.seq > seen and message.author != person
            for message in self.history(channel, person)
        )

    def mark_read(self, person: str, channel: str) -> None:
        before = self.unread(person, channel)
        self._read[(person, channel)] = next(self._seq)
        if before:
            self.announce("read", channel, person)

    # views

    def views_of(self, person: str) -> list[View]:
        """The person's open modals; the last one is on the screen."""
        return self.stacks.setdefault(person, [])

    def home_of(self, person: str) -> View | None:
        """What the app published on its Home for the person."""
        return self.homes.get(person)

    def view(self, view_id: str) -> View | None:
        everything = [view for stack in self.stacks.values() for view in stack]
        for view in [*everything, *self.homes.values()]:
            if view_id and view_id in (view.id, view.external_id):
                return view
        return None

    # changes

    def subscribe(self) -> asyncio.Queue[Change]:
        """A queue that gets every visible change from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._queues.append(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Change]) -> None:
        if queue in self._queues:
            self._queues.remove(queue)

    def announce(
        self, kind: ChangeKind, channel: str | None = None, person: str | None = None
    ) -> None:
        for queue in self._queues:
            queue.put_nowait(Change(kind, channel, person))
