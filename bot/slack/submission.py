"""Forms that were sent: the table from a form's name to the command that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.answer import Challenge, Refusal
from bot.slack import form, run_form
from bot.slack.desk import Ack, Desk
from bot.slack.view import kept_in, notice, problem

READERS = {**form.READERS, **run_form.READERS}


class Submitted:
    """A form that was sent: errors stay in the form, the rest is committed before the ack."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, ack: Ack, body: dict[str, Any]) -> None:
        view = body["view"]
        command = submitted(view, self._desk.clock.now())
        if isinstance(command, Mapping):
            await ack(response_action="errors", errors=dict(command))
            return
        # A form has no channel; one that starts something there keeps it.
        given = await self._desk.do(command, {"channel_id": kept_in(view).get("channel"), **body})
        if isinstance(given, Challenge):  # the same form, with what fails and room for the reason
            await ack(response_action="update", view=form.resolve_anyway(given))
            return
        errors = problem(given, view) if isinstance(given, Refusal) else {}
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        # A title may say what was wrong, which must not stand over the answer.
        title = str(kept_in(view).get("done") or view["title"]["text"])
        await ack(response_action="update", view=notice(title, self._desk.drawn(given).text))


def submitted(view: Mapping[str, Any], now: int) -> form.Read:
    """The command that a submitted form asks for, or what is wrong by field."""
    name = str(view["callback_id"]).removeprefix("iora:form:")
    values = {
        block: next(iter(fields.values())) for block, fields in view["state"]["values"].items()
    }
    return READERS[name](values, kept_in(view), now)
