"""What is wrong in a runbook is told at its place, with what was expected or meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.runbooks import load_book
from tests.support.configs import config

GOOD = """\
schema: runbook/v1
id: slow
title: Slow
version: 1
triggers:
  incident.opened: response_time_p95_ms > 500
  symptoms: [cpu_percent > 90]
inputs:
  service: {type: target}
  hold: {type: duration, default: 5m}
  mode: {type: choice, choices: [gentle, hard], default: gentle}
steps:
  - id: look
    title: Look
    kind: check
    of: metrics
    target: inputs.service
    bounds: {cpu_percent: {below: 90}}
    on_failure: continue
    retry: {attempts: 2}
    text: Reads {{ target }}, CPU {{ readings.cpu_percent }}.
  - id: open-breaker
    title: Open the breaker
    kind: action
    action: breaker_open
    when: steps.look.state == failed and inputs.mode == hard
    undo: breaker_close
    approval: {roles: [commander], min: 1, expires: 10m}
    verify: {that: cpu_percent < 70, hold: 1m, within: 5m}
    on_failure: tell
  - id: watch
    title: Watch
    kind: wait_for
    that: steps.look.cpu_percent < 90 and cpu_percent < 70
    hold: inputs.hold
    within: 20m
  - id: tell
    title: Tell
    kind: notify
    to: [channel, "group:engineering"]
    message: "{{ steps.look.state }} after {{ inputs.hold }}"
  - id: decide
    title: Decide
    kind: checklist
    always: true
    items: [{text: Decide, owner: true}]
