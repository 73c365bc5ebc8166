"""The buttons and forms of runs, in a whole house: what each does, asks back, and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.workspace.records import Message, View
from tests.support.house import ALICE, BOB, MALLORY, House, living, standing, text_of
from tests.support.runs import book, books, config_with_actions, step

OPEN = step("action", "open", action="circuit_breaker_open", approval={"roles": ["responder"]})
SCALE = step("action", "scale", action="scale_out", approval={"roles": ["responder"]})
LOOK = step("check", "look", of="health")
BOX = step("checklist", "tell", items=[{"text": "Tell support"}])
FORM = step(
    "checklist",
    "impact",
    items=[
        {"text": "Who is hurt?", "note": True, "owner": True},
        {"text": "Who watches?", "owner": True},
        {"text": "Look at the graphs"},
        {"text": "What was changed?", "note": True},
    ],
)


@asynccontextmanager
async def house_with(
    tmp_path: Path, *steps: Any, cpu: float = 12.0, **more: Any
) -> AsyncIterator[House]:
    """A house whose bot knows one runbook, `breaker`, of these steps."""
    known = books(tmp_path / "runbooks", book(*steps, **more))
    async with standing(tmp_path) as house:
        house.target.cpu = cpu
        async with living(house, config_with_actions(house.target), books=known):
            yield house


async def started(house: House, person: str = ALICE, text: str = "run breaker") -> Message:
    await house.slash(person, text)
    return await house.until(lambda: house.keyed("run:1"), "the run's message")


async def asking(house: House, position: int, state: str, attempt: int = 1) -> Message:
    key = f"ask:1:{position}:{attempt}:{state}:0"
    return await house.until(lambda: house.keyed(key), f"the asking {key}")


async def shows(house: House, words: str) -> Message:
    """The run's message once it shows the words."""
    return await house.until(
        lambda: (m := house.keyed("run:1")) and words in text_of(m) and m, f"a run with {words!r}"
    )


async def said(house: House, person: str, words: str) -> Message:
    return await house.until(
        lambda: next((m for m in house.whispers(person) if words in text_of(m)), None),
        f"a whisper with {words!r}",
    )


async def press(house: House, person: str, message: Message, verb: str, chosen: Any = None) -> None:
    done = await house.press(person, message, f"iora:run:{verb}", chosen)
    assert done.ok, done.why


async def stale(house: House, person: str) -> Message:
    """The run's message as it is now, as a copy that nobody draws again."""
    return (await house.slash(person, "run RUN-1")).message


async def form(house: House, person: str) -> View:
    (view,) = await house.until(lambda: house.slack.workspace.views_of(person), "the form")
    return view


async def sent(house: House, person: str, values: dict[str, Any] | None = None) -> Any:
    """Fill the open form in and send it; what is shown instead, or the errors."""
    view = await form(house, person)
    values = {name: {name: value} for name, value in (values or {}).items()}
    done = await house.slack.acts.submit(person, view.id, values)
    if done.ok:
        await house.slack.acts.close(person, view.id)
    return done.errors if not done.ok else str(done.view.body)


def no_form(house: House, person: str) -> bool:
    return not house.slack.workspace.views_of(person)


async def test_a_press_of_approve_calls_once_and_every_message_says_who(tmp_path):
    async with house_with(tmp_path, OPEN) as house:
        await started(house)
        ask = await asking(house, 0, "approving")
        await press(house, MALLORY, ask, "approve")
        await said(house, MALLORY, "You may not approve “Open”. Who may: ")
        assert house.target.calls == []

        old = await stale(house, BOB)
        await press(house, BOB, await shows(house, "WAITS FOR APPROVAL"), "approve")
        await shows(house, "*DONE*")
        ask = await house.until(
            lambda: (m := house.keyed("ask:1:0:1:approving:0")) and "done" in m.text and m,
            "the ask",
        )
        assert ask.text.startswith(f"“Open”: approved by <@{BOB}> at <!date^")
        assert not [block for block in ask.blocks if block["type"] == "actions"]
        assert house.target.calls == [("circuit-breaker", {"state": "open"})]

        await press(house, BOB, old, "approve")
        await said(house, BOB, "RUN-1 is over: done")
        assert len(house.target.calls) == 1


