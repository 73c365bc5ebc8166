"""The page's addresses: the page, its parts, the stream of changes, and what a person does."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.workspace.act import Acts, Outcome
from bot.workspace.page.form import Form, NotUnderstood
from bot.workspace.page.guard import guarded
from bot.workspace.page.live import Live
from bot.workspace.page.sample import Switch
from bot.workspace.page.screen import IMAGES, Screen
from bot.workspace.records import Person
from bot.workspace.state import Workspace

STATIC = Path(__file__).parent / "static"
FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"

REASONS = {
    "operation_timeout": "The bot did not answer within 3 seconds. Is it running?",
    "app not connected": "The bot is not connected. Start it, then try again.",
}

Deed = Callable[[Person, Form], Awaitable[Outcome]]


def routes(
    app: web.Application, workspace: Workspace, acts: Acts, sample_control: str | None
) -> None:
    """Add the page to an application that listens on loopback.

    `sample_control` is the address of the sample service's switch, or None without a sample.
    """
    site = Site(workspace, acts, Switch(sample_control))
    live = Live(workspace)
    app.on_shutdown.append(live.stop)
    app.router.add_get("/", guarded(site.page))
    app.router.add_get("/archives/{channel}/p{ts}", guarded(site.permalink))
    app.router.add_get("/page/parts", guarded(site.parts))
    app.router.add_get("/page/changes", guarded(live.stream))
    app.router.add_get("/page/sample", guarded(site.sample))
    app.router.add_get("/page/file/{id}", guarded(site.file))
    app.router.add_post("/page/mode", guarded(site.mode))
    app.router.add_post("/page/dm", guarded(site.dm))
    for name, deed in site.deeds.items():
        app.router.add_post(f"/page/{name}", guarded(site.doing(deed)))
    app.router.add_static("/page/static", STATIC)


class Site:
    """The handlers."""

    def __init__(self, workspace: Workspace, acts: Acts, switch: Switch) -> None:
        self.workspace = workspace
        self.acts = acts
        self.switch = switch
        self.deeds: dict[str, Deed] = {
            "say": self.say,
            "press": self.press,
            "submit": self.submit,
            "close": self.close,
            "react": self.react,
        }

    # looking

    def screen(self, request: web.Request) -> Screen:
        asked = request.query
        return Screen.of(
            self.workspace, asked.get("as", ""), asked.get("in", ""), asked.get("thread", "")
        )

    async def page(self, request: web.Request) -> web.Response:
        screen = self.screen(request)
        self.workspace.mark_read(screen.person.id, screen.channel.id)
        html = screen.page(await self.switch.read())
        return web.Response(text=html, content_type="text/html")

    async def parts(self, request: web.Request) -> web.Response:
        """What changed; `seen` says that the tab is in front, so what is new counts as read."""
        screen = self.screen(request)
        if request.query.get("seen"):
            self.workspace.mark_read(screen.person.id, screen.channel.id)
        return web.json_response(screen.parts()._asdict())

    async def sample(self, request: web.Request) -> web.Response:
        html = self.screen(request).sample(await self.switch.read())
        return web.Response(text=html, content_type="text/html")

    async def permalink(self, request: web.Request) -> web.Response:
        """A message's permanent address, as `chat.getPermalink` gives it: seen in its channel."""
        digits = request.match_info["ts"]
        ts = f"{digits[:-6]}.{digits[-6:]}"
        parent = request.query.get("thread_ts") or ts
        query = f"in={quote(request.match_info['channel'])}&thread={quote(parent)}#m-{quote(ts)}"
        raise web.HTTPFound(f"/?{query}")

    async def file(self, request: web.Request) -> web.Response:
        """An uploaded file: images to be shown, everything else to be saved."""
        file = self.workspace.files.get(request.match_info["id"])
        if file is None:
            raise web.HTTPNotFound(text="There is no such file.")
        shown = file.mimetype in IMAGES
        kind = file.mimetype if shown else "application/octet-stream"
        how = "inline" if shown else f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        headers = {"Content-Security-Policy": FILE_POLICY, "Content-Disposition": how}
        return web.Response(body=file.content, content_type=kind, headers=headers)

    # doing

    async def read_form(self, request: web.Request) -> tuple[Person, Form]:
        """Who does it, and what was posted."""
        try:
            body = await request.json()
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise NotUnderstood("JSON was expected") from None
        name = Form(body, ZoneInfo("UTC")).text("as")
        person = self.workspace.people.get(name)
        if person is None or person.kind == "bot":
            raise NotUnderstood(f"nobody here is called {name!r}")
        return person, Form(body, ZoneInfo(person.tz))

    def doing(self, deed: Deed) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that does something for a person and answers what came of it."""

        async def handle(request: web.Request) -> web.Response:
            try:
                person, form = await self.read_form(request)
                outcome = await deed(person, form)
            except NotUnderstood as error:
                return web.json_response(
                    {"ok": False, "why": f"Not understood: {error}"}, status=400
                )
            return web.json_response(
                {
                    "ok": outcome.ok,
                    "why": REASONS.get(outcome.why, outcome.why),
                    "errors": dict(outcome.errors),
                }
            )

        return handle

    async def say(self, person: Person, form: Form) -> Outcome:
        """Post a message, or give a slash command when the text begins with `/`."""
        text, channel, thread = form.text("text").strip(), form.text("in"), form.maybe("thread")
        if not text:
            return Outcome(ok=False, why="There is nothing to send yet.")
        if not text.startswith("/"):
            return await self.acts.say(person.id, channel, text, thread)
        if thread:
            return Outcome(
                ok=False, why="Commands do not work in threads. Type it in the channel instead."
            )
        command, _, rest = text.partition(" ")
        return await self.acts.slash(person.id, channel, command, rest.strip())

    async def press(self, person: Person, form: Form) -> Outcome:
        """Press a button or choose from a menu, in a message or in a modal."""
        block, action, view = form.text("block"), form.text("action"), form.maybe("view")
        if view:
            return await self.acts.press_in_view(
                person.id, view, block, action, form.chosen(), form.values()
            )
        return await self.acts.press(
            person.id, form.text("in"), form.text("ts"), block, action, form.chosen()
        )

    async def submit(self, person: Person, form: Form) -> Outcome:
        return await self.acts.submit(person.id, form.text("view"), form.values())

    async def close(self, person: Person, form: Form) -> Outcome:
        return await self.acts.close(person.id, form.text("view"))

    async def react(self, person: Person, form: Form) -> Outcome:
        return await self.acts.react(person.id, form.text("in"), form.text("ts"), form.text("name"))

    async def dm(self, request: web.Request) -> web.Response:
        """Open a direct channel; the answer says where it is."""
        try:
            person, form = await self.read_form(request)
            other = form.text("other")
        except NotUnderstood as error:
            return web.json_response({"ok": False, "why": f"Not understood: {error}"}, status=400)
        if other not in self.workspace.people:
            return web.json_response({"ok": False, "why": "There is no such person."})
        channel = await self.acts.open_dm(person.id, other)
        return web.json_response(
            {"ok": True, "why": "", "href": f"/?as={person.id}&in={channel.id}"}
        )

    async def mode(self, request: web.Request) -> web.Response:
        """Break the sample service, or mend it."""
        try:
            _, form = await self.read_form(request)
            state = await self.switch.turn(form.text("mode"))
        except NotUnderstood as error:
            return web.json_response({"ok": False, "why": f"Not understood: {error}"}, status=400)
        return web.json_response({"ok": not state.why, "why": state.why, "mode": state.mode})
