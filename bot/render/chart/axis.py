"""What the axes show: the range of values, and round ticks of values and of UTC time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.clock import at
from bot.model.chart import Limit
from bot.model.units import format_value

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MONDAY = 4 * _DAY  # the epoch began on a Thursday
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FAR = 4  # a limit further away than this many heights of the readings would flatten them
_FLAT = 0.75  # readings that all lie above this share of the highest: from 0 they'd look alike
_LONG = 1e6  # from here on with a power of ten
_HUGE = 1e100  # drawn no higher, so that no sum of floats ends in infinity
_TIMES = "\u00d7"
_DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def drawable(value: float) -> float:
    """A value that can be added to others: what is beyond any measure is drawn at the end of it."""
    return max(-_HUGE, min(value, _HUGE))


def near(limit: Limit, values: Sequence[float]) -> bool:
    """Whether a limit belongs into the picture: it is broken, or not far from the readings."""
    if not values or any(map(limit.broken_by, values)):
        return True
    low, high = min(0.0, *values), max(0.0, *values)
    away = _FAR * (high - low)
    return low == high or low - away <= limit.bound.limit <= high + away


def value_range(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The lowest and highest value to show: from 0 on, unless that would flatten the readings."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if high <= 0 and low < 0:
        flipped = value_range([-value for value in values], unit)
        return -flipped[1], -flipped[0]
    from_zero = low >= 0 and (low <= _FLAT * high or low == high)
    if from_zero:
        low = 0.0
    room = 0.08 * (high - low or abs(high) or 1.0)
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
    """A value as messages say it; one too long for that with a power of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e9:
        return format_value(value, unit)
    exponent = math.floor(math.log10(abs(value)))
    return f"{_power(value, exponent, 2, trim=True)} {unit}".rstrip()


def time_ticks(start: int, end: int, most: int) -> list[tuple[int, str]]:
    """Round UTC times from ``start`` to ``end`` with their labels; midnights show their day."""
    step = next((step for step in _STEPS if (end - start) / step <= most), 0)
    if not step:
        step = _STEPS[-1] * math.ceil((end - start) / most / _STEPS[-1])
    offset = _MONDAY if step > 2 * _DAY else 0
    first = -((offset - start) // step) * step + offset
    return [(tick, _moment(tick, step)) for tick in range(first, end + 1, step)]


def window(start: int, end: int) -> str:
    """From when to when, the days always, as they are what nobody remembers."""
    seconds = end - start < 10 * _MINUTE
    form = "%H:%M:%S" if seconds else "%H:%M"
    same_day = at(start).date() == at(end).date()
    last = at(end).strftime(form if same_day else f"%Y-%m-%d {form}")
    return f"{at(start).strftime(f'%Y-%m-%d {form}')} to {last} UTC"


def _moment(tick: int, step: int) -> str:
    shown = at(tick)
    if step >= 91 * _DAY:
        return f"{_MONTHS[shown.month - 1]} {shown.year}"
    if tick % _DAY == 0:
        return f"{shown.day} {_MONTHS[shown.month - 1]}"
    return f"{shown:%H:%M:%S}" if step < _MINUTE else f"{shown:%H:%M}"


def _round_step(raw: float) -> float:
    base = 10.0 ** math.floor(math.log10(raw))
    return next((n * base for n in (1, 2, 2.5, 5) if n * base >= raw), 10 * base)


def _label(value: float, step: float, exponent: int, unit: str) -> str:
    # 2.5 needs one digit more than its size says.
    digits = _digits(step)
    if -4 <= exponent < math.log10(_LONG):
        number = f"{value + 0.0:,.{max(0, digits)}f}"
    else:
        number = _power(value, exponent, max(0, digits + exponent))
    return f"{number} {unit}".rstrip()


def _digits(step: float) -> int:
    exponent = math.floor(math.log10(step))
    return -exponent + (0 if math.isclose(step / 10.0**exponent % 1, 0, abs_tol=1e-6) else 1)


def _power(value: float, exponent: int, digits: int, *, trim: bool = False) -> str:
    if value == 0:
        return "0"
    number = f"{value / 10.0**exponent:.{min(digits, 12)}f}"
    if trim and "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number}{_TIMES}10{str(exponent).translate(_DIGITS)}"
