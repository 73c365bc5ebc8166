"""A run with an action: started by a command, approved by a click, called once, verified, undone."""

from tests.support.house import ALICE, BOB, living, standing
from tests.support.runs import book, books, config_with_actions, step


async def test_an_action_is_called_once_after_the_approval_and_taken_back_on_request(tmp_path):
    breaker = book(
        step("check", "look", of="health"),
        step(
            "action",
            "open",
            action="circuit_breaker_open",
            approval={"roles": ["responder"]},
            verify={"that": "verdict != down", "within": "1m"},
        ),
    )
    known = books(tmp_path / "runbooks", breaker)
    async with standing(tmp_path) as house:
        config = config_with_actions(house.target)
        async with living(house, config, books=known):
            await house.slash(ALICE, "run breaker")
            ask = await house.until(lambda: house.keyed("ask:1:1:1:approving:0"), "the asking")
            assert house.target.calls == []

            await house.press(BOB, ask, "iora:run:approve")
            await house.until(lambda: house.target.calls, "the call")
            await house.until(lambda: "done, 2 of 2" in house.keyed("run:1").text, "the end")
            assert house.target.calls == [("circuit-breaker", {"state": "open"})]

            await house.slash(BOB, "run RUN-1 undo")
            await house.until(lambda: len(house.target.calls) == 2, "the undo")
            assert house.target.calls[1] == ("circuit-breaker", {"state": "closed"})
            await house.until(lambda: "done, 3 of 3" in house.keyed("run:1").text, "the end")
