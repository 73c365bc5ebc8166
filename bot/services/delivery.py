"""Brings the outbox into the world: a destination at a time in order, each message once.

Commit ``sending``, send, commit what became of it. Where nobody knows, wait until the attempt must be
over, look the message's key up, and send again only when it isn't there.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Literal, Protocol

from bot import logs
from bot.clock import Clock
from bot.errors import StoreError
from bot.model.attempt import Attempt
from bot.model.config import Config
from bot.model.message import (
    Drawing,
    Failed,
    Limited,
    Message,
    Outcome,
    Refused,
    Sent,
    State,
    Unsure,
    Upload,
)
from bot.model.outlook import Outlook
from bot.model.overview import Overview
from bot.render.message import draw, plain_words
from bot.rules.outlook import outlook
from bot.send.slack import CantLook
from bot.services import asking, escalation
from bot.services.attachment import upload_of
from bot.services.live import Live
from bot.services.overview import overview
from bot.store import incidents, outbox, reports, runs
from bot.store.database import Database, Tx

log = logging.getLogger(__name__)

PACE_MS = 1_000  # Slack takes about one message a second a channel
SEND_LIMIT_MS = 10_000
MARGIN_MS = 3_000
LOOKUP_AGAIN_MS = 5_000
PUT_OFF_MS = 60_000
GIVE_UP_LOOKUP_MS = 60_000
GIVE_UP_LOOKUP_QUIET_MS = 600_000
_GONE = {"message_not_found", "thread_not_found"}
_BADLY_DRAWN = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "invalid_arguments",
}


class Sender(Protocol):
    """A way out."""

    async def post(
        self, message: Message, drawing: Drawing, *, thread_ts: str | None, broadcast: bool
    ) -> Outcome: ...

    async def edit(self, message: Message, drawing: Drawing) -> Outcome: ...

    async def upload(
        self, message: Message, upload: Upload, *, thread_ts: str | None
    ) -> Outcome: ...

    async def find(self, message: Message, *, thread_ts: str | None) -> Sent | None: ...


class Delivery:
    """One task a destination that has something due; no destination waits for another."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        live: Live,
        clock: Clock,
        *,
        pace_ms: int = PACE_MS,
    ) -> None:
        self._database = database
        self._sender = sender
        self._live = live
        self._clock = clock
        self._pace_ms = pace_ms
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, int] = {}
        self._edits_not_before = 0
        self._stopped = asyncio.Event()

    async def work(self) -> None:
        """Start on every destination where something is due."""
        for destination in await self._database.read(
            outbox.due_destinations, self._edits_in_turn()
        ):
            if destination not in self._tasks and not self._stopped.is_set():
                self._tasks[destination] = asyncio.create_task(
                    self._serve(destination), name=f"send {destination}"
                )

    async def drain(self, within_s: float) -> None:
        """Let what is being sent come to its end; cut off what takes longer.

        What was cut off stays ``sending``: the next start looks it up.
        """
        self._stopped.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, destination: str) -> None:
        try:
            while await self._in_turn(destination):
                attempt = await self._next(destination)
                if attempt is None:
                    return
                logs.about(incident=attempt.message.incident_id, request=attempt.message.key)
                started = self._clock.now()
                outcome = await self._carry_out(attempt)
                await self._database.write(finish, attempt, outcome)
                self._set_pace(destination, attempt, outcome, started)
        except Exception:
            log.exception("sending to %s stopped; it is taken up again", destination)
        finally:
            del self._tasks[destination]

    async def _next(self, destination: str) -> Attempt | None:
        """What goes next. One that can't be read holds up nobody else's message."""
        edits = self._edits_in_turn()
        try:
            return await self._database.write(begin, destination, self._live.config, edits)
        except StoreError:
            raise
        except Exception:
            log.exception("the next message to %s can't be read; it is put off", destination)
            await self._database.write(put_off, destination, edits)
            return None

    async def _in_turn(self, destination: str) -> bool:
        """Wait as long as the pace or a 429 asks to; False once the bot stops."""
        wait = self._not_before.get(destination, 0) - self._clock.now()
        if wait > 0 and not self._stopped.is_set():
            try:
                async with asyncio.timeout(wait / 1000):
                    await self._stopped.wait()
            except TimeoutError:
                pass
        return not self._stopped.is_set()

    def _edits_in_turn(self) -> bool:
        return self._clock.now() >= self._edits_not_before

    def _set_pace(self, destination: str, attempt: Attempt, outcome: Outcome, started: int) -> None:
        """A 429 of a post holds its destination; one of an edit holds edits, and never a page.

        Slack counts ``chat.update`` a workspace, posts a channel.
        """
        if attempt.what == "look up":
            return
        self._not_before[destination] = started + self._pace_ms
        if isinstance(outcome, Limited):
            until = self._clock.now() + outcome.retry_ms
            if attempt.what == "edit":
                self._edits_not_before = until
            else:
                self._not_before[destination] = until

    async def _carry_out(self, attempt: Attempt) -> Outcome:
        if attempt.what == "look up":
            return await self._look_up(attempt)
        if attempt.message.kind == "file":
            return await self._share(attempt)
        drawing = drawn(attempt)
        outcome = await self._send(attempt, drawing)
        if (
            isinstance(outcome, Refused)
            and _code(outcome.reason) in _BADLY_DRAWN
            and drawing.blocks
        ):
            log.error("message %s: %s; it goes as text", attempt.message.key, outcome.reason)
            outcome = await self._send(attempt, Drawing(drawing.text))
        return outcome

    async def _share(self, attempt: Attempt) -> Outcome:
        file = await asyncio.to_thread(upload_of, attempt, self._database.path.parent)
        if isinstance(file, Refused):
            return file
        return await self._sender.upload(attempt.message, file, thread_ts=attempt.thread_ts)

    async def _send(self, attempt: Attempt, drawing: Drawing) -> Outcome:
        if attempt.what == "edit":
            return await self._sender.edit(attempt.message, drawing)
        return await self._sender.post(
            attempt.message,
            drawing,
            thread_ts=attempt.thread_ts,
            broadcast=bool(attempt.message.facts.get("broadcast")),
        )

    async def _look_up(self, attempt: Attempt) -> Outcome:
        try:
            found = await self._sender.find(attempt.message, thread_ts=attempt.thread_ts)
        except CantLook as error:
            if isinstance(error.outcome, Limited):
                return error.outcome
            return Unsure(f"the look-up is not to be had: {error.outcome.reason}")
        return found or Failed("looked up: it is not there")


