"""Block Kit's elements: buttons, menus, pickers and inputs, each as its plain HTML counterpart.

What the page's script needs to act stands in `data-` attributes: `data-action` and `data-block` say
what was touched, `data-take` how its value is read, `data-live` that a change is told to the app at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from markupsafe import Markup

from bot.workspace.page.mrkdwn import SAFE_SCHEMES
from bot.workspace.page.surface import Surface
from bot.workspace.page.tag import tag
from bot.workspace.records import Json

Attributes = dict[str, str | int | None]
Writer = Callable[[Json, Attributes, Surface], Markup]


def draw(
    element: Json, block: str, surface: Surface, *, live: bool = True, label: str = ""
) -> Markup:
    """An element, live (a change is an action) or as a form's input with the id of its label."""
    kind = str(element.get("type", ""))
    writer = WRITERS.get(kind)
    if writer is None:
        return tag("span", f"[{kind or 'element'}: not drawn here]", class_="not-drawn")
    return writer(element, attributes(element, block, surface, live, label), surface)


def attributes(element: Json, block: str, surface: Surface, live: bool, label: str) -> Attributes:
    """What every element carries."""
    action = str(element.get("action_id", ""))
    told = surface.words(element.get("placeholder")) or str(element.get("accessibility_label", ""))
    return {
        "id": surface.key(block, action),
        "data_block": block,
        "data_action": action,
        "data_live": live,
        "data_confirm": confirmation(element, surface),
        "aria_label": None if label else told or None,
        "aria_labelledby": label or None,
        "aria_invalid": "true" if not live and block in surface.errors else None,
        "aria_describedby": f"{surface.key(block, '')}-notes" if not live else None,
    }


def confirmation(element: Json, surface: Surface) -> str | None:
    """The dialog that asks before the press, as JSON with its text drawn."""
    confirm = element.get("confirm")
    if not confirm:
        return None
    return json.dumps(
        {
            "title": surface.words(confirm.get("title")) or "Are you sure?",
            "html": str(surface.text(confirm.get("text"))),
            "confirm": surface.words(confirm.get("confirm")) or "Yes",
            "deny": surface.words(confirm.get("deny")) or "Cancel",
            "style": str(confirm.get("style", "primary")),
        }
    )


def button(element: Json, given: Attributes, surface: Surface) -> Markup:
    style = element.get("style")
    look = f"button button-{style}" if style in ("primary", "danger") else "button"
    told = element.get("accessibility_label")
    given |= {"class_": look, "aria_label": str(told) if told else None}
    if element.get("type") == "workflow_button":
        given["disabled"] = True
    address = str(element.get("url", ""))
    if address.lower().startswith(SAFE_SCHEMES):
        given |= {"href": address, "target": "_blank", "rel": "noopener noreferrer"}
        return tag("a", surface.text(element.get("text")), **given)
    value = str(element["value"]) if "value" in element else None
    return tag("button", surface.text(element.get("text")), type="button", value=value, **given)


def options(element: Json) -> Iterator[tuple[str, list[Json]]]:
    """The element's options in their groups; options without a group stand under no name."""
    for group in element.get("option_groups") or []:
        yield str(group.get("label", {}).get("text", "")), group.get("options") or []
    if element.get("options"):
        yield "", element["options"]


def initial(element: Json) -> set[str]:
    """The values that are chosen to begin with."""
    chosen = [element.get("initial_option"), *(element.get("initial_options") or [])]
    return {str(option.get("value", "")) for option in chosen if option}


def choices(element: Json, surface: Surface) -> Markup:
    """The `option` elements of a menu."""
    chosen = initial(element)
    drawn = []
    for name, group in options(element):
        inside = Markup().join(
            tag(
                "option",
                surface.words(option.get("text")),
                value=str(option.get("value", "")),
                selected=str(option.get("value", "")) in chosen,
            )
            for option in group
        )
        drawn.append(tag("optgroup", inside, label=name) if name else inside)
    return Markup().join(drawn)


def menu(inside: Markup, element: Json, given: Attributes, surface: Surface) -> Markup:
    """A menu, for one choice or for several."""
    if str(element["type"]).startswith("multi_"):
        return tag("select", inside, multiple=True, data_take="many", class_="menu", **given)
    words = surface.words(element.get("placeholder")) or "Choose"
    first = tag("option", words, value="")
    return tag("select", first, inside, data_take="one", class_="menu", **given)


def static_select(element: Json, given: Attributes, surface: Surface) -> Markup:
    return menu(choices(element, surface), element, given, surface)


def users_select(element: Json, given: Attributes, surface: Surface) -> Markup:
    chosen = [element.get("initial_user"), *(element.get("initial_users") or [])]
    return named(surface.reader.people, chosen, element, given, surface)


def channels_select(element: Json, given: Attributes, surface: Surface) -> Markup:
    kind = "conversation" if "conversation" in str(element["type"]) else "channel"
    chosen = [element.get(f"initial_{kind}"), *(element.get(f"initial_{kind}s") or [])]
    names = {id_: f"#{name}" for id_, name in surface.reader.channels.items()}
    return named(names, chosen, element, given, surface)


def named(
    names: Mapping[str, str],
    chosen: Sequence[str | None],
    element: Json,
    given: Attributes,
    surface: Surface,
) -> Markup:
    """A menu of people or channels."""
    inside = Markup().join(
        tag("option", name, value=id_, selected=id_ in chosen) for id_, name in names.items()
    )
    return menu(inside, element, given, surface)


