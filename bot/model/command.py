"""What a person asks the bot to do: the same records from Slack and from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal, NamedTuple, get_args

from bot.model.incident import Severity
from bot.model.run import Mark


@dataclass(frozen=True, kw_only=True)
class Command:
    """The root of all commands; ``slow`` ones are acked at once and answered afterwards."""

    slow = False


@dataclass(frozen=True, kw_only=True)
class Help(Command):
    """What there is, or one topic of it."""

    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class Health(Command):
    """How the targets are; none named means all of them."""

    slow = True
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Baseline(Command):
    """Every reading of the targets against its bound."""

    slow = True
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LearnBaseline(Command):
    """Take a window as what is usual: the last ``length`` ms (None: a day), or ``first`` to ``last``.

    Times are milliseconds since the epoch. ``anyway``: though little is known of it, or an incident was open.
    """

    target: str
    length: int | None = None
    first: int | None = None
    last: int | None = None
    anyway: bool = False


@dataclass(frozen=True, kw_only=True)
class Doctor(Command):
    """Whether the bot itself is well, each line with its fix; ``test_ping``: also ping a member id."""

    slow = True
    test_ping: str | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnose(Command):
    """Collect and judge all that is to be known of a target; ``description``: what seems wrong."""

    target: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ShowChart(Command):
    """A metric of a target as a line over a window of milliseconds, by default the usual one."""

    slow = True
    target: str
    metric: str
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordDeploy(Command):
    """Something new runs on a target since now; ``title``: what it is."""

    target: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Reports(Command):
    """The list of diagnostic reports, or one of them by its id."""

    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Declare(Command):
    """Open an incident. Without a title, Slack is asked for a form."""

    title: str
    severity: Severity | None = None
    targets: tuple[str, ...] = ()
    impact: str = ""
    started_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class OnFinding(Command):
    """Declare what a rule suggested, or say that it is nothing; ``key`` is the message's."""

    key: str
    verb: Literal["declare", "dismiss"]


@dataclass(frozen=True, kw_only=True)
class Incidents(Command):
    """The list of incidents; ``timelines``: each with its entries, for JSON."""

    which: Literal["open", "mine", "resolved", "all"] = "open"
    words: str = ""
    timelines: bool = False


@dataclass(frozen=True, kw_only=True)
class Stats(Command):
    """Counts and durations over a window, in milliseconds."""

    window: int


@dataclass(frozen=True, kw_only=True)
class OnIncident(Command):
    """A command about one incident; without a number, the channel's or the only open one."""

    incident: int | None = None


@dataclass(frozen=True, kw_only=True)
class Show(OnIncident):
    """The incident as it is."""


@dataclass(frozen=True, kw_only=True)
class Timeline(OnIncident):
    """What happened, in order."""


@dataclass(frozen=True, kw_only=True)
class Postmortem(OnIncident):
    """Write a draft of the post-mortem from the record."""


@dataclass(frozen=True, kw_only=True)
class Acknowledge(OnIncident):
    """I am looking at it. ``take_over``: also where somebody else was paged, which is asked first."""

    take_over: bool = False


@dataclass(frozen=True, kw_only=True)
class OnIt(OnIncident):
    """I am still at it: nothing else is to happen by itself."""


@dataclass(frozen=True, kw_only=True)
class Assign(OnIncident):
    """Give someone a part in it."""

    person: str
    role: str = "commander"


@dataclass(frozen=True, kw_only=True)
class SetSeverity(OnIncident):
    """Another severity brings its policy."""

    severity: Severity


@dataclass(frozen=True, kw_only=True)
class Mitigate(OnIncident):
    """The impact is over, the cause is not yet mended."""

    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Resolve(OnIncident):
    """It is over. ``anyway``: also where its targets still fail, for the reason in ``text``."""

    text: str = ""
    anyway: bool = False


@dataclass(frozen=True, kw_only=True)
class Reopen(OnIncident):
    """It was not over."""

    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Note(OnIncident):
    """A line for the timeline."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Update(OnIncident):
    """Set what is known: the impact in words, when it began, the title."""

    impact: str | None = None
    started_at: int | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Escalate(OnIncident):
    """Tell the next level now."""

    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Runbooks(Command):
    """The runbooks, those first that fit the target's readings now."""

    slow = True
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class StartRun(OnIncident):
    """Start a runbook. ``dry_run``: only show what it would do, calling nothing.

    Without a target it is the incident's, or the only one there is; ``inputs`` as people write them.
    """

    runbook: str
    target: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


Verb = Literal[
    "show",
    "preview",
    "do",
    "done",
    "skip",
    "approve",
    "reject",
    "repeat",
    "undo",
    "pause",
    "resume",
    "cancel",
]
VERBS: tuple[Verb, ...] = get_args(Verb)


class Tick(NamedTuple):
    """One line of a checklist that is done, with what was asked for."""

    note: str = ""
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnRun(Command):
    """A word about a run, or about the step that it is at. ``show`` and ``preview`` change nothing.

    ``mark``: the asking that a button was drawn for; without one, what the run asks for now is meant.
    ``ticks``: the lines of a checklist that are done, from 1; none of them means all.
    """

    run: int
    verb: Verb
    text: str = ""
    mark: Mark | None = None
    ticks: Mapping[int, Tick] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Drill(Command):
    """Practise a policy: show whom it would ping and ask; ``start``: ping them. ``whole``: all levels."""

    policy: str | None = None
    whole: bool = False
    start: bool = False


@dataclass(frozen=True, kw_only=True)
class OnCall(Command):
    """Who is on call now and next, or at a time; without an offset ``at`` is on a schedule's wall clock."""

    schedule: str | None = None
    at: datetime | time | None = None


@dataclass(frozen=True, kw_only=True)
class SetOverride(Command):
    """Put somebody on call for ``length`` milliseconds, from ``start`` (as ``OnCall.at``) or now on."""

    schedule: str
    person: str
    length: int
    start: datetime | time | None = None


@dataclass(frozen=True, kw_only=True)
class SetSilence(Command):
    """Don't tell of targets (of none: of everything) for ``length`` milliseconds, or ``until`` a time.

    Without an offset ``until`` is on the wall clock of whoever asks.
    """

    targets: tuple[str, ...]
    reason: str
    length: int | None = None
    until: datetime | time | None = None


@dataclass(frozen=True, kw_only=True)
class EndSilence(Command):
    """Tell again of what a silence is on; without a number, of the only one that runs."""

    silence: int | None = None


@dataclass(frozen=True, kw_only=True)
class Silences(Command):
    """The silences that run, and the windows of maintenance that are or come."""


@dataclass(frozen=True, kw_only=True)
class EndOverride(Command):
    """Take back the override that counts now, else the next one to come."""

    schedule: str