def drawn(attempt: Attempt) -> Drawing:
    """The message as it should read now; in plain words where that fails, for it must arrive."""
    try:
        return draw(attempt)
    except Exception:
        log.exception("message %s can't be drawn", attempt.message.key)
        return plain_words(attempt)


def begin(tx: Tx, destination: str, config: Config, edits: bool = True) -> Attempt | None:
    """Take what goes next to a destination and note that it is about to be sent.

    ``edits`` False: only what is to be posted. Nobody else sends to the destination meanwhile, so what
    is found as ``sending`` was left there when its outcome could not be stored: it is unsure.
    """
    while (message := outbox.head(tx, destination, edits)) is not None:
        if message.state is State.SENDING:
            outbox.unsure(tx, message.id, SEND_LIMIT_MS + MARGIN_MS, "its outcome was not stored")
            continue
        seen = (
            overview(tx, config, message.incident_id) if message.incident_id is not None else None
        )
        given_up = _lookup_given_up(message, tx.now)
        if _not_wanted(tx, message, seen, given_up=given_up):
            outbox.close(tx, message.id, State.WITHDRAWN, None)
            continue
        if message.state is State.UNSURE and not given_up:
            what: Literal["post", "edit", "look up"] = "look up"
        else:
            what = "edit" if message.ts is not None else "post"
            outbox.sending(tx, message.id)
        entry = (
            incidents.entry(tx, message.incident_id, message.facts["seq"])
            if message.kind == "entry" and message.incident_id is not None
            else None
        )
        return Attempt(
            message,
            what,
            seen,
            entry,
            _thread_ts(tx, message),
            repeated=given_up,
            report=reports.get(tx, message.facts["report"])
            if "report" in message.facts and message.kind in {"file", "report_text"}
            else None,
            outlook=_outlook(tx, message, seen, config) if message.kind in {"run", "ask"} else None,
        )
    return None


def _outlook(tx: Tx, message: Message, seen: Overview | None, config: Config) -> Outlook | None:
    """The run that the message shows, with what the config says of it now."""
    found = runs.progress(tx, message.facts["run"])
    return outlook(config, found, seen.incident if seen is not None else None) if found else None


def _thread_ts(tx: Tx, message: Message) -> str | None:
    """The thread that it hangs in: that of its parent, or the one where it was asked for."""
    own: str | None = message.facts.get("thread_ts")
    if own is not None or message.parent_id is None:
        return own
    parent = outbox.get(tx, message.parent_id)
    return (_thread_ts(tx, parent) or parent.ts) if parent else None


