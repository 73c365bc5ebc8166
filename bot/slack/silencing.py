"""What is typed about silences: `silence` and `silences`."""

from __future__ import annotations

from difflib import get_close_matches

from bot.model.answer import Refusal
from bot.model.command import EndSilence, SetSilence, Silences
from bot.model.silence import EVERYTHING
from bot.model.units import parse_duration
from bot.slack.rota import moment
from bot.slack.said import Said, quoted, usage
from bot.text import from_slack

_END = {"end", "off", "cancel"}
_ALL = "all"
_REASON = 200


def silence(said: Said) -> SetSilence | EndSilence | Refusal:
    """``TARGET ... DURATION REASON``, ``TARGET ... until TIME REASON`` or ``end [SILENCE]``"""
    words = [from_slack(word) for word in said.words]
    if words and words[0].lower() in _END and words[0] not in said.targets:
        return _end(words[1:])
    targets: list[str] = []
    while words and words[0].strip(",") in said.targets:
        targets.append(words.pop(0).strip(","))
    everything = not targets and bool(words) and words[0].lower() == _ALL
    if not targets and not everything:
        return _no_target(words, said)
    words = words[1:] if everything else words
    return _for(EVERYTHING if everything else tuple(dict.fromkeys(targets)), words)


def silences(said: Said) -> Silences | Refusal:
    """Nothing follows."""
    return usage("silences", f"{quoted(said.text)} is too much.") if said.words else Silences()


def _for(targets: tuple[str, ...], words: list[str]) -> SetSilence | Refusal:
    """How long, and why."""
    until, length = None, None
    word = words[0].lower() if words else ""
    words = words[1:] if word in ("for", "until") else words
    if not words:
        when = "until when" if word == "until" else "for how long"
        return usage("silence", f"Say {when}, and why.")
    if word == "until":
        until, rest = moment(words[0]), words[1:]
        if until is None:
            problem = f"{quoted(words[0])} is no time such as 14:30 or 2026-03-29T02:30."
            return usage("silence", problem)
    else:
        length, rest = _length(words[:1]), words[1:]
        if length is None and words[1:]:  # written apart: 30 min
            length, rest = _length(words[:2]), words[2:]
        if length is None:
            problem = f"{quoted(words[0])} is no target, and no duration such as 30m or 4h."
            return usage("silence", problem)
    reason = " ".join(rest).strip()
    if not reason:
        return usage("silence", "A silence needs a reason: others will ask themselves.")
    if len(reason) > _REASON:
        problem = f"The reason has {len(reason)} characters, at most {_REASON} fit."
        return usage("silence", problem)
    return SetSilence(targets=targets, reason=reason, length=length, until=until)


def _length(words: list[str]) -> int | None:
    try:
        length = parse_duration("".join(words))
    except ValueError:
        return None
    return length if length > 0 else None


def _end(words: list[str]) -> EndSilence | Refusal:
    if not words:
        return EndSilence()
    number = words[0].lstrip("#")
    if len(words) > 1 or not (number.isascii() and number.isdecimal() and len(number) < 16):
        problem = f"{quoted(' '.join(words))} is no number of a silence: see `/iora silences`."
        return usage("silence", problem)
    return EndSilence(silence=int(number))


def _no_target(words: list[str], said: Said) -> Refusal:
    if not words:
        return usage("silence", "Name a target, for how long, and why.")
    near = get_close_matches(words[0], said.targets, n=1, cutoff=0.5)
    hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(said.targets)}."
    return Refusal(f"There is no target {quoted(words[0])}.", hint)
