"""The filters and tests that a template may use; each sees plain values, before any escaping."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from jinja2 import pass_context
from jinja2.runtime import Context

from bot.model.units import format_duration, format_value, parse_duration
from bot.template.allowance import Trouble, allowance
from bot.template.data import MAX_NUMBER, Missing, joined, shown

Filter = Callable[..., object]


def kind(value: object) -> str:
    """What a value is called when it is the wrong one."""
    names = {
        str: "text",
        bool: "yes or no",
        int: "a number",
        float: "a number",
        dict: "a group of values",
    }
    return "unknown" if value is None else names.get(type(value), "a list")


def number(value: object) -> int | float:
    """The value if it is a number that is not too large. Raises ``Trouble``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Trouble(f"expected a number, got {kind(value)}")
    if not abs(value) <= MAX_NUMBER:
        raise Trouble("a number gets too large")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Trouble(f"expected text, got {kind(value)}")
    return value


def _list(value: object) -> list[object]:
    match value:
        case list():
            return value
        case dict():
            return list(value)
    raise Trouble(f"expected a list, got {kind(value)}")


def _upper(value: object) -> str:
    return _text(value).upper()


def _lower(value: object) -> str:
    return _text(value).lower()


def _title(value: object) -> str:
    return _text(value).title()


def _capitalize(value: object) -> str:
    return _text(value).capitalize()


def _trim(value: object) -> str:
    return _text(value).strip()


def _round(value: object, precision: object = 0) -> int | float:
    if not isinstance(precision, int) or not 0 <= precision <= 9:
        raise Trouble("round takes 0 to 9 digits")
    return round(number(value), precision) if precision else round(number(value))


def _int(value: object) -> int:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise Trouble("expected a number, got text") from None
    return int(number(value))


def _abs(value: object) -> int | float:
    return abs(number(value))


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(_list(value))


def _first(value: object) -> object:
    return next(iter(_list(value)), Missing(name="first (the list is empty)"))


def _last(value: object) -> object:
    return next(reversed(_list(value)), Missing(name="last (the list is empty)"))


def _join(value: object, separator: object = ", ") -> str:
    return joined(_list(value), _text(separator))


def _items(value: object) -> list[object]:
    if not isinstance(value, dict):
        raise Trouble(f"expected a group of values, got {kind(value)}")
    return [[key, item] for key, item in value.items()]


def _sort(value: object, reverse: object = False, attribute: object = None) -> list[object]:
    def key(item: object) -> tuple[bool, str | int | float]:
        if attribute is not None:
            item = item.get(attribute) if isinstance(item, dict) else None
        if not isinstance(item, str | int | float | None):
            raise Trouble("sort: expected texts or numbers; say by which: sort(attribute='name')")
        return item is None, 0 if item is None else item.lower() if isinstance(item, str) else item

    return sorted(_list(value), key=key, reverse=bool(reverse))


def _duration(value: object) -> str:
    """Milliseconds, or a duration as people write it, in short words: ``6 min``."""
    if isinstance(value, str):
        try:
            value = parse_duration(value)
        except ValueError as error:
            raise Trouble(str(error)) from None
    return format_duration(round(number(value)))


def _value(value: object, unit: object = "") -> str | None:
    """A number with its unit, or a reading: ``96 %``. Without a unit, that of the metric's name."""
    if isinstance(value, dict):
        own = value.get("unit")
        unit, value = (own if isinstance(own, str) else unit), value.get("value")
    return None if value is None else format_value(number(value), _text(unit))


def _default(value: object, other: object = "", boolean: object = False) -> object:
    """Takes the place of what is missing or unknown; with ``boolean``, of what is empty too."""
    return (
        other if value is None or isinstance(value, Missing) or (boolean and not value) else value
    )


FILTERS: dict[str, Filter] = {
    "abs": _abs,
    "capitalize": _capitalize,
    "default": _default,
    "duration": _duration,
    "first": _first,
    "int": _int,
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": _lower,
    "round": _round,
    "sort": _sort,
    "title": _title,
    "trim": _trim,
    "upper": _upper,
    "value": _value,
}
TESTS: dict[str, Callable[[object], bool]] = {
    "defined": lambda value: not isinstance(value, Missing),
    "undefined": lambda value: isinstance(value, Missing),
    "none": lambda value: _there(value) is None,
    "number": lambda value: isinstance(_there(value), int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(_there(value), str),
}


# What the grammar puts into the tree itself; no template can name them.
LOOP, SINGLE, HAYSTACK, IN_LINK = "_loop", "_single", "_haystack", "_in_link"


@pass_context
def _loop(context: Context, value: object, weight: int) -> list[object]:
    items = _list(_there(value))
    allowance(context).loop(len(items), weight)
    return items


def _single(value: object, ordered: bool) -> object:
    if isinstance(value, list | dict):
        raise Trouble(f"expected a single value to compare, got {kind(value)}")
    if ordered and value is None:
        raise Trouble("unknown is neither more nor less: ask with `is none` first")
    return _there(value)


@pass_context
def _haystack(context: Context, value: object) -> object:
    if not isinstance(_there(value), str | list | dict):
        raise Trouble(f"expected a list or text to look in, got {kind(value)}")
    allowance(context).spend(_size(value))
    return value


def _in_link(value: object) -> str:
    return quote(shown(value), safe="")


def _there(value: object) -> object:
    if isinstance(value, Missing):
        raise Trouble(value.reason)
    return value


def _size(value: object) -> int:
    match value:
        case str():
            return 1 + len(value) // 50
        case list() | dict():
            return 1 + len(value)
    return 1


def _charged(name: str, function: Filter) -> Filter:
    """Pays for the filter; what is missing is refused and what is unknown stays so."""

    @pass_context
    def charged(context: Context, value: object, *args: object, **named: object) -> object:
        allowance(context).spend(_size(value))
        if name != "default":
            for each in (value, *args, *named.values()):
                _there(each)
            if value is None:
                return None
        return function(value, *args, **named)

    return charged


def for_environment() -> dict[str, Filter]:
    """All of them by name, as the environment calls them."""
    charged = {name: _charged(name, function) for name, function in FILTERS.items()}
    return {**charged, LOOP: _loop, SINGLE: _single, HAYSTACK: _haystack, IN_LINK: _in_link}
