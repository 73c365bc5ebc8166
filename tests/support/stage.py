"""A run on a stage: the real rules, services and tables, with the clock and the world played by the test.

Nothing is waited for: what a loop would do, ``turn`` does; a crash forgets what was under way.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlite_utils

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.book import Book
from bot.model.command import Declare, OnRun, StartRun, Tick, Verb
from bot.model.config import Config
from bot.model.incident import Entry
from bot.model.message import Message
from bot.model.reading import Health, Reading, Verdict
from bot.model.run import Mark, Progress, Result, Run, StepRun, Work
from bot.model.step import ActionStep
from bot.services import incidents, runbooks, steering
from bot.services.incidents import Asked, Done
from bot.store import incidents as entries
from bot.store import outbox, runs, timers
from bot.store.database import Tx
from bot.store.schema import migrations
from tests.support.clock import NOON
from tests.support.configs import ALICE, BOB, MALLORY, TEAM, config
from tests.support.runs import ACTIONS, book, read

Params = ParamSpec("Params")
Returned = TypeVar("Returned")

CAROL = "U04CAROL"
alice, bob, mallory, carol = (Actor.slack(TEAM, one) for one in (ALICE, BOB, MALLORY, CAROL))
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
_PASSES = 60


def settings(**top: Any) -> Config:
    """Two targets with the same actions; Alice commands, Bob and Carol respond."""
    written = config().model_dump_json(by_alias=True, exclude_defaults=True)
    data = json.loads(written)
    for name, target in data["targets"].items():
        target["actions"] = {
            action: {"url": f"http://127.0.0.1:8080/{name}/{path}", "json": body, "timeout": "2s"}
            | ({"undo": undo} if undo else {})
            for action, (path, body, undo) in ACTIONS.items()
        }
    data["roles"] = {"responder": [ALICE, BOB, CAROL], "commander": [ALICE]}
    return Config.model_validate_json(json.dumps(data | top))


def without(known: Config, *, action: str = "", role: str = "", target: str = "") -> Config:
    """The config after somebody took something out of it."""
    data = json.loads(known.model_dump_json(by_alias=True, exclude_defaults=True))
    if action:
        for one in data["targets"].values():
            one["actions"].pop(action)
            for other in one["actions"].values():
                if other.get("undo") == action:
                    other.pop("undo")
    if role:
        data["roles"] = {name: people for name, people in data["roles"].items() if name != role}
    if target:
        data["targets"].pop(target)
    return Config.model_validate_json(json.dumps(data))


def bound(*steps: Mapping[str, Any], **more: Any) -> Book:
    """A runbook of these steps as it is when it was read."""
    return read(json.dumps(book(*steps, **more)))


def health(
    target: str = "iora", at: int = NOON, *, verdict: str = "healthy", **metrics: Any
) -> Health:
    """A target that reads so; a metric of None can't be read."""
    readings = tuple(
        Reading(
            metric=name,
            value=value,
            unit="ms" if name.endswith("_ms") else "%",
            reason=None if value is not None else "the agent did not answer",
            at=at,
            source="agent",
        )
        for name, value in metrics.items()
    )
    said = Verdict(verdict)
    return Health(
        target=target, verdict=said, reason=f"it is {said}", status=None, at=at,
        readings=readings, findings=(),
    )  # fmt: skip