def overflow(element: Json, given: Attributes, surface: Surface) -> Markup:
    """The menu behind three dots: a disclosure with one button for each option."""
    shared = {key: value for key, value in given.items() if key not in ("id", "aria_label")}
    items = Markup().join(
        overflow_item(option, shared, surface) for _, group in options(element) for option in group
    )
    summary = tag(
        "summary",
        tag("span", "More", class_="sr"),
        tag("span", "\u2022\u2022\u2022", aria_hidden="true"),
        class_="button button-more",
        id=given["id"],
        title="More",
    )
    return tag("details", summary, tag("div", items, class_="overflow-items"), class_="overflow")


def overflow_item(option: Json, given: Attributes, surface: Surface) -> Markup:
    note = option.get("description")
    words = tag("span", surface.text(option.get("text")))
    more = tag("small", surface.text(note)) if note else ""
    value = str(option.get("value", ""))
    return tag("button", words, more, type="button", class_="overflow-item", value=value, **given)


def moment(kind: str, initial_key: str) -> Writer:
    """A picker of a date, a time, or both."""

    def write(element: Json, given: Attributes, surface: Surface) -> Markup:
        value = element.get(initial_key)
        take = "text"
        if kind == "datetime-local":
            take = "moment"
            value = f"{surface.reader.local(value):%Y-%m-%dT%H:%M}" if value else None
        return tag("input", type=kind, value=value, data_take=take, class_="field", **given)

    return write


def typed(kind: str) -> Writer:
    """A one-line input."""

    def write(element: Json, given: Attributes, surface: Surface) -> Markup:
        given |= {
            "placeholder": surface.words(element.get("placeholder")) or None,
            "minlength": element.get("min_length"),
            "maxlength": element.get("max_length"),
            "min": element.get("min_value"),
            "max": element.get("max_value"),
            "step": "any" if element.get("is_decimal_allowed") else None,
            "autofocus": bool(element.get("focus_on_load")),
            "autocomplete": "off",
        }
        value = element.get("initial_value")
        return tag("input", type=kind, value=value, data_take="text", class_="field", **given)

    return write


def plain_text_input(element: Json, given: Attributes, surface: Surface) -> Markup:
    if not element.get("multiline"):
        return typed("text")(element, given, surface)
    given |= {
        "placeholder": surface.words(element.get("placeholder")) or None,
        "minlength": element.get("min_length"),
        "maxlength": element.get("max_length"),
        "rows": 4,
    }
    # A line end right after the tag would be swallowed, so one is always there to be swallowed.
    value = "\n" + str(element.get("initial_value") or "")
    return tag("textarea", value, data_take="text", class_="field", **given)


def boxes(kind: str) -> Writer:
    """Checkboxes or radio buttons, as one group."""

    def write(element: Json, given: Attributes, surface: Surface) -> Markup:
        chosen = initial(element)
        shown = Markup().join(
            box(kind, option, str(given["id"]), chosen, surface)
            for _, group in options(element)
            for option in group
        )
        take = "checks" if kind == "checkbox" else "radio"
        role = "group" if kind == "checkbox" else "radiogroup"
        return tag("div", shown, role=role, class_="boxes", data_take=take, **given)

    return write


def box(kind: str, option: Json, group: str, chosen: set[str], surface: Surface) -> Markup:
    value = str(option.get("value", ""))
    control = tag("input", type=kind, name=group, value=value, checked=value in chosen)
    note = option.get("description")
    words = tag(
        "span", surface.text(option.get("text")), tag("small", surface.text(note)) if note else ""
    )
    return tag("label", control, words, class_="box")


def image(element: Json, _given: Attributes, _surface: Surface) -> Markup:
    """An image beside text, or in a context line."""
    return picture(element, "thumb")


def picture(element: Json, look: str) -> Markup:
    """An image by its address or by its uploaded file; a link where the address isn't a safe one."""
    alt = str(element.get("alt_text", ""))
    address = str(element.get("image_url") or "")
    file = element.get("slack_file") or {}
    if file.get("id"):
        address = f"/page/file/{quote(str(file['id']))}"
    elif file.get("url"):
        address = str(file["url"])
    if not address.startswith(("/page/", "http://", "https://")):
        return tag("span", alt or "image", class_="not-drawn")
    return tag(
        "img", src=address, alt=alt, class_=look, loading="lazy", referrerpolicy="no-referrer"
    )


WRITERS: dict[str, Writer] = {
    "button": button,
    "workflow_button": button,
    "static_select": static_select,
    "multi_static_select": static_select,
    "users_select": users_select,
    "multi_users_select": users_select,
    "conversations_select": channels_select,
    "multi_conversations_select": channels_select,
    "channels_select": channels_select,
    "multi_channels_select": channels_select,
    "overflow": overflow,
    "datepicker": moment("date", "initial_date"),
    "timepicker": moment("time", "initial_time"),
    "datetimepicker": moment("datetime-local", "initial_date_time"),
    "plain_text_input": plain_text_input,
    "email_text_input": typed("email"),
    "url_text_input": typed("url"),
    "number_input": typed("number"),
    "checkboxes": boxes("checkbox"),
    "radio_buttons": boxes("radio"),
    "image": image,
}