async def test_presses_at_once_call_once_and_a_second_one_of_the_same_person_is_told_why_not(
    tmp_path,
):
    async with house_with(tmp_path, OPEN) as house:
        await started(house)
        await asking(house, 0, "approving")
        of_alice, of_bob = await stale(house, ALICE), await stale(house, BOB)
        await asyncio.gather(
            press(house, ALICE, of_alice, "approve"),
            press(house, BOB, of_bob, "approve"),
            press(house, BOB, of_bob, "approve"),
        )
        await shows(house, "*DONE*")
        assert len(house.target.calls) == 1
        (why,) = await house.until(
            lambda: [m.text for m in house.whispers(BOB) if not m.text.startswith("RUN-1 Breaker")],
            "the reason",
        )
        assert any(
            words in why for words in ("approved it already", "nothing to approve", "is over")
        )


async def test_the_preview_of_an_approval_shows_the_request_and_calls_nothing(tmp_path):
    async with house_with(tmp_path, OPEN, LOOK) as house:
        await started(house)
        ask = await asking(house, 0, "approving")
        await press(house, MALLORY, ask, "preview")
        shown = text_of(await said(house, MALLORY, "what is left"))
        assert f"POST {house.target.url}/api/ops/circuit-breaker" in shown
        assert "Look" not in shown
        await press(house, MALLORY, house.keyed("run:1"), "more", "preview RUN-1")
        await house.until(lambda: "Look" in text_of(house.whispers(MALLORY)[-1]), "all of it")
        assert house.target.calls == []


async def test_a_step_is_skipped_with_a_reason(tmp_path):
    async with house_with(tmp_path, BOX, LOOK) as house:
        await started(house)
        ask = await asking(house, 0, "doing")
        await press(house, ALICE, ask, "skip")
        assert await sent(house, ALICE, {"reason": "  "}) == {
            "reason": "Say why: a step is skipped with a reason."
        }
        assert "Skipped. RUN-1" in await sent(house, ALICE, {"reason": "support knows"})
        ended = await shows(house, "*DONE*")
        assert "1 skipped" in text_of(ended)


async def test_who_may_not_is_refused_before_a_form_opens(tmp_path):
    async with house_with(tmp_path, OPEN) as house:
        await started(house)
        ask = await asking(house, 0, "approving")
        await press(house, MALLORY, ask, "reject")
        await said(house, MALLORY, "You may not approve “Open”.")
        run = house.keyed("run:1")
        for choice, word in (
            ("cancel RUN-1", "cancel"),
            ("skip RUN-1/0/1", "skip"),
            ("pause RUN-1", "pause"),
        ):
            await press(house, MALLORY, run, "more", choice)
            await said(house, MALLORY, f"You may not {word} here.")
        assert no_form(house, MALLORY)


async def test_a_rejection_may_say_why_and_the_action_is_not_called(tmp_path):
    async with house_with(tmp_path, OPEN) as house:
        await started(house)
        await press(house, BOB, await asking(house, 0, "approving"), "reject")
        await sent(house, BOB, {"reason": "it would hurt more"})
        await shows(house, "*DONE*")
        assert house.target.calls == []
        words = f"“Open”: rejected: it would hurt more by <@{BOB}>"
        key = "ask:1:0:1:approving:0"
        await house.until(lambda: house.keyed(key).text.startswith(words), "the asking")


async def test_a_checklist_that_asks_for_nothing_is_done_with_one_press(tmp_path):
    async with house_with(tmp_path, BOX) as house:
        await started(house)
        await press(house, MALLORY, await asking(house, 0, "doing"), "done")
        await shows(house, "*DONE*")
        assert no_form(house, MALLORY)
        ask = await house.until(
            lambda: (m := house.keyed("ask:1:0:1:doing:0")) and "done by" in m.text and m,
            "who did it",
        )
        assert f"“Tell”: done by <@{MALLORY}>" in ask.text


