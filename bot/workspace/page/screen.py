"""What a person sees: which channel, which thread, which modal, drawn from the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.workspace.page import dates, draw, emoji, mrkdwn
from bot.workspace.page.reader import Reader
from bot.workspace.page.sample import MODES, State
from bot.workspace.page.surface import Surface
from bot.workspace.page.tag import key
from bot.workspace.page.topics import TOPICS
from bot.workspace.records import Channel, File, Message, Person, View
from bot.workspace.state import Workspace

SHOWN = 200
TOGETHER_SECONDS = 5 * 60
PREVIEW_CHARACTERS = 1200
QUICK_REACTIONS = ("eyes", "+1", "white_check_mark", "tada", "pray")
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class Refresh(NamedTuple):
    """The parts of the page that the script swaps when something changed."""

    title: str
    side: str
    head: str
    messages: str
    thread: str
    modal: str


class Line(NamedTuple):
    """One message with what its template needs; `first` where the author is named anew."""

    key: str
    version: str
    html: Markup


@dataclass(frozen=True, kw_only=True)
class Screen:
    """One person's screen, at one channel and perhaps one thread."""

    workspace: Workspace
    person: Person
    channel: Channel
    thread: str | None
    reader: Reader

    @classmethod
    def of(cls, workspace: Workspace, person: str, channel: str, thread: str) -> Screen:
        """The screen that an address asks for; what it doesn't say, or says wrong, is the default."""
        who = workspace.people.get(person)
        if who is None or who.kind == "bot":
            who = workspace.humans[0]
        mine = {one.id: one for one in workspace.channels_of(who.id)}
        where = mine.get(channel) or next(iter(sorted(mine.values(), key=first_shown)))
        parent = workspace.message(where.id, thread) if thread else None
        return cls(
            workspace=workspace,
            person=who,
            channel=where,
            thread=(parent.thread_ts or parent.ts) if parent else None,
            reader=reader_of(workspace, who),
        )

    # parts

    def page(self, sample: State) -> str:
        """The whole page."""
        return self._render("page.html", parts=self.parts(), sample=sample)

    def sample(self, sample: State) -> str:
        return self._render("sample.html", sample=sample)

    def parts(self) -> Refresh:
        """The parts that change, each on its own."""
        return Refresh(
            title=f"{self.name_of(self.channel)} · {self.person.real_name} · Practice workspace",
            side=self._render("side.html"),
            head=self._render("head.html"),
            messages=self._render("messages.html", days=self.days()),
            thread=self._render("thread.html", lines=self.replies()) if self.thread else "",
            modal=self.modal(),
        )

    def modal(self) -> str:
        """The topmost modal, or nothing."""
        open_ones = self.workspace.views_of(self.person.id)
        if not open_ones:
            return ""
        view = open_ones[-1]
        return self._render("modal.html", view=view, body=view.body, blocks=self.view_blocks(view))

    def view_blocks(self, view: View) -> list[Line]:
        """A modal's blocks, each with a key, so that what is typed in one outlives the others' change."""
        surface = Surface(reader=self.reader, scope=view.id, errors=view.errors)
        lines = []
        for index, block in enumerate(view.body.get("blocks") or []):
            drawn = draw.block(block, surface)
            name = key(view.id, str(block.get("block_id") or index))
            lines.append(Line(name, version(drawn), drawn))
        return lines

    def days(self) -> list[tuple[str, list[Line]]]:
        """The channel's newest messages by the reader's local day."""
        history = self.workspace.history(self.channel.id, self.person.id)[-SHOWN:]
        days: list[tuple[str, list[Line]]] = []
        before: Message | None = None
        for message in history:
            day = self.day(message)
            if not days or days[-1][0] != day:
                days.append((day, []))
                before = None
            days[-1][1].append(self.line(message, before))
            before = message
        return days

    def replies(self) -> list[Line]:
        """The open thread: the parent and its replies."""
        found = self.workspace.thread(self.channel.id, self.thread or "", self.person.id)
        return [self.line(message, None, in_thread=True) for message in found]

    def line(self, message: Message, before: Message | None, *, in_thread: bool = False) -> Line:
        scope = f"{'t' if in_thread else 'm'}-{message.ts}"
        surface = Surface(reader=self.reader, scope=scope)
        html = Markup(  # noqa: S704  the template escapes
            self._render(
                "message.html",
                message=message,
                scope=scope,
                author=self.workspace.people[message.author],
                blocks=draw.draw(message.blocks, surface) if message.blocks else None,
                text=mrkdwn.draw(message.text, self.reader),
                replies=[] if in_thread else self.workspace.replies(message),
                follows=follows(message, before),
                in_thread=in_thread,
            )
        )
        return Line(scope, version(html), html)

    # words for the templates

    @property
    def places(self) -> list[Channel]:
        """The person's channels, where incidents are announced first."""
        mine = self.workspace.channels_of(self.person.id)
        return sorted((one for one in mine if one.kind == "channel"), key=first_shown)

    def day(self, message: Message) -> str:
        moment = self.reader.local(float(message.ts))
        words = dates.token("day_divider_pretty", moment, self.reader) or ""
        return words[:1].upper() + words[1:]

    def time(self, ts: str, form: str = "{time}") -> str:
        """A message's `ts` in the reader's time zone."""
        return dates.write(int(float(ts)), form, self.reader) or ""

    def iso(self, ts: str) -> str:
        return self.reader.local(float(ts)).isoformat(timespec="seconds")

    def name_of(self, channel: Channel) -> str:
        if channel.kind == "im":
            return self.workspace.other_in(channel, self.person.id).real_name
        return f"#{channel.name}"

    def waiting_for(self, person: str) -> int:
        """How many direct messages somebody has not read: pings, mostly."""
        theirs = self.workspace.channels_of(person)
        return sum(self.workspace.unread(person, one.id) for one in theirs if one.kind == "im")

    def _render(self, template: str, **words: object) -> str:
        return TEMPLATES.get_template(template).render(
            screen=self,
            workspace=self.workspace,
            reader=self.reader,
            me=self.person,
            topics=TOPICS,
            modes=MODES,
            quick=QUICK_REACTIONS,
            **words,
        )


