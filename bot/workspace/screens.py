"""The modals on people's screens, and the app's Home."""

from __future__ import annotations

import secrets

from bot.workspace.posting import with_ids
from bot.workspace.records import Json, View
from bot.workspace.refusal import Refusal
from bot.workspace.site import Site
from bot.workspace.validate import views as validate

STACK = 3


def open_modal(site: Site, person: str, body: Json) -> View:
    """Put a first modal on a person's screen, in place of what was there."""
    view = _new(site, person, _modal(site, body))
    view.root = view.id
    site.workspace.stacks[person] = [view]
    site.workspace.announce("view", person=person)
    return view


def push(site: Site, person: str, body: Json) -> View:
    """Put a modal on top of the others, three at most (``push_limit_reached``)."""
    stack = site.workspace.views_of(person)
    if not stack:
        raise Refusal("not_found")
    if len(stack) >= STACK:
        raise Refusal("push_limit_reached")
    view = _new(site, person, _modal(site, body))
    view.root, view.previous = stack[0].id, stack[-1].id
    stack.append(view)
    site.workspace.announce("view", person=person)
    return view


def replace(site: Site, view: View, body: Json) -> View:
    """Draw a modal anew in its place; its errors are gone."""
    kept = _modal(site, body)
    _free_external_id(site, view.person, kept, view)
    view.body, view.hash, view.errors = kept, _hash(site), {}
    site.workspace.announce("view", person=view.person)
    return view


def publish(site: Site, person: str, body: Json) -> View:
    """Show the app's Home to a person."""
    validate.home(body, site.workspace.files)
    kept = {**body, "blocks": with_ids(site, body["blocks"])}
    view = site.workspace.homes.get(person)
    if view is None:
        view = _new(site, person, kept)
        view.root = view.id
        site.workspace.homes[person] = view
    view.body, view.hash = kept, _hash(site)
    site.workspace.announce("view", person=person)
    return view


def close(site: Site, view: View) -> None:
    """Take a modal off the screen, with those above it."""
    stack = site.workspace.views_of(view.person)
    if view in stack:
        del stack[stack.index(view) :]
    site.workspace.announce("view", person=view.person)


def clear(site: Site, person: str) -> None:
    """Take all of a person's modals off the screen."""
    site.workspace.views_of(person).clear()
    site.workspace.announce("view", person=person)


def _modal(site: Site, body: Json) -> Json:
    validate.modal(body, site.workspace.files)
    return {**body, "blocks": with_ids(site, body["blocks"])}


def _new(site: Site, person: str, body: Json) -> View:
    _free_external_id(site, person, body, None)
    return View(id=site.workspace.new_id("V"), hash=_hash(site), person=person, body=body)


def _free_external_id(site: Site, person: str, body: Json, own: View | None) -> None:
    external_id = body.get("external_id")
    for view in site.workspace.views_of(person):
        if external_id and view is not own and view.external_id == external_id:
            raise Refusal("duplicate_external_id")


def _hash(site: Site) -> str:
    return f"{int(site.clock.now())}.{secrets.token_hex(4)}"