async def test_a_checklists_form_has_a_field_for_all_that_is_asked_and_takes_a_part_of_it(tmp_path):
    async with house_with(tmp_path, FORM) as house:
        await started(house)
        ask = await asking(house, 0, "doing")
        await press(house, BOB, ask, "done")
        view = await form(house, BOB)
        fields = [block["block_id"] for block in view.body["blocks"] if block["type"] == "input"]
        assert fields == ["note-1", "owner-1", "owner-2", "note-4", "lines-0"]
        assert view.body["title"]["text"] == "RUN-1 step 1: Done"

        nothing = {"owner-1": None, "owner-2": None, "lines-0": []}
        assert await sent(house, BOB, nothing) == {
            "note-1": "Fill in at least one line: it is done then."
        }
        part = {"note-1": "200 users", "owner-1": ALICE, "owner-2": None}
        await sent(house, BOB, part)
        run = await shows(house, f"[x] 1. Who is hurt?, by <@{BOB}>")
        assert "[x] 3. Look at the graphs" in text_of(run)
        assert "[  ] 2. Who watches?" in text_of(run)
        assert "[  ] 4. What was changed?" in text_of(run)
        await house.until(lambda: "[x] 1. Who" in text_of(house.keyed(KEY)), "the ticked asking")

        await press(house, BOB, run, "done")
        view = await form(house, BOB)
        fields = [block["block_id"] for block in view.body["blocks"] if block["type"] == "input"]
        assert fields == ["owner-2", "note-4"]
        await sent(house, BOB, {"note-4": "nothing"})
        await shows(house, "*DONE*")
        result = await house.until(lambda: house.keyed("step:1:0:1:ok"), "the result")
        assert f"line 1: 200 users, by <@{BOB}> (owner <@{ALICE}>)" in text_of(result)
        assert f"line 2, by <@{BOB}> (owner <@{BOB}>)" in text_of(result)


KEY = "ask:1:0:1:doing:0"


async def test_what_the_target_does_not_offer_is_done_by_hand_with_what_came_of_it(tmp_path):
    odd = step("action", "odd", action="not_offered", approval={"roles": ["responder"]})
    async with house_with(tmp_path, odd) as house:
        await started(house)
        ask = await asking(house, 0, "doing")
        assert "By hand, for iora offers no action not_offered" in text_of(ask)
        await press(house, BOB, ask, "done")
        await sent(house, BOB, {"reason": "did it on the console"})
        ended = await shows(house, "*DONE*")
        assert "done by hand: did it on the console" in text_of(ended)


async def test_a_form_that_was_overtaken_says_so_and_changes_nothing(tmp_path):
    async with house_with(tmp_path, BOX, OPEN) as house:
        await started(house)
        await press(house, ALICE, await asking(house, 0, "doing"), "skip")
        await form(house, ALICE)
        await house.slash(BOB, "run RUN-1 done")
        late = await sent(house, ALICE, {"reason": "no"})
        assert late == {"reason": f"“Tell” is over: ok by <@{BOB}>."}


async def test_a_press_on_an_earlier_asking_hits_nothing(tmp_path):
    expires = {"roles": ["responder"], "expires": "5m", "on_expire": "escalate"}
    async with house_with(tmp_path, OPEN | {"approval": expires}) as house:
        await started(house)
        await asking(house, 0, "approving")
        old = await stale(house, BOB)
        house.advance(6 * 60_000)
        await asking(house, 0, "approving", attempt=2)
        await press(house, BOB, old, "approve")
        await said(house, BOB, "That button is of an earlier asking: “Open” was asked anew.")
        await press(house, BOB, old, "reject")
        await house.until(lambda: len(house.whispers(BOB)) == 3, "the second refusal")
        assert no_form(house, BOB)
        assert house.target.calls == []


async def test_cancelling_asks_once_and_the_message_says_who_and_why(tmp_path):
    async with house_with(tmp_path, OPEN, BOX) as house:
        await started(house)
        await asking(house, 0, "approving")
        await press(house, BOB, house.keyed("run:1"), "more", "cancel RUN-1")
        assert "Cancelled. RUN-1" in await sent(house, BOB, {"reason": "it went away"})
        over = await shows(house, f"*CANCELLED* after 0 s by <@{BOB}>: it went away")
        assert not [block for block in over.blocks if block["type"] == "actions"]
        await house.until(
            lambda: "cancelled: it went away" in house.keyed("ask:1:0:1:approving:0").text,
            "the ask",
        )


