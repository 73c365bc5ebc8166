"""Draws a row of the outbox from its facts and the state now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.model.attempt import Attempt
from bot.model.message import Drawing
from bot.render import alert_suggestion, ask, oncall, regression, run, silence, step
from bot.render.blocks import actions, button, fit, section
from bot.render.card import card, heading
from bot.render.digest import digest
from bot.render.entry import reply, who
from bot.render.finding import finding, flood
from bot.render.ping import ping, still
from bot.render.report import progress
from bot.render.report import text as report_text
from bot.text import outside


def draw(attempt: Attempt) -> Drawing:
    """The drawing of the message's kind, within a message's limits."""
    return fit(_DRAWINGS[attempt.message.kind](attempt))


def plain_words(attempt: Attempt) -> Drawing:
    """What is sent where drawing failed: a page must arrive all the same."""
    if attempt.seen is None:
        return Drawing("The incident bot has a message that it could not draw; see its log.")
    incident = attempt.seen.incident
    state = f"{incident.key} {incident.severity.upper()} is {incident.status}"
    return Drawing(f"{state}. See /iora show {incident.key}")


def _card(attempt: Attempt) -> Drawing:
    assert attempt.seen is not None
    return card(attempt.seen)


def _entry(attempt: Attempt) -> Drawing:
    assert attempt.seen is not None
    assert attempt.entry is not None
    return reply(attempt.seen.incident, attempt.entry, *attempt.also)


def _ping(attempt: Attempt) -> Drawing:
    assert attempt.seen is not None
    return ping(attempt.seen, attempt.message.facts, repeated=attempt.repeated)


def _still(attempt: Attempt) -> Drawing:
    assert attempt.seen is not None
    return still(attempt.seen, attempt.message.facts)


def _digest(attempt: Attempt) -> Drawing:
    assert attempt.digest is not None
    return digest(attempt.digest, repeated=attempt.repeated)


def _assigned(attempt: Attempt) -> Drawing:
    assert attempt.seen is not None
    incident, facts = attempt.seen.incident, attempt.message.facts
    given = f"{who(facts['by'])} made you {outside(facts['role'], 60)} of {incident.key}"
    text = f"{given}: {incident.severity.upper()} {outside(incident.title, 200)}."
    show = button(f"Open {incident.key}", "iora:incident:open", incident.key)
    return Drawing(
        text, (section(f"*{outside(heading(incident), 300)}*\n{given}."), actions([show]))
    )


def _test(attempt: Attempt) -> Drawing:
    text = "Test ping: this is how a ping reaches you. Nothing is wrong; there is nothing to do."
    return Drawing(text, (section(text),))


def _report(attempt: Attempt) -> Drawing:
    return progress(attempt.message.facts)


def _report_text(attempt: Attempt) -> Drawing:
    if attempt.report is None:
        gone = f"The report {attempt.message.facts['report']} is not kept any more."
        return Drawing(gone, (section(gone),))
    return report_text(attempt.report, attempt.message.facts["what"])


def _run(attempt: Attempt) -> Drawing:
    assert attempt.outlook is not None
    return run.run(attempt.outlook)


def _ask(attempt: Attempt) -> Drawing:
    assert attempt.outlook is not None
    return ask.ask(attempt.outlook, attempt.message.facts)


def _step(attempt: Attempt) -> Drawing:
    return step.result(attempt.message.facts)


def _notice(attempt: Attempt) -> Drawing:
    return step.notice(attempt.message.facts)


def _unshared(attempt: Attempt) -> Drawing:
    facts = attempt.message.facts
    text = (
        f"The image of {outside(facts['title'], 200)} can't be shared: {outside(facts['reason'], 200)}."
        " Its words were said where you asked; `/iora doctor` shows what the app lacks."
    )
    return Drawing(text, (section(text),))


def _override(attempt: Attempt) -> Drawing:
    return oncall.told(attempt.message.facts)


def _finding(attempt: Attempt) -> Drawing:
    return finding(attempt.message.key, attempt.message.facts)


def _flood(attempt: Attempt) -> Drawing:
    return flood(attempt.message.facts)


def _handover(attempt: Attempt) -> Drawing:
    return oncall.handover(attempt.message.facts)


def _alerts(attempt: Attempt) -> Drawing:
    return alert_suggestion.suggestion(attempt.message.facts)


def _silence(attempt: Attempt) -> Drawing:
    return silence.made(attempt.message.facts)


def _silence_over(attempt: Attempt) -> Drawing:
    return silence.over(attempt.message.facts)


def _regression(attempt: Attempt) -> Drawing:
    return regression.regression(attempt.message.facts)


_DRAWINGS: Mapping[str, Callable[[Attempt], Drawing]] = {
    "card": _card,
    "entry": _entry,
    "ping": _ping,
    "assigned": _assigned,
    "run": _run,
    "ask": _ask,
    "step": _step,
    "notice": _notice,
    "report": _report,
    "report_text": _report_text,
    "test": _test,
    "override": _override,
    "silence": _silence,
    "silence_over": _silence_over,
    "unshared": _unshared,
    "handover": _handover,
    "finding": _finding,
    "flood": _flood,
    "regression": _regression,
    "digest": _digest,
    "still": _still,
    "alerts": _alerts,
}
