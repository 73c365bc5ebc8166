"""`POST /slack/events`: only what Slack signed, read once, and answered by the real Bolt app."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.support.house import ALICE, BOB, House, config_for, living, standing
from tests.support.ports import kept_port

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"


class Door:
    """Posts to a running bot's `/slack/events` as Slack does, or as somebody else might."""

    def __init__(self, house: House, session: aiohttp.ClientSession) -> None:
        self.house = house
        self._session = session
        assert house.bot is not None
        self.url = f"http://127.0.0.1:{house.bot.port}/slack/events"

    def headers(
        self, body: bytes, *, at: str | None = None, secret: str = SECRET
    ) -> dict[str, str]:
        at = at if at is not None else str(self.house.clock.now() // 1000)
        base = b"v0:" + at.encode("utf-8", "surrogateescape") + b":" + body
        signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
        return {
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signature,
            "Content-Type": FORM,
        }

    async def post(self, body: Any, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        wanted = self.headers(body) if headers is None else headers
        async with self._session.post(self.url, data=body, headers=wanted) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def door_of(house: House, **environ: str) -> AsyncIterator[Door]:
    settings = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": SECRET} | environ
    async with (
        living(house, config_for(house.target), settings),
        aiohttp.ClientSession() as session,
    ):
        yield Door(house, session)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with standing(tmp_path) as house, door_of(house) as opened:
        yield opened


def command(text: str, **more: str) -> bytes:
    fields = {
        "command": "/iora",
        "text": text,
        "user_id": BOB,
        "team_id": "T01TEAM",
        "channel_id": "C01INCIDENTS",
        "channel_name": "incidents",
        "trigger_id": "1.2.3",
    }
    return urlencode(fields | more).encode()


def interaction(payload: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


async def test_a_signed_command_is_answered_in_the_response(door):
    status, answer = await door.post(command("declare sev3 API slow"))
    assert status == 200
    said = json.loads(answer)
    assert said["response_type"] == "ephemeral"
    assert said["text"].startswith("INC-1 declared: SEV3 API slow.")


async def test_slacks_check_of_the_url_is_answered(door):
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    headers = door.headers(body) | {"Content-Type": "application/json"}
    status, answer = await door.post(body, headers)
    assert status == 200
    assert "abc" in answer


async def test_the_signature_must_be_slacks(door):
    body = command("help")
    good = door.headers(body)
    for wrong in (
        door.headers(body, secret="another"),
        door.headers(body + b"&x=1"),
        good | {"X-Slack-Signature": ""},
        good | {"X-Slack-Signature": good["X-Slack-Signature"].upper()},
        good | {"X-Slack-Signature": good["X-Slack-Signature"][:-1]},
        good | {"X-Slack-Signature": "v0=\u00e4\u00f6\u00fc"},
        {name: value for name, value in good.items() if name != "X-Slack-Signature"},
        {name: value for name, value in good.items() if name != "X-Slack-Request-Timestamp"},
    ):
        status, answer = await door.post(body, wrong)
        assert status == 401, wrong
        assert "Traceback" not in answer
    assert (await door.post(body, good))[0] == 200, "the right one still counts"


@pytest.mark.parametrize(
    "at", ["", "soon", "-1", "1e9", "12.5", " 1700000000", "\u0661\u0662", "9" * 400, "0", "nan"]
)
async def test_odd_timestamps_are_refused_even_with_a_right_signature(door, at):
    body = command("help")
    assert (await door.post(body, door.headers(body, at=at)))[0] == 401


async def test_a_request_counts_for_five_minutes(door):
    now = door.house.clock.now() // 1000
    body = command("help")
    assert (await door.post(body, door.headers(body, at=str(now - 310))))[0] == 401
    assert (await door.post(body, door.headers(body, at=str(now + 310))))[0] == 401
    assert (await door.post(body, door.headers(body, at=str(now - 290))))[0] == 200


async def test_the_same_request_again_is_a_replay(door):
    body = command("declare sev3 API slow")
    headers = door.headers(body)
    assert (await door.post(body, headers))[0] == 200
    assert await door.post(body, headers) == (401, "a replay")
    door.house.advance(30_000)
    assert (await door.post(body, headers))[0] == 401


async def test_a_request_that_failed_may_be_sent_again(door):
    body = command("help", command="/other")
    headers = door.headers(body)
    first = await door.post(body, headers)
    assert first[0] == 404, "nobody here listens to another command"
    assert await door.post(body, headers) == first, "not a replay: it never succeeded"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe\xfa", FORM),
        (b"text=%ff%fe", FORM),
        (b"payload={oops", FORM),
        (b"payload=[1,2]", FORM),
        (b"payload=" + b"[" * 100_000, FORM),
        (b"{oops", "application/json"),
        (b"[]", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'"text"', "application/json"),
        (b"\xff", "application/json"),
        (b"", "application/json"),
    ],
)
async def test_a_signed_body_that_can_not_be_read_is_a_bad_request(door, body, kind):
    status, answer = await door.post(body, door.headers(body) | {"Content-Type": kind})
    assert (status, answer) == (400, "the body is neither JSON nor a form in UTF-8")


@pytest.mark.parametrize(
    "body",
    [b"", b"text=hello", b"payload={}", b'payload={"type": "block_actions"}', b"payload=null"],
)
async def test_a_signed_body_that_asks_nothing_breaks_nothing(door, body):
    status, _ = await door.post(body)
    assert 400 <= status < 500


async def test_a_wall_clock_that_was_put_right_since_the_start_is_believed(door):
    body = command("help")
    right = str(door.house.clock.now() // 1000 + 3_600)
    assert (await door.post(body, door.headers(body, at=right)))[0] == 401
    door.house.clock.drift = 3_600_000
    assert (await door.post(body, door.headers(body, at=right)))[0] == 200


async def test_what_is_too_large_is_refused_with_its_length_told_and_without(door):
    body = b"text=" + b"x" * (1024 * 1024)
    assert (await door.post(io.BytesIO(body), door.headers(body)))[0] == 413

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536
            await asyncio.sleep(0)

    try:
        status, _ = await door.post(unannounced(), door.headers(b""))
    except aiohttp.ClientError:
        status = 413  # it hung up in the middle of the upload
    assert status == 413
    assert (await door.post(command("help")))[0] == 200


async def test_without_a_signing_secret_there_is_no_such_page(tmp_path):
    async with standing(tmp_path) as house:
        token = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": house.slack.app_token}
        async with door_of(house, **token) as door:
            assert (await door.post(command("help")))[0] == 404


async def test_someone_of_a_connected_team_is_refused_by_team_and_id(door):
    assert (await door.post(command("declare sev3 API slow")))[0] == 200
    status, answer = await door.post(command("ack INC-1", team_id="T99OTHER", user_id=ALICE))
    assert status == 200
    assert "This bot is for full members of its team." in answer
    click = {
        "type": "block_actions",
        "team": {"id": "T01TEAM"},
        "user": {"id": ALICE, "team_id": "T99OTHER"},
        "channel": {"id": "C01INCIDENTS", "name": "incidents"},
        "trigger_id": "1.2.3",
        "actions": [
            {"type": "button", "action_id": "iora:incident:ack", "block_id": "b", "value": "INC-1"}
        ],
    }
    assert (await door.post(interaction(click)))[0] == 200
    _, shown = await door.post(command("timeline INC-1"))
    assert "acknowledged" not in shown
    assert shown.count("was refused `acknowledge`") >= 2


@pytest.mark.parametrize("value", ["", "INC-", "INC-1; drop", "INC-99999999999999999999", "\u0661"])
async def test_a_click_with_a_value_that_is_not_ours_does_nothing(door, value):
    assert (await door.post(command("declare sev3 API slow")))[0] == 200
    click = {
        "type": "block_actions",
        "team": {"id": "T01TEAM"},
        "user": {"id": BOB, "team_id": "T01TEAM"},
        "channel": {"id": "C01INCIDENTS", "name": "incidents"},
        "trigger_id": "1.2.3",
        "actions": [
            {"type": "button", "action_id": "iora:incident:ack", "block_id": "b", "value": value}
        ],
    }
    assert (await door.post(interaction(click)))[0] == 200
    assert "SEV3 OPEN" in (await door.post(command("show INC-1")))[1]


async def test_the_whole_way_over_http_with_the_workspace_as_slack(tmp_path):
    with kept_port() as port:
        where = f"http://127.0.0.1:{port}/slack/events"
        async with standing(tmp_path, events_url=where) as house:
            settings = {
                "SLACK_APP_TOKEN": "",
                "SLACK_SIGNING_SECRET": house.slack.signing_secret,
                "PORT": str(port),
            }
            async with living(house, config_for(house.target), settings):
                said = await house.slash(BOB, "declare sev2 API slow")
                assert said.ok, said.why
                await house.until(house.card, "the card")
                (ping,) = await house.until(lambda: house.pings(ALICE), "the ping")
                assert (await house.press(ALICE, ping, "iora:incident:handover")).ok
                (form,) = await house.until(
                    lambda: house.slack.workspace.views_of(ALICE), "the form"
                )
                done = await house.slack.acts.submit(ALICE, form.id, {"person": {"person": BOB}})
                assert done.ok, done.why
                await house.until(lambda: house.pings(BOB), "Bob's message")
                assert (await house.slash(BOB, "health")).ok
                await house.until(
                    lambda: any("iora is" in m.text for m in house.whispers(BOB)), "health"
                )