async def test_a_paused_run_is_resumed_by_its_button(tmp_path):
    async with house_with(tmp_path, BOX) as house:
        await started(house)
        ask = await asking(house, 0, "doing")
        await press(house, ALICE, house.keyed("run:1"), "more", "pause RUN-1")
        paused = await shows(house, "*PAUSED* since")
        await press(house, ALICE, ask, "done")
        await said(house, ALICE, "RUN-1 is paused. Resume it first")
        await press(house, ALICE, paused, "resume")
        await shows(house, "*WAITS FOR A PERSON*")
        await press(house, ALICE, ask, "done")
        await shows(house, "*DONE*")


async def test_undo_lists_what_is_taken_back_in_its_order_and_does_it_after_a_yes(tmp_path):
    async with house_with(tmp_path, OPEN, SCALE) as house:
        await started(house)
        await press(house, BOB, await asking(house, 0, "approving"), "approve")
        await press(house, BOB, await asking(house, 1, "approving"), "approve")
        over = await shows(house, "*DONE*")
        assert "• Scale (calls scale_in)\\n• Open (calls circuit_breaker_close)" in text_of(over)
        await press(house, MALLORY, over, "undo")
        await said(house, MALLORY, "You may not approve “Open”.")

        await press(house, BOB, over, "undo")
        view = str((await form(house, BOB)).body)
        assert "1. *Scale*: calls scale_in\\n2. *Open*: calls circuit_breaker_close" in view
        assert len(house.target.calls) == 2
        await sent(house, BOB)
        await house.until(lambda: len(house.target.calls) == 4, "both taken back")
        assert house.target.calls[2:] == [
            ("scale", {"instances": 2}),
            ("circuit-breaker", {"state": "closed"}),
        ]
        over = await shows(house, "*DONE*")
        await house.until(lambda: "Undo: Open" in text_of(house.keyed("run:1")), "all of it")


async def test_an_action_that_nobody_is_sure_of_is_repeated_or_taken_back_only_after_a_second_look(
    tmp_path,
):
    async def unclear(name: str) -> web.Response:
        return web.Response(status=502)

    async with house_with(tmp_path, OPEN) as house:
        house.target.op = unclear
        await started(house)
        await press(house, BOB, await asking(house, 0, "approving"), "approve")
        ask = await asking(house, 0, "stuck")
        await shows(house, "UNCLEAR, A PERSON MUST DECIDE")
        old = await stale(house, BOB)
        await press(house, MALLORY, ask, "repeat")
        await said(house, MALLORY, "You may not approve “Open”.")

        await press(house, BOB, ask, "repeat")
        assert "It may have been done already" in str((await form(house, BOB)).body)
        house.target.op = None
        await sent(house, BOB, {"reason": "the breaker is closed"})
        await house.until(lambda: len(house.target.calls) == 2, "the second call")
        await shows(house, "*DONE*")
        await press(house, BOB, old, "repeat")
        await said(house, BOB, "RUN-1 is over: done")


async def test_it_was_done_is_one_press(tmp_path):
    async def unclear(name: str) -> web.Response:
        return web.Response(status=502)

    async with house_with(tmp_path, OPEN) as house:
        house.target.op = unclear
        await started(house)
        await press(house, BOB, await asking(house, 0, "approving"), "approve")
        await press(house, BOB, await asking(house, 0, "stuck"), "done")
        over = await shows(house, "*DONE*")
        assert "it was done, as a person saw" in text_of(over)
        assert len(house.target.calls) == 1


async def test_the_list_starts_what_fits_at_once_and_previews_it(tmp_path):
    fitting = {"symptoms": ["cpu_percent > 90"]}
    async with house_with(tmp_path, OPEN, cpu=96.0, triggers=fitting) as house:
        await house.slash(MALLORY, "runbooks")
        answer = await said(house, MALLORY, "1 runbook fits")
        assert "CPU 96 % &gt; 90 (agent" in text_of(answer)
        done = await house.press(MALLORY, answer, "iora:runbook:preview")
        assert done.ok
        assert "POST" in text_of(await said(house, MALLORY, "Nothing is called"))
        assert house.keyed("run:1") is None

        assert (await house.press(MALLORY, answer, "iora:runbook:start")).ok
        await said(
            house, MALLORY, "RUN-1 Breaker on iora has started, 1 step: its message is here."
        )
        await house.until(lambda: house.keyed("run:1"), "the run's message in the channel")
        assert (await house.press(MALLORY, answer, "iora:runbook:start")).ok
        await said(house, MALLORY, "RUN-1 runs `breaker` on iora already")


