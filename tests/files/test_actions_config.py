"""`actions:` of a target: what is refused at its place, what is only unwise, and what ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config, load_config_text
from bot.files.note import findings
from bot.model.config import Config

ROOT = Path(__file__).parents[2]
SHIPPED = {
    *("circuit_breaker_open", "circuit_breaker_close", "scale_out", "scale_in"),
    *("degraded_mode_on", "degraded_mode_off"),
}

GOOD = """\
version: 1
targets:
  iora:
    health: {url: http://127.0.0.1:8080/api/health}
    agent: {url: http://127.0.0.1:9108}
    actions:
      open: {url: http://127.0.0.1:8080/ops, json: {state: open}, undo: close}
      close: {url: http://127.0.0.1:8080/ops, json: {state: closed}}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page: {levels: [{after: 0s, notify: ["user:U01ALICE"]}]}
roles: {responder: [U01ALICE]}
"""


def loaded(text: str, **environ: str) -> Config:
    return load_config_text(text, "c.yaml", environ)


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return str(caught.value)


WRONG = {
    "a GET": (
        ("open: {", "open: {method: GET, "),
        "c.yaml:7:22: got text 'GET'; expected POST, PUT, PATCH or DELETE",
    ),
    "an undo that is no action": (
        ("undo: close", "undo: clsoe"),
        "c.yaml:7:73: there is no action of this name; did you mean close?",
    ),
    "an undo that is nothing like an action": (
        ("undo: close", "undo: rollback"),
        "c.yaml:7:73: there is no action of this name; add it below iora's actions",
    ),
    "an undo of itself": (
        ("undo: close", "undo: open"),
        "c.yaml:7:73: an action can't undo itself; name another action, or leave undo out",
    ),
    "an unknown key": (
        ("undo: close", "undoes: close"),
        "c.yaml:7:67: unknown key 'undoes'; did you mean undo?",
    ),
    "another address than a web address": (
        ("open: {url: http://127.0.0.1:8080/ops", "open: {url: file:///etc/passwd"),
        "c.yaml:7:19: got text 'file:///etc/passwd'; expected a URL that starts with http:// or https://",
    ),
    "a cloud's metadata": (
        ("open: {url: http://127.0.0.1:8080", "open: {url: http://169.254.169.254"),
        (
            "c.yaml:7:19: got text 'http://169.254.169.254/ops'; expected a URL that the bot may ask:"
            " it is a link-local address, where clouds keep their metadata service"
        ),
    ),
    "a name with spaces": (
        ("      open:", "      open it:"),
        (
            "c.yaml:7:7: got key 'open it'; expected a name of lower-case letters, digits, - and _"
            " that begins with a letter"
        ),
    ),
    "a status that is never an answer": (
        ("undo: close", "expect: [99]"),
        "c.yaml:7:76: got number 99; expected 200 or more",
    ),
    "a failure as success": (
        ("undo: close", "expect: [500]"),
        "c.yaml:7:76: got number 500; expected 499 or less",
    ),
    "no status at all": (
        ("undo: close", "expect: []"),
        "c.yaml:7:75: nothing in it; expected at least 1 item",
    ),
    "a time limit that holds up a run": (
        ("undo: close", "timeout: 1h"),
        "c.yaml:7:76: got text '1h'; expected between 100ms and 10m",
    ),
    "a header that frames the request": (
        ("undo: close", "headers: {Content-Length: '1'}"),
        (
            "c.yaml:7:77: got key 'Content-Length'; expected another header: Content-Length is the"
            " HTTP client's own"
        ),
    ),
    "a header with a line end": (
        ("undo: close", 'headers: {X-A: "hunter2\\nX-B: c"}'),
        ("c.yaml:7:82: got text; expected a header's value: ASCII characters that can be printed"),
    ),
    "a header twice": (
        ("undo: close", "headers: {X-A: a, x-a: b}"),
        "c.yaml:7:76: got a mapping; expected each header once, however it is written",
    ),
    "a header that the bearer takes": (
        ("undo: close}", "headers: {AUTHORIZATION: hunter2}}\n    auth: {bearer: x}"),
        (
            "c.yaml:7:77: the target's auth sends AUTHORIZATION already; remove it here, or auth: of"
            " the target"
        ),
    ),
    "a header that the signature takes": (
        (
            "undo: close}",
            "headers: {X-Iora-Signature: hunter2}}\n    auth: {hmac_sha256: {secret: x}}",
        ),
        (
            "c.yaml:7:77: the target's auth sends X-Iora-Signature already; remove it here, or auth:"
            " of the target"
        ),
    ),
    "a header that a signature of another name takes": (
        (
            "undo: close}",
            "headers: {x-sig: hunter2}}\n    auth: {hmac_sha256: {header: X-Sig, secret: x}}",
        ),
        (
            "c.yaml:7:77: the target's auth sends x-sig already; remove it here, or auth: of the target"
        ),
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_refused_is_said_at_its_place_and_no_header_is_shown(
    change: tuple[str, str], expected: str
) -> None:
    assert change[0] in GOOD
    text = GOOD.replace(*change, 1)
    if "auth:" in change[1]:  # after the actions that the replacement cut in two
        *before, auth = text.split("\n    auth: ", 1)
        line, rest = auth.split("\n", 1)
        text = f"{before[0]}\n{rest}".replace("escalation:", f"    auth: {line}\nescalation:", 1)
    told = problems(text)
    assert told.split("\n")[0] == expected
    assert told.count("c.yaml:") == 1
    assert "hunter2" not in told


def test_a_header_may_be_authorization_where_the_target_has_no_auth() -> None:
    text = GOOD.replace("undo: close", 'headers: {Authorization: "Bearer ${KEY}"}')
    action = loaded(text, KEY="s3cret").targets["iora"].actions["open"]
    assert action.headers["Authorization"].get_secret_value() == "Bearer s3cret"
    assert "s3cret" not in repr(action)
    assert "the environment has no KEY" in problems(text)


def test_a_body_is_any_json_as_it_is_written() -> None:
    body = "{a: [1, 2.5, null, true, on, 010], ä: {}}"
    text = GOOD.replace("json: {state: open}", f"json: {body}")
    action = loaded(text).targets["iora"].actions["open"]
    assert action.body == {"a": [1, 2.5, None, True, "on", "010"], "ä": {}}
    assert (action.method, action.timeout, action.expect) == ("POST", 10_000, None)


def test_only_urls_that_the_config_names_may_be_asked() -> None:
    config = loaded(GOOD)
    assert config.allows("http://127.0.0.1:8080/ops")
    assert not config.allows("http://127.0.0.1:8080/ops?more")
    assert not config.allows("http://127.0.0.1:8080/")


def test_nobody_could_approve_them_is_a_note() -> None:
    notes = [str(note) for note in findings(loaded(GOOD.replace("responder: [U01ALICE]", "")))]
    assert (
        "note: roles: nobody has a role: no action can be approved; name responders and commanders"
    ) in notes
    assert findings(loaded(GOOD)) == ()


def test_a_key_that_others_can_read_on_its_way_is_a_note() -> None:
    text = GOOD.replace("open: {url: http://127.0.0.1:8080", "open: {url: http://ops.example")
    assert findings(loaded(text)) == ()
    text = text.replace("escalation:", "    auth: {bearer: x}\nescalation:", 1)
    assert [note.at for note in findings(loaded(text))] == ["targets.iora.auth"]


@pytest.mark.parametrize(
    ("path", "environ"),
    [
        ("config.yaml", {}),
        (
            "bot/cli/local.yaml",
            {
                "SAMPLE_URL": "http://127.0.0.1:1",
                "AGENT_URL": "http://127.0.0.1:2",
                "IORA_AGENT_TOKEN": "t",
                "USER_LOGIN": "me",
            },
        ),
    ],
)
def test_what_ships_can_be_taken_back(path: str, environ: dict[str, str]) -> None:
    (target,) = load_config(ROOT / path, environ).targets.values()
    assert set(target.actions) == SHIPPED
    for name, action in target.actions.items():
        assert action.undo is not None
        assert target.actions[action.undo].undo == name
        assert action.title
