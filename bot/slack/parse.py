"""From the text after `/iora` to a command, or to a refusal that says how it is written.

The command line uses the same grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from difflib import get_close_matches

from bot.clock import at
from bot.model.answer import Refusal
from bot.model.command import (
    VERBS,
    Acknowledge,
    Assign,
    Command,
    Declare,
    Diagnose,
    Doctor,
    Escalate,
    Health,
    Help,
    Incidents,
    Mitigate,
    Note,
    OnRun,
    Postmortem,
    Reopen,
    Reports,
    Runbooks,
    SetSeverity,
    Show,
    StartRun,
    Stats,
    Tick,
    Timeline,
    Update,
)
from bot.model.incident import Severity
from bot.model.run import Mark
from bot.model.units import parse_duration
from bot.model.words import BY_WORD
from bot.slack import ending, graph, practice, rota, silencing, usual
from bot.slack.said import Said, usage
from bot.slack.said import person as _person
from bot.slack.said import quoted as _quoted
from bot.slack.said import targets_of as _targets
from bot.text import from_slack, without_controls

TITLE = 200
TEXT = 2_000
_INCIDENT = re.compile(r"^(?:#?inc-?|#)([0-9]{1,18})[:,.]?$", re.IGNORECASE)
_BARE = re.compile(r"^([0-9]{1,18})$")
_DASHES = {"--", "\u2014", "\u2013"}  # some keyboards turn -- into a long dash
# A run, or one asking of one of its steps.
_RUN = re.compile(r"^run-?([0-9]{1,15})(?:/([0-9]{1,4})/([0-9]{1,6}))?$", re.IGNORECASE)
# An input of a runbook; one with spaces stands in quotation marks, which phones write in their own way.
_QUOTE = r"""(?:"[^"]*"|'[^']*'|[\u201c-\u201e][^\u201c-\u201e]*[\u201c-\u201e])(?=\s|$)"""
_INPUT = re.compile(rf"([a-z][a-z0-9_-]{{0,62}})=(?:({_QUOTE})|(.*))", re.DOTALL)
_INPUT_OR_WORD = re.compile(rf"[a-z][a-z0-9_-]{{0,62}}={_QUOTE}|\S+")
_QUOTE_MARKS = ('"', "'", "\u201c", "\u201d", "\u201e")
_DRY_RUN = {"--dry-run", "\u2014dry-run", "\u2013dry-run"}
_TIME = re.compile(r"^([01]?[0-9]|2[0-3]):([0-5][0-9])$")
_SEVERITIES = {str(severity) for severity in Severity}
DEFAULT_WINDOW = 30 * 86_400_000


Parsed = Command | Refusal


def parse(text: str, targets: Collection[str], now: int) -> Parsed:
    """``now`` in milliseconds, for times such as `20m ago`. Slack's escapes are understood."""
    words = without_controls(text).split()
    if not words:
        return Help()
    word = words[0].lower()
    handler = _WORDS.get(word)
    if handler is None:
        return _unknown(from_slack(words[0]))
    return handler(Said(tuple(words[1:]), targets, now))


def _unknown(word: str) -> Refusal:
    """No such command, and the nearest one that there is."""
    near = get_close_matches(word.lower(), BY_WORD, n=1, cutoff=0.5)
    hint = f"Did you mean `/iora {near[0]}`?" if near else "See `/iora help`."
    return Refusal(f"There is no command {_quoted(word)}.", hint)


def _help(said: Said) -> Parsed:
    topic = said.text.lower().partition(" ")[0].removeprefix("/")
    if topic and topic not in BY_WORD:
        return _unknown(topic)
    return Help(topic=topic)


def _health(said: Said) -> Parsed:
    named = _targets(said)
    return named if isinstance(named, Refusal) else Health(targets=named)


def _diagnose(said: Said) -> Parsed:
    if not said.words:
        if len(said.targets) == 1:
            return Diagnose(target=next(iter(said.targets)))
        return usage("diagnose", f"Name a target. There are: {', '.join(said.targets)}.")
    named = _targets(Said(said.words[:1], said.targets, said.now))
    if isinstance(named, Refusal):
        return named
    described = Said(said.words[1:], said.targets, said.now).text
    if len(described) > TEXT:
        return usage("diagnose", _too_long("description", described, TEXT))
    return Diagnose(target=named[0], description=described)


def _reports(said: Said) -> Parsed:
    if len(said.words) > 1 or (said.words and not said.text.startswith("diag_")):
        problem = f"{_quoted(said.text)} is no report's id such as diag_1750000000_a1b2c3d4e5f6."
        return usage("reports", problem)
    return Reports(id=said.text or None)