INPUTS = {
    "target": {"type": "target"},
    "hold": {"type": "duration", "title": "How long it must hold", "default": "5m"},
    "limit": {"type": "number"},
    "zone": {"type": "choice", "choices": ["eu", "us"], "default": "us"},
    "issue": {"type": "text", "title": "What is wrong?"},
}


async def test_inputs_without_a_default_are_asked_in_a_form(tmp_path):
    told = step("checklist", "tell", items=[{"text": "x"}],
                text="{{ inputs.hold }} {{ inputs.limit }} {{ inputs.zone }} {{ inputs.issue }}")  # fmt: skip
    async with house_with(tmp_path, told, inputs=INPUTS) as house:
        assert (await house.slash(BOB, "run breaker limit=3")).ok
        view = await form(house, BOB)
        state = {b["block_id"]: b["element"] for b in view.body["blocks"] if b["type"] == "input"}
        assert list(state) == [
            "input-target",
            "input-hold",
            "input-limit",
            "input-zone",
            "input-issue",
        ]
        assert state["input-target"]["initial_option"]["value"] == "iora"
        assert state["input-hold"]["initial_value"] == "5m"
        assert state["input-limit"]["initial_value"] == "3"
        assert state["input-zone"]["initial_option"]["value"] == "us"

        wrong = {"input-hold": "soon", "input-issue": "it is slow"}
        errors = await sent(house, BOB, wrong)
        assert list(errors) == ["input-hold"]
        right = {"input-issue": "it is slow", "input-zone": "eu", "input-hold": "2m"}
        assert "RUN-1 Breaker on iora has started" in await sent(house, BOB, right)
        await shows(house, "2 min 3 eu it is slow")


async def test_everything_with_a_default_starts_at_once(tmp_path):
    given = {"target": {"type": "target"}, "hold": {"type": "duration", "default": "5m"}}
    async with house_with(tmp_path, BOX, inputs=given) as house:
        said_at_once = await house.slash(BOB, "run breaker")
        assert "RUN-1 Breaker on iora has started" in said_at_once.message.text
        assert no_form(house, BOB)


async def test_a_mention_in_the_thread_speaks_to_the_run_too(tmp_path):
    async with house_with(tmp_path, BOX) as house:
        run = await started(house)
        await asking(house, 0, "doing")
        await house.slack.acts.say(BOB, run.channel, "<@U00IORA> run RUN-1 done", run.ts)
        await shows(house, "*DONE*")


async def test_a_run_of_an_incident_hangs_on_its_card_and_offers_to_resolve(tmp_path):
    async with house_with(tmp_path, BOX) as house:
        await house.slash(BOB, "declare sev3 API slow")
        card = await house.until(house.card, "the card")
        await house.slash(BOB, "run breaker")
        ask = await asking(house, 0, "doing")
        assert ask.thread_ts == card.ts
        assert house.keyed("run:1").thread_ts == card.ts
        await press(house, BOB, ask, "done")
        over = await shows(house, "*DONE*")
        assert (await house.press(BOB, over, "iora:incident:resolve")).ok
        await sent(house, BOB, {"text": "told everybody"})
        told = str((await house.slash(BOB, "timeline INC-1")).message.blocks)
        for words in (
            "started RUN-1 (Breaker on iora)",
            f"RUN-1 “Tell” ok (<@{BOB}>): 1 of 1 done.",
            "RUN-1 (Breaker on iora) is done.",
        ):
            assert words in told


async def test_the_examples_of_causes_that_fit_come_as_a_file(tmp_path):
    code = "\n".join(f"line {number}" for number in range(40))
    causes = [
        {"cause": "A loop", "solution": "Stop it", "when": "cpu_percent > 90", "example": code},
        {
            "cause": "A leak",
            "solution": "Restart",
            "when": "cpu_percent < 10",
            "example": "nothing",
        },
    ]
    async with house_with(tmp_path, step("advise", "why", causes=causes), cpu=96.0) as house:
        await started(house)
        result = await house.until(lambda: house.keyed("step:1:0:1:ok"), "the result")
        assert "*FITS*: *A loop*" in text_of(result)
        assert "A leak" not in text_of(result)
        shared = await house.until(lambda: list(house.slack.workspace.files.values()), "the file")
        assert [one.title for one in shared] == ["RUN-1 Why"]
        assert code in shared[0].content.decode()
