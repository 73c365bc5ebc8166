"""How the workspace says no: Slack's error code, and what is said beside it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.workspace.records import Json


class Refusal(Exception):
    """An answer with ``ok`` false; ``messages`` are the findings of a validation, as Slack words them."""

    def __init__(self, code: str, messages: Iterable[str] = (), **extra: object) -> None:
        self.code = code
        self.messages = tuple(messages)
        self.extra = extra
        super().__init__(": ".join((code, *self.messages)))

    def answer(self) -> Json:
        """The JSON that a Web API method answers with."""
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in self.messages]}
        return body
