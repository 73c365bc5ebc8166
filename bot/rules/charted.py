"""Which chart answers a question: the metric that is meant, the window that can be shown, what is marked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from bot.model.answer import Refusal
from bot.model.chart import Chart, Limit, Mark, Point, Span, Trace
from bot.model.config import Config
from bot.model.deploy import Deploy
from bot.model.incident import Incident
from bot.model.nearest import listed, nearest
from bot.model.postmortem import Series
from bot.model.regression import HOUR_MS, Learned, Regression
from bot.model.target import Target
from bot.model.units import METRIC_UNITS, duration_text, format_duration, unit_of
from bot.rules.verdict import title

UPTIME = "uptime_s"
WINDOW_MS = 6 * 3_600_000
_LEAST_MS, _LEAST_POLLS = 60_000, 2
_JOINED_POLLS = 3  # a poll or two may be late; more is a gap
_APART_MS = 5_000  # the clocks of the bot and of a target's host
_NAMED = 12  # metrics in a refusal


def meant(word: str, target: str, config: Config, measured: Collection[str]) -> str | Refusal:
    """The metric that a person means, by its name, as people say it, or by how it begins.

    ``measured`` are those that there are readings of; another is refused with them.
    """
    found = _named(word, measured)
    if found is not None:
        return found
    if not measured:
        return Refusal(
            f"Nothing was read of {target} yet.", f"See `/iora health {target}` in a minute."
        )
    there = f"Measured: {listed(sorted(measured)[:_NAMED], 'and')}."
    other = _named(word, {*METRIC_UNITS, *config.baselines, *config.critical})
    if other is not None:
        name = title(other)
        return Refusal(f"{name[:1].upper()}{name[1:]} of {target} is not measured.", there)
    near = nearest(word, [*measured, *map(_spoken, measured)], likeness=0.5)
    hint = f"Did you mean `{near}`?" if near else there
    return Refusal(f"There is no metric `{word}`.", hint)


def window(asked: int | None, name: str, target: Target, longest: int) -> int | Refusal:
    """How long a chart is, in milliseconds: as asked, or the usual; ``longest`` is what is kept."""
    least = max(_LEAST_MS, _LEAST_POLLS * target.poll)
    if asked is None:
        return min(max(WINDOW_MS, least), longest)
    if asked < least:
        polled = f"{name} is read every {format_duration(target.poll)}"
        return Refusal(
            f"A window of {duration_text(asked)} would show no line: {polled}.",
            f"The shortest is {duration_text(least)}.",
        )
    if asked > longest:
        return Refusal(
            f"Readings are kept for {format_duration(longest)}, so no chart can be longer.",
            f"The longest is {duration_text(longest)}.",
        )
    return asked


def chart(
    config: Config,
    series: Series,
    start: int,
    end: int,
    *,
    limits: tuple[Limit, ...],
    spans: tuple[Span, ...] = (),
    marks: tuple[Mark, ...] = (),
    traces: tuple[Trace, ...] = (),
    of_what: str = "",
    joined_within: int | None = None,
) -> Chart:
    """A metric of a target as a chart; without ``joined_within`` its polls say what is a gap."""
    target = config.targets.get(series.target)
    if joined_within is None and target is not None:
        joined_within = _JOINED_POLLS * target.poll + target.timeout
    return Chart(
        title=f"{title(series.metric)} of {series.target}{of_what}",
        metric=series.metric,
        unit=unit_of(series.metric),
        start=start,
        end=end,
        points=series.points,
        limits=limits,
        spans=spans,
        marks=marks,
        traces=traces,
        joined_within=joined_within,
    )


def bounds(config: Config, metric: str) -> tuple[Limit, ...]:
    """The bounds of a metric, the critical one last; those that never count are shown too."""
    named = (("baseline", config.baselines.get(metric)), ("critical", config.critical.get(metric)))
    return tuple(Limit(name, bound) for name, bound in named if bound)


def spans(incidents: Iterable[Incident]) -> tuple[Span, ...]:
    """The incidents, from when their impact began."""
    return tuple(Span(one.started_at, one.resolved_at, one.key) for one in incidents)


def regressed(regressions: Iterable[Regression]) -> tuple[Span, ...]:
    """While the metric was worse than it used to be."""
    return tuple(Span(one.since, one.closed_at, "regression") for one in regressions)


def usual(learned: Learned, start: int, end: int) -> Trace:
    """What was learned of each hour of the day, as steps over the window."""
    points: list[Point] = []
    for hour in range(start - start % HOUR_MS, end, HOUR_MS):
        known = learned.usual(hour)
        value = known.mean if known else None
        points += [Point(max(start, hour), value), Point(min(end, hour + HOUR_MS - 1), value)]
    return Trace("usual mean", tuple(points), expected=True)


def deployed(deploys: Iterable[Deploy]) -> tuple[Mark, ...]:
    """A mark for each deploy: ``deploy v1.2.3``."""
    return tuple(Mark(one.at, f"deploy {one.title}".strip()) for one in deploys)


def restarts(uptimes: Sequence[Point]) -> Iterator[Mark]:
    """When a target began anew, by readings of its uptime in seconds, in order of time.

    The process is another one, and it began after the reading before: a second process that answers in
    turn with the first is no restart.
    """
    known = [
        (point.at, point.at - round(point.value * 1_000))
        for point in uptimes
        if point.value is not None
    ]
    for (before, began_before), (at, began) in pairwise(known):
        if began > began_before + _APART_MS and began >= before - _APART_MS:
            yield Mark(min(max(began, before), at), "restart")


def _named(word: str, metrics: Collection[str]) -> str | None:
    wanted = word.lower().replace("-", "_")
    if wanted in metrics:
        return wanted
    spoken = [metric for metric in metrics if _spoken(metric) == wanted]
    begun = spoken or [metric for metric in metrics if metric.startswith(wanted)]
    return begun[0] if len(begun) == 1 else None


def _spoken(metric: str) -> str:
    return title(metric).lower().replace(" ", "_")
