"""Charts that somebody asks for: what they show, read from the store, and the image on its way."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass

from bot.clock import at
from bot.model.answer import Answer, Refusal
from bot.model.chart import Chart, Mark, Point, Trace
from bot.model.command import ShowChart
from bot.model.config import Config
from bot.model.incident import Facts
from bot.model.postmortem import Series
from bot.model.target import Bound
from bot.model.units import duration_text
from bot.render.chart import available
from bot.rules import charted, sketch
from bot.rules.verdict import title
from bot.services.asking import destination
from bot.services.incidents import Asked
from bot.services.live import Live
from bot.services.monitoring import POLL, SAID
from bot.store import deploys, incidents, learned, outbox, regressions, samples, sketches
from bot.store.database import Database, Tx
from bot.text import outside

_OURS = {POLL, SAID}  # what the bot notes for itself
_HOURS_JOINED_MS = 5_400_000  # one hour after the other; where one is missing, nobody looked
_SOON_AFTER_ITS_START = 2  # polls


@dataclass(frozen=True)
class Wanted:
    """Which chart, as the outbox keeps it: it is read and drawn when it is sent. Times in milliseconds."""

    target: str
    metric: str
    start: int
    end: int


class Charts:
    """Answers ``/iora chart``."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live

    async def show(self, command: ShowChart, asked: Asked) -> Answer | Refusal:
        """The chart; in Slack its image follows as a file, unless there is none to be drawn.

        ``image`` of the answer: ``follows``, ``none`` (nothing to see), ``not installed``; else None.
        """
        found = await self._database.read(_found, self._live.config, command)
        if isinstance(found, Refusal):
            return found
        wanted, chart = found
        image = None
        if asked.actor.person is not None:
            image = _image(chart)
        if image == "follows":
            await self._database.write(share, wanted, chart.title, asked)
        return Answer(kind="chart", facts={"chart": chart, "target": wanted.target, "image": image})


def share(tx: Tx, wanted: Wanted, name: str, asked: Asked) -> None:
    """The image, where it was asked; where the bot is not a member, it goes to the person."""
    number = uuid.uuid4().hex[:8]
    window = duration_text(wanted.end - wanted.start)
    facts = {
        "chart": asdict(wanted),
        "name": f"{wanted.target}-{wanted.metric}-{at(wanted.end):%Y%m%d-%H%M%S}-{number}.png",
        "title": f"{name[:1].upper()}{name[1:]}, {window}",
        "person": asked.actor.person,
        "thread_ts": asked.thread,
    }
    outbox.add(tx, f"file:chart:{number}", "file", destination(asked), facts)


def of_facts(tx: Tx, config: Config, facts: Facts) -> Chart:
    """The chart of a row of the outbox, from what is kept now."""
    return read(tx, config, Wanted(**facts["chart"]))


def read(tx: Tx, config: Config, wanted: Wanted) -> Chart:
    """Raw readings as long as they are kept; of a longer window the mean of each hour, and its P95."""
    happened = incidents.on_target(tx, wanted.target, wanted.start, wanted.end)
    worse = regressions.between(tx, wanted.target, wanted.metric, wanted.start, wanted.end)
    hourly = wanted.end - wanted.start > config.samples.raw
    points, traces = _hours(tx, config, wanted) if hourly else (_raw(tx, wanted), ())
    return charted.chart(
        config,
        Series(wanted.target, wanted.metric, points),
        wanted.start,
        wanted.end,
        limits=charted.bounds(config, wanted.metric),
        spans=(*charted.spans(happened), *charted.regressed(worse)),
        marks=marks(tx, config, wanted.target, wanted.start, wanted.end),
        traces=(*traces, *_usual(tx, wanted)),
        of_what=", mean of each hour" if hourly else "",
        joined_within=_HOURS_JOINED_MS if hourly else None,
    )


def marks(tx: Tx, config: Config, target: str, start: int, end: int) -> tuple[Mark, ...]:
    """The deploys on a target, and its restarts as far as its uptime tells of them.

    Of an hour whose raw readings are gone it is known only that the target was young in it.
    """
    told = charted.deployed(deploys.between(tx, target, start, end))
    exact = max(start, sketches.hour_of(tx.now - config.samples.raw))
    young = _young(tx, config, target, start, exact - 1) if exact > start else ()
    return (*told, *young, *charted.restarts(_raw(tx, Wanted(target, charted.UPTIME, exact, end))))


