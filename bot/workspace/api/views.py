"""``views.*``: modals and the app's Home."""

from __future__ import annotations

from bot.workspace import screens
from bot.workspace.api.call import Call
from bot.workspace.payload import view_json
from bot.workspace.records import Json, View
from bot.workspace.refusal import Refusal
from bot.workspace.validate import views as validate
from bot.workspace.validate.views import parse_view


def open_modal(call: Call) -> Json:
    """Open a modal for the person whose trigger this is."""
    call.require("trigger_id", "view")
    body = parse_view(call.arguments["view"])
    validate.modal(body, call.workspace.files)
    trigger = call.site.tickets.use_trigger(call.text("trigger_id"))
    return _shown(call, screens.open_modal(call.site, trigger.person, body))


def push(call: Call) -> Json:
    """Put a modal on top of the one that the trigger came from."""
    call.require("trigger_id", "view")
    body = parse_view(call.arguments["view"])
    validate.modal(body, call.workspace.files)
    trigger = call.site.tickets.use_trigger(call.text("trigger_id"))
    if trigger.view is None:
        raise Refusal("invalid_trigger_id")
    return _shown(call, screens.push(call.site, trigger.person, body))


def update(call: Call) -> Json:
    """Draw a modal anew, by its id or external id; a stale ``hash`` is refused."""
    call.require("view")
    body = parse_view(call.arguments["view"])
    key = call.text("view_id") or call.text("external_id")
    if not key:
        raise Refusal("invalid_arguments", ["missing required field: view_id or external_id"])
    view = call.workspace.view(key)
    if view is None or view.body["type"] != "modal":
        raise Refusal("not_found")
    if call.text("hash") and call.text("hash") != view.hash:
        raise Refusal("hash_conflict")
    return _shown(call, screens.replace(call.site, view, body))


def publish(call: Call) -> Json:
    """Show the app's Home to a person; a stale ``hash`` is refused."""
    call.require("user_id", "view")
    body = parse_view(call.arguments["view"])
    person = call.person("user_id")
    before = call.workspace.home_of(person.id)
    if before is not None and call.text("hash") and call.text("hash") != before.hash:
        raise Refusal("hash_conflict")
    return _shown(call, screens.publish(call.site, person.id, body))


def _shown(call: Call, view: View) -> Json:
    return {"view": view_json(call.site, view)}
