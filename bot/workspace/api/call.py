"""One call of a Web API method: its arguments, and what every method asks of them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.workspace.records import Channel, Json, Message, Person
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site
from bot.workspace.state import Workspace


@dataclass(frozen=True)
class Call:
    """``arguments`` come from JSON or from a form: numbers and flags may be texts."""

    site: Site
    method: str
    arguments: Json

    @property
    def workspace(self) -> Workspace:
        return self.site.workspace

    @property
    def user(self) -> str:
        """The app's own user."""
        return self.site.app.user

    def text(self, name: str, default: str = "") -> str:
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        return self.arguments.get(name) in (True, "true", "True", "1", 1)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds (``invalid_limit`` outside of them)."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise Refusal("invalid_arguments") from None
        if not least <= number <= most:
            raise Refusal("invalid_limit")
        return number

    def require(self, *names: str) -> None:
        """Refuse (``invalid_arguments``) a call that leaves one of these out."""
        missing = [name for name in names if self.arguments.get(name) in (None, "")]
        if missing:
            raise Refusal(
                "invalid_arguments", [f"missing required field: {name}" for name in missing]
            )

    def channel(self, member: bool = False, writable: bool = False) -> Channel:
        """The channel that is meant, by id (``#name`` and names work for posting only)."""
        key = self.text("channel")
        channel = self.workspace.channels.get(key)
        if channel is None:
            raise Refusal("channel_not_found")
        if channel.kind == "im" and self.user not in channel.members:
            raise Refusal("channel_not_found")
        if member and self.user not in channel.members:
            raise Refusal("not_in_channel")
        if writable and channel.archived:
            raise Refusal("is_archived")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """A message that everybody in the channel sees, or ``message_not_found``."""
        message = self.workspace.message(channel.id, self.text(name))
        if message is None or message.ephemeral_to is not None:
            raise Refusal("message_not_found")
        return message

    def person(self, name: str = "user") -> Person:
        """A person who is there, or ``user_not_found``."""
        person = self.workspace.people.get(self.text(name))
        if person is None:
            raise Refusal("user_not_found")
        return person

    def needs(self, *scopes: str) -> None:
        """Refuse (``missing_scope``) a call for which none of these scopes was granted."""
        granted = self.site.app.scopes
        if not granted.intersection(scopes):
            raise Refusal(
                "missing_scope", needed=",".join(scopes), provided=",".join(sorted(granted))
            )