def _found(tx: Tx, config: Config, command: ShowChart) -> tuple[Wanted, Chart] | Refusal:
    target = config.targets.get(command.target)
    if target is None:  # a reload came in between
        return Refusal(f"There is no target `{command.target}`.", "See `/iora health`.")
    measured = [one for one in samples.metrics(tx, command.target) if one not in _OURS]
    metric = charted.meant(outside(command.metric, 40), command.target, config, measured)
    if isinstance(metric, Refusal):
        return metric
    window = charted.window(command.window, command.target, target, config.samples.hours)
    if isinstance(window, Refusal):
        return window
    wanted = Wanted(command.target, metric, tx.now - window, tx.now)
    chart = read(tx, config, wanted)
    if not chart.within():
        return _nothing(tx, config, wanted, measured)
    return wanted, chart


def _nothing(tx: Tx, config: Config, wanted: Wanted, measured: list[str]) -> Refusal:
    """No reading in the window: since when there is none, and what there is instead."""
    window = wanted.end - wanted.start
    reason = f"{title(wanted.metric)} of {wanted.target} was not read in {duration_text(window)}."
    last = samples.newest(tx, wanted.target, wanted.metric)
    others = [one for one in measured if one != wanted.metric and _is_read(tx, wanted, one)]
    remedy = f"Read then: {', '.join(others)}." if others else "Nothing else was, either."
    if last is not None:
        remedy = f"Its newest reading is of {at(last.at):%Y-%m-%d %H:%M} UTC. {remedy}"
    return Refusal(f"{reason[:1].upper()}{reason[1:]}", remedy)


def _is_read(tx: Tx, wanted: Wanted, metric: str) -> bool:
    newest = samples.newest(tx, wanted.target, metric)
    return newest is not None and newest.at >= wanted.start


def _image(chart: Chart) -> str:
    if not any(point.known for point in chart.within()):
        return "none"
    return "follows" if available() else "not installed"


def _raw(tx: Tx, wanted: Wanted) -> tuple[Point, ...]:
    found = samples.between(tx, wanted.target, wanted.metric, wanted.start, wanted.end)
    return tuple(Point(one.at, one.value) for one in found)


def _hours(tx: Tx, config: Config, wanted: Wanted) -> tuple[tuple[Point, ...], tuple[Trace, ...]]:
    """The mean of each hour in its middle; and how bad it came: P95, or P5 of what should be high."""
    found = sketches.hours(tx, wanted.target, wanted.metric, wanted.start, wanted.end)
    bound = config.baselines.get(wanted.metric) or config.critical.get(wanted.metric)
    part, name = (0.05, "P5") if _should_be_high(bound) else (0.95, "P95")
    middles = [max(wanted.start, min(_middle(one.at), wanted.end)) for one in found]
    pairs = list(zip(middles, found, strict=True))
    means = tuple(Point(middle, sketch.mean(one.sketch)) for middle, one in pairs)
    worst = tuple(Point(middle, sketch.quantile(one.sketch, part)) for middle, one in pairs)
    return means, (Trace(f"hourly {name}", worst, _HOURS_JOINED_MS),)


def _usual(tx: Tx, wanted: Wanted) -> tuple[Trace, ...]:
    """What somebody had learned as usual for the target, if the metric is in it."""
    window = learned.newest(tx, wanted.target)
    known = window.metrics.get(wanted.metric) if window is not None else None
    return (charted.usual(known, wanted.start, wanted.end),) if known is not None else ()


def _should_be_high(bound: Bound | None) -> bool:
    return bound is not None and bound.direction == "over"


def _middle(hour: int) -> int:
    return hour + sketches.HOUR_MS // 2


def _young(tx: Tx, config: Config, target: str, first: int, last: int) -> tuple[Mark, ...]:
    watched = config.targets.get(target)
    if watched is None:
        return ()
    soon = _SOON_AFTER_ITS_START * watched.poll / 1_000
    found = sketches.lows(tx, target, charted.UPTIME, first, last, soon)
    return tuple(Mark(_middle(hour), "restart") for hour in found)
