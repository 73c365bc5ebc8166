"""The first ``config.yaml`` of a team, written from a few answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.target import HealthSource

HEALTHY: tuple[str, ...] = HealthSource.model_fields["healthy"].default


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What `iora init` asks. Empty text stands for "none"; people are member ids.

    ``login``: who sets it up; at the command line they may do what a responder may.
    """

    team: str
    channel: str
    responders: tuple[str, ...]
    login: str
    commanders: tuple[str, ...]
    target: str
    health_url: str
    status: str
    healthy: tuple[str, ...] = HEALTHY
    agent_url: str = ""


def written(answers: Answers) -> str:
    """The commented file; what it says to set later is commented out."""
    parts = (_HEAD, *_slack(answers), *_target(answers), _BOUNDS, *_rules(answers))
    return "\n".join((*parts, *_people(answers), ""))


_HEAD = """\
# The configuration of the incident bot, written by `iora init`.
# `iora check` reads it and says what is wrong, and where. Durations: 30s, 5m, 1h30m, 2d.
# Secrets don't belong in here: write "${NAME}", and set NAME in the environment.
version: 1
"""

_BOUNDS = """\
# What a healthy target stays within; a broken one makes it degraded.
baselines:
  response_time_p95_ms: {below: 500}
  error_rate_percent: {below: 0.1}
  memory_mb: {below: 256}
  cpu_percent: {below: 70}

# Past these a target is unhealthy.
critical:
  cpu_percent: {below: 90}
  memory_mb: {below: 1024}
"""


def _slack(answers: Answers) -> Iterable[str]:
    team = f"  team: {_text(answers.team)}" if answers.team else "  # team: T01TEAM"
    yield "slack:"
    yield f"{team}   # the team that is served; default: the token's own"
    yield f"  channel: {_text(answers.channel)}   # where incidents are announced"
    yield ""


def _target(answers: Answers) -> Iterable[str]:
    yield "# What is watched. The name is what people type: /iora health " + answers.target
    yield "targets:"
    yield f"  {answers.target}:"
    yield "    poll: 30s"
    yield "    health:"
    yield f"      url: {_text(answers.health_url)}"
    if answers.status:
        yield f"      status: {_text(answers.status)}   # JMESPath to the status word"
        yield f"      healthy: {_texts(answers.healthy)}   # the words that mean healthy"
    else:
        yield "      # status: data.status   # JMESPath to the status word; without it: any success"
    if answers.agent_url:
        yield "    agent:   # `iora agent` on its host measures CPU and memory"
        yield f"      url: {_text(answers.agent_url)}"
        yield '      token: "${IORA_AGENT_TOKEN:-}"'
    else:
        yield "    # `iora agent` on its host measures CPU and memory; then:"
        yield "    # agent: {url: http://127.0.0.1:9108, token: " + '"${IORA_AGENT_TOKEN:-}"}'
    yield ""


def _rules(answers: Answers) -> Iterable[str]:
    """Those that need an agent wait for one."""
    later = "" if answers.agent_url else "# "
    yield "# By what the bot notices by itself: one message with a button; `open: declare` declares."
    yield "detection:"
    yield "  - {name: down, when: verdict == down, for: 1m, severity: sev1, runbook: system-health-check}"
    yield "  - {name: failing, when: verdict == unhealthy, for: 2m, severity: sev2,"
    yield "     runbook: critical-performance-degradation}   # such as HTTP 500, or a bad status word"
    for name, when in (("cpu", "cpu_percent > 90"), ("memory", "memory_mb > 1024")):
        rule = f"name: {name}-critical, when: {when}, for: 2m, severity: sev2"
        yield f"  {later}- {{{rule}, runbook: high-{name}-usage}}"
    yield ""


def _people(answers: Answers) -> Iterable[str]:
    yield "# Member ids: in Slack, a person's profile, More, Copy member ID."
    yield "groups:"
    yield f"  responders: {_texts(answers.responders)}"
    yield f"  commanders: {_texts(answers.commanders)}"
    yield ""
    yield "# Who may mitigate, resolve and change severity; a login is named as cli:LOGIN."
    yield "roles:"
    yield f"  responder: {_texts((*answers.responders, f'cli:{answers.login}'))}"
    yield f"  commander: {_texts(answers.commanders)}"
    yield ""
    yield _ESCALATION


_ESCALATION = """\
# Who is told, and after how long, while nobody has acknowledged an incident.
escalation:
  default: page
  default_severity: sev2
  by_severity: {sev3: announce, sev4: announce}
  last_resort: ["group:commanders"]   # when levels and repeats brought no answer
  policies:
    announce:
      levels: [{after: 0s, notify: [channel]}]
    page:
      levels:
        - {after: 0s, notify: [channel, "group:responders"]}
        # These wait for a fresh reading; whoever acknowledged is asked before they tell anybody.
        - {after: 5m, when: cpu_percent > 90, notify: ["group:responders"],
           reason: Critical CPU usage, after_acknowledge: true}
        - {after: 5m, when: memory_mb > 1024, notify: ["group:responders"],
           reason: Critical memory usage, after_acknowledge: true}
        - {after: 15m, notify: ["group:commanders"]}
      repeat: {every: 15m, times: 3}"""


def _text(text: str) -> str:
    """A YAML text in double quotes; a ``${`` in it stays as it is."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${")


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
