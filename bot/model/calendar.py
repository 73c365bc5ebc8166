"""Times of day, weekdays, days and time zones as people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from bot.errors import Misplaced
from bot.model.nearest import nearest

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_EVERY = re.compile(r"([0-9]{1,3}) ?([dw]?)")
_LONGEST = 366  # days of a turn


def minute_of(text: str) -> int | None:
    """``09:30`` as minutes since midnight; None if it is no time of day."""
    found = _CLOCK.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def weekday_of(text: str) -> int | None:
    """``Mon`` or ``monday`` as 0; None if it is no weekday."""
    word = text.strip().lower()
    return next((at for at, name in enumerate(_DAYS) if word in {name, name[:3]}), None)


def handoff_of(text: str) -> tuple[int | None, int]:
    """``Mon 09:00`` or ``09:00`` as weekday, if there is one, and minutes since midnight.

    Raises ``ValueError`` with what was expected.
    """
    *day, clock = text.split() or [""]
    minute, weekday = minute_of(clock), weekday_of(day[0]) if day else None
    if minute is None or len(day) > 1 or (day and weekday is None):
        raise ValueError("expected a time of day such as 09:00, or with its weekday: Mon 09:00")
    return weekday, minute


def hours_of(text: str) -> tuple[int, int]:
    """``22:00-06:00`` as minutes since midnight. Raises ``ValueError`` with what was expected."""
    begin, _, end = text.partition("-")
    first, last = minute_of(begin), minute_of(end)
    if first is None or last is None:
        raise ValueError("expected hours such as 09:00-17:00, or overnight 22:00-06:00")
    return first, last


def weekday_names(days: tuple[int, ...]) -> str:
    """As people write them: ``mon, tue``."""
    return ", ".join(_DAYS[day][:3] for day in days)


def _handoff(text: str) -> str:
    handoff_of(text)
    return text


def _hours(text: str) -> str:
    hours_of(text)
    return text


def _time_of_day(text: str) -> str:
    if minute_of(text) is None:
        raise ValueError("expected a time of day such as 09:00")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(text, available_timezones())
        expected = "" if near else "a name such as Europe/Berlin or UTC"
        raise Misplaced("there is no such time zone", 0, expected=expected, near=near) from None
    return text


def _every(value: object) -> int:
    word = "" if isinstance(value, bool) else str(value).strip().lower()
    found = _EVERY.fullmatch({"day": "1d", "week": "1w"}.get(word, word))
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not 1 <= days <= _LONGEST:
        raise ValueError("expected day, week, days such as 3d or weeks such as 2w, a year at most")
    return days


def _weekdays(value: object) -> object:
    parts: object = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        return value
    found: set[int] = set()
    for part in parts:
        ends = [weekday_of(end) for end in str(part).split("-")]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            raise ValueError("expected weekdays such as [mon, tue] or mon-fri")
        found |= {(first + day) % 7 for day in range((last - first) % 7 + 1)}
    return tuple(sorted(found))


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("expected a day such as 2026-01-05") from None


_CLOCK_PATTERN = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
_FORMS = tuple(form for day in _DAYS for form in (day[:3], day))
_WEEKDAY_PATTERN = f"(?:{'|'.join((*_FORMS, *map(str.title, _FORMS)))})"
_DaysWritten = Annotated[
    str,
    Field(
        pattern=f"^{_WEEKDAY_PATTERN}(?: *[-,] *{_WEEKDAY_PATTERN})*$", examples=["mon-fri", "sat"]
    ),
]
Timezone = Annotated[str, AfterValidator(_zone)]
Handoff = Annotated[
    str,
    AfterValidator(_handoff),
    Field(
        json_schema_extra={
            "pattern": f"^(?:{_WEEKDAY_PATTERN} +)?{_CLOCK_PATTERN}$",
            "examples": ["Mon 09:00", "09:00"],
        }
    ),
]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Hours = Annotated[
    str,
    AfterValidator(_hours),
    Field(
        json_schema_extra={
            "pattern": f"^{_CLOCK_PATTERN} *- *{_CLOCK_PATTERN}$",
            "examples": ["09:00-17:00", "22:00-06:00"],
        }
    ),
]
Every = Annotated[
    int,
    BeforeValidator(
        _every,
        json_schema_input_type=Annotated[int, Field(ge=1, le=_LONGEST)]
        | Annotated[
            str,
            Field(pattern="^(?:day|week|[0-9]{1,3} ?[dw]?)$", examples=["day", "1w", "2w", "3d"]),
        ],
    ),
    PlainSerializer(lambda days: f"{days}d", return_type=str),
]
"""In days; written as ``day``, ``week``, ``3d``, ``2w`` or a number of days."""
Weekdays = Annotated[
    tuple[int, ...],
    BeforeValidator(_weekdays, json_schema_input_type=_DaysWritten | list[_DaysWritten]),
    PlainSerializer(weekday_names, return_type=str),
]
"""From 0, Monday, to 6; written as ``[mon, wed]`` or ``mon-fri``."""
Day = Annotated[
    date,
    BeforeValidator(
        _day,
        json_schema_input_type=Annotated[
            str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-01-05"])
        ],
    ),
]