def _declare(said: Said) -> Parsed:
    severity: Severity | None = None
    targets: list[str] = []
    words = list(said.words)
    while words:
        word = words[0].lower()
        if word in _DASHES:
            words.pop(0)
            break
        if word in _SEVERITIES and severity is None:
            severity = Severity(word)
        elif words[0] in said.targets:
            targets.append(words[0])
        else:
            break
        words.pop(0)
    title = from_slack(" ".join(words)).strip()
    if len(title) > TITLE:
        return usage("declare", _too_long("title", title, TITLE))
    return Declare(title=title, severity=severity, targets=tuple(dict.fromkeys(targets)))


def _incidents(said: Said) -> Parsed:
    words = list(said.words)
    first = words[0].lower() if words else "open"
    for which in ("open", "mine", "resolved", "all"):
        if first == which:
            return Incidents(which=which, words=from_slack(" ".join(words[1:])))
    return Incidents(which="all", words=said.text)


def _stats(said: Said) -> Parsed:
    if not said.words:
        return Stats(window=DEFAULT_WINDOW)
    try:
        window = parse_duration(said.text)
    except ValueError:
        window = 0
    if window <= 0:
        return usage("stats", f"{_quoted(said.text)} is no window such as 7d or 12h.")
    return Stats(window=window)


def _doctor(said: Said) -> Parsed:
    if not said.words:
        return Doctor()
    person = _person(said.words[1]) if len(said.words) == 2 else None
    if said.words[0].lstrip("-\u2014\u2013") != "test-ping" or person is None:
        return usage("doctor", "Name a person to ping: type @ and pick, or write a member id.")
    return Doctor(test_ping=person)


def _number(said: Said) -> tuple[int | None, Said]:
    """The incident's number, if the first word is one, and the rest. Alone, its digits are enough."""
    first = from_slack(said.words[0]) if said.words else ""
    found = _INCIDENT.match(first) or (_BARE.match(first) if len(said.words) == 1 else None)
    if found is None:
        return None, said
    return int(found[1]), Said(said.words[1:], said.targets, said.now)


def _bare(word: str, make: Callable[[int | None], Command]) -> Callable[[Said], Parsed]:
    def parsed(said: Said) -> Parsed:
        number, rest = _number(said)
        if rest.words:
            return usage(word, f"{_quoted(rest.text)} is no incident such as INC-7.")
        return make(number)

    return parsed


def _with_text(word: str, make: Callable[[int | None, str], Command]) -> Callable[[Said], Parsed]:
    def parsed(said: Said) -> Parsed:
        number, rest = _number(said)
        if len(rest.text) > TEXT:
            return usage(word, _too_long("text", rest.text, TEXT))
        return make(number, rest.text)

    return parsed


def _ack(said: Said) -> Parsed:
    number, rest = _number(said)
    asked = " ".join(rest.text.lower().replace("-", " ").split())
    if asked not in {"", "take over", "takeover"}:
        return usage("ack", f"{_quoted(rest.text)} is no incident such as INC-7.")
    return Acknowledge(incident=number, take_over=bool(asked))


def _note(said: Said) -> Parsed:
    number, rest = _number(said)
    if not rest.text:
        return usage("note", "A note needs its text.")
    if len(rest.text) > TEXT:
        return usage("note", _too_long("note", rest.text, TEXT))
    return Note(incident=number, text=rest.text)


def _assign(said: Said) -> Parsed:
    number, rest = _number(said)
    person = _person(rest.words[0]) if rest.words else None
    if person is None:
        return usage("assign", "Name a person: type @ and pick, or write a member id.")
    role = from_slack(" ".join(rest.words[1:])).strip() or "commander"
    if len(role) > 60:
        return usage("assign", "A role has at most 60 characters.")
    return Assign(incident=number, person=person, role=role.lower())


def _severity(said: Said) -> Parsed:
    number, rest = _number(said)
    word = rest.text.lower()
    if word not in _SEVERITIES:
        problem = f"{_quoted(rest.text)} is no severity" if word else "Name a severity"
        return usage("severity", f"{problem}: sev1 is the worst, sev4 the least.")
    return SetSeverity(incident=number, severity=Severity(word))


def _update(said: Said) -> Parsed:
    number, rest = _number(said)
    what = rest.words[0].lower() if rest.words else ""
    value = Said(rest.words[1:], rest.targets, rest.now)
    limit = {"impact": TEXT, "title": TITLE, "started": TEXT}.get(what)
    if limit is None or not value.text:
        return usage("update", "Say what to update: impact, started or title, and its value.")
    if len(value.text) > limit:
        return usage("update", _too_long(what, value.text, limit))
    if what == "impact":
        return Update(incident=number, impact=value.text)
    if what == "title":
        return Update(incident=number, title=value.text)
    started_at = moment(value.text, said.now)
    if started_at is None:
        problem = f"{_quoted(value.text)} is no time such as 20m ago or 14:05 (UTC)."
        return usage("update", problem)
    return Update(incident=number, started_at=started_at)