def first_shown(channel: Channel) -> tuple[bool, bool, str]:
    """The channel a newcomer sees: where incidents are announced."""
    return (channel.kind == "im", channel.name != "incidents", channel.name)


def reader_of(workspace: Workspace, person: Person) -> Reader:
    return Reader(
        person=person.id,
        zone=ZoneInfo(person.tz),
        now=datetime.fromtimestamp(workspace.clock.now(), UTC),
        people={one.id: one.real_name for one in workspace.people.values()},
        channels={one.id: one.name for one in workspace.channels.values() if one.kind == "channel"},
    )


def follows(message: Message, before: Message | None) -> bool:
    """Whether a message goes on where the one before it stopped, so that the name isn't repeated."""
    return (
        before is not None
        and before.author == message.author
        and not message.blocks
        and not before.blocks
        and before.ephemeral_to == message.ephemeral_to
        and not message.reply_broadcast
        and float(message.ts) - float(before.ts) < TOGETHER_SECONDS
    )


def version(html: str) -> str:
    """A short print of what was drawn: the script leaves alone what has the same one."""
    return blake2b(html.encode(), digest_size=6).hexdigest()


def tone(identity: str) -> int:
    """Which of the six avatar colours somebody has."""
    return crc32(identity.encode()) % 6


def preview(file: File) -> str | None:
    """The beginning of a text file."""
    if not file.mimetype.startswith("text/") and file.mimetype != "application/json":
        return None
    text = file.content.decode(errors="replace")
    return text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "\n…"


def size(count: int) -> str:
    """Bytes as people read them."""
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} kB"


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"tone": tone, "preview": preview, "size": size, "emoji": emoji.draw_or_name}
    made.globals |= {"IMAGES": IMAGES}
    return made


TEMPLATES = environment()
