"""What the app answers to a submitted modal: errors, another view, or nothing."""

from __future__ import annotations

import logging

from bot.workspace import screens
from bot.workspace.records import Json, View
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site

log = logging.getLogger(__name__)


class Submissions:
    """Carries out ``response_action``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def answer(self, view: View, payload: Json | None) -> dict[str, str]:
        """Do what the acknowledgement says; the errors that the person is to mend, by block id.

        Without a payload the modal closes. A payload that Slack would not take is kept as a rejection.
        """
        try:
            return self._answer(view, payload or {})
        except Refusal as refusal:
            log.warning("the answer to a submission was refused: %s", refusal)
            self._site.reject("ack", payload or {}, str(refusal))
            raise

    def _answer(self, view: View, payload: Json) -> dict[str, str]:
        match payload.get("response_action"):
            case None if not payload:
                screens.close(self._site, view)
            case "clear":
                screens.clear(self._site, view.person)
            case "update":
                screens.replace(self._site, view, _body(payload))
            case "push":
                screens.push(self._site, view.person, _body(payload))
            case "errors":
                return _errors(view, payload.get("errors"))
            case other:
                raise Refusal("invalid_response_action", [f"unknown response_action: {other}"])
        return {}


def _body(payload: Json) -> Json:
    body = payload.get("view")
    if not isinstance(body, dict):
        raise Refusal("invalid_arguments", ["missing required field: view"])
    return body


def _errors(view: View, errors: object) -> dict[str, str]:
    """Errors name input blocks of this view, each with a text that is not empty."""
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refusal("invalid_arguments", ["missing required field: errors"])
    for block_id, text in errors.items():
        if block_id not in inputs:
            raise Refusal("invalid_arguments", [f"no input block has the block_id {block_id!r}"])
        if not isinstance(text, str) or not text:
            raise Refusal("invalid_arguments", [f"the error of {block_id!r} must be a text"])
    return dict(errors)