class Stage:
    """What a test holds. ``calls``: the actions that were called, by the step's position.

    ``begun``: all work that ever was;
    ``reads``: what the targets read now; ``under_way``: the work that the bot does at this moment.
    """

    def __init__(self, known: Config | None = None) -> None:
        self.config = known or settings()
        self.now = NOON
        self.reads: dict[str, dict[str, Any]] = {"iora": {}, "worker": {}}
        self.under_way: list[Work] = []
        self.begun: list[Work] = []
        self.calls: list[tuple[int, int]] = []
        self.looks = 0
        self.asked_since: list[int] = []
        self.run_id = 1
        self._connection = _memory()

    def do(
        self, function: Callable[Concatenate[Tx, Params], Returned], *args: Params.args,
        **named: Params.kwargs,
    ) -> Returned:  # fmt: skip
        """A function of the services, in a transaction of its own; one that raises is undone."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            done = function(Tx(self._connection, self.now), *args, **named)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return done

    def declare(self, by: Actor = alice) -> int:
        """An incident about iora; its number."""
        done = self.do(
            incidents.declare, self.config, Declare(title="slow", targets=("iora",)), Asked(by)
        )
        assert isinstance(done, Done)
        return done.incident.id

    def start(
        self, given: Book, by: Actor = alice, *, incident: int | None = None,
        target: str | None = "iora", **inputs: str,
    ) -> Run:  # fmt: skip
        """Begin a run, and let it go as far as it goes."""
        started = self.started(given, by, incident=incident, target=target, **inputs)
        assert isinstance(started, Run), started
        self.run_id = started.id
        self.turn()
        return started

    def started(
        self, given: Book, by: Actor = alice, *, incident: int | None = None,
        target: str | None = "iora", **inputs: str,
    ) -> Run | Refusal:  # fmt: skip
        """Begin a run, without letting it go on yet."""
        command = StartRun(
            runbook=given.runbook.id, incident=incident, target=target, inputs=inputs
        )
        asked = Asked(by, frozenset({"C01INCIDENTS", "incidents"}))
        return self.do(runbooks.start, self.config, given, command, asked)

    def say(
        self, who: Actor, verb: Verb, text: str = "", *, mark: Mark | None = None,
        ticks: Mapping[int, Tick] | None = None, run: int | None = None,
    ) -> Progress | Refusal:  # fmt: skip
        """What a person says to the run; it goes on only with the next ``turn``."""
        command = OnRun(run=run or self.run_id, verb=verb, text=text, mark=mark, ticks=ticks or {})
        return self.do(steering.act, self.config, command, Asked(who))

    def accepted(self, who: Actor, verb: Verb, text: str = "", **more: Any) -> None:
        """Say it, and let the run go on."""
        said = self.say(who, verb, text, **more)
        assert isinstance(said, Progress), said
        self.turn()

    def refused(self, who: Actor, verb: Verb, text: str = "", **more: Any) -> str:
        """Say it, and be refused: with this reason."""
        said = self.say(who, verb, text, **more)
        assert isinstance(said, Refusal), f"{verb} was not refused"
        self.turn()
        return said.reason

    def turn(self) -> None:
        """What the loop does until nothing is due; work that is begun is under way after it."""
        for _ in range(_PASSES):
            claimed = self.do(timers.claim, 64, runbooks.KIND)
            if not claimed:
                return
            for timer in claimed:
                look = self.do(runbooks.looks_at, int(timer.subject), self.config)
                healths = {look.target: self.health(look.target)} if look is not None else {}
                if look is not None:
                    self.looks += 1
                    self.asked_since.append(look.since)
                work = self.do(runbooks.advance, timer, self.config, healths, {})
                if work is not None:
                    self.under_way.append(work)
                    self.begun.append(work)
                    if isinstance(work.definition, ActionStep):
                        self.calls.append((work.run.id, work.step.position))
        raise AssertionError("the loop goes round and round")

    def health(self, target: str) -> Health:
        """What the target reads now."""
        return health(target, self.now, **self.reads.get(target, {"verdict": "unknown"}))

    def ended(
        self, state: str = "ok", text: str = "done", work: Work | None = None, **more: Any
    ) -> None:
        """The oldest work that is under way has this result, and the run goes on."""
        done = work or self.under_way[0]
        if done in self.under_way:
            self.under_way.remove(done)
        facts = {"called": state != "failed"} if isinstance(done.definition, ActionStep) else {}
        result = Result(state=state, text=text, facts=facts, **more)  # type: ignore[arg-type]
        self.do(runbooks.finish, done, result, self.config)
        self.turn()

    def crash(self) -> None:
        """The bot is killed, and starts again."""
        self.under_way.clear()
        self.do(timers.release_claims)
        self.do(runbooks.recover, self.config)
        self.turn()

    def later(self, milliseconds: int) -> None:
        """Time goes by while the bot lives: every timer is met when it is due."""
        end = self.now + milliseconds
        for _ in range(3_000):
            soonest = self.do(_next_due)
            if soonest is None or soonest > end:
                break
            self.now = max(self.now, soonest)
            self.turn()
        else:
            raise AssertionError("too many timers for the time")
        self.now = end
        self.turn()

    def away(self, milliseconds: int) -> None:
        """Time goes by while there is no bot; then it starts again."""
        self.now += milliseconds
        self.crash()

    @property
    def progress(self) -> Progress:
        """The run as it is now."""
        found = self.do(runs.progress, self.run_id)
        assert found is not None
        return found

    @property
    def run(self) -> Run:
        return self.progress.run

    def step(self, name: str) -> StepRun:
        """The newest step with this id."""
        return next(one for one in reversed(self.progress.steps) if one.step == name)

    def states(self) -> dict[str, str]:
        """Every step's state by its id."""
        return {one.step: str(one.state) for one in self.progress.steps}

    def mark(self, name: str) -> Mark:
        """The mark of a button that is drawn for the step now."""
        return Mark.of(self.step(name))

    def timeline(self, incident: int = 1) -> list[Entry]:
        """The incident's entries."""
        return list(self.do(entries.timeline, incident))

    def messages(self, prefix: str = "") -> list[Message]:
        """The outbox's messages whose key begins so."""
        return self.do(outbox.with_prefix, prefix)

    def armed(self) -> int | None:
        """When the run goes on by itself, if it does."""
        return self.do(_next_due)

    def called(self, name: str) -> int:
        """How often the action of the step was called in this run."""
        return self.calls.count((self.run_id, self.step(name).position))


def _memory() -> sqlite3.Connection:
    """The tables as the bot makes them, in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys=ON")
    migrations.apply(sqlite_utils.Database(connection, execute_plugins=False))
    return connection


def _next_due(tx: Tx) -> int | None:
    row = tx.one("SELECT MIN(due_at) AS due FROM timers WHERE kind = :kind", kind=runbooks.KIND)
    assert row is not None
    due_at: int | None = row["due"]
    return due_at
