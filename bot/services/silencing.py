"""Silences as people make, list and end them; and what is said when one is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import EndSilence, SetSilence
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.reading import Health, Verdict
from bot.model.silence import LONGEST_MS, Muted, Silence, Window
from bot.model.timer import Timer
from bot.rules import access
from bot.rules.lifecycle import SAME_DECLARATION_MS
from bot.rules.maintenance import Round, next_round, round_at
from bot.rules.wall_clock import moment
from bot.services import silenced
from bot.services.incidents import Asked
from bot.services.silences import muting, of_silence, of_window
from bot.store import outbox, silences, timers
from bot.store.database import Tx

KIND, WINDOW = "silence", "maintenance"
"""The timers: the end of a silence; the begin and the end of a window."""
_NAMED = 5  # of what was muted, by name
_KEPT_MS = 30 * 86_400_000  # what was muted


def set_silence(tx: Tx, config: Config, command: SetSilence, asked: Asked) -> Answer | Refusal:
    """Don't tell of targets for a while. What the same person typed a moment ago is not done twice."""
    refused = _refused(config, command, asked.actor)
    if refused is not None:
        return refused
    until = _until(config, command, asked.actor, tx.now)
    if until <= tx.now:
        return Refusal("That time is over already.", "Give a later one.")
    if until - tx.now > LONGEST_MS:
        fix = "Renew it tomorrow, or name a window below `maintenance` in the config."
        return Refusal("A silence lasts for 24 h at most, so that nobody forgets it.", fix)
    known = _same(tx, command, until, asked.actor)
    made = known or silences.add(tx, command.targets, command.reason, until, asked.actor.text)
    if known is None:
        timers.arm(tx, KIND, str(made.id), made.until)
        where = f"channel:{config.slack.channel}"
        outbox.add(tx, f"silence:{made.id}:made", "silence", where, _facts(made))
        silenced.look(tx, config)
    return Answer(kind="silence", facts=_facts(made) | {"fresh": known is None})


def end_silence(tx: Tx, config: Config, command: EndSilence, asked: Asked) -> Answer | Refusal:
    """Tell again from now on."""
    found = _meant(tx, command.silence)
    if isinstance(found, Refusal):
        return found
    if asked.actor.text != found.made_by:
        refused = access.refuse_without_role(config, asked.actor, "end this silence")
        if refused is not None:
            return refused
    silences.end(tx, found.id, asked.actor.text)
    timers.arm(tx, KIND, str(found.id), tx.now)  # what still holds is read first, and then told
    ended = silences.get(tx, found.id)
    assert ended is not None
    _redraw(tx, ended)
    silenced.look(tx, config)
    return Answer(kind="silence", facts=_facts(ended) | {"fresh": True})


def listed(tx: Tx, config: Config) -> Answer:
    """What runs, and what windows come next."""
    running = [
        _facts(one) | {"muted": len(silences.muted(tx, of_silence(one).key))}
        for one in silences.running(tx, tx.now)
    ]
    windows = [found for one in config.maintenance for found in _rounds(one, tx.now)]
    windows.sort(key=lambda one: (one["since"], one["name"]))
    return Answer(kind="silences", facts={"running": running, "windows": windows})


def targets_of(tx: Tx, config: Config, timer: Timer) -> tuple[str, ...]:
    """What is to be looked at before it is said that a silence or a window is over."""
    named: Sequence[str] | None = None
    if timer.kind == KIND:
        silence = silences.get(tx, int(timer.subject))
        named = silence.targets if silence is not None else None
    else:
        window = _window(config, timer.subject)
        named = window.targets if window is not None and "round" in timer.detail else None
    if named is None:
        return ()
    return tuple(one for one in named or config.targets if one in config.targets)


def expire(tx: Tx, timer: Timer, config: Config, healths: Sequence[Health]) -> None:
    """A silence is over: say so once, and go on with what waited. ``healths``: what was read just now."""
    silence = silences.get(tx, int(timer.subject))
    if not timers.fire(tx, timer) or silence is None:
        return
    if silence.end > tx.now:
        timers.arm(tx, KIND, timer.subject, silence.end)
        return
    _redraw(tx, silence)
    silences.forget_muted(tx, tx.now - _KEPT_MS)
    facts = _facts(silence) | _found(tx, of_silence(silence), healths)
    facts |= _also(tx, config, silence.targets)
    where = f"channel:{config.slack.channel}"
    outbox.add(tx, f"silence:{silence.id}:over", "silence_over", where, facts)
    silenced.look(tx, config)


def turn(tx: Tx, timer: Timer, config: Config, healths: Sequence[Health]) -> None:
    """A window begins or ends. Its end is said where anything was muted."""
    window = _window(config, timer.subject)
    if not timers.fire(tx, timer) or window is None:
        return
    now, before = round_at(window, tx.now), timer.detail.get("round")
    muted = of_window(window, now) if now is not None else None
    if before is not None and (muted is None or muted.key != before["key"]):
        silences.forget_muted(tx, tx.now - _KEPT_MS)
        over = Round(before["since"], before["until"])
        _window_is_over(tx, config, window, over, healths)
    if now is not None and muted is not None:
        round_now = {"key": muted.key, "since": now.since, "until": now.until}
        timers.arm(tx, WINDOW, window.name, now.until, round=round_now)
    elif (following := next_round(window, tx.now)) is not None:
        timers.arm(tx, WINDOW, window.name, following.since)
    silenced.look(tx, config)


