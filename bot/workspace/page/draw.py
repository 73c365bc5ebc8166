"""Block Kit's blocks as HTML. Nothing here knows of requests, and nothing comes out unescaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from bot.workspace.page import elements, markdown, rich
from bot.workspace.page.surface import Surface
from bot.workspace.page.tag import tag
from bot.workspace.records import Json


def draw(blocks: Sequence[Json], surface: Surface) -> Markup:
    """Blocks in their order."""
    return Markup("\n").join(block(one, surface) for one in blocks)


def block(one: Json, surface: Surface) -> Markup:
    """One block; a type that this page doesn't know is named, not hidden."""
    kind = str(one.get("type", ""))
    writer = WRITERS.get(kind)
    if writer is None:
        return tag("p", f"[{kind or 'block'}: not drawn here]", class_="not-drawn")
    return writer(one, surface)


def header(one: Json, surface: Surface) -> Markup:
    return tag("h3", surface.text(one.get("text")), class_="block header")


def section(one: Json, surface: Surface) -> Markup:
    """Text, fields in two columns, and something to touch at the side."""
    words = tag("div", surface.text(one["text"]), class_="text") if one.get("text") else Markup()
    fields = one.get("fields") or []
    if fields:
        drawn = Markup().join(tag("div", surface.text(field), class_="text") for field in fields)
        words += tag("div", drawn, class_="fields")
    beside = Markup()
    if one.get("accessory"):
        drawn = elements.draw(one["accessory"], str(one.get("block_id", "")), surface)
        beside = tag("div", drawn, class_="accessory")
    return tag("div", tag("div", words, class_="section-main"), beside, class_="block section")


def context(one: Json, surface: Surface) -> Markup:
    drawn = (
        elements.picture(element, "icon")
        if element.get("type") == "image"
        else tag("span", surface.text(element), class_="text")
        for element in one.get("elements") or []
    )
    return tag("div", *drawn, class_="block context")


def actions(one: Json, surface: Surface) -> Markup:
    name = str(one.get("block_id", ""))
    drawn = (elements.draw(element, name, surface) for element in one.get("elements") or [])
    return tag("div", *drawn, class_="block actions")


def divider(_one: Json, _surface: Surface) -> Markup:
    return tag("hr", class_="block")


def image(one: Json, surface: Surface) -> Markup:
    title = surface.text(one.get("title"))
    caption = tag("figcaption", title) if title else Markup()
    return tag("figure", caption, elements.picture(one, "picture"), class_="block figure")


def field(one: Json, surface: Surface) -> Markup:
    """An input with its label, its hint and what the app said about it."""
    name = str(one.get("block_id", ""))
    element: Json = one.get("element") or {}
    labelled = f"{surface.key(name, '')}-label"
    drawn = elements.draw(
        element, name, surface, live=bool(one.get("dispatch_action")), label=labelled
    )
    optional = tag("span", " (optional)", class_="quiet") if one.get("optional") else ""
    words = surface.text(one.get("label"))
    grouped = element.get("type") in ("checkboxes", "radio_buttons")
    label = tag(
        "span" if grouped else "label",
        words,
        optional,
        id=labelled,
        class_="label",
        for_=None if grouped else surface.key(name, str(element.get("action_id", ""))),
    )
    error, hint = surface.errors.get(name), one.get("hint")
    notes = tag("p", tag("b", "Error: "), error, class_="error") if error else Markup()
    notes += tag("p", surface.text(hint), class_="hint") if hint else Markup()
    described = tag("div", notes, id=f"{surface.key(name, '')}-notes")
    look = "block input has-error" if error else "block input"
    return tag("div", label, drawn, described, class_=look, data_input=name)


def rich_text(one: Json, surface: Surface) -> Markup:
    drawn = rich.draw(one.get("elements") or [], surface.reader)
    return tag("div", drawn, class_="block text rich")


def markdown_block(one: Json, surface: Surface) -> Markup:
    drawn = markdown.draw(str(one.get("text", "")), surface.reader)
    return tag("div", drawn, class_="block text rich")


def table(one: Json, surface: Surface) -> Markup:
    """Rows of cells; the first row names the columns."""
    rows: Sequence[Sequence[Json]] = one.get("rows") or []
    drawn = (
        tag("tr", *(cell("td" if index else "th", content, surface) for content in row))
        for index, row in enumerate(rows)
    )
    return tag("div", tag("table", *drawn), class_="block table", tabindex=0)


def cell(name: str, content: Json, surface: Surface) -> Markup:
    if content.get("type") == "rich_text":
        return tag(name, rich.draw(content.get("elements") or [], surface.reader))
    return tag(name, escape(str(content.get("text", ""))))


WRITERS: dict[str, Callable[[Json, Surface], Markup]] = {
    "header": header,
    "section": section,
    "context": context,
    "actions": actions,
    "divider": divider,
    "image": image,
    "input": field,
    "rich_text": rich_text,
    "markdown": markdown_block,
    "table": table,
}
