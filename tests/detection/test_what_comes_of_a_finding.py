"""What people see of a finding: one message with its buttons, the incident, and that it is over."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.actor import Actor
from bot.model.answer import Answer, Refusal
from bot.model.command import Mitigate, OnFinding
from bot.model.incident import Severity, Status
from bot.model.reading import Verdict, View
from bot.render.card import card
from bot.render.entry import sentence
from bot.rules import window
from bot.rules.verdict import Said
from bot.services import detection, flood, suggestions
from bot.services.incidents import Asked
from bot.store import outbox
from bot.store.database import Tx
from tests.support.clock import NOON, ManualClock
from tests.support.configs import BOB
from tests.support.incidents import alice, bob
from tests.support.watched import MINUTE, POLL, Watched, books

HOT, COLD = 96.0, 12.0


async def test_a_suggestion_says_what_since_when_and_what_can_be_done(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    (said,) = await watched.said()
    assert "iora: CPU 96 % &gt; 90" in said
    assert "(agent)" in said
    assert "Nobody was paged for it" in said
    for label in ("Declare SEV2", "Run high-cpu-usage", "Diagnose", "Dismiss"):
        assert f"\n{label}" in said
    assert await watched.live() == []
    (message,) = await watched.suggestions()
    assert (message.destination, message.page) == ("channel:incidents", False)
    assert message.facts["since"] == NOON


async def test_a_rule_that_declares_opens_one_incident_with_all_that_it_knows(
    watched: Watched, clock: ManualClock
) -> None:
    watched.rule(open="declare", severity="sev1", policy="announce")
    await watched.stays(HOT, 10 * MINUTE)
    (incident,) = await watched.live()
    assert (incident.title, incident.severity) == ("iora: CPU 96 % > 90", Severity.SEV1)
    assert (incident.targets, incident.rule_key) == (("iora",), "rule:cpu-critical:iora")
    assert incident.policy["name"] == "announce"
    assert (incident.started_at, incident.time_to_detect) == (NOON, 2 * MINUTE)
    (declared,) = await watched.timeline("declared")
    assert declared.facts["runbook"] == "high-cpu-usage"
    assert await watched.suggestions() == []


async def test_flapping_for_ten_minutes_makes_one_incident_and_few_lines(watched: Watched) -> None:
    watched.rule(open="declare")
    await watched.stays(HOT, 3 * MINUTE)
    for _ in range(10):
        await watched.stays(COLD, POLL)
        await watched.stays(HOT, POLL)
    assert [one.id for one in await watched.live()] == [1]
    assert await watched.timeline("cleared", "returned") == []


async def test_flapping_for_ten_minutes_makes_one_suggestion(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    for _ in range(10):
        await watched.stays(COLD, POLL)
        await watched.stays(HOT, POLL)
    (message,) = await watched.suggestions()
    assert message.revision == 1


async def test_it_is_edited_when_it_is_over_and_told_anew_when_it_comes_back(
    watched: Watched,
) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(COLD, 6 * MINUTE)
    (over,) = await watched.said()
    assert "over since" in over
    assert "Declare" not in over
    await watched.stays(HOT, 3 * MINUTE)
    over, back = await watched.said()
    assert "over since" in over
    assert "it came back" in back
    assert "Declare SEV2" in back


async def test_what_comes_back_at_once_is_edited_for_some_minutes_and_then_told_anew(
    watched: Watched,
) -> None:
    watched.rule(clear_for="0s", **{"for": "0s"})
    for _ in range(5):
        await watched.stays(HOT, POLL)
        await watched.stays(COLD, POLL)
    assert len(await watched.suggestions()) == 1
    for _ in range(15):
        await watched.stays(HOT, POLL)
        await watched.stays(COLD, POLL)
    assert len(await watched.suggestions()) == 4


async def test_what_was_dismissed_and_comes_back_soon_stays_dismissed(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.press("dismiss")
    for _ in range(3):
        await watched.stays(COLD, 10 * MINUTE)
        (said,) = await watched.said()
        assert "over since" in said
        await watched.stays(HOT, 10 * MINUTE)
        (said,) = await watched.said()
        assert f"dismissed by <@{BOB}>" in said
    await watched.stays(COLD, 60 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    first, later = await watched.said()
    assert "over since" in first
    assert "Nobody was paged for it" in later


async def test_what_comes_back_much_later_is_a_message_of_its_own(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(COLD, 60 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    first, second = await watched.said()
    assert "over since" in first
    assert "Declare SEV2" in second


async def test_a_person_declares_it_and_the_rule_joins(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    given = await watched.press("declare")
    assert isinstance(given, Answer)
    (incident,) = await watched.live()
    assert incident.declared_by == bob.text
    assert incident.rule_key == "rule:cpu-critical:iora"
    assert incident.started_at == NOON
    (said,) = await watched.said()
    assert f"<@{BOB}> made it INC-1" in said
    await watched.stays(COLD, 6 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    kinds = [one.kind for one in await watched.timeline("cleared", "returned")]
    assert kinds == ["cleared", "returned"]
    assert len(await watched.live()) == 1
    assert len(await watched.suggestions()) == 1


async def test_a_second_press_declares_nothing_more(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.press("declare")
    again = await watched.press("declare", by=alice)
    assert isinstance(again, Refusal)
    assert again.reason == "It is INC-1 already."
    assert len(await watched.live()) == 1


async def test_a_press_that_comes_too_late_declares_nothing(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(COLD, 6 * MINUTE)
    assert isinstance(await watched.press("declare"), Refusal)
    assert isinstance(await watched.press("declare", key="finding:nothing"), Refusal)
    assert await watched.live() == []


async def test_what_is_dismissed_stays_so_until_it_is_over(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    assert isinstance(await watched.press("dismiss"), Answer)
    assert isinstance(await watched.press("dismiss"), Refusal)
    await watched.stays(HOT, 30 * MINUTE)
    (said,) = await watched.said()
    assert f"dismissed by <@{BOB}>" in said
    await watched.press("declare")
    assert len(await watched.live()) == 1


async def test_the_card_says_that_it_is_back_to_normal_and_the_bot_resolves_nothing(
    watched: Watched,
) -> None:
    watched.rule(open="declare")
    await watched.stays(HOT, 3 * MINUTE)
    assert (await watched.seen()).normal_since is None
    await watched.stays(COLD, 6 * MINUTE)
    assert (await watched.seen()).normal_since is not None
    await watched.stays(COLD, 240 * MINUTE)
    assert (await watched.incident()).status is Status.OPEN
    await watched.stays(HOT, 3 * MINUTE)
    assert (await watched.seen()).normal_since is None


async def test_coming_and_going_all_day_leaves_few_lines_an_hour(watched: Watched) -> None:
    watched.rule(open="declare", clear_for="0s", **{"for": "0s"})
    for _ in range(60):
        await watched.stays(HOT, POLL)
        await watched.stays(COLD, POLL)
    assert len(await watched.live()) == 1
    assert len(await watched.timeline("cleared", "returned")) == 6
    (card,) = await watched.messages("card")
    assert card.revision > 60


async def test_a_relapse_soon_after_it_was_resolved_reopens_its_incident(watched: Watched) -> None:
    watched.rule(open="declare")
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(COLD, MINUTE)
    await watched.resolve()
    await watched.stays(COLD, 10 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    (incident,) = await watched.live()
    assert incident.id == 1
    assert await watched.timeline("reopened")


async def test_a_relapse_of_what_was_mitigated_is_told_anew(watched: Watched) -> None:
    watched.rule(open="declare")
    await watched.stays(HOT, 3 * MINUTE)
    await watched.change(Mitigate(incident=1))
    await watched.stays(HOT, 5 * MINUTE)
    assert (await watched.incident()).status is Status.MITIGATED, "whoever says so knows that"
    await watched.stays(COLD, 6 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    (incident,) = await watched.live()
    assert (incident.id, incident.status) == (1, Status.OPEN)
    (back,) = await watched.timeline("reopened")
    assert "it is back: CPU 96 % > 90" in back.facts["text"]
    assert await watched.levels(), "it escalates again"


async def test_a_relapse_of_what_was_mitigated_pages_nobody_where_the_rule_only_suggests(
    watched: Watched,
) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.press("declare")
    await watched.change(Mitigate(incident=1))
    await watched.stays(COLD, 6 * MINUTE)
    await watched.stays(HOT, 3 * MINUTE)
    assert (await watched.incident()).status is Status.MITIGATED
    replies = [one.facts["broadcast"] for one in await watched.messages("entry")]
    assert replies[-1], "the channel reads it too"


async def test_a_suggestion_of_a_relapse_offers_to_reopen(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.press("declare")
    await watched.stays(COLD, 6 * MINUTE)
    await watched.resolve()
    await watched.stays(HOT, 3 * MINUTE)
    first, second = await watched.said()
    assert "made it INC-1" in first
    assert "Reopen INC-1" in second
    await watched.press("declare")
    assert [one.id for one in await watched.live()] == [1]


async def test_two_targets_are_two_findings(watched: Watched) -> None:
    watched.rule(open="declare")
    for _ in range(6):
        await watched.poll(HOT)
        await watched.poll(HOT, target="worker")
        watched.clock.advance(POLL)
    assert [one.targets for one in await watched.live()] == [("iora",), ("worker",)]


async def test_what_is_found_on_a_fleet_at_once_is_a_few_messages_and_a_number(
    watched: Watched,
) -> None:
    fleet = [f"web-{number}" for number in range(40)]
    watched.fleet(fleet)
    for _ in range(6):
        for name in fleet:
            await watched.poll(HOT, target=name)
        watched.clock.advance(POLL)
    assert len(await watched.suggestions()) == 10
    (said,) = await watched.said("flood:")
    assert "30 more findings at once, since" in said
    assert "Nobody was paged for them" in said
    assert "web-10: CPU 96 % &gt; 90" in said
    assert "and 25 more" in said
    for _ in range(12):
        for name in fleet[:39]:
            await watched.poll(COLD, target=name)
        watched.clock.advance(POLL)
    (said,) = await watched.said("flood:")
    assert "1 more finding at once" in said
    assert "web-10" not in said
    watched.fleet(fleet[:39])
    await watched.reload()
    (said,) = await watched.said("flood:")
    assert "30 more findings at" in said
    assert "over since" in said


async def _on_all(watched: Watched, fleet: Sequence[str], cpu: float | None, span: int) -> None:
    for _ in range(span // POLL):
        for name in fleet:
            await watched.poll(cpu, target=name)
        watched.clock.advance(POLL)


async def test_what_is_declared_on_a_fleet_at_once_is_a_few_incidents_and_one_for_the_others(
    watched: Watched,
) -> None:
    fleet = [f"web-{number:02}" for number in range(30)]
    watched.fleet(fleet, open="declare")
    await _on_all(watched, fleet, HOT, 3 * MINUTE)
    *own, many = await watched.live()
    assert [one.targets for one in own] == [(name,) for name in fleet[:5]]
    assert (many.title, many.rule_key) == ("Many targets: cpu-critical", "rule:cpu-critical:*")
    assert many.targets == tuple(fleet[5:])
    entries = await watched.timeline("joined", number=many.id)
    assert [one.facts["target"] for one in entries] == fleet[6:]
    assert sentence(entries[0]).startswith("It is found on web-06 too: CPU 96 % &gt; 90")
    assert len(await watched.messages("entry", many.id)) == 5, "the card counts the others"
    drawn = card(await watched.seen(many.id))
    assert "web-13, web-14 and 15 more" in str(drawn.blocks)


async def test_the_incident_of_many_is_over_when_all_are_and_knows_who_comes_back(
    watched: Watched,
) -> None:
    fleet = [f"web-{number:02}" for number in range(8)]
    watched.fleet(fleet, open="declare")
    await _on_all(watched, fleet, HOT, 3 * MINUTE)
    many = (await watched.live())[-1].id
    await _on_all(watched, fleet[:7], COLD, 6 * MINUTE)
    assert (await watched.seen(many)).normal_since is None, "web-07 was not looked at"
    await _on_all(watched, fleet, COLD, 6 * MINUTE)
    assert (await watched.seen(many)).normal_since is not None
    watched.clock.advance(30 * MINUTE)
    await _on_all(watched, fleet[7:], HOT, 3 * MINUTE)
    assert len(await watched.live()) == 6
    (back,) = await watched.timeline("returned", number=many)
    assert back.facts["target"] == "web-07"


async def test_long_after_many_were_declared_one_has_an_incident_of_its_own_again(
    watched: Watched,
) -> None:
    fleet = [f"web-{number:02}" for number in range(8)]
    watched.fleet([*fleet, "late"], open="declare")
    await _on_all(watched, fleet, HOT, 3 * MINUTE)
    await _on_all(watched, ["late"], COLD, 6 * MINUTE)
    await _on_all(watched, ["late"], HOT, 3 * MINUTE)
    assert (await watched.live())[-1].targets == ("late",)


async def test_another_target_opens_the_mitigated_incident_of_many_again(watched: Watched) -> None:
    fleet = [f"web-{number:02}" for number in range(7)]
    watched.fleet([*fleet, "late"], open="declare")
    await _on_all(watched, fleet, HOT, 3 * MINUTE)
    many = (await watched.live())[-1].id
    await watched.change(Mitigate(incident=many))
    await _on_all(watched, ["late"], HOT, 3 * MINUTE)
    (incident,) = [one for one in await watched.live() if one.id == many]
    assert (incident.status, incident.targets) == (Status.OPEN, ("late", "web-05", "web-06"))


async def test_lost_data_of_a_fleet_is_a_few_incidents_and_one_for_the_others_too(
    watched: Watched,
) -> None:
    fleet = [f"web-{number:02}" for number in range(8)]
    watched.fleet(fleet, unknown="declare")
    await _on_all(watched, fleet, None, 6 * MINUTE)
    live = await watched.live()
    assert [len(one.targets) for one in live] == [1, 1, 1, 1, 1, 3]
    assert live[-1].rule_key == "unknown:*"
    await _on_all(watched, fleet[5:], COLD, MINUTE)
    assert (await watched.seen(live[-1].id)).normal_since is not None


async def test_of_the_messages_of_floods_only_those_are_read_that_may_still_rise(
    watched: Watched, clock: ManualClock
) -> None:
    for _ in range(5):
        await watched.database.write(_a_flood)
        clock.advance(20 * MINUTE)
    since = str(clock.now() - 30 * MINUTE)
    assert len(await watched.said("flood:")) == 5
    lately = await watched.database.read(outbox.with_prefix, "flood:", since)
    assert [one.facts["since"] for one in lately] == [clock.now() - 20 * MINUTE]
    assert not await watched.database.read(flood.rises), "nothing came for so long"
    await watched.database.write(_a_flood)
    assert await watched.database.read(flood.rises)


def _a_flood(tx: Tx) -> None:
    facts = {"count": 1, "total": 1, "named": {}, "since": tx.now, "at": tx.now}
    outbox.add(tx, f"flood:{tx.now}", flood.KIND, "channel:incidents", facts)


async def test_after_a_flood_a_finding_has_a_message_of_its_own_again(watched: Watched) -> None:
    fleet = [f"web-{number}" for number in range(12)]
    watched.fleet([*fleet, "late"])
    for _ in range(6):
        for name in fleet:
            await watched.poll(HOT, target=name)
        watched.clock.advance(POLL)
    watched.clock.advance(10 * MINUTE)
    for _ in range(6):
        await watched.poll(HOT, target="late")
        watched.clock.advance(POLL)
    assert "late: CPU 96 %" in (await watched.said())[-1]


async def test_a_rule_keeps_to_its_targets(watched: Watched) -> None:
    watched.rule(targets=["worker"])
    await watched.stays(HOT, 10 * MINUTE)
    assert await watched.suggestions() == []


async def test_lost_data_of_a_target_is_told_once_whatever_rules_miss_it(watched: Watched) -> None:
    memory = {"name": "memory-critical", "when": "memory_mb > 1024", "for": "2m"}
    watched.rule(memory)
    await watched.stays(None, 20 * MINUTE, memory=None)
    (said,) = await watched.said()
    assert "Nobody can tell" in said
    assert "CPU unknown: the agent refused the connection" in said
    assert "`cpu-critical`, `memory-critical`" in said
    await watched.stays(COLD, MINUTE, memory=None)
    (said,) = await watched.said()
    assert "Found by `memory-critical`" in said
    await watched.stays(COLD, MINUTE)
    (said,) = await watched.said()
    assert "over since" in said
    assert await watched.live() == []


async def test_data_that_is_lost_while_a_suggestion_stands_is_told_beside_it(
    watched: Watched,
) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(None, 20 * MINUTE)
    found, lost = await watched.said()
    assert "CPU 96 %" in found
    assert "Declare SEV2" in found
    assert "Nobody can tell" in lost
    await watched.stays(HOT, 3 * MINUTE)
    found, lost = await watched.said()
    assert "Declare SEV2" in found, "it stands as it stood"
    assert "over since" in lost
    await watched.stays(COLD, 6 * MINUTE)
    assert "over since" in (await watched.said())[0]


async def test_data_that_is_lost_after_a_suggestion_was_dismissed_is_told_and_it_stays_dismissed(
    watched: Watched,
) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.press("dismiss")
    await watched.stays(None, 20 * MINUTE)
    found, lost = await watched.said()
    assert f"dismissed by <@{BOB}>" in found
    assert "Nobody can tell" in lost
    await watched.press("declare")
    await watched.stays(HOT, 10 * MINUTE)
    (incident,) = await watched.live()
    assert incident.rule_key == "unknown:iora"
    assert (await watched.seen()).normal_since is not None, "its data is there again"
    assert len(await watched.suggestions()) == 2


async def test_data_that_is_lost_is_left_to_those_who_are_at_the_incident(watched: Watched) -> None:
    watched.rule(open="declare", unknown="declare")
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(None, 20 * MINUTE)
    assert [one.rule_key for one in await watched.live()] == ["rule:cpu-critical:iora"]
    assert await watched.suggestions() == []


MEMORY = {"name": "memory-critical", "when": "memory_mb > 1024", "unknown_for": "10m"}


async def test_lost_data_that_is_dismissed_is_told_by_no_other_rule(watched: Watched) -> None:
    watched.rule(MEMORY)
    await watched.stays(None, 6 * MINUTE, memory=None)
    await watched.press("dismiss")
    await watched.stays(None, 20 * MINUTE, memory=None)
    (said,) = await watched.said()
    assert f"dismissed by <@{BOB}>" in said
    assert "`cpu-critical`, `memory-critical`" in said
    await watched.stays(COLD, MINUTE)
    (said,) = await watched.said()
    assert "over since" in said


async def test_lost_data_that_was_declared_is_told_by_no_other_rule(watched: Watched) -> None:
    watched.rule(MEMORY)
    await watched.stays(None, 6 * MINUTE, memory=None)
    await watched.press("declare")
    await watched.stays(None, 20 * MINUTE, memory=None)
    assert len(await watched.suggestions()) == 1
    await watched.stays(COLD, MINUTE, memory=None)
    assert (await watched.seen()).normal_since is None, "the other rule still misses its data"
    await watched.stays(COLD, MINUTE)
    assert (await watched.seen()).normal_since is not None


async def test_that_data_is_there_again_is_not_said_to_be_back_to_normal(watched: Watched) -> None:
    """No data is never green; and data that is there again may be bad."""
    watched.rule(MEMORY | {"unknown": "declare", "unknown_for": "5m"}, unknown="declare")
    await watched.stays(None, 6 * MINUTE, memory=None)
    await watched.stays(HOT, MINUTE, memory=None)
    assert await watched.timeline("cleared") == [], "the other rule still misses its data"
    await watched.stays(HOT, POLL)
    (entry,) = await watched.timeline("cleared")
    assert sentence(entry).startswith("iora can be read again: memory 120 MB, not &gt; 1024")
    seen = card(await watched.seen())
    assert "What was found" not in str(seen)
    assert "*All can be read again* since" in str(seen.blocks)
    assert "all can be read again: resolve it if that is all" in seen.text


async def test_lost_data_that_was_mitigated_is_told_anew_when_it_is_lost_again(
    watched: Watched,
) -> None:
    watched.rule(unknown="declare")
    await watched.stays(None, 6 * MINUTE)
    await watched.change(Mitigate(incident=1))
    await watched.stays(COLD, MINUTE)
    await watched.stays(None, 6 * MINUTE)
    (incident,) = await watched.live()
    assert (incident.id, incident.status) == (1, Status.OPEN)


async def test_lost_data_is_declared_where_the_rule_says_so(watched: Watched) -> None:
    watched.rule(unknown="declare", unknown_for="1m")
    await watched.stays(None, 10 * MINUTE)
    (incident,) = await watched.live()
    assert incident.title == "iora: CPU unknown: the agent refused the connection"
    assert incident.rule_key == "unknown:iora"
    await watched.stays(COLD, MINUTE)
    assert await watched.timeline("cleared")


async def test_what_nothing_measures_is_not_lost(watched: Watched) -> None:
    watched.rule(when="disk_percent > 90")
    await watched.stays(HOT, 60 * MINUTE)
    assert await watched.suggestions() == []
    assert await watched.kept() == []


async def test_the_bots_own_polls_that_only_need_time_are_not_lost(watched: Watched) -> None:
    watched.rule(when="response_time_p95_ms > 500", unknown_for="1m")
    word = Said(Verdict.HEALTHY, 'status word "ok"', failed=False)
    for _ in range(30):
        p95, errors = window.readings([], 5 * MINUTE, watched.clock.now())
        await watched.found("iora", word, [p95, errors])
        watched.clock.advance(POLL)
    assert await watched.suggestions() == []


async def test_a_change_over_time_can_be_asked_for(watched: Watched) -> None:
    watched.rule(when="cpu_percent.change_5m > 30", **{"for": "1m"})
    await watched.stays(20.0, 6 * MINUTE)
    await watched.stays(60.0, 2 * MINUTE)
    (said,) = await watched.said()
    assert "CPU change in 5 min +40 % &gt; 30" in said


async def test_a_change_over_time_that_only_needs_time_is_not_lost(watched: Watched) -> None:
    watched.rule(when="cpu_percent.change_30m > 30")
    await watched.stays(20.0, 20 * MINUTE)
    assert await watched.suggestions() == []
    await watched.stays(None, 6 * MINUTE)
    (said,) = await watched.said()
    assert "CPU change in 30 min unknown: the agent refused the connection" in said


DOWN = Said(Verdict.DOWN, "refused the connection; process 7 runs on its host (agent)", failed=True)
UNREACHABLE = Said(Verdict.UNKNOWN, "unreachable from here: no route", failed=False)


async def _says(watched: Watched, word: Said, span: int) -> None:
    for _ in range(span // POLL):
        await watched.found("iora", word)
        watched.clock.advance(POLL)


async def test_down_is_found_and_what_can_not_be_reached_is_not_up_again(watched: Watched) -> None:
    watched.rule(name="down", when="verdict == down", open="declare", **{"for": "1m"})
    await _says(watched, DOWN, 2 * MINUTE)
    (incident,) = await watched.live()
    assert incident.title == "iora: down, refused the connection"
    (declared,) = await watched.timeline("declared")
    assert declared.facts["because"] == [f"verdict is down ({DOWN.reason})"]
    await _says(watched, UNREACHABLE, 30 * MINUTE)
    assert await watched.timeline("cleared") == []


async def test_the_title_of_a_bad_verdict_says_why(watched: Watched) -> None:
    watched.rule(name="bad", when="verdict == unhealthy", open="declare", **{"for": "1m"})
    await _says(watched, Said(Verdict.UNHEALTHY, 'status word "failing"', failed=False), 2 * MINUTE)
    (incident,) = await watched.live()
    assert incident.title == 'iora: unhealthy, status word "failing"'


async def test_a_target_that_answers_is_not_down_whatever_else_is_unknown(watched: Watched) -> None:
    watched.rule(name="down", when="verdict == down")
    await watched.stays(None, 30 * MINUTE)
    assert await watched.suggestions() == []


async def test_a_dead_target_is_polled_in_time_for_the_rule(
    watched: Watched, clock: ManualClock
) -> None:
    watched.rule(name="down", when="verdict == down")
    await watched.found("iora", DOWN)
    clock.advance(POLL)
    await watched.found("iora", DOWN)
    assert await watched.planned() == clock.now() + POLL, "an earlier poll is not put off"
    await watched.rarely("iora", DOWN, 300_000)
    assert await watched.planned() == NOON + 2 * MINUTE


async def test_a_dead_target_is_polled_in_time_for_the_rule_that_waits_least(
    watched: Watched, clock: ManualClock
) -> None:
    later = {"name": "gone", "when": "verdict == down", "for": "4m"}
    watched.rule(later, name="down", when="verdict == down")
    await watched.rarely("iora", DOWN, 300_000)
    assert await watched.planned() == NOON + 2 * MINUTE


async def test_a_target_that_can_not_be_reached_is_polled_in_time_to_tell_that_its_data_is_lost(
    watched: Watched,
) -> None:
    """There is no agent that could tell whether it is down."""
    word = Said(Verdict.UNKNOWN, "unreachable: no route to host", failed=False)
    watched.rule(when="verdict == down", unknown_for="5m")
    await watched.rarely("iora", word, 900_000)
    assert await watched.planned() == NOON + 5 * MINUTE


async def test_one_that_answers_only_on_its_own_host_is_polled_in_time_too(
    watched: Watched,
) -> None:
    """A CPU at 96 % is why the bot gets no answer; the agent tells both."""
    here = View(place="here", said="timed out", elapsed_ms=5_000)
    there = View(place="its host", said='status word "ok"', elapsed_ms=900)
    await watched.poll(HOT, next_in=240_000, views=(here, there))
    assert await watched.planned() == NOON + 2 * MINUTE
    await watched.poll(HOT, target="worker", next_in=240_000)
    assert await watched.planned("worker") == NOON + 4 * MINUTE, "a busy one gets its time"


async def test_a_silence_keeps_it_back_until_it_ends(watched: Watched) -> None:
    await watched.silence("iora", 20 * MINUTE)
    await watched.stays(HOT, 10 * MINUTE)
    assert await watched.suggestions() == []
    assert await watched.kept() == ["cpu-critical"]
    await watched.stays(HOT, 15 * MINUTE)
    assert len(await watched.suggestions()) == 1


async def test_a_relapse_of_what_was_mitigated_is_kept_back_by_a_silence_too(
    watched: Watched,
) -> None:
    watched.rule(open="declare")
    await watched.stays(HOT, 3 * MINUTE)
    await watched.change(Mitigate(incident=1))
    await watched.stays(COLD, 6 * MINUTE)
    await watched.silence("iora", 20 * MINUTE)
    await watched.stays(HOT, 5 * MINUTE)
    await watched.stays(COLD, 6 * MINUTE)
    assert (await watched.incident()).status is Status.MITIGATED, "it came and went in the silence"
    assert await watched.muted(1) == [("iora", "cpu-critical")]
    await watched.stays(HOT, 15 * MINUTE)
    assert (await watched.incident()).status is Status.OPEN, "it lasts on after the silence"


async def test_a_rule_that_is_gone_is_forgotten_and_its_message_says_so(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    watched.rule(name="other")
    await watched.reload()
    assert await watched.kept() == []
    (said,) = await watched.said()
    assert "does not ask for it any more" in said


async def test_a_quiet_rule_keeps_nothing(watched: Watched) -> None:
    await watched.stays(COLD, 10 * MINUTE)
    assert await watched.kept() == []
    await watched.stays(HOT, POLL)
    assert await watched.kept() == ["cpu-critical"]
    await watched.stays(COLD, POLL)
    assert await watched.kept() == []


async def test_what_was_told_once_and_is_quiet_now_is_not_written_with_each_poll(
    watched: Watched,
) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    await watched.stays(COLD, 6 * MINUTE)
    before = await watched.hold()
    await watched.stays(COLD, 5 * MINUTE)
    assert await watched.hold() == before


async def test_nobody_outside_the_team_declares(watched: Watched) -> None:
    await watched.stays(HOT, 3 * MINUTE)
    (message,) = await watched.suggestions()
    guest = Asked(Actor.slack("T02OTHER", "U09GUEST", guest=True))
    command = OnFinding(key=message.key, verb="declare")
    given = await watched.database.write(suggestions.answer, watched.config, command, guest)
    assert isinstance(given, Refusal)
    assert await watched.live() == []


async def test_the_rules_runbook_is_what_the_card_offers_first(watched: Watched) -> None:
    watched.rule(open="declare", runbook="system-health-check")
    await watched.stays(HOT, 3 * MINUTE)
    await watched.collect()
    offered = (await watched.timeline("offered"))[-1]
    assert offered.facts["runbook"] == "system-health-check"
    assert "CPU 96 % > 90" in str(offered.facts["because"])


def test_the_key_of_a_rule_is_what_its_incident_is_found_by() -> None:
    assert detection.key("cpu-critical", "iora") == "rule:cpu-critical:iora"
    assert "high-cpu-usage" in books()
