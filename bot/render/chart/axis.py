"""What the axes show: the range of values, and round ticks of values and of UTC time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.clock import at
from bot.model.chart import Limit
from bot.model.units import format_value

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_SHORT = 10 * _MINUTE
_STEPS = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MONDAY = 4 * _DAY  # the epoch began on a Thursday
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FAR, _FURTHER = (
    5,
    2,
)  # a limit that makes the picture so many times as high would flatten the readings
_FLAT = 0.9  # readings that all lie above this share of the highest: from 0 they'd look alike
_LONG = 1e7  # from here on with a power of ten
_HUGE = 1e300  # drawn no higher, so that no sum of floats ends in infinity; its inverse is 0
_TIMES = "\u00d7"
_DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def drawable(value: float) -> float:
    """A value that can be added to others and divided: what is beyond any measure is drawn at the end of it."""
    return 0.0 if abs(value) < 1 / _HUGE else max(-_HUGE, min(value, _HUGE))


def near(limits: Sequence[Limit], values: Sequence[float]) -> list[Limit]:
    """The limits that belong into the picture: those that are broken, and those not far from the readings.

    One more may not double the height of what is shown without it.
    """
    if not values:
        return list(limits)
    low, high = min(0.0, *values), max(0.0, *values)
    found: list[Limit] = []
    for limit in sorted(limits, key=lambda limit: abs(limit.bound.limit)):
        bound = drawable(limit.bound.limit)
        times = _FURTHER if found else _FAR
        away = max(high, bound) - min(low, bound) > times * (high - low)
        if not away or low == high or any(map(limit.broken_by, values)):
            found.append(limit)
            low, high = min(low, bound), max(high, bound)
    return [limit for limit in limits if limit in found]


def value_range(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The lowest and highest value to show: from 0 on, unless that would flatten the readings."""
    if not any(values):
        return 0.0, 1.0
    low, high = min(values), max(values)
    if high <= 0 and low < 0:
        flipped = value_range([-value for value in values], unit)
        return -flipped[1], -flipped[0]
    from_zero = low >= 0 and (low <= _FLAT * high or low == high)
    if from_zero:
        low = 0.0
    room = 0.08 * (high - low or high)
    top = high + room
    if unit == "%" and high <= 100:
        top = min(top, 102.0)
    return (low if from_zero else low - room), top


def value_ticks(low: float, high: float, unit: str, most: int = 5) -> list[tuple[float, str]]:
    """Round values from ``low`` to ``high`` with their labels, none twice."""
    step = _round_step((high - low) / most)
    first, last = math.ceil(low / step), math.floor(high / step)
    exponent = math.floor(math.log10(max(abs(low), abs(high))))
    ticks: dict[str, float] = {}
    for count in range(first, min(last, first + 2 * most) + 1):
        ticks.setdefault(_label(count * step, step, exponent, unit), count * step)
    return [(value, label) for label, value in ticks.items()]


def said(value: float, unit: str) -> str:
    """A value as messages say it; one too long or too small for that in another way."""
    if value == 0 or 0.01 <= abs(value) < 1e9:
        return format_value(value, unit)
    if 1e-4 <= abs(value) < 0.01:
        return f"{value:.2g} {unit}".rstrip()
    number, _, exponent = f"{value:.2e}".partition("e")
    return f"{_power(number.rstrip('0').rstrip('.'), int(exponent))} {unit}".rstrip()


def time_ticks(start: int, end: int, most: int) -> list[tuple[int, str]]:
    """Round UTC times from ``start`` to ``end`` with their labels; midnights show their day."""
    step = next((step for step in _STEPS if (end - start) / step <= most), 0)
    if not step:
        step = _STEPS[-1] * math.ceil((end - start) / most / _STEPS[-1])
    offset = _MONDAY if step > 2 * _DAY else 0
    first = -((offset - start) // step) * step + offset
    return [(tick, _tick(tick, step)) for tick in range(first, end + 1, step)]


def window(start: int, end: int) -> str:
    """From when to when, the days always, as they are what nobody remembers."""
    form = "%H:%M:%S" if end - start < _SHORT else "%H:%M"
    same_day = at(start).date() == at(end).date()
    last = at(end).strftime(form if same_day else f"%Y-%m-%d {form}")
    return f"{at(start).strftime(f'%Y-%m-%d {form}')} to {last} UTC"


def moment(start: int, end: int) -> Callable[[int], str]:
    """How a time between the two is said: within a day by the clock, short windows need the seconds."""
    if end - start > _DAY:
        return lambda tick: f"{_day(at(tick))} {at(tick):%H:%M}"
    form = "%H:%M:%S" if end - start < _SHORT else "%H:%M"
    return lambda tick: at(tick).strftime(form)


def _tick(tick: int, step: int) -> str:
    shown = at(tick)
    if step >= 91 * _DAY:
        return f"{_day(shown)} {shown.year}"
    if tick % _DAY == 0:
        return _day(shown)
    return f"{shown:%H:%M:%S}" if step < _MINUTE else f"{shown:%H:%M}"


def _day(shown: datetime) -> str:
    return f"{shown.day} {_MONTHS[shown.month - 1]}"


def _round_step(raw: float) -> float:
    base = 10.0 ** math.floor(math.log10(raw))
    # 2.5 of what has no decimals then.
    shares = (1, 2, 2.5, 5) if 10 <= base < _LONG else (1, 2, 5)
    return next((share * base for share in shares if share * base >= raw), 10 * base)


def _label(value: float, step: float, exponent: int, unit: str) -> str:
    digits = -math.floor(math.log10(step) + 1e-9)
    if value == 0:
        number = "0"
    elif -4 <= exponent < math.log10(_LONG):
        number = f"{value:,.{max(0, digits)}f}"
    else:
        number = _power(
            f"{value / 10.0**exponent:.{max(0, min(digits + exponent, 12))}f}", exponent
        )
    return f"{number} {unit}".rstrip()


def _power(number: str, exponent: int) -> str:
    return f"{number}{_TIMES}10{str(exponent).translate(_DIGITS)}"
