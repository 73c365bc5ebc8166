"""Whether what the bot finds by itself is to be told: not while every target of it is silenced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.model.actor import BOT
from bot.model.config import Config
from bot.model.silence import Muted, Silence, Window, covers
from bot.rules.maintenance import Round, round_at
from bot.store import silences
from bot.store.database import Tx


def muting(tx: Tx, config: Config, targets: Iterable[str], now: int) -> Muted | None:
    """What mutes the targets at a time; None unless every one of them is muted.

    Of several, the one that lasts longest counts for a target, and of these the one that ends first.
    What is about no target is muted by what is on everything.
    """
    found = [*_in_force(tx, config, now)]
    if not found:
        return None
    chosen: list[Muted] = []
    for target in dict.fromkeys(targets):
        over = [muted for on, muted in found if covers(on, target)]
        if not over:
            return None
        chosen.append(max(over, key=lambda one: one.until))
    if not chosen:
        chosen = [muted for on, muted in found if not on]
    return min(chosen, key=lambda one: one.until, default=None)


def note_muted(tx: Tx, muted: Muted, what: str, target: str) -> None:
    """Count what was found and not told, once a silence; ``what`` such as ``cpu-critical``."""
    silences.mute(tx, muted.key, what, target)


def of_silence(silence: Silence) -> Muted:
    """A silence as that which mutes."""
    name = f"silence {silence.id}"
    return Muted(
        reason=silence.reason,
        until=silence.end,
        by=silence.made_by,
        name=name,
        key=f"silence:{silence.id}",
    )


def of_window(window: Window, found: Round) -> Muted:
    """A round of a window as that which mutes."""
    return Muted(
        reason=window.reason,
        until=found.until,
        by=BOT,
        name=f"maintenance {window.name}",
        key=f"maintenance:{window.name}:{'ever' if window.for_ever else found.since}",
    )


def _in_force(tx: Tx, config: Config, now: int) -> Iterator[tuple[tuple[str, ...], Muted]]:
    """All that mutes, with the targets that it is on."""
    for silence in silences.running(tx, now):
        yield silence.targets, of_silence(silence)
    for window in config.maintenance:
        found = round_at(window, now)
        if found is not None:
            yield window.targets, of_window(window, found)