def put_off(tx: Tx, destination: str, edits: bool) -> None:
    """Let the others go first for a minute; what may be there already stays unsure."""
    message = outbox.head(tx, destination, edits)
    if message is not None:
        outbox.put_off(tx, message.id, tx.now + PUT_OFF_MS, "it can't be read: see the log")


def finish(tx: Tx, attempt: Attempt, outcome: Outcome) -> None:
    """Commit what became of it."""
    message = attempt.message
    match outcome:
        case Sent(channel, ts):
            # Found again by a look-up: it shows what was true then, so it is drawn once more.
            stale = attempt.what == "look up" and message.kind != "file"
            revision = message.revision - stale
            outbox.sent(tx, message.id, revision, channel, ts)
            if message.kind == "ping" and message.ts is None and message.incident_id is not None:
                outbox.revise(tx, message.incident_id, ("card",))
        case Limited(retry_ms) if attempt.what == "look up":
            again_at = tx.now + max(retry_ms, LOOKUP_AGAIN_MS)
            outbox.not_looked_up(tx, message.id, again_at, "Slack asks to wait")
        case Limited(retry_ms):
            outbox.later(tx, message.id, tx.now + retry_ms, "Slack asks to wait")
        case Refused(reason):
            _refused(tx, attempt, reason)
        case Unsure(reason) if attempt.what == "look up":
            outbox.not_looked_up(tx, message.id, tx.now + LOOKUP_AGAIN_MS, reason)
        case Unsure(reason) if attempt.what == "post":
            outbox.unsure(tx, message.id, SEND_LIMIT_MS + MARGIN_MS, reason)
        case Unsure(reason):  # an edit does no harm twice, unless an older one overtakes it
            wait = max(MARGIN_MS, _backoff_ms(message))
            outbox.later(tx, message.id, tx.now + wait, reason)
        case Failed(reason) if attempt.what == "look up":
            log.info("message %s: %s", message.key, reason)
            outbox.absent(tx, message.id)
        case Failed(reason):
            outbox.later(tx, message.id, tx.now + _backoff_ms(message), reason)


def recover(tx: Tx) -> int:
    """At a start: what was being sent when the bot stopped is looked up before it is sent again."""
    return outbox.recover(tx, SEND_LIMIT_MS + MARGIN_MS)


def _not_wanted(tx: Tx, message: Message, seen: Overview | None, *, given_up: bool) -> bool:
    """Nobody is pinged after an acknowledgement that was committed before the send.

    What waited because Slack was away is told in one message, the latest. What may be there already is
    looked up all the same, so that its copy says who acknowledged.
    """
    if message.kind != "ping" or message.ts is not None or seen is None:
        return False
    if message.state is not State.WAITING and not given_up:
        return False
    return not seen.asks(message.facts) or outbox.superseded(tx, message)


def _lookup_given_up(message: Message, now: int) -> bool:
    """A duplicate beats silence: a page soonest, but an update of the channel too in the end."""
    if message.state is not State.UNSURE or message.lookup_failed_at is None:
        return False
    patience = GIVE_UP_LOOKUP_MS if message.page else GIVE_UP_LOOKUP_QUIET_MS
    return now - message.lookup_failed_at >= patience


def _refused(tx: Tx, attempt: Attempt, reason: str) -> None:
    message = attempt.message
    if message.kind == "file" and attempt.report is not None:
        log.info("file %s was refused: %s; it goes as text", message.key, reason)
        outbox.close(tx, message.id, State.WITHDRAWN, reason)
        asking.add_text(tx, attempt.report.id, "whole", message.destination, message.parent_id)
        return
    log.error("message %s was refused: %s", message.key, reason)
    if message.ts is not None:
        if _code(reason) in _GONE and message.kind == "card":
            outbox.post_anew(tx, message.id)
        else:
            outbox.sent(tx, message.id, message.revision, message.channel or "", message.ts)
        return
    person = message.facts.get("person") if message.kind == "report" else None
    if person and not message.destination.startswith("user:"):
        outbox.redirect(tx, message.id, f"user:{person}")
        return
    outbox.close(tx, message.id, State.REFUSED, reason)
    if message.kind in {"ping", "card"}:
        escalation.unreached(tx, message, reason)


def _code(reason: str) -> str:
    """Slack's word, without what it said beside."""
    return reason.partition(":")[0]


def _backoff_ms(message: Message) -> int:
    longest = 10_000 if message.page else 60_000
    return int(min(longest, 1_000 * 2 ** min(message.attempts, 10)))
