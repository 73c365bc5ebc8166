"""What becomes of alerts: stored, grouped, one incident a group, and what its timeline is told."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from bot.model.alert import Alert
from bot.model.answer import Answer, Challenge, Refusal
from bot.model.command import (
    Acknowledge,
    EndSilence,
    Mitigate,
    OnFinding,
    Resolve,
    SetSeverity,
    SetSilence,
)
from bot.model.config import Config
from bot.model.incident import Incident, Severity, Status
from bot.model.message import Message
from bot.render import alert_suggestion
from bot.render.entry import sentence
from bot.rules.alert import not_taken
from bot.rules.alerting import GATHER_MS, MOST_GROUPS, MOST_INCIDENTS
from bot.services import alert_suggestions, alerting, intake, silencing
from bot.services.due import schedule
from bot.services.incidents import Asked
from bot.store import alerts, incidents, outbox, timers
from bot.store.database import Database, Tx
from tests.support.alerts import INTAKE
from tests.support.clock import ManualClock
from tests.support.configs import config
from tests.support.drawings import shown
from tests.support.incidents import alice
from tests.support.store import clock, database
from tests.support.story import Story

__all__ = ["clock", "database"]
MINUTE = 60_000


def alert(title: str = "HighErrorRate", number: int = 1, **changes: Any) -> Alert:
    known: dict[str, Any] = {
        "source": "prometheus",
        "fingerprint": f"{title}-{number}",
        "title": title,
        "firing": True,
        "since": 0,
        "severity": Severity.SEV3,
        "target": "iora",
        "group": (("alertname", title),),
        "labels": {"alertname": title},
    }
    return Alert(**(known | changes))


def over(title: str = "HighErrorRate", number: int = 1, **changes: Any) -> Alert:
    return alert(title, number, firing=False, **changes)


class Scene(Story):
    """A story with alerts; time goes on as far as the groups want to be looked at."""

    def __init__(self, database: Database, clock: ManualClock, **settings: Any) -> None:
        super().__init__(database, clock, config(**({"intake": INTAKE} | settings)))

    async def receive(self, *told: Alert) -> None:
        await self.database.write(intake.receive, self.config, told)

    async def look(self, after_ms: int = GATHER_MS) -> None:
        """Let time pass, and look at every group when it is due."""
        end = self.clock.now() + after_ms
        while True:
            due = await self.database.read(_next)
            if due is None or due > end:
                break
            self.clock.advance(max(0, due - self.clock.now()))
            for timer in await self.database.write(timers.claim, 1_000, intake.KIND):
                await self.database.write(alerting.settle, timer, self.config)
        self.clock.advance(end - self.clock.now())

    async def tell(self, *told: Alert) -> None:
        await self.receive(*told)
        await self.look()

    async def live(self) -> list[Incident]:
        return await self.database.read(incidents.live, 100)

    async def said(self, number: int = 1) -> list[tuple[str, int, int]]:
        entries = await self.timeline("alerts", number=number)
        return [
            (entry.facts["what"], entry.facts["firing"], entry.facts["resolved"])
            for entry in entries
        ]

    async def counts(self, number: int = 1) -> tuple[int, int]:
        found = await self.database.read(alerts.of_incident, number)
        assert found is not None
        return found.firing, found.resolved


def _next(tx: Tx) -> int | None:
    return timers.next_due(tx, intake.KIND)


@pytest.fixture
def scene(database: Database, clock: ManualClock) -> Scene:
    return Scene(database, clock)


def many(count: int, title: str = "HighErrorRate") -> Sequence[Alert]:
    return [alert(title, number) for number in range(count)]


async def test_what_comes_within_a_few_seconds_is_one_incident(scene: Scene) -> None:
    await scene.receive(*many(5))
    await scene.look(GATHER_MS - 1)
    assert await scene.live() == []
    await scene.receive(*many(12))
    await scene.look(1)
    (incident,) = await scene.live()
    assert incident.title == "iora: HighErrorRate"
    assert (incident.severity, incident.targets) == (Severity.SEV3, ("iora",))
    assert incident.declared_by == "bot"
    assert await scene.counts() == (12, 0)
    (declared,) = await scene.timeline("declared")
    assert declared.facts["because"] == ["12 alerts firing: HighErrorRate (12)"]


async def test_it_began_when_its_source_says_and_leads_there(scene: Scene) -> None:
    began = scene.clock.now() - 20 * MINUTE
    await scene.tell(
        alert(since=began + MINUTE), alert(number=2, since=began, url="http://prometheus/2")
    )
    (incident,) = await scene.live()
    assert incident.started_at == began
    seen = await scene.database.read(alerts.of_incident, 1)
    assert seen is not None
    assert seen.url == "http://prometheus/2"


async def test_what_its_source_insists_on_began_when_it_was_resolved_at_the_earliest(
    scene: Scene,
) -> None:
    began = scene.clock.now()
    await scene.tell(alert(since=began))
    await scene.change(Resolve(incident=1, text="not ours", anyway=True))
    over_at = (await scene.incident()).resolved_at
    await scene.look(40 * MINUTE)
    await scene.tell(alert(since=began))
    assert (await scene.incident(2)).started_at == over_at


async def test_what_comes_while_a_group_is_looked_at_does_not_put_that_off(scene: Scene) -> None:
    await scene.receive(alert())
    scene.clock.advance(GATHER_MS)
    (timer,) = await scene.database.write(timers.claim, 10, intake.KIND)
    await scene.receive(alert(number=2))
    await scene.database.write(alerting.settle, timer, scene.config)
    assert len(await scene.live()) == 1
    assert await scene.counts() == (2, 0)


async def test_repeats_change_nothing_and_are_told_nowhere(scene: Scene) -> None:
    await scene.tell(*many(3))
    card = (await scene.messages("card"))[0].revision
    for _ in range(20):
        await scene.tell(*many(3))
    assert await scene.said() == []
    assert (await scene.messages("card"))[0].revision == card
    assert await scene.counts() == (3, 0)


async def test_what_was_over_before_it_was_looked_at_opens_nothing(scene: Scene) -> None:
    await scene.tell(alert(), over())
    assert await scene.live() == []


async def test_all_cleared_is_said_and_resolves_nothing(scene: Scene) -> None:
    await scene.tell(*many(3))
    await scene.look(MINUTE)
    await scene.tell(*(over(number=number) for number in range(3)))
    assert await scene.said() == [("cleared", 0, 3)]
    assert (await scene.incident()).status is Status.OPEN
    assert len(await scene.messages("entry")) == 1, "the thread hears of it"


async def test_what_fires_again_is_said_in_the_same_incident(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.look(MINUTE)
    await scene.tell(over())
    await scene.look(MINUTE)
    await scene.tell(alert())
    assert [what for what, _, _ in await scene.said()] == ["cleared", "back"]
    assert len(await scene.live()) == 1


async def test_what_comes_and_goes_all_day_is_a_bounded_number_of_lines(scene: Scene) -> None:
    await scene.tell(alert())
    for _ in range(6 * 60):
        await scene.look(10_000)
        await scene.tell(over())
        await scene.look(10_000)
        await scene.tell(alert())
    assert len(await scene.live()) == 1
    assert 10 < len(await scene.said()) < 40, "about one in ten minutes, after the first ones"


async def test_alerts_of_other_targets_or_labels_are_other_incidents(scene: Scene) -> None:
    await scene.tell(alert(), alert("DiskFull"), alert(number=2, target="worker"))
    titles = {incident.title for incident in await scene.live()}
    assert titles == {"iora: HighErrorRate", "iora: DiskFull", "worker: HighErrorRate"}


async def test_a_worse_alert_raises_the_severity_and_with_it_the_policy(scene: Scene) -> None:
    await scene.tell(alert())
    assert await scene.paged() == []
    await scene.look(MINUTE)
    await scene.tell(alert(number=2, severity=Severity.SEV1))
    (incident,) = await scene.live()
    assert incident.severity is Severity.SEV1
    await scene.fire()
    assert await scene.paged() == ["U01ALICE"]


async def test_a_worse_alert_stays_with_the_policy_that_its_source_names(scene: Scene) -> None:
    told = copy.deepcopy(INTAKE)
    told["sources"]["prometheus"]["policy"] = "announce"
    scene.config = config(intake=told)
    await scene.tell(alert())
    await scene.look(MINUTE)
    await scene.tell(alert(number=2, severity=Severity.SEV1))
    (incident,) = await scene.live()
    assert (incident.severity, incident.policy["name"]) == (Severity.SEV1, "announce")
    await scene.fire()
    assert await scene.paged() == []


async def test_what_comes_back_worse_than_it_was_is_reopened_as_bad_as_it_is(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.tell(over())
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(10 * MINUTE)
    await scene.tell(alert(severity=Severity.SEV1))
    await scene.look(1)
    incident = await scene.incident()
    assert (incident.status, incident.severity) == (Status.OPEN, Severity.SEV1)


async def test_what_a_person_lowered_stays_lowered_when_it_comes_back(scene: Scene) -> None:
    await scene.tell(alert(severity=Severity.SEV1))
    await scene.change(SetSeverity(incident=1, severity=Severity.SEV4))
    await scene.tell(over(severity=Severity.SEV1))
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(10 * MINUTE)
    await scene.tell(alert(severity=Severity.SEV1))
    await scene.look(MINUTE)
    incident = await scene.incident()
    assert (incident.status, incident.severity) == (Status.OPEN, Severity.SEV4)


async def test_what_a_person_lowered_stays_lowered(scene: Scene) -> None:
    await scene.tell(alert(severity=Severity.SEV1))
    await scene.database.write(incidents.update, 1, {"severity": "sev4"})
    await scene.tell(alert(number=2, severity=Severity.SEV1))
    assert (await scene.incident()).severity is Severity.SEV4


async def test_one_that_comes_back_soon_after_the_resolving_reopens_it(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.tell(over())
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(10 * MINUTE)
    await scene.tell(alert())
    (incident,) = await scene.live()
    assert (incident.id, incident.status) == (1, Status.OPEN)


async def test_one_that_comes_back_much_later_is_a_new_incident(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.tell(over())
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(40 * MINUTE)
    await scene.tell(alert())
    (incident,) = await scene.live()
    assert incident.id == 2
    assert await scene.counts(2) == (1, 0)


async def test_a_repeat_of_what_a_person_resolved_opens_nothing_for_half_an_hour(
    scene: Scene,
) -> None:
    await scene.tell(alert())
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(5 * MINUTE)
    await scene.tell(alert())
    assert await scene.live() == []
    await scene.look(30 * MINUTE)
    await scene.tell(alert())
    assert len(await scene.live()) == 1, "its source insists on it"


async def test_whoever_resolves_it_while_alerts_fire_is_asked_first(scene: Scene) -> None:
    await scene.tell(*(alert(number=number, target="") for number in range(3)))
    asked = await scene.try_change(Resolve(incident=1))
    assert isinstance(asked, Challenge)
    assert asked.failing == ("3 alerts firing: HighErrorRate (3)",)
    await scene.tell(*(over(number=number, target="") for number in range(3)))
    await scene.change(Resolve(incident=1))


async def test_what_fires_again_after_it_was_mitigated_is_open_again(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.look(MINUTE)
    await scene.tell(over())
    await scene.change(Acknowledge(incident=1))
    await scene.change(Mitigate(incident=1))
    await scene.look(MINUTE)
    await scene.tell(alert())
    assert (await scene.incident()).status is Status.OPEN


async def test_what_comes_and_goes_is_open_again_at_once_where_it_was_mitigated(
    scene: Scene,
) -> None:
    await scene.tell(alert())
    for _ in range(20):
        await scene.look(MINUTE)
        await scene.tell(over())
        await scene.look(MINUTE)
        await scene.tell(alert())
    await scene.tell(over())
    await scene.change(Acknowledge(incident=1))
    await scene.change(Mitigate(incident=1))
    await scene.tell(alert())
    assert (await scene.incident()).status is Status.OPEN


async def test_one_that_fires_on_does_not_undo_that_it_was_mitigated(scene: Scene) -> None:
    await scene.tell(alert())
    await scene.tell(over())
    await scene.tell(alert())
    await scene.change(Acknowledge(incident=1))
    await scene.change(Mitigate(incident=1))
    await scene.tell(alert())
    await scene.look(30 * MINUTE)
    assert (await scene.incident()).status is Status.MITIGATED


async def test_what_came_a_moment_ago_is_not_resolved_with_the_rest_unseen(scene: Scene) -> None:
    await scene.tell(alert(target=""))
    await scene.tell(over(target=""))
    await scene.receive(alert("HighErrorRate", 2, target=""))
    asked = await scene.try_change(Resolve(incident=1))
    assert isinstance(asked, Challenge)
    assert asked.failing == ("1 alert firing, 1 resolved: HighErrorRate",)


async def test_an_alert_that_moves_to_another_group_is_counted_once(scene: Scene) -> None:
    await scene.tell(alert(), alert(number=2))
    await scene.tell(alert(target="worker"))
    assert [await scene.counts(number) for number in (1, 2)] == [(1, 0), (1, 0)]


async def test_what_was_too_large_to_be_read_is_an_incident_that_says_what_to_do(
    scene: Scene,
) -> None:
    lost = not_taken("prometheus", scene.config.intake.sources["prometheus"], scene.clock.now())
    await scene.tell(lost)
    (incident,) = await scene.live()
    assert incident.title == "prometheus sends more at once than is taken"
    assert incident.severity is scene.config.escalation.default_severity
    (declared,) = await scene.timeline("declared")
    assert "see its alerts there" in declared.facts["because"][1]


async def test_of_a_storm_few_incidents_are_opened_and_the_rest_is_in_one(scene: Scene) -> None:
    told = [alert(f"Alert{number}", number) for number in range(400)]
    await scene.receive(*told)
    await scene.receive(*told)
    await scene.look(MINUTE)
    live = await scene.live()
    assert len(live) == MOST_INCIDENTS + 1
    assert [one.title for one in live].count("Many alerts from prometheus") == 1
    firing = [(await scene.counts(one.id))[0] for one in live]
    assert sum(firing) == 400, "none is lost"
    assert sorted(firing)[:-1] == [1] * MOST_INCIDENTS
    await scene.tell(*(over(f"Alert{number}", number) for number in range(400)))
    await scene.look(MINUTE)
    assert [(await scene.counts(one.id))[0] for one in live] == [0] * len(live)


async def test_the_rest_takes_what_is_new_while_it_fires_and_no_longer(scene: Scene) -> None:
    await scene.receive(*(alert(f"Alert{number}", number) for number in range(MOST_GROUPS + 10)))
    await scene.look(MINUTE)
    await scene.tell(alert("New"))
    assert len(await scene.live()) == MOST_INCIDENTS + 1
    await scene.tell(*(over(f"Alert{number}", number) for number in range(MOST_GROUPS + 10)))
    await scene.tell(over("New"))
    await scene.look(20 * MINUTE)
    await scene.tell(alert("Later"))
    assert (await scene.live())[-1].title == "iora: Later"


async def test_many_that_are_never_resolved_are_no_storm(scene: Scene) -> None:
    for number in range(MOST_GROUPS + 2):
        await scene.tell(alert(f"Alert{number}", number))
        await scene.look(12 * MINUTE)
    assert (await scene.live())[-1].title == f"iora: Alert{MOST_GROUPS + 1}"


async def test_one_that_fires_in_the_rest_for_ever_takes_nothing_with_it(scene: Scene) -> None:
    told = [alert(f"Alert{number}", number) for number in range(MOST_GROUPS + 10)]
    await scene.receive(*told)
    await scene.look(MINUTE)
    forever = told[-1]
    await scene.tell(*(over(f"Alert{number}", number) for number in range(MOST_GROUPS + 9)))
    await scene.look(4 * 60 * MINUTE)
    await scene.tell(forever)
    await scene.tell(alert("Later"))
    assert (await scene.live())[-1].title == "iora: Later"
    assert (await scene.counts(MOST_INCIDENTS + 1))[0] == 1, "it stays where it fired"


async def test_what_is_muted_opens_nothing_until_it_is_not(scene: Scene) -> None:
    window = {
        "name": "nightly",
        "reason": "backup",
        "from": "15:00",
        "to": "15:30",
        "timezone": "UTC",
        "targets": ["iora"],
    }
    scene.config = config(intake=INTAKE, maintenance=[window])
    await scene.tell(alert())
    assert await scene.live() == []
    await scene.look(20 * MINUTE)
    assert len(await scene.live()) == 0
    await scene.look(10 * MINUTE)
    assert len(await scene.live()) == 1, "it still fires when the window is over"


async def test_whoever_ends_a_silence_early_is_told_what_fires(scene: Scene) -> None:
    quiet = SetSilence(targets=("iora",), length=12 * 60 * MINUTE, reason="we work on it")
    await scene.database.write(silencing.set_silence, scene.config, quiet, Asked(alice))
    await scene.tell(alert())
    assert await scene.live() == []
    await scene.database.write(silencing.end_silence, scene.config, EndSilence(), Asked(alice))
    await scene.look()
    (incident,) = await scene.live()
    assert incident.title == "iora: HighErrorRate"


async def test_a_window_that_the_config_drops_holds_back_nothing_any_more(scene: Scene) -> None:
    window = {
        "name": "afternoon",
        "reason": "not ours",
        "from": "15:00",
        "to": "23:00",
        "timezone": "UTC",
        "targets": ["iora"],
    }
    scene.config = config(intake=INTAKE, maintenance=[window])
    await scene.tell(alert())
    assert await scene.live() == []
    scene.config = config(intake=INTAKE)
    await scene.database.write(silencing.schedule, scene.config)
    await scene.look()
    assert len(await scene.live()) == 1


async def test_a_source_that_the_config_has_no_more_opens_nothing(scene: Scene) -> None:
    await scene.receive(alert())
    scene.config = config()
    await scene.look()
    assert await scene.live() == []


async def test_what_a_source_fired_that_the_config_drops_is_not_followed_any_more(
    scene: Scene,
) -> None:
    await scene.tell(alert(), alert(number=2), alert(source="builds", group=()))
    scene.config = without("prometheus")
    await scene.database.write(schedule, scene.config)
    await scene.look(MINUTE)
    assert await scene.said() == [("cleared", 0, 0)]
    (entry,) = await scene.timeline("alerts")
    assert sentence(entry) == (
        "Its source was dropped from the config: nobody can tell whether it is over."
        " (prometheus: HighErrorRate (2)) The incident stays open until somebody resolves it."
    )
    assert await scene.counts() == (0, 0), "nothing holds it open"
    assert await scene.database.read(alerts.firing_by_source) == {"builds": 1}


async def test_what_was_suggested_for_a_source_that_the_config_drops_says_so(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    scene.config = without("prometheus")
    await scene.database.write(schedule, scene.config)
    await scene.look()
    said = shown(alert_suggestion.suggestion((await suggestion(scene)).facts))
    assert "Its source was dropped from the config" in said
    assert "Declare" not in said


def without(source: str) -> Config:
    told = copy.deepcopy(INTAKE)
    del told["sources"][source]
    return config(intake=told)


def suggesting(**changes: Any) -> Config:
    told = copy.deepcopy(INTAKE)
    told["sources"]["prometheus"] |= {"open": "suggest", **changes}
    return config(intake=told)


async def suggestion(scene: Scene) -> Message:
    (found,) = await scene.database.read(outbox.with_prefix, "alerts:")
    return found


async def answer(scene: Scene, verb: Any) -> Answer | Refusal:
    command = OnFinding(key=(await suggestion(scene)).key, verb=verb)
    return await scene.database.write(alert_suggestions.answer, scene.config, command, Asked(alice))


async def test_a_suggestion_is_one_message_that_counts_along(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(*many(3))
    assert await scene.live() == []
    first = await suggestion(scene)
    assert (first.destination, first.facts["firing"]) == ("channel:incidents", 3)
    await scene.tell(*many(5))
    await scene.tell(*(over(number=number) for number in range(5)))
    await scene.look(MINUTE)
    await scene.tell(alert())
    now = await suggestion(scene)
    assert (now.id, now.facts["firing"], now.facts["resolved"]) == (first.id, 1, 4)


async def test_a_suggestion_says_how_bad_the_worst_is(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await scene.tell(alert(number=2, severity=Severity.SEV1))
    assert (await suggestion(scene)).facts["severity"] == "sev1"
    await answer(scene, "declare")
    assert (await scene.incident()).severity is Severity.SEV1


async def test_whoever_presses_declare_is_who_declared_it_and_the_card_counts(scene: Scene) -> None:
    scene.config = suggesting(policy="announce", runbook="high-cpu-usage")
    await scene.tell(*many(3))
    given = await answer(scene, "declare")
    assert isinstance(given, Answer)
    (incident,) = await scene.live()
    assert (incident.declared_by, incident.policy["name"]) == (alice.text, "announce")
    assert await scene.counts() == (3, 0)
    assert (await suggestion(scene)).facts["incident"] == 1
    again = await answer(scene, "declare")
    assert isinstance(again, Refusal)
    assert again.reason == "It is INC-1 already."


async def test_what_fires_again_after_it_was_declared_and_resolved_is_suggested_again(
    scene: Scene,
) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await answer(scene, "declare")
    await scene.tell(over())
    await scene.change(Resolve(incident=1, text="it is over", anyway=True))
    await scene.look(10 * MINUTE)
    await scene.tell(alert())
    await scene.tell(alert())
    first, again = await scene.database.read(outbox.with_prefix, "alerts:")
    assert (first.facts["incident"], again.facts.get("incident")) == (1, None)
    pressed = OnFinding(key=again.key, verb="declare")
    await scene.database.write(alert_suggestions.answer, scene.config, pressed, Asked(alice))
    assert [one.id for one in await scene.live()] == [1], "so soon it is the same one, reopened"


async def test_a_source_that_insists_on_what_was_declared_and_resolved_is_suggested_again(
    scene: Scene,
) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await answer(scene, "declare")
    await scene.change(Resolve(incident=1, text="not ours", anyway=True))
    await scene.look(MINUTE)
    await scene.tell(alert())
    assert len(await scene.database.read(outbox.with_prefix, "alerts:")) == 1
    await scene.look(40 * MINUTE)
    await scene.tell(alert())
    await scene.tell(alert())
    assert len(await scene.database.read(outbox.with_prefix, "alerts:")) == 2


async def test_a_dismissed_suggestion_asks_no_more(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(*many(3))
    assert isinstance(await answer(scene, "dismiss"), Answer)
    await scene.tell(*many(5))
    assert (await suggestion(scene)).facts["by"] == alice.text
    assert isinstance(await answer(scene, "dismiss"), Refusal)


async def test_a_worse_alert_than_what_was_dismissed_asks_once_more(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await answer(scene, "dismiss")
    for _ in range(3):
        await scene.tell(alert(number=2, severity=Severity.SEV1))
    first, worse = await scene.database.read(outbox.with_prefix, "alerts:")
    assert (first.facts["severity"], worse.facts["severity"]) == ("sev3", "sev1")
    assert "by" not in worse.facts


async def test_what_is_over_is_not_declared_by_a_late_press(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await scene.tell(over())
    given = await answer(scene, "declare")
    assert isinstance(given, Refusal)
    assert await scene.live() == []


async def test_old_alerts_are_forgotten_and_what_fires_is_not(scene: Scene) -> None:
    await scene.tell(alert(), alert("DiskFull"))
    await scene.tell(over("DiskFull"))
    scene.clock.advance(8 * 24 * 60 * MINUTE)
    before = scene.clock.now() - alerts.KEPT_MS
    assert await scene.database.write(alerts.forget, before) == 1
    assert await scene.database.read(alerts.place_of, "prometheus", "DiskFull-1") is None
    assert await scene.database.read(alerts.place_of, "prometheus", "HighErrorRate-1") is not None


async def test_what_nobody_has_spoken_of_for_a_month_fires_no_more(scene: Scene) -> None:
    await scene.tell(alert(), alert(number=2))
    scene.clock.advance(29 * 24 * 60 * MINUTE)
    await scene.tell(alert())
    scene.clock.advance(2 * 24 * 60 * MINUTE)
    before = scene.clock.now() - alerts.SILENT_MS
    (group,) = await scene.database.write(alerts.forget_silent, before)
    await scene.database.write(intake.look_soon, group, scene.clock.now())
    await scene.look()
    assert await scene.counts() == (1, 0)


async def test_a_suggestion_that_stands_for_long_is_not_made_again_in_a_storm(scene: Scene) -> None:
    scene.config = suggesting()
    await scene.tell(alert())
    await scene.look(20 * MINUTE)
    await scene.receive(*(alert(f"Alert{number}", number) for number in range(20)))
    await scene.look(MINUTE)
    await scene.tell(alert(number=2))
    messages = await scene.database.read(outbox.with_prefix, "alerts:")
    assert len(messages) == MOST_INCIDENTS + 2
    assert messages[0].facts["firing"] == 2
    place = await scene.database.read(alerts.place_of, "prometheus", "HighErrorRate-2")
    assert place == (messages[0].facts["group"], True)
    assert messages[-1].facts["title"] == "Many alerts from prometheus"