"""

WRONG: dict[str, tuple[str, str, *tuple[str, ...]]] = {
    "an unknown key": (
        "title: Slow",
        "titel: Slow",
        "3:1: unknown key 'titel'; did you mean title?",
    ),
    "an unknown key of a step": (
        "of: metrics",
        "off: metrics",
        "16:5: unknown key 'off'; did you mean of?",
    ),
    "a kind that doesn't exist": (
        "kind: check\n",
        "kind: chek\n",
        "15:11: got text 'chek'; expected check, collect, probe, analyze, checklist, action, notify,",
    ),
    "a step id that comes twice": (
        "id: watch",
        "id: look",
        "31:9: an earlier step has the id 'look' too",
    ),
    "a step called as a way on": (
        "id: watch",
        "id: stop",
        "31:9: a step can't be called stop: after on_failure that word is a way on",
    ),
    "a step id with a capital": (
        "id: watch",
        "id: Watch",
        "31:9: got text 'Watch'; expected a step's id of lower-case letters, digits, - and _ that",
    ),
    "a failure that leads nowhere": (
        "on_failure: tell",
        "on_failure: tel",
        "30:17: got text 'tel'; expected stop, continue, escalate or a later step's id; did you mean tell?",
    ),
    "a failure that leads back": (
        "on_failure: tell",
        "on_failure: look",
        "30:17: step 'look' does not come later: a run never goes back",
    ),
    "a failure that leads to itself": (
        "on_failure: tell",
        "on_failure: open-breaker",
        "30:17: step 'open-breaker' does not come later: a run never goes back",
    ),
    "a target of the config that isn't there": (
        "target: inputs.service",
        "target: iroa",
        "17:13: there is no target of this name; did you mean iora?",
    ),
    "a target that nothing resembles": (
        "target: inputs.service",
        "target: payments",
        "17:13: there is no target of this name; add it below targets in the config",
    ),
    "a target from an input of another type": (
        "inputs.service",
        "inputs.hold",
        "17:13: input 'hold' is of the type duration; expected an input of the type target",
    ),
    "a target from an input that isn't there": (
        "inputs.service",
        "inputs.servic",
        "17:13: there is no input 'servic'; did you mean inputs.service?",
    ),
    "a default target that isn't there": (
        "{type: target}",
        "{type: target, default: irao}",
        "9:36: there is no target of this name; did you mean iora?",
    ),
    "a length from an input of another type": (
        "hold: inputs.hold",
        "hold: inputs.mode",
        "35:11: input 'mode' is of the type choice; expected an input of the type duration",
    ),
    "a length from an input that isn't there": (
        "hold: inputs.hold",
        "hold: inputs.wait",
        "35:11: there is no input 'wait'; add it below inputs",
    ),
    "a length that is no duration": (
        "within: 20m",
        "within: 20",
        "36:13: got number 20; expected a duration such as 30s, 5m, 1h30m or 2d",
    ),
    "a role that doesn't exist": (
        "roles: [commander]",
        "roles: [comander]",
        "28:24: got text 'comander'; expected responder or commander; did you mean commander?",
    ),
    "a group that isn't there": (
        "group:engineering",
        "group:enginering",
        "40:19: there is no group of this name; did you mean engineering?",
    ),
    "a destination of no kind": (
        'channel, "',
        '"everybody", "',
        (
            "40:10: got text 'everybody'; expected channel, user:U... (a member id), group:NAME,"
            " oncall:SCHEDULE or role:NAME"
        ),
    ),
    "an action that is tried again": (
        "undo: breaker_close",
        "retry: {attempts: 3}",
        "27:5: an action is never tried again by itself: nobody knows what the first call did; remove retry",
    ),
    "a checklist that is tried again": (
        "always: true",
        "retry: {attempts: 3}",
        "45:5: a person does this step: there is nothing to try again; remove retry",
    ),
    "a condition that no metric measures": (
        "symptoms: [cpu_percent > 90]",
        "symptoms: [cpu_precent > 90]",
        "7:14: no metric is called 'cpu_precent'; did you mean cpu_percent?",
    ),
    "a condition that is none": (
        "symptoms: [cpu_percent > 90]",
        "symptoms: [cpu_percent is high]",
        "7:26: got 'is'; expected <, <=, >, >=, == or !=",
    ),
    "a trigger that speaks of a step": (
        "response_time_p95_ms > 500",
        "steps.look.state == ok",
        "6:20: a trigger is asked before there is a run, so it can't speak of steps",
    ),
    "a trigger that speaks of an input": (
        "response_time_p95_ms > 500",
        "inputs.mode == hard",
        "6:20: a trigger is asked before there is a run, so it can't speak of inputs",
    ),
    "a symptom that speaks of the incident": (
        "cpu_percent > 90]",
        "incident.severity == sev1]",
        "7:14: symptoms are looked for without an incident too",
    ),
    "a condition about a later step": (
        "when: steps.look.state",
        "when: steps.watch.state",
        "26:11: step 'watch' comes later: nothing is known of it yet",
    ),
    "a condition about its own step": (
        "when: steps.look.state",
        "when: steps.open-breaker.state",
        "26:11: a step can't speak of its own result before it is done",
    ),
    "a condition about a step that isn't there": (
        "when: steps.look.state",
        "when: steps.lok.state",
        "26:11: there is no step 'lok'; did you mean steps.look?",
    ),
    "a metric of a step that reads none": (
        "that: steps.look.cpu_percent",
        "that: steps.open-breaker.cpu_percent",
        "34:11: step 'open-breaker' reads nothing (action): only its state is known",
    ),
    "a verdict of a step": (
        "that: steps.look.cpu_percent < 90",
        "that: steps.look.verdict == down",
        "34:11: a step keeps no verdict; did you mean steps.look.state?",
    ),
    "a metric of a step that no target has": (
        "that: steps.look.cpu_percent",
        "that: steps.look.cpu_prcent",
        "34:22: no metric is called 'cpu_prcent'; did you mean cpu_percent?",
    ),
    "a state that a step can't have": (
        "steps.look.state == failed",
        "steps.look.state == fail",
        "26:31: got 'fail'; expected ok, failed, skipped or unknown for steps.look.state",
    ),
    "an input that isn't there, in a condition": (
        "inputs.mode == hard",
        "inputs.mod == hard",
        "26:42: there is no input 'mod'; did you mean inputs.mode?",
    ),
    "a word that isn't among the choices": (
        "inputs.mode == hard",
        "inputs.mode == herd",
        "26:57: got herd; expected gentle or hard for inputs.mode; did you mean hard?",
    ),
    "a duration compared with a bare number": (
        "inputs.mode == hard",
        "inputs.hold > 5",
        "26:56: got 5; expected a duration such as 5m for inputs.hold",
    ),
    "a bound on a metric that isn't there": (
        "bounds: {cpu_percent",
        "bounds: {cpu_prcent",
        "18:14: no metric is called 'cpu_prcent'; did you mean cpu_percent?",
    ),
    "a contradiction": (
        "when: steps.look.state == failed and inputs.mode == hard",
        "when: cpu_percent > 90 and cpu_percent < 50",
        "26:11: this can never hold: it contradicts itself",
    ),
    "a step that is never reached": (
        "    on_failure: continue\n",
        "    on_failure: stop\n",
        "26:11: this step is never reached: where look failed, the run stops",
    ),
    "a step that a failure jumps over": (
        "    on_failure: continue\n",
        "    on_failure: watch\n",
        "26:11: this step is never reached: where look failed, the run goes on at watch",
    ),
    "a template that names a later step": (
        "{{ target }}",
        "{{ steps.tell.state }}",
        "21:20: step 'tell' comes later: nothing is known of it yet",
    ),
    "a template that names nothing known": (
        "{{ target }}",
        "{{ targt }}",
        "21:20: nothing is known as targt",
    ),
    "a template that isn't closed": (
        "{{ target }}",
        "{{ target",
        "21:32: expected token '}}', got '{'",
    ),
    "a template that calls": (
        "{{ target }}",
        "{{ target.upper() }}",
        "21:32: a call is not offered here",
    ),
    "a template with an unknown filter": (
        "{{ target }}",
        "{{ target | uper }}",
        "21:29: unknown filter 'uper'",
    ),
    "a template with an input that isn't there": (
        "{{ inputs.hold }}",
        "{{ inputs.wait }}",
        "41:47: there is no input 'wait'",
    ),
    "a template with a - in a step's name": (
        "{{ steps.look.state }}",
        "{{ steps.open-breaker.state }}",
        "41:18: a - in a template is a minus; did you mean steps['open-breaker']?",
    ),
    "a template with a metric that isn't read": (
        "readings.cpu_percent",
        "readings.cpu",
        "21:38: nothing is known as readings.cpu",
    ),
    "a template with something else of a step": (
        "{{ steps.look.state }}",
        "{{ steps.look.stat }}",
        "41:18: nothing is known as steps.look.stat",
    ),
    "a value in a text that is no template": (
        "items: [{text: Decide,",
        'items: [{text: "Ask {{ target }}",',
        "46:25: no value is filled in here: only text and message are templates",
    ),
    "a hold that is longer than its time": (
        "within: 5m}",
        "within: 30s}",
        "29:44: it must hold for 60 s, and has only 30 s; make within longer, or hold shorter",
    ),
    "an input's default that is longer than its time": (
        "within: 20m",
        "within: 2m",
        "35:11: it must hold for 5 min, and has only 2 min; make within longer, or hold shorter",
    ),
    "a wait that outlives the run": (
        "version: 1",
        "version: 1\nrun_timeout: 10m",
        "37:13: the run is over before: its run_timeout is 10 min; make run_timeout longer, or this shorter",
    ),
    "no time at all": (
        "within: 20m",
        "within: 0s",
        "36:13: nothing can happen in no time; expected more than 0s",
    ),
    "an approval that nobody can give in time": (
        "expires: 10m",
        "expires: 0s",
        "28:53: nothing can happen in no time; expected more than 0s",
    ),
    "reminders without a pause": (
        "always: true",
        "remind: 5ms",
        "45:13: nobody can read that fast; expected at least 1s",
    ),
    "the first step always": (
        "kind: check\n",
        "kind: check\n    always: true\n",
        "16:5: no earlier step can stop the run before its first; remove always",
    ),
    "nothing that starts it": (
        "  incident.opened: response_time_p95_ms > 500",
        "  manual: false",
        "6:11: neither people nor an incident can start it; add incident.opened, or leave manual out",
    ),
    "an input that nobody can give": (
        "default: 5m}",
        "title: How long}",
        "10:3: it starts by itself (incident.opened), so nobody is there to give this input; add a default",
    ),
    "triggers that are a list": (
        "triggers:\n  incident.opened: response_time_p95_ms > 500\n  symptoms: [cpu_percent > 90]",
        "triggers: [manual]",
        "5:11: got a list; expected a mapping (key: value)",
    ),
    "another schema": (
        "runbook/v1",
        "runbook/v2",
        "1:9: got text 'runbook/v2'; expected runbook/v1; did you mean runbook/v1?",
    ),
    "an id that isn't the file's name": (
        "id: slow",
        "id: slwo",
        "2:5: got text 'slwo'; expected the file's name, slow",
    ),
    "a version that is text": (
        "version: 1",
        "version: one",
        "4:10: got text 'one'; expected a whole number",
    ),
    "undo with two ways": (
        "undo: breaker_close",
        "undo: {action: breaker_close, text: By hand}",
        "27:11: got a mapping; expected exactly one of action and text",
    ),
    "a check of metrics without bounds": (
        "    bounds: {cpu_percent: {below: 90}}\n",
        "",
        "13:5: bounds: expected with `of: metrics`, and only there",
    ),
    "a checklist without items": (
        "items: [{text: Decide, owner: true}]",
        "items: []",
        "46:12: nothing in it; expected at least 1 item",
    ),
    "a key twice": (
        "within: 20m",
        "within: 20m\n    within: 30m",
        "37:5: key 'within' is here twice; keep one of them",
    ),
    "an alias": (
        "within: 20m",
        "within: *hold",
        "36:13: an alias (*name); write the value out",
    ),
    "a tab": (
        "    within: 20m",
        "\twithin: 20m",
        "36:1: a tab where a value begins; indent with spaces",
    ),
    "steps that are a mapping": (
        "steps:\n",
        "steps: {}\nsteps2:\n",
        "12:8: got an empty mapping; expected a list",
        "13:1: unknown key 'steps2'; expected schema, id, title, version, description, trial, triggers,",
    ),
    "a step that is text": (
        "  - id: decide\n",
        "  - decide\n  - id: decide\n",
        "42:5: got text 'decide'; expected a mapping (key: value)",
    ),
    "a step without a kind": (
        "    kind: notify\n",
        "",
        "37:5: missing key 'kind'",
    ),
    "an action without its name": (
        "    action: breaker_open\n",
        "",
        "22:5: missing key 'action'",
    ),
    "a default of the wrong type": (
        "default: 5m}",
        "default: soon}",
        "10:35: got text 'soon'; expected a duration such as 30s, 5m, 1h30m or 2d",
    ),
    "a default that isn't among the choices": (
        "default: gentle",
        "default: soft",
        "11:58: got text 'soft'; expected one of gentle, hard",
    ),
    "an input that isn't there, in a folded condition": (
        "when: steps.look.state == failed and inputs.mode == hard",
        "when: >-\n      steps.look.state == failed\n      and inputs.mod == hard",
        "28:11: there is no input 'mod'; did you mean inputs.mode?",
    ),
    "a default way on that leads to a step": (
        "version: 1",
        "version: 1\ndefaults: {on_failure: tell}",
        "5:24: got text 'tell'; expected stop, continue or escalate",
    ),
}


def told(folder: Path, text: str, *, name: str = "slow.yaml") -> list[str]:
    """The problems as ``line:column: message``."""
    path = folder / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_book(path, config())
    heads = [str(problem).split("\n")[0] for problem in caught.value.problems]
    return [head.removeprefix(f"{path}:").strip() for head in heads]


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, case: tuple[str, str, *tuple[str, ...]]
) -> None:
    old, new, *expected = case
    assert old in GOOD
    found = told(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)


def test_everything_is_told_at_once_in_file_order(tmp_path: Path) -> None:
    changes = [
        ("cpu_percent > 90]", "cpu_precent > 90]"),
        ("target: inputs.service", "target: iroa"),
        ("inputs.mode == hard", "inputs.mod == hard"),
        ("group:engineering", "group:enginering"),
        ("kind: checklist", "kind: list"),
    ]
    text = GOOD
    for old, new in changes:
        text = text.replace(old, new, 1)
    places = [line.split(": ")[0] for line in told(tmp_path, text)]
    assert places == ["7:14", "17:13", "26:42", "40:19", "44:11"]
