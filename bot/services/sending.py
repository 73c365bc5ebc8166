"""What the delivery commits: what goes next, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from bot.model.actor import BOT
from bot.model.attempt import Attempt
from bot.model.config import Config
from bot.model.digest import Digest
from bot.model.incident import Entry, Status
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
)
from bot.model.outlook import Outlook
from bot.model.overview import Overview
from bot.model.way import SLACK, Event, PagerDutyWay
from bot.render.message import draw, plain_words
from bot.rules.outlook import outlook
from bot.services import asking, digest, escalation, handover, paging
from bot.services.overview import overview
from bot.store import digests, incidents, outbox, pages, reports, runs
from bot.store.database import Tx

log = logging.getLogger(__name__)

SEND_LIMIT_MS = 10_000
MARGIN_MS = 3_000
LOOKUP_AGAIN_MS = 5_000
PUT_OFF_MS = 60_000
GIVE_UP_LOOKUP_MS = 60_000
GIVE_UP_LOOKUP_QUIET_MS = 600_000
CATCHES_UP_MS = 60_000
"""Replies that waited so long are told in one."""
Told = Mapping[tuple[object, ...], tuple[str, Sent] | None]
"""What went out from memory: the page, by which way, and where it is."""
_GONE = {"message_not_found", "thread_not_found"}


def begin(
    tx: Tx,
    destination: str,
    config: Config,
    edits: bool = True,
    quiet: bool = False,
    told: Told = MappingProxyType({}),
    over: int = digest.OVER,
) -> Attempt | None:
    """Take what goes next to a destination and note that it is about to be sent.

    ``edits`` False: only what is to be posted. ``quiet``: the person is in do-not-disturb, so that their
    next way goes at once. ``told``: what went out from memory, or is about to (None). ``over``: how
    many pings may wait before they are told in one. Nobody else sends to the destination meanwhile, so
    what is found as ``sending`` was left there when its outcome could not be stored: it is unsure.
    """
    while (message := outbox.head(tx, destination, edits)) is not None:
        if message.state is State.SENDING:
            outbox.unsure(tx, message.id, SEND_LIMIT_MS + MARGIN_MS, "its outcome was not stored")
            continue
        if message.ts is None and _is_page(message) and told_as(message) in told:
            _record(tx, message, told[told_as(message)])
            continue
        if message.kind == "ping" and message.ts is None and digest.gather(tx, destination, over):
            continue
        attempt = attempt_of(tx, _caught_up(tx, message), config)
        if not_wanted(tx, attempt) or handover.is_over(message, tx.now):
            paging.withdraw(tx, message)
        elif message.via != SLACK and attempt.event is None:
            outbox.there_as_wanted(tx, message.id)
        else:
            if quiet and attempt.what == "post" and _is_page(message) and not message.passed_on:
                paging.pass_on(tx, config, message, paging.QUIET)
            if attempt.what != "look up":
                outbox.sending(tx, message.id)
            return attempt
    return None


def attempt_of(tx: Tx, message: Message, config: Config) -> Attempt:
    """What would be done about a message now, with all that it is drawn from."""
    seen = overview(tx, config, message.incident_id) if message.incident_id is not None else None
    repeated = _repeated(message, tx.now)
    listed = digests.read(tx, digest.source(message)) if message.kind == "digest" else None
    what: Literal["post", "edit", "look up"] = "edit" if message.ts is not None else "post"
    if message.state is State.UNSURE and not repeated:
        what = "look up"
    entry, also = _entries(tx, message)
    return Attempt(
        message,
        what,
        seen,
        entry,
        _thread_ts(tx, message),
        repeated=repeated,
        report=reports.get(tx, message.facts["report"])
        if "report" in message.facts and message.kind in {"file", "report_text"}
        else None,
        outlook=_outlook(tx, message, seen, config) if message.kind in {"run", "ask"} else None,
        event=_event(tx, message, seen, listed, config),
        also=also,
        digest=listed,
        card=outbox.by_key(tx, f"card:{message.incident_id}") if message.via != SLACK else None,
    )


def drawn(attempt: Attempt) -> Drawing:
    """The message as it should read now; in plain words where that fails, for it must arrive."""
    try:
        return draw(attempt)
    except Exception:
        log.exception("message %s can't be drawn", attempt.message.key)
        return plain_words(attempt)


def told_as(message: Message) -> tuple[object, ...]:
    """What a page is known by while it is in no table: its number on the timeline may turn out another.

    A level that could not be stored fires once more with the next one: by its person's own levels it is known.
    """
    facts = message.facts
    if message.kind != "ping":
        return (message.key,)
    levels = tuple(facts.get("levels") or ()) if facts["stage"] == "level" else ()
    return (message.incident_id, facts["person"], facts["stage"], levels or facts["number"])


def _record(tx: Tx, message: Message, known: tuple[str, Sent] | None) -> None:
    """It went out from memory: it is there, and is drawn once more where that can be."""
    if known is None:
        outbox.put_off(tx, message.id, tx.now + 1_000, "it is being sent from memory")
        return
    way, sent = known
    if way != message.via:
        outbox.close(tx, message.id, State.WITHDRAWN, f"told by {way}")
    else:
        stale = message.revision - (way == SLACK)
        outbox.sent(tx, message.id, stale, sent.channel, sent.ts)
        outbox.note(tx, message.id, {**message.facts, "told": "page"})
    if message.incident_id is not None:
        reason = "it was sent while nothing could be stored, and is recorded late"
        facts = {"person": message.facts["person"], "way": way, "reason": reason}
        incidents.add_entry(tx, message.incident_id, BOT, "way", facts)


def _is_page(message: Message) -> bool:
    return message.kind in paging.KINDS


def _caught_up(tx: Tx, message: Message) -> Message:
    """After a long wait one reply tells what those behind it were to tell; the same message otherwise."""
    if message.kind != "entry" or message.state is not State.WAITING:
        return message
    if tx.now - message.wanted_at < CATCHES_UP_MS:
        return message
    behind = digests.waiting_behind(tx, message)
    if not behind:
        return message
    for one in behind:
        outbox.close(tx, one.id, State.WITHDRAWN, f"told in {message.key}")
    told = [seq for one in (message, *behind) for seq in (one.facts["seq"], *_also(one))]
    broadcast = any(one.facts.get("broadcast") for one in (message, *behind))
    facts = {**message.facts, "also": told[1:], "broadcast": broadcast}
    outbox.note(tx, message.id, facts)
    return replace(message, facts=facts)


def _also(message: Message) -> list[int]:
    return list(message.facts.get("also", ()))


def _entries(tx: Tx, message: Message) -> tuple[Entry | None, tuple[Entry, ...]]:
    """The entry that a reply tells, and those that stand in it too."""
    if message.kind != "entry" or message.incident_id is None:
        return None, ()
    numbers = (message.facts["seq"], *_also(message))
    found = [incidents.entry(tx, message.incident_id, seq) for seq in numbers]
    return found[0], tuple(one for one in found[1:] if one is not None)


def _event(
    tx: Tx, message: Message, seen: Overview | None, listed: Digest | None, config: Config
) -> Event | None:
    """What another way is to say of a page now; None: nothing that it has not said already."""
    if message.via == SLACK or not _is_page(message):
        return "page"
    if _asks(message, seen, listed):
        return "page" if message.ts is None else None
    gone = seen is None or seen.silenced is not None or seen.incident.status is Status.RESOLVED
    over = listed.resolved if listed else gone
    event: Event = "resolved" if over else "acknowledged"
    said = message.facts.get("told")
    if said in {event, "resolved"} or (message.ts is not None and _told_later(tx, message, config)):
        return None
    return event


def _told_later(tx: Tx, message: Message, config: Config) -> bool:
    """Whether a later page says it to the same place; at PagerDuty, of the same alert."""
    apart = isinstance(config.ways.get(message.via), PagerDutyWay)
    alert = message.facts.get("anew", 0)
    later = pages.told_later(tx, message)
    return any(not apart or one.facts.get("anew", 0) == alert for one in later)


def _asks(message: Message, seen: Overview | None, listed: Digest | None) -> bool:
    if listed is not None:
        return listed.asking > 0
    return seen is not None and seen.asks(message.facts)


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


def finish(tx: Tx, attempt: Attempt, outcome: Outcome, config: Config) -> None:
    """Commit what became of it."""
    message = attempt.message
    match outcome:
        case Sent(channel, ts):
            # Found again by a look-up: it shows what was true then, so it is drawn once more.
            stale = attempt.what == "look up" and message.kind != "file"
            revision = message.revision - stale
            outbox.sent(tx, message.id, revision, channel, ts)
            _arrived(tx, attempt)
        case Limited(retry_ms) if attempt.what == "look up":
            again_at = tx.now + max(retry_ms, LOOKUP_AGAIN_MS)
            outbox.not_looked_up(tx, message.id, again_at, "Slack asks to wait")
        case Limited(retry_ms):
            outbox.later(tx, message.id, tx.now + retry_ms, "Slack asks to wait")
        case Refused(reason):
            _refused(tx, attempt, reason, config)
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


def _arrived(tx: Tx, attempt: Attempt) -> None:
    """The cards say that a page was delivered; another way is told nothing twice."""
    message = attempt.message
    if not _is_page(message):
        return
    if message.via != SLACK:
        outbox.note(tx, message.id, {**message.facts, "told": attempt.event})
    if message.ts is None and message.incident_id is not None:
        outbox.revise(tx, message.incident_id, ("card",))


def recover(tx: Tx) -> int:
    """At a start: what was being sent when the bot stopped is looked up before it is sent again."""
    return outbox.recover(tx, SEND_LIMIT_MS + MARGIN_MS)


def not_wanted(tx: Tx, attempt: Attempt) -> bool:
    """Nobody is pinged after an acknowledgement that was committed before the send.

    What waited because Slack was away is told in one message, the latest. What may be there already is
    looked up all the same, so that its copy says who acknowledged; another way is told so.
    """
    message = attempt.message
    if message.kind == "still" and message.state is State.WAITING and message.ts is None:
        return attempt.seen is not None and not attempt.seen.asks_still(message.facts)
    if not _is_page(message) or message.ts is not None:
        return False
    if message.state is not State.WAITING and (message.via != SLACK or not attempt.repeated):
        return False
    asks = _asks(message, attempt.seen, attempt.digest)
    return not asks or pages.superseded(tx, message)


def _repeated(message: Message, now: int) -> bool:
    """Whether it is sent though it may be there already. A duplicate beats silence.

    Other ways can't be asked. Slack is given up on for a page soonest, but for an update of the channel
    too in the end.
    """
    if message.state is not State.UNSURE:
        return False
    if message.via != SLACK:
        return True
    if message.lookup_failed_at is None:
        return False
    patience = GIVE_UP_LOOKUP_MS if message.page else GIVE_UP_LOOKUP_QUIET_MS
    return now - message.lookup_failed_at >= patience


def _refused(tx: Tx, attempt: Attempt, reason: str, config: Config) -> None:
    message = attempt.message
    if message.kind == "file" and attempt.report is not None:
        log.info("file %s was refused: %s; it goes as text", message.key, reason)
        outbox.close(tx, message.id, State.WITHDRAWN, reason)
        asking.add_text(tx, attempt.report.id, "whole", message.destination, message.parent_id)
        return
    log.error("message %s was refused: %s", message.key, reason)
    if message.ts is not None:
        if code(reason) in _GONE and message.kind == "card":
            outbox.post_anew(tx, message.id)
        else:
            outbox.sent(tx, message.id, message.revision, message.channel or "", message.ts)
        return
    person = message.facts.get("person") if _is_answer(message) else None
    if person and not message.destination.startswith("user:"):
        outbox.note(tx, message.id, {**message.facts, "thread_ts": None})
        outbox.redirect(tx, message.id, f"user:{person}")
        return
    outbox.close(tx, message.id, State.REFUSED, reason)
    if person and message.kind == "file":
        facts = {"title": message.facts["title"], "reason": reason}
        outbox.add(tx, f"unshared:{message.id}", "unshared", message.destination, facts)
    _unreached(tx, message, reason, config)


def _is_answer(message: Message) -> bool:
    """What was asked for: where the bot is not a member, it goes to the person who asked."""
    return message.kind == "report" or (message.kind == "file" and "chart" in message.facts)


def _unreached(tx: Tx, message: Message, reason: str, config: Config) -> None:
    """Somebody did not hear of it: the person's next way goes, and where none is left the next person."""
    goes_on = False
    if _is_page(message):
        goes_on = message.passed_on or paging.pass_on(tx, config, message, reason) is not None
    if message.kind in {"ping", "card", "still", "assigned"}:
        escalation.unreached(tx, message, reason)
    copies = outbox.with_prefix(tx, paging.base_of(message)) if message.kind == "digest" else []
    if copies and not goes_on and not any(map(_may_arrive, copies)):
        for one in digests.taken_out(tx, digest.source(message), reason):
            escalation.unreached(tx, one, reason)


def _may_arrive(message: Message) -> bool:
    return message.state not in {State.REFUSED, State.WITHDRAWN}


def code(reason: str) -> str:
    """Slack's word, without what it said beside."""
    return reason.partition(":")[0]


def _backoff_ms(message: Message) -> int:
    longest = 10_000 if message.page else 60_000
    return int(min(longest, 1_000 * 2 ** min(message.attempts, 10)))
