"""What a person can do in the workspace; the page and the tests act through this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.workspace.records import Channel, Message, View
from bot.workspace.state import Workspace

Chosen = str | list[str] | None
"""What was chosen in an element: an option's value (several: a list), a user id, a date, a text."""

Values = Mapping[str, Mapping[str, Chosen]]
"""What a form holds: block id, action id, what was chosen or typed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it, as the person sees it.

    ``why`` is empty when ``ok``; else a sentence's worth of reason: ``operation_timeout`` (the app did not
    acknowledge within 3 s), ``app not connected``, or what the person did wrong. ``message`` is what the
    acknowledgement showed, ``errors`` what it said about a form's blocks, ``view`` the modal now on the screen.
    """

    ok: bool
    why: str = ""
    message: Message | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None


class Acts:
    """A person's hands: everything that happens in Slack because somebody typed or pressed something."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def say(
        self, person: str, channel: str, text: str, thread_ts: str | None = None
    ) -> Outcome:
        """Post what the person typed; ``@alice`` and ``#incidents`` become mentions."""
        raise NotImplementedError

    async def slash(self, person: str, channel: str, command: str, text: str) -> Outcome:
        """Type a slash command, such as ``/iora`` with ``health``."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    async def submit(self, person: str, view_id: str, values: Values | None = None) -> Outcome:
        """Submit a modal. What ``values`` leaves out keeps its initial value.

        Refused (``ok`` False, ``errors``) while a required block is empty or the app answers with errors;
        the modal then stays, with ``view.errors`` set.
        """
        raise NotImplementedError

    async def close(self, person: str, view_id: str) -> Outcome:
        """Cancel a modal: the one below it, if any, is on the screen again."""
        raise NotImplementedError

    async def react(self, person: str, channel: str, ts: str, name: str) -> Outcome:
        """Add a reaction (``eyes``), or take it back when it is there."""
        raise NotImplementedError

    async def open_dm(self, person: str, other: str) -> Channel:
        """Open the direct channel with somebody (the app's user too)."""
        raise NotImplementedError

    async def open_home(self, person: str) -> Outcome:
        """Look at the app's Home (the app hears ``app_home_opened``)."""
        raise NotImplementedError

    async def invite(self, person: str, channel: str, other: str) -> Outcome:
        """Bring somebody (the app's user too) into a channel."""
        raise NotImplementedError
