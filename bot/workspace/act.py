"""What a person can do in the workspace; the page and the tests act through this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.workspace import forms, interactions, mentions, screens
from bot.workspace.delivery import Delivery
from bot.workspace.events import Events
from bot.workspace.forms import Chosen, Values, WrongChoice
from bot.workspace.records import Channel, Json, Message, View
from bot.workspace.refusal import Refusal
from bot.workspace.responses import Responses
from bot.workspace.site import Site
from bot.workspace.submission import Submissions

Held = dict[str, dict[str, Chosen]]

__all__ = ["Acts", "Chosen", "Outcome", "Values"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it, as the person sees it.

    ``why`` is empty when ``ok``; else the reason: ``operation_timeout`` (the app did not acknowledge
    within 3 s), ``app not connected``, or what the person did wrong. ``message`` is what the
    acknowledgement showed, ``errors`` what it said about a form's blocks, ``view`` the modal that
    is on the person's screen now.
    """

    ok: bool
    why: str = ""
    message: Message | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None


class Acts:
    """A person's hands: everything that happens because somebody typed or pressed something."""

    def __init__(self, site: Site, delivery: Delivery, events: Events) -> None:
        self._site = site
        self._delivery = delivery
        self._events = events
        self._responses = Responses(site)
        self._submissions = Submissions(site)
        self._held: dict[tuple[str, str, str], tuple[str | None, Held]] = {}

    async def say(
        self, person: str, channel: str, text: str, thread_ts: str | None = None
    ) -> Outcome:
        """Post what the person typed; ``@alice`` and ``#incidents`` become mentions."""
        place = self._place(person, channel)
        if isinstance(place, Outcome):
            return place
        if place.archived:
            return _refused("the channel is archived")
        if not text.strip():
            return _refused("there is nothing to say")
        if thread_ts is not None:
            parent = self._site.workspace.message(channel, thread_ts)
            if parent is None:
                return _refused("the thread is not there any more")
            thread_ts = parent.thread_ts if parent.is_reply else parent.ts
        stored = mentions.in_message(self._site.workspace, text)
        message = self._site.workspace.post(channel, person, stored, thread_ts=thread_ts)
        self._site.workspace.mark_read(person, channel)
        return Outcome(ok=True, message=message)

    async def slash(self, person: str, channel: str, command: str, text: str) -> Outcome:
        """Type a slash command, such as ``/iora`` with ``health``."""
        place = self._place(person, channel)
        if isinstance(place, Outcome):
            return place
        if command not in self._site.app.commands or "commands" not in self._site.app.scopes:
            return _refused(f"{command} is not a valid command")
        payload = interactions.command(self._site, person, place, command, text)
        ack = await self._delivery.deliver("slash_commands", payload)
        if not ack.ok:
            return _refused(ack.why)
        if not ack.payload:
            return self._done(person)
        try:
            message = self._responses.acknowledge(person, channel, ack.payload)
        except Refusal as refusal:
            return _refused(f"the app's answer was not valid: {refusal}")
        return self._done(person, message)

    async def press(
        self,
        person: str,
        channel: str,
        ts: str,
        block_id: str,
        action_id: str,
        chosen: Chosen = None,
    ) -> Outcome:
        """Press a button of a message, or choose in one of its menus (``chosen``)."""
        message = self._site.workspace.message(channel, ts)
        if message is None or message.ephemeral_to not in (None, person):
            return _refused("the message is not there any more")
        held = self._held_in(message, person)
        try:
            action = self._action(message.blocks, block_id, action_id, chosen)
            held.setdefault(block_id, {})[action_id] = chosen
            values = forms.state(message.blocks, held)
        except WrongChoice as wrong:
            return _refused(str(wrong))
        payload = interactions.message_action(self._site, person, message, action, values)
        return await self._interact(person, payload)

    async def press_in_view(
        self,
        person: str,
        view_id: str,
        block_id: str,
        action_id: str,
        chosen: Chosen = None,
        values: Values | None = None,
    ) -> Outcome:
        """The same in a modal or on the Home; ``values`` is what the form holds meanwhile."""
        view = self._view(person, view_id)
        if view is None:
            return _refused("the form is not there any more")
        held = {block: dict(actions) for block, actions in (values or {}).items()}
        blocks = view.body["blocks"]
        try:
            action = self._action(blocks, block_id, action_id, chosen)
            held.setdefault(block_id, {})[action_id] = chosen
            state = forms.state(blocks, held)
        except WrongChoice as wrong:
            return _refused(str(wrong))
        payload = interactions.view_action(self._site, person, view, action, state)
        return await self._interact(person, payload)

    async def submit(self, person: str, view_id: str, values: Values | None = None) -> Outcome:
        """Submit a modal. What ``values`` leaves out keeps its initial value.

        Refused (``ok`` False, ``errors``) while a required block is empty or the app answers with
        errors; the modal then stays, with ``view.errors`` set.
        """
        view = self._view(person, view_id)
        if view is None or view.body["type"] != "modal":
            return _refused("the form is not there any more")
        try:
            state = forms.state(view.body["blocks"], values or {})
        except WrongChoice as wrong:
            return _refused(str(wrong))
        errors = forms.refusals(view.body["blocks"], state)
        if errors:
            return self._erroneous(view, errors)
        payload = interactions.submission(self._site, person, view, state)
        ack = await self._delivery.deliver("interactive", payload)
        if not ack.ok:
            return _refused(ack.why)
        try:
            errors = self._submissions.answer(view, ack.payload)
        except Refusal as refusal:
            return _refused(f"the app's answer was not valid: {refusal}")
        return self._erroneous(view, errors) if errors else self._done(person)

    async def close(self, person: str, view_id: str) -> Outcome:
        """Cancel a modal: the one below it, if any, is on the screen again."""
        view = self._view(person, view_id)
        if view is None:
            return _refused("the form is not there any more")
        cleared = bool(view.body.get("clear_on_close"))
        if cleared:
            screens.clear(self._site, person)
        else:
            screens.close(self._site, view)
        if view.body.get("notify_on_close"):
            payload = interactions.closing(self._site, person, view, cleared)
            ack = await self._delivery.deliver("interactive", payload)
            return self._done(person) if ack.ok else _refused(ack.why)
        return self._done(person)

    async def react(self, person: str, channel: str, ts: str, name: str) -> Outcome:
        """Add a reaction (``eyes``), or take it back when it is there."""
        message = self._site.workspace.message(channel, ts)
        if message is None or message.ephemeral_to is not None:
            return _refused("nobody can react to this message")
        there = person in message.reactions.get(name, [])
        self._site.workspace.react(message, person, name, on=not there)
        return Outcome(ok=True, message=message)

    async def open_dm(self, person: str, other: str) -> Channel:
        """Open the direct channel with somebody (the app's user too)."""
        return self._site.workspace.direct(person, other)

    async def open_home(self, person: str) -> Outcome:
        """Look at the app's Home (the app hears ``app_home_opened``)."""
        self._events.home_opened(person)
        return Outcome(ok=True, view=self._site.workspace.home_of(person))

    async def invite(self, person: str, channel: str, other: str) -> Outcome:
        """Bring somebody (the app's user too) into a channel."""
        place = self._place(person, channel)
        if isinstance(place, Outcome):
            return place
        if place.kind == "im":
            return _refused("a direct channel has two people")
        self._site.workspace.join(channel, other)
        return Outcome(ok=True)

    def _held_in(self, message: Message, person: str) -> Held:
        """What the person chose in a message so far; an edit of the message resets it."""
        key = (person, message.channel, message.ts)
        edited, held = self._held.get(key, (message.edited, {}))
        if edited != message.edited:
            held = {}
        self._held[key] = (message.edited, held)
        return held

    def _place(self, person: str, channel: str) -> Channel | Outcome:
        place = self._site.workspace.channels.get(channel)
        if place is None or person not in place.members:
            return _refused("the channel is not there")
        return place

    def _view(self, person: str, view_id: str) -> View | None:
        view = self._site.workspace.view(view_id)
        return view if view is not None and view.person == person else None

    def _action(self, blocks: list[Json], block_id: str, action_id: str, chosen: Chosen) -> Json:
        element = forms.find(blocks, block_id, action_id)
        if element is None:
            raise WrongChoice("there is no such button")
        selected = forms.selection(element, chosen)
        return interactions.action(self._site, block_id, element, selected)

    async def _interact(self, person: str, payload: Json) -> Outcome:
        ack = await self._delivery.deliver("interactive", payload)
        return self._done(person) if ack.ok else _refused(ack.why)

    def _erroneous(self, view: View, errors: Mapping[str, str]) -> Outcome:
        view.errors = dict(errors)
        self._site.workspace.announce("view", person=view.person)
        return Outcome(ok=False, why="the form has errors", errors=errors, view=view)

    def _done(self, person: str, message: Message | None = None) -> Outcome:
        stack = self._site.workspace.views_of(person)
        return Outcome(ok=True, message=message, view=stack[-1] if stack else None)


def _refused(why: str) -> Outcome:
    return Outcome(ok=False, why=why)
