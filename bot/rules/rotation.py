"""Whose turn it is in one layer: arithmetic on days, so that a year away costs what tomorrow does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.model.schedule import Layer, Rotation
from bot.rules.wall_clock import instant, local

EVER, FOREVER = -(2**62), 2**62
_LOOKED_THROUGH = 16  # days: hours of one weekday may be missing once, when the clocks go forward


@dataclass(frozen=True)
class Stretch:
    """Between two times (in milliseconds since the epoch, the second excluded) it is this person, or nobody."""

    person: str | None
    since: int = EVER
    until: int = FOREVER

    def within(self, other: Stretch) -> Stretch:
        """The part of it that lies in the other."""
        return Stretch(self.person, max(self.since, other.since), min(self.until, other.until))


def stretch(layer: Layer, zone: ZoneInfo, at: int) -> Stretch:
    """Whom a layer names at a time, and for how long that is sure."""
    if not layer.rotation.people:
        return Stretch(None)
    turn = _turn(layer.rotation, zone, at)
    if layer.always or turn.person is None:
        return turn
    inside, since, until = _window(layer, zone, at)
    window = Stretch(turn.person if inside else None, since, until)
    return window.within(turn) if inside else window


def _turn(rotation: Rotation, zone: ZoneInfo, at: int) -> Stretch:
    people = rotation.people
    number = (local(at, zone).date() - rotation.first_day).days // rotation.every
    # On the day of a handoff it may be still to come; where the clocks go back over midnight, it may be
    # over on the evening before.
    while _handoff(rotation, zone, number) > at:
        number -= 1
    while _handoff(rotation, zone, number + 1) <= at:
        number += 1
    first = _handoff(rotation, zone, 0) if rotation.start else EVER
    if at < first:
        return Stretch(None, until=first)
    if len(set(people)) == 1:
        return Stretch(people[0], since=first)
    since, until = (_handoff(rotation, zone, one) for one in (number, number + 1))
    return Stretch(people[number % len(people)], since, until)


def _handoff(rotation: Rotation, zone: ZoneInfo, number: int) -> int:
    """When a turn begins."""
    day = rotation.first_day + timedelta(number * rotation.every)
    return instant(day, rotation.minute, zone)


def _window(layer: Layer, zone: ZoneInfo, at: int) -> tuple[bool, int, int]:
    """Whether the layer's hours and weekdays cover a time; since when and until when that is so."""
    today = local(at, zone).date()
    since = EVER
    for back in range(-1, _LOOKED_THROUGH):
        begin, end = _cover(layer, zone, today - timedelta(back))
        if begin <= at < end:
            return True, begin, end
        if begin < end <= at:
            since = end
            break
    for ahead in range(-1, _LOOKED_THROUGH):
        begin, end = _cover(layer, zone, today + timedelta(ahead))
        if at < begin < end:
            return False, since, begin
    return False, since, FOREVER


def _cover(layer: Layer, zone: ZoneInfo, day: date) -> tuple[int, int]:
    """From when to when it covers a day; the same time twice where it doesn't."""
    if day.weekday() not in layer.weekdays:
        return EVER, EVER
    begin = instant(day, layer.begin, zone)
    following = layer.end <= layer.begin
    return begin, instant(day + timedelta(following), layer.end, zone)
