"""What a valid config leaves open: not an error, but worth knowing before the night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.model.condition import Condition
from bot.model.config import Config
from bot.model.incident import Severity
from bot.model.nearest import nearest
from bot.model.network import is_loopback
from bot.model.regression import HOUR_MS
from bot.model.target import Target
from bot.model.units import METRIC_UNITS, format_duration
from bot.model.way import EmailWay, PagerDutyWay
from bot.rules.possible import can_hold
from bot.rules.window import MIN_SAMPLES

FROM_POLLS = frozenset({"response_time_p95_ms", "error_rate_percent"})
FROM_AGENT = frozenset(
    {"cpu_percent", "cpu_core_percent", "memory_mb", "uss_mb", "threads", "open_files", "uptime_s"}
)

_SEVERE = (Severity.SEV1, Severity.SEV2)


@dataclass(frozen=True, kw_only=True)
class Note:
    """``at`` is the dotted path of the keys that it is about."""

    at: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"note: {self.at}: {self.text}" + (f"; {self.fix}" if self.fix else "")


def findings(config: Config) -> tuple[Note, ...]:
    """Everything that the config allows and that will disappoint somebody."""
    return (
        *_target_notes(config),
        *_bound_notes(config),
        *_regression_notes(config),
        *_people_notes(config),
        *_way_notes(config),
        *_level_notes(config),
        *_maintenance_notes(config),
    )


def _target_notes(config: Config) -> Iterator[Note]:
    seen: dict[str, str] = {}
    for name, target in config.targets.items():
        at, url = f"targets.{name}", target.health.asked
        if url in seen:
            key, what = ("url", "URL") if target.polled else ("promql", "query")
            yield Note(at=f"{at}.health.{key}", text=f"the same {what} as {seen[url]}'s")
        seen.setdefault(url, name)
        if target.polled and target.window < MIN_SAMPLES * target.poll:
            text = (
                f"polled every {format_duration(target.poll)}, fewer than {MIN_SAMPLES} times in"
                f" {format_duration(target.window)}: P95 and error rate stay unknown"
            )
            yield Note(at=f"{at}.poll", text=text, fix="poll more often, or make window longer")
        if target.health.timeout >= target.poll:
            text = "one answer may take longer than the time between polls"
            yield Note(at=f"{at}.health.timeout", text=text, fix="make it shorter than poll")
        yield from _source_notes(at, target)
        yield from _agent_notes(at, target, _bounded(config))


def _regression_notes(config: Config) -> Iterator[Note]:
    """Targets that are asked too seldom for the samples that a regression takes."""
    settings = config.regression
    for name, target in config.targets.items():
        for span, lost in (
            (settings.window, "no regression is told by the guide's formula"),
            (HOUR_MS, "no baseline can be learned"),
        ):
            if span < settings.min_samples * target.poll:
                text = (
                    f"{name} is read every {format_duration(target.poll)}, fewer than"
                    f" {settings.min_samples} times in {format_duration(span)}: {lost}"
                )
                fix = "poll more often, or make min_samples smaller"
                yield Note(at="regression.min_samples", text=text, fix=fix)


def _agent_notes(at: str, target: Target, bounded: tuple[str, ...]) -> Iterator[Note]:
    if target.agent is None:
        lost = [one for one in bounded if one in FROM_AGENT and one not in _given(target)]
        if lost:
            text = f"no agent, so nothing measures {' and '.join(lost)}"
            yield Note(at=at, text=text, fix="run `iora agent` on its host and add agent:")
    elif target.agent.token is None and not is_loopback(_host(target.agent.url)):
        text = "no token: an agent beyond loopback doesn't start without one"
        yield Note(at=f"{at}.agent", text=text, fix='add token: "${IORA_AGENT_TOKEN}"')


def _source_notes(at: str, target: Target) -> Iterator[Note]:
    for number, source in enumerate(target.metrics):
        place = f"{at}.metrics[{number}]"
        if source.timeout >= target.poll:
            text = "one answer may take longer than the time between polls"
            yield Note(at=f"{place}.timeout", text=text, fix="make it shorter than poll")
        for metric in source.values:
            near = nearest(metric, METRIC_UNITS, likeness=0.85)
            if near and metric not in METRIC_UNITS:
                text = "a metric of your own, shown only where it has a bound"
                yield Note(at=f"{place}.values.{metric}", text=text, fix=f"did you mean {near}?")
    for place, urls in _signed(target):
        if any(one.lower().startswith("http:") and not is_loopback(_host(one)) for one in urls):
            text = "sent over http:// beyond this machine, where others on the way can read it"
            yield Note(at=f"{at}.{place}", text=text, fix="use https://")


def _signed(target: Target) -> Iterator[tuple[str, list[str]]]:
    """Where a key is written, and the URLs that it is sent to."""
    if target.auth is not None:
        urls = [target.health.url] if target.polled else []
        urls += [one.url for one in target.metrics if one.url and one.format != "promql"]
        yield "auth", [*urls, *(action.url for action in target.actions.values())]
    if target.health.auth is not None:
        yield "health.auth", [target.health.url]
    for number, source in enumerate(target.metrics):
        if source.auth is not None and source.url is not None:
            yield f"metrics[{number}].auth", [source.url]


def _given(target: Target) -> frozenset[str]:
    return frozenset(metric for source in target.metrics for metric in source.values)


def _bound_notes(config: Config) -> Iterator[Note]:
    given = frozenset[str]().union(*map(_given, config.targets.values()))
    for table, bounds in (("baselines", config.baselines), ("critical", config.critical)):
        for metric in bounds:
            if metric not in FROM_POLLS | FROM_AGENT | given and table in config.model_fields_set:
                text = "nothing gives this metric: it is shown as not measured"
                yield Note(at=f"{table}.{metric}", text=text)


def _people_notes(config: Config) -> Iterator[Note]:
    escalation = config.escalation
    if not config.holders("responder") and not config.holders("commander"):
        text = "nobody has a role: only who was paged may mitigate, resolve or change severity"
        yield Note(at="roles", text=text, fix="name responders and commanders")
        if any(target.actions for target in config.targets.values()):
            text = "nobody has a role: no action can be approved"
            yield Note(at="roles", text=text, fix="name responders and commanders")
    used = {escalation.default, *escalation.by_severity.values()}
    for name, policy in escalation.policies.items():
        at = f"escalation.policies.{name}"
        if name not in used:
            text = "neither default nor by_severity names it: its levels never fire"
            yield Note(at=at, text=text)
        elif policy.pings_people and not escalation.last_resort:
            text = "when nobody answers its repeats, nobody else is told"
            yield Note(at=at, text=text, fix="set escalation.last_resort")
    if not any(escalation.policies[name].pings_people for name in used):
        text = "no policy in use pings a person: incidents are only announced in the channel"
        yield Note(at="escalation", text=text, fix="add user: or group: to a level's notify")


def _level_notes(config: Config) -> Iterator[Note]:
    """Levels that can never fire, as nothing is measured that they ask for."""
    for name, policy in config.escalation.policies.items():
        at = f"escalation.policies.{name}"
        severe = [one for one in _SEVERE if config.escalation.policy_name(one) == name]
        if policy.hours is not None and severe:
            text = f"{' and '.join(severe)} wait for these hours: nobody is told at night"
            yield Note(at=f"{at}.hours", text=text, fix="give them a policy without hours")
        for number, level in enumerate(policy.levels):
            lost = _unmeasured(config, level.when) if level.when is not None else ()
            if lost:
                text = f"no target has a source for {' and '.join(lost)}: this level never fires"
                fix = "add agent: to a target, or name it in the values of its metrics"
                yield Note(at=f"{at}.levels[{number}].when", text=text, fix=fix)


def _maintenance_notes(config: Config) -> Iterator[Note]:
    """Windows that never end: whatever the bot finds there, nobody hears of it."""
    for number, window in enumerate(config.maintenance):
        if window.for_ever:
            missing = set(config.targets) - set(window.targets)
            what = ", ".join(window.targets) if window.targets and missing else "every target"
            text = f"it never ends: nothing that the bot finds on {what} is ever told"
            fix = "give it days or hours"
            yield Note(at=f"maintenance[{number}]", text=text, fix=fix)


def _unmeasured(config: Config, condition: Condition) -> tuple[str, ...]:
    """The metrics that keep a condition from holding on every target; none where it can hold on one."""
    found = [unmeasured(target, condition) for target in config.targets.values()]
    return tuple(dict.fromkeys(one for lost in found for one in lost)) if all(found) else ()


def unmeasured(target: Target, condition: Condition) -> tuple[str, ...]:
    """The metrics without a source on a target that keep a condition from ever holding there."""
    polls = FROM_POLLS if target.polled else frozenset()
    known = _given(target) | polls | (FROM_AGENT if target.agent else frozenset())
    names = [name for name, _ in condition.names if _metric_of(name) not in (*known, "")]
    if can_hold(condition, {}, never=names):
        return ()
    return tuple(dict.fromkeys(_metric_of(name) for name in names))


def _metric_of(name: str) -> str:
    """The metric that a name speaks of; empty for what needs no source."""
    first = name.split(".", maxsplit=1)[0]
    return "" if first in {"incident", "time", "verdict"} else first


def _bounded(config: Config) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*config.baselines, *config.critical]))


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _way_notes(config: Config) -> Iterator[Note]:
    used = {name for contact in config.people.values() for name in contact.ways}
    for name, way in config.ways.items():
        at = f"ways.{name}"
        if name not in used:
            text = "nobody's ways name it: nothing goes there"
            yield Note(at=at, text=text, fix="add it to somebody's ways below people")
        elif isinstance(way, PagerDutyWay) and way.webhook_secret is None:
            text = "no webhook_secret: an acknowledgement in PagerDuty doesn't count here"
            yield Note(at=at, text=text, fix=f"add a v3 webhook there, to /intake/pagerduty/{name}")
        elif isinstance(way, EmailWay) and way.tls == "none" and not is_loopback(way.host):
            text = "mail leaves without TLS: others on the way can read it"
            yield Note(at=f"{at}.tls", text=text, fix="use starttls or tls")
