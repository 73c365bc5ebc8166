"""The buttons of runs, and those that start one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.web.async_client import AsyncWebClient

from bot.model.answer import Refusal
from bot.model.command import VERBS, OnRun, StartRun, Verb
from bot.model.offer import Offer
from bot.model.outlook import Outlook
from bot.model.run import Mark, StepState
from bot.render.run_buttons import MENU
from bot.slack import run_form
from bot.slack.desk import Body, Desk
from bot.slack.view import View

Handler = Callable[[Body, str], Awaitable[None]]
_RUN = re.compile(r"RUN-([0-9]{1,15})(?:/.*)?")
_FORMS: tuple[Verb, ...] = ("skip", "reject", "repeat", "done", "undo", "cancel")


class RunClick:
    """A word to a run is committed before the ack; its message shows it, a refusal is said.

    What asks back opens a form, unless it would be refused: that is said now, not after filling it in.
    """

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client
        self._verbs: Mapping[str, Handler] = {
            verb: self._asks(verb) if verb in _FORMS else self._says(verb) for verb in VERBS
        }
        self.handlers: Mapping[str, Handler] = {
            **{f"iora:run:{verb}": handler for verb, handler in self._verbs.items()},
            MENU: self._more,
            "iora:runbook:start": self._start,
            "iora:runbook:preview": self._preview,
        }

    def _says(self, verb: Verb) -> Handler:
        """The press is the whole word. What only looks is answered, too."""

        async def handle(body: Body, value: str) -> None:
            await self._say(body, meant(verb, value))

        return handle

    def _asks(self, verb: Verb) -> Handler:
        async def handle(body: Body, value: str) -> None:
            command = meant(verb, value)
            refused = await self._desk.refused(command, body)
            if refused is not None:
                self._desk.say(body, refused)
                return
            shown = await self._desk.do(OnRun(run=command.run, verb="show"), body)
            if isinstance(shown, Refusal):
                self._desk.say(body, shown)
                return
            view = _form(shown.facts["outlook"], command, str(body["user"]["id"]))
            if view is None:
                await self._say(body, command)
            else:
                self._desk.open(self._client, body, view)

        return handle

    async def _say(self, body: Body, command: OnRun) -> None:
        given = await self._desk.do(command, body)
        if isinstance(given, Refusal) or command.verb in {"show", "preview"}:
            self._desk.say(body, given)

    async def _more(self, body: Body, chosen: str) -> None:
        verb, _, value = chosen.partition(" ")
        handler = self._verbs.get(verb)
        if handler is not None:
            await handler(body, value)

    async def _start(self, body: Body, value: str) -> None:
        """At once where every input has its default; else the form for them."""
        command = offered(value)
        runbook = await self._desk.commands.asks(command, await self._desk.asked(body))
        if runbook is None:
            self._desk.say(body, await self._desk.do(command, body))
            return
        channel = str((body.get("channel") or {}).get("id"))
        view = run_form.inputs(runbook, command, self._desk.live.config, channel)
        self._desk.open(self._client, body, view)

    async def _preview(self, body: Body, value: str) -> None:
        self._desk.say(body, await self._desk.do(offered(value, dry_run=True), body))


def meant(verb: Verb, value: str) -> OnRun:
    """The word of a button with this value; one that is not of ours means run 0, which nobody has."""
    found = _RUN.fullmatch(value)
    return OnRun(run=int(found[1]) if found else 0, verb=verb, mark=Mark.parse(value))


def offered(value: str, *, dry_run: bool = False) -> StartRun:
    """What a button that starts or previews means; a value that is not of ours names no runbook."""
    offer = Offer.parse(value) or Offer("-")
    return StartRun(
        runbook=offer.runbook, incident=offer.incident, target=offer.target, dry_run=dry_run
    )


def _form(seen: Outlook, command: OnRun, person: str) -> View | None:
    """What asks back before it is said; None where the press is enough."""
    mark, run = command.mark, seen.progress.run
    if command.verb == "cancel":
        return run_form.cancel(run)
    if command.verb == "undo":
        meant_only = [
            one for one in seen.reversals if mark is None or one.position == mark.position
        ]
        return run_form.undo(run, meant_only, mark)
    if mark is None:
        return None
    if command.verb == "done":
        stuck = seen.progress.steps[mark.position].state is StepState.STUCK
        return None if stuck else run_form.done(seen, mark, person)
    return _WITH_REASON[command.verb](seen, mark)


_WITH_REASON: Mapping[Verb, Callable[[Outlook, Mark], View]] = {
    "skip": run_form.skip,
    "reject": run_form.reject,
    "repeat": run_form.repeat,
}