def schedule(tx: Tx, config: Config) -> None:
    """At a start and after a reload: look at every window now, and at what waits."""
    names = {window.name for window in config.maintenance}
    for name in set(timers.armed(tx, WINDOW)) - names:
        timers.remove(tx, WINDOW, name)
    for name in names:
        if not timers.move(tx, WINDOW, name, tx.now):
            timers.arm(tx, WINDOW, name, tx.now)
    silenced.look(tx, config)


def running(tx: Tx, config: Config) -> list[Facts]:
    """What mutes now, for the bot's own check of itself."""
    found = listed(tx, config).facts
    return [*found["running"], *(one for one in found["windows"] if one["since"] <= tx.now)]


def _window_is_over(
    tx: Tx, config: Config, window: Window, over: Round, healths: Sequence[Health]
) -> None:
    found = _found(tx, of_window(window, over), healths)
    if found["muted"]:
        facts = _of_window(window, over) | found | _also(tx, config, window.targets)
        key = f"maintenance:{window.name}:{over.since}:over"
        outbox.add(tx, key, "silence_over", f"channel:{config.slack.channel}", facts)


def _found(tx: Tx, muted: Muted, healths: Sequence[Health]) -> dict[str, Any]:
    """What was found and not told, and what of it may still hold."""
    found = silences.muted(tx, muted.key)
    names = [f"{what} on {target}" if target else what for target, what in found[:_NAMED]]
    still = [
        {"target": one.target, "verdict": str(one.verdict), "reason": one.reason}
        for one in healths
        if one.verdict is not Verdict.HEALTHY
    ]
    return {"muted": len(found), "names": names, "still": still, "looked": bool(healths)}


def _also(tx: Tx, config: Config, targets: Sequence[str]) -> dict[str, Any]:
    """What mutes the same targets from now on, such as a second silence that was made in time."""
    muted = muting(tx, config, targets, tx.now)
    return {"also": {"name": muted.name, "until": muted.until} if muted is not None else None}


def _rounds(window: Window, now: int) -> Iterator[dict[str, Any]]:
    """The round that is, and the next one."""
    for found in (round_at(window, now), next_round(window, now)):
        if found is not None:
            yield _of_window(window, found)


def _of_window(window: Window, found: Round) -> dict[str, Any]:
    return {
        "silence": None,
        "name": window.name,
        "targets": list(window.targets),
        "reason": window.reason,
        "since": found.since,
        "until": found.until,
        "by": None,
        "ended_by": None,
        "when": str(window),
    }


def _facts(silence: Silence) -> dict[str, Any]:
    return {
        "silence": silence.id,
        "targets": list(silence.targets),
        "reason": silence.reason,
        "since": silence.since,
        "until": silence.end,
        "by": silence.made_by,
        "ended_by": silence.ended_by,
        "over": False,
    }


def _redraw(tx: Tx, silence: Silence) -> None:
    """The message that it was made has nothing to press any more."""
    made = outbox.by_key(tx, f"silence:{silence.id}:made")
    if made is not None and not made.facts["over"]:
        outbox.set_facts(tx, made.id, _facts(silence) | {"over": True})


def _refused(config: Config, command: SetSilence, actor: Actor) -> Refusal | None:
    for name in command.targets:
        if name not in config.targets:
            return Refusal(f"There is no target `{name}`.", "See `/iora health`.")
    return access.refuse_without_role(config, actor, "silence anything")


def _until(config: Config, command: SetSilence, actor: Actor, now: int) -> int:
    if command.until is None:
        return now + (command.length or 0)
    zone = config.contact(actor.person).timezone if actor.person else None
    return moment(command.until, ZoneInfo(zone or "UTC"), now)


def _same(tx: Tx, command: SetSilence, until: int, actor: Actor) -> Silence | None:
    """The same words, typed again because the answer got lost."""
    length = command.length
    for one in silences.made_since(tx, actor.text, tx.now - SAME_DECLARATION_MS):
        alike = one.targets == command.targets and one.reason == command.reason
        ends = one.until == until if length is None else one.until - one.since == length
        if alike and ends:
            return one
    return None


def _meant(tx: Tx, number: int | None) -> Silence | Refusal:
    found = silences.running(tx, tx.now)
    if number is not None:
        known = next((one for one in found if one.id == number), None)
        return known or Refusal(f"No silence {number} runs.", "See `/iora silences`.")
    if len(found) == 1:
        return found[0]
    if not found:
        return Refusal("No silence runs.", "Maintenance ends in the config: see `/iora silences`.")
    return Refusal(f"{len(found)} silences run: {_numbers(found)}.", "Say which one you mean.")


def _numbers(found: Iterable[Silence]) -> str:
    return ", ".join(str(one.id) for one in found)


def _window(config: Config, name: str) -> Window | None:
    return next((one for one in config.maintenance if one.name == name), None)
