"""Buttons and menus: the table from an action's id to what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.model.answer import Challenge, Refusal
from bot.model.command import (
    Acknowledge,
    Assign,
    Declare,
    Diagnose,
    Drill,
    EndSilence,
    Escalate,
    Health,
    Mitigate,
    Note,
    OnFinding,
    OnIncident,
    OnIt,
    Postmortem,
    Reopen,
    Resolve,
    SetSeverity,
    Show,
    Timeline,
)
from bot.model.incident import Facts, Severity
from bot.model.reading import Verdict
from bot.slack import form
from bot.slack.desk import Ack, Body, Desk
from bot.slack.run_click import Handler, RunClick
from bot.slack.view import View
from bot.text import clean

_KEY = re.compile(r"INC-([0-9]{1,9})")


class Click:
    """A press of a button or a choice in a menu: commit, then ack, then whatever is slow."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client
        self._handlers: Mapping[str, Handler] = {
            "iora:incident:ack": self._changes(Acknowledge),
            "iora:incident:takeover": self._changes(_taking_over, say=True),
            "iora:incident:on_it": self._changes(OnIt),
            "iora:incident:mitigate": self._changes(Mitigate),
            "iora:incident:reopen": self._changes(Reopen),
            "iora:incident:resolve": self._opens(form.resolve, Resolve()),
            "iora:incident:handover": self._opens(form.assign, Assign(person="")),
            "iora:incident:open": self._asks(Show),
            "iora:incident:postmortem": self._asks(Postmortem),
            "iora:incident:more": self._more,
            "iora:drill:start": self._drill,
            "iora:silence:end": self._end_silence,
            "iora:finding:declare": self._finding_declared,
            "iora:finding:dismiss": self._finding_dismissed,
            **RunClick(desk, client).handlers,
            "iora:health:declare": self._declare,
            "iora:health:share": self._share,
            "iora:health:diagnose": self._diagnose,
        }
        self._menu: Mapping[str, Handler] = {
            "severity": self._severity,
            "note": self._opens(form.note, Note(text="")),
            "assign": self._opens(form.assign, Assign(person="")),
            "escalate": self._changes(Escalate, say=True),
            "timeline": self._asks(Timeline),
        }

    async def __call__(self, ack: Ack, body: dict[str, Any]) -> None:
        action = body["actions"][0]
        value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
        handler = self._handlers.get(action["action_id"])
        if handler is not None:
            await handler(body, value)
        await ack()

    async def _more(self, body: Body, value: str) -> None:
        what, _, key = value.partition(" ")
        handler = self._menu.get(what)
        if handler is not None:
            await handler(body, key)

    def _changes(self, make: Callable[..., OnIncident], *, say: bool = False) -> Handler:
        """A change is committed before the ack; the card shows it, a refusal is said."""

        async def handle(body: Body, key: str) -> None:
            given = await self._desk.do(make(incident=_number(key)), body)
            if say or isinstance(given, Refusal):
                self._desk.say(body, given)

        return handle

    def _asks(self, make: type[OnIncident]) -> Handler:
        async def handle(body: Body, key: str) -> None:
            given = await self._desk.do(make(incident=_number(key)), body)
            self._desk.say(body, given)

        return handle

    def _opens(self, make: Callable[[int], View], wanted: OnIncident) -> Handler:
        """Who may not, or comes too late, is told so now and not after filling in the form."""

        async def handle(body: Body, key: str) -> None:
            await self._open_unless_refused(
                body, replace(wanted, incident=_number(key)), make(_number(key))
            )

        return handle

    async def _open_unless_refused(self, body: Body, wanted: OnIncident, view: View) -> None:
        refused = await self._desk.refused(wanted, body)
        if refused is None:
            self._desk.open(self._client, body, view)
        elif isinstance(refused, Challenge):
            self._desk.open(self._client, body, form.resolve_anyway(refused))
        else:
            self._desk.say(body, refused)

    async def _severity(self, body: Body, key: str) -> None:
        given = await self._desk.do(Show(incident=_number(key)), body)
        if isinstance(given, Refusal):
            self._desk.say(body, given)
            return
        now: Severity = given.facts["overview"].incident.severity
        other = next(one for one in Severity if one is not now)
        wanted = SetSeverity(incident=_number(key), severity=other)
        await self._open_unless_refused(body, wanted, form.severity(_number(key), now))

    async def _declare(self, body: Body, mark: str) -> None:
        """The form, filled with the target and with what was wrong when it was shown."""
        outsider = await self._desk.outsider(body)
        if outsider is not None:
            self._desk.say(body, outsider)
            return
        target, title = mark.partition("@")[0], ""
        shown = await self._desk.commands.shown(mark)
        if shown is not None:
            title = clean(f"{target}: {_wrong(shown.facts['targets'][0])}")
        named = (target,) if target in self._desk.live.config.targets else ()
        known = Declare(title=title, targets=named)
        self._desk.open(self._client, body, form.declare(self._desk.live.config, known))

    async def _diagnose(self, body: Body, mark: str) -> None:
        """Committed before the ack; the progress is a message of its own."""
        target = mark.partition("@")[0]
        self._desk.say(body, await self._desk.do(Diagnose(target=target), body))

    async def _finding_declared(self, body: Body, key: str) -> None:
        """The value names what was suggested, so that a late press declares nothing else."""
        self._desk.say(body, await self._desk.do(OnFinding(key=key, verb="declare"), body))

    async def _finding_dismissed(self, body: Body, key: str) -> None:
        given = await self._desk.do(OnFinding(key=key, verb="dismiss"), body)
        if isinstance(given, Refusal):
            self._desk.say(body, given)

    async def _drill(self, body: Body, chosen: str) -> None:
        """The value names the policy, and whether all of it is played."""
        name, _, whole = chosen.partition(" ")
        command = Drill(policy=name, whole=bool(whole), start=True)
        self._desk.say(body, await self._desk.do(command, body))

    async def _end_silence(self, body: Body, number: str) -> None:
        """The channel is told, so only a refusal is answered."""
        known = int(number) if number.isascii() and number.isdecimal() else 0
        given = await self._desk.do(EndSilence(silence=known), body)
        if isinstance(given, Refusal):
            self._desk.say(body, given)

    async def _share(self, body: Body, marks: str) -> None:
        self._desk.later(self._shared(body, marks), "share a health answer")

    async def _shared(self, body: Body, marks: str) -> None:
        """What was shown, as it was; if that is forgotten, measured anew."""
        outsider = await self._desk.outsider(body)
        if outsider is not None:
            await self._desk.respond(body, self._desk.drawn(outsider))
            return
        given = await self._desk.commands.shown(marks)
        if given is None:
            names = tuple(mark.partition("@")[0] for mark in marks.split(","))
            known = tuple(name for name in names if name in self._desk.live.config.targets)
            found = await self._desk.do(Health(targets=known or names), body)
            if isinstance(found, Refusal):
                await self._desk.respond(body, self._desk.drawn(found))
                return
            given = found
        drawing = self._desk.drawn(given)
        await self._desk.respond(body, drawing, in_channel=True)


def _wrong(shown: Facts) -> str:
    """Why, as a title says it; where it is down without what its host says: its health shows that."""
    reason = str(shown["reason"])
    return f"down, {reason.partition('; ')[0]}" if shown["verdict"] == Verdict.DOWN else reason


def _taking_over(incident: int) -> OnIncident:
    return Acknowledge(incident=incident, take_over=True)


def _number(key: str) -> int:
    """The number in ``INC-7``; a value that is not of ours is incident 0, which nobody has."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else 0
