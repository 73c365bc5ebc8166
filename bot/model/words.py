"""The words of `/iora` and of the command line: the one table that parsing and help share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A command's word, how it is written, and what it does."""

    word: str
    usage: str
    does: str


WORDS = (
    Word("health", "health [target ...]", "how the targets are, with the readings that say so"),
    Word(
        "baseline",
        "baseline [target ...] | learn TARGET [24h|7d|FROM..TO] [anyway]",
        "every reading against its bound and against what is usual; learn: a healthy window is usual",
    ),
    Word(
        "diagnose",
        "diagnose TARGET [what is wrong]",
        "what is wrong with it: findings, what changed, and the whole report",
    ),
    Word(
        "chart",
        "chart TARGET METRIC [window]",
        "a metric over 6h or another window: its line, bounds, incidents and deploys",
    ),
    Word("deploy", "deploy TARGET [what]", "something new runs there now: charts and cards say so"),
    Word("reports", "reports [ID]", "the diagnostic reports that are kept, or one of them"),
    Word(
        "declare",
        "declare [sev1..sev4] [target ...] TITLE",
        "open an incident; without a title a form opens; -- ends the leading words",
    ),
    Word("incidents", "incidents [open|mine|resolved|all] [words]", "the list of incidents"),
    Word("show", "show [INC-n]", "an incident as it is now"),
    Word("ack", "ack [INC-n] [take over]", "I am looking at it: nobody else is told"),
    Word("assign", "assign [INC-n] @person [role]", "make someone commander, or give a role"),
    Word("severity", "severity [INC-n] sev1..sev4", "another severity brings its policy"),
    Word("mitigate", "mitigate [INC-n] [text]", "the impact is over, the cause is not mended"),
    Word(
        "resolve",
        "resolve [INC-n] [anyway] [text]",
        "it is over; where the readings still fail, anyway and the reason",
    ),
    Word("reopen", "reopen INC-n [text]", "it was not over"),
    Word("note", "note [INC-n] TEXT", "a line for the timeline"),
    Word(
        "update",
        "update [INC-n] impact TEXT | started 20m ago | started 14:05 | title TEXT",
        "set what is known: the impact, when it began (UTC), the title",
    ),
    Word("escalate", "escalate [INC-n] [text]", "tell the next level now"),
    Word("timeline", "timeline [INC-n]", "what happened, in order"),
    Word("postmortem", "postmortem [INC-n]", "write a draft of the post-mortem from the record"),
    Word("runbooks", "runbooks [target]", "the runbooks, those that fit the readings first"),
    Word(
        "run",
        "run RUNBOOK [target] [INC-n] [name=value ...] [--dry-run] | "
        "RUN-n [done|skip|approve|reject|do|repeat|undo|preview|pause|resume|cancel] [text]",
        "start a runbook, show what it would do, or say something to a run",
    ),
    Word("oncall", "oncall [schedule] [--at TIME]", "who is on call now and next, or at a time"),
    Word(
        "override",
        "override SCHEDULE @person DURATION [from TIME] | SCHEDULE off",
        "put somebody on call for a while in place of whom the schedule names, or take that back",
    ),
    Word(
        "silence",
        "silence TARGET DURATION REASON | TARGET until TIME REASON | end [SILENCE]",
        "don't tell of what the bot finds there by itself, 24 h at most; TIME is UTC; `all`: every target",
    ),
    Word("silences", "silences", "what is silenced, by whom, why and until when; maintenance too"),
    Word(
        "drill",
        "drill [policy] [all] [start]",
        "practise: ping people as in earnest, marked as a drill; all: beyond the first who are pinged",
    ),
    Word("stats", "stats [window]", "how many, and how long it took, over 30d or another window"),
    Word(
        "doctor",
        "doctor [--test-ping @person]",
        "whether the bot itself is well, each line with its fix",
    ),
    Word("help", "help [topic]", "this list, or one topic of it"),
)
BY_WORD = {word.word: word for word in WORDS}