def _runbooks(said: Said) -> Parsed:
    named = _targets(said)
    if isinstance(named, Refusal):
        return named
    if len(named) > 1:
        return usage("runbooks", "Name one target.")
    return Runbooks(target=named[0] if named else None)


def _run(said: Said) -> Parsed:
    """Start a runbook, or say something to a run: the first word tells which."""
    if not said.words:
        return usage("run", "Name a runbook: `/iora runbooks` shows which fit.")
    run = _RUN.match(from_slack(said.words[0]))
    if run is not None:
        return _on_run(run, Said(said.words[1:], said.targets, said.now))
    dry_run, incident, target = False, None, None
    inputs: dict[str, str] = {}
    for word in _INPUT_OR_WORD.findall(from_slack(" ".join(said.words[1:]))):
        given, found = _INPUT.fullmatch(word), _INCIDENT.match(word)
        if word in _DRY_RUN:
            dry_run = True
        elif given is not None and not given[2] and given[3].startswith(_QUOTE_MARKS):
            return usage("run", f"The quotation mark of {_quoted(word)} is not closed.")
        elif given is not None:
            inputs[given[1]] = given[2][1:-1] if given[2] else given[3]
        elif found is not None:
            incident = int(found[1])
        elif target is None:
            target = word
        else:
            return usage("run", f"{_quoted(word)} is no input such as minutes=5.")
    name = from_slack(said.words[0])
    return StartRun(runbook=name, target=target, incident=incident, inputs=inputs, dry_run=dry_run)


def _on_run(run: re.Match[str], said: Said) -> Parsed:
    number = int(run[1])
    mark = Mark(number, int(run[2]), int(run[3])) if run[2] else None
    if not said.words:
        return OnRun(run=number, verb="show")
    word = said.words[0].lower()
    verb = next((one for one in VERBS if one == word), None)
    if verb is None:
        near = get_close_matches(word, VERBS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(VERBS)}."
        return usage("run", f"{_quoted(word)} is nothing to say to a run: {hint}")
    rest = Said(said.words[1:], said.targets, said.now)
    if len(rest.text) > TEXT:
        return usage("run", _too_long("text", rest.text, TEXT))
    ticks = _ticks(rest) if verb == "done" else {}
    return OnRun(run=number, verb=verb, text=rest.text, mark=mark, ticks=ticks)


def _ticks(said: Said) -> dict[int, Tick]:
    """``done 2 @bob it is the pool``: the second line, who takes it, and the note."""
    if not said.words or not said.words[0].isascii() or not said.words[0].isdecimal():
        return {}
    owner = _person(said.words[1]) if len(said.words) > 1 else None
    note = Said(said.words[2 if owner else 1 :], said.targets, said.now).text
    return {int(said.words[0][:4]): Tick(note, owner)}


def _too_long(what: str, text: str, limit: int) -> str:
    return f"The {what} has {len(text)} characters, at most {limit} fit."


def moment(text: str, now: int) -> int | None:
    """``20m ago``, ``20m`` or ``14:05`` (UTC, the last one) as milliseconds; None if it is neither."""
    compact = text.lower().removesuffix("utc").strip().removesuffix("ago").strip()
    clock = _TIME.match(compact)
    if clock is not None:
        today = at(now).replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        moment_at = today if today <= at(now) else today - timedelta(days=1)
        return round(moment_at.timestamp() * 1000)
    try:
        return now - parse_duration(compact)
    except ValueError:
        return None


_WORDS: Mapping[str, Callable[[Said], Parsed]] = {
    "help": _help,
    "health": _health,
    "baseline": usual.baseline,
    "diagnose": _diagnose,
    "chart": graph.chart,
    "deploy": graph.deploy,
    "reports": _reports,
    "declare": _declare,
    "incidents": _incidents,
    "stats": _stats,
    "doctor": _doctor,
    "show": _bare("show", lambda number: Show(incident=number)),
    "ack": _ack,
    "timeline": _bare("timeline", lambda number: Timeline(incident=number)),
    "postmortem": _bare("postmortem", lambda number: Postmortem(incident=number)),
    "runbooks": _runbooks,
    "run": _run,
    "assign": _assign,
    "severity": _severity,
    "mitigate": _with_text("mitigate", lambda number, text: Mitigate(incident=number, text=text)),
    "resolve": _with_text("resolve", ending.resolve),
    "reopen": _with_text("reopen", lambda number, text: Reopen(incident=number, text=text)),
    "escalate": _with_text("escalate", lambda number, text: Escalate(incident=number, text=text)),
    "note": _note,
    "drill": practice.drill,
    "update": _update,
    "oncall": rota.oncall,
    "override": rota.override,
    "silence": silencing.silence,
    "silences": silencing.silences,
}
