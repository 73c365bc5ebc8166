"""What the page's script posts, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeGuard
from zoneinfo import ZoneInfo

from bot.workspace.act import Chosen, Values


class NotUnderstood(ValueError):
    """The body is not what this page's script sends."""


class Form:
    """A posted JSON object; times in it are the person's local ones."""

    def __init__(self, body: object, zone: ZoneInfo) -> None:
        if not is_object(body):
            raise NotUnderstood("a JSON object was expected")
        self._body = body
        self._zone = zone

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self._body.get(name)
        if not isinstance(value, str):
            raise NotUnderstood(f"{name}: a text was expected")
        return value

    def maybe(self, name: str) -> str | None:
        """A text, or nothing."""
        return self.text(name) if self._body.get(name) else None

    def chosen(self, name: str = "chosen") -> Chosen:
        return self._chosen(self._body.get(name), name)

    def values(self) -> Values:
        """What a modal's inputs hold: block id, action id, value."""
        values = self._body.get("values")
        if not is_object(values):
            raise NotUnderstood("values: an object was expected")
        read: dict[str, dict[str, Chosen]] = {}
        for block, actions in values.items():
            if not is_object(actions):
                raise NotUnderstood(f"{block}: an object was expected")
            read[block] = {name: self._chosen(value, name) for name, value in actions.items()}
        return read

    def _chosen(self, value: object, name: str) -> Chosen:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return [str(one) for one in value]
        if is_object(value) and isinstance(value.get("local"), str):
            return self._epoch(str(value["local"]))
        raise NotUnderstood(f"{name}: a text, a list of texts or nothing was expected")

    def _epoch(self, local: str) -> str | None:
        """A local date and time as seconds since the epoch, as Slack sends it."""
        if not local:
            return None
        try:
            moment = datetime.fromisoformat(local)
        except ValueError:
            raise NotUnderstood(f"{local!r} is not a date and a time") from None
        return str(int(moment.replace(tzinfo=self._zone).timestamp()))


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)
