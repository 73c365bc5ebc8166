"""What the composer offers to complete after `/iora`."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """A word of the bot's command, what may follow it, and what it does."""

    word: str
    arguments: str
    meaning: str


TOPICS = (
    Topic("health", "[target ...]", "How the service is, with the evidence"),
    Topic("baseline", "[target ...]", "The bounds that a healthy service keeps"),
    Topic("diagnose", "TARGET [what is wrong]", "What is wrong with it, and what changed"),
    Topic("chart", "TARGET METRIC [window]", "A metric over time, as an image"),
    Topic("deploy", "TARGET [what]", "Mark that something new runs there"),
    Topic("reports", "[ID]", "The diagnostic reports that are kept"),
    Topic("declare", "[sev1..sev4] [target ...] TITLE", "Open an incident"),
    Topic("incidents", "[open|mine|resolved|all]", "List incidents"),
    Topic("show", "[INC-n]", "Show an incident's card"),
    Topic("ack", "[INC-n]", "Say that you are on it"),
    Topic("assign", "[INC-n] @person [role]", "Hand it to somebody"),
    Topic("severity", "[INC-n] sev1..sev4", "Change how bad it is"),
    Topic("mitigate", "[INC-n] [text]", "The damage has stopped"),
    Topic("resolve", "[INC-n] [text]", "It is over"),
    Topic("reopen", "INC-n", "It is not over after all"),
    Topic("note", "[INC-n] TEXT", "Add to the timeline"),
    Topic("update", "[INC-n] impact TEXT", "Say who is hurt, or when it began"),
    Topic("escalate", "[INC-n]", "Ping the next person now"),
    Topic("timeline", "[INC-n]", "What happened, and when"),
    Topic("postmortem", "[INC-n]", "Write a draft of what happened and why"),
    Topic("runbooks", "[target]", "The procedures, those that fit first"),
    Topic("run", "RUNBOOK [target] [--dry-run]", "Start a runbook, or show what it would do"),
    Topic("oncall", "[schedule] [--at TIME]", "Who is on call, now and next"),
    Topic("override", "SCHEDULE @person DURATION", "Put somebody else on call for a while"),
    Topic("silence", "TARGET DURATION REASON", "Hear nothing of what the bot finds there"),
    Topic("silences", "", "What is silenced, and until when"),
    Topic("drill", "[policy] [start]", "Practise: ping people as in earnest"),
    Topic("stats", "[window]", "How long incidents took"),
    Topic("doctor", "[--test-ping @person]", "Check the bot itself"),
    Topic("help", "[topic]", "All commands"),
)
