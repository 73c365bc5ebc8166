"""`ways:` and `people:` of the config: what is refused at its place, what is only unwise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.files.config import load_config_text
from bot.files.note import findings
from bot.model.config import Config
from bot.model.way import EmailWay, PagerDutyWay

ENVIRON = {"PD_KEY": "0123456789abcdef", "PD_HOOK": "the-hook-secret", "SMTP_PASSWORD": "hunter2"}
GOOD = """\
version: 1
targets:
  iora:
    health: {url: http://127.0.0.1:8080/api/health}
    agent: {url: http://127.0.0.1:9108}
escalation:
  default: page
  last_resort: ["user:U01ALICE"]
  policies:
    page: {levels: [{after: 0s, notify: ["user:U01ALICE"]}]}
roles: {responder: [U01ALICE]}
ways:
  pagerduty: {kind: pagerduty, routing_key: "${PD_KEY}", webhook_secret: "${PD_HOOK}"}
  phone-bridge: {kind: webhook, url: https://example.com/hook, secret: abcdefgh}
  mail:
    kind: email
    host: smtp.example.com
    user: iora
    password: "${SMTP_PASSWORD}"
    from: iora@example.com
people:
  U01ALICE: {ways: [slack, phone-bridge], pagerduty: PALICE1}
  U02BOB: {ways: [slack, pagerduty, mail], email: bob@example.com, timezone: Europe/Berlin}
"""


def loaded(text: str) -> Config:
    return load_config_text(text, "c.yaml", ENVIRON)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


def test_people_have_their_ways_in_their_order_and_everybody_else_has_slack():
    config = loaded(GOOD)
    assert config.contact("U02BOB").ways == ("slack", "pagerduty", "mail")
    assert config.contact("U03MALLORY").ways == ("slack",)
    assert config.contact("U02BOB").email == "bob@example.com"
    assert config.contact("U03MALLORY").email is None


def test_what_is_not_said_has_a_default():
    ways = loaded(GOOD).ways
    assert isinstance(ways["pagerduty"], PagerDutyWay)
    assert ways["pagerduty"].url == "https://events.pagerduty.com/v2/enqueue"
    assert isinstance(ways["mail"], EmailWay)
    assert (ways["mail"].port, ways["mail"].tls) == (587, "starttls")


def test_the_bot_may_ask_the_urls_of_its_ways_and_no_others():
    config = loaded(GOOD)
    assert config.allows("https://events.pagerduty.com/v2/enqueue")
    assert config.allows("https://example.com/hook")
    assert not config.allows("https://example.com/other")


def test_no_secret_is_in_what_a_config_shows():
    shown = repr(loaded(GOOD)) + loaded(GOOD).model_dump_json()
    for secret in (*ENVIRON.values(), "abcdefgh"):
        assert secret not in shown


WRONG = {
    "a way that nobody defined": (
        ("[slack, pagerduty, mail]", "[slack, pagerdty, mail]"),
        "c.yaml:23:26: there is no way of this name; did you mean pagerduty?",
    ),
    "a way that is like no other": (
        ("[slack, phone-bridge]", "[slack, carrier]"),
        "c.yaml:22:28: there is no way of this name; add it below ways",
    ),
    "a way twice": (
        ("[slack, phone-bridge]", "[slack, slack]"),
        "c.yaml:22:28: named twice; expected each way once",
    ),
    "no way at all": (
        ("[slack, phone-bridge]", "[]"),
        "c.yaml:22:20: nothing in it; expected at least 1 item",
    ),
    "mail without an address": (
        (", email: bob@example.com", ""),
        "c.yaml:23:37: no address of U02BOB is known; add email: beside ways",
    ),
    "an address that is none": (
        ("bob@example.com", '"Bob <bob@example.com>"'),
        "c.yaml:23:51: got text 'Bob <bob@example.com>'; expected an address such as bob@example.com",
    ),
    "an address with a line end": (
        ("email: bob@example.com", 'email: "bob@example.com\\r\\nBcc: x@y.z"'),
        (
            "c.yaml:23:51: got text 'bob@example.com??Bcc: x@y.z';"
            " expected an address such as bob@example.com"
        ),
    ),
    "a time zone that is none": (
        ("Europe/Berlin", "Europe/Berln"),
        "c.yaml:23:78: there is no such time zone; did you mean Europe/Berlin?",
    ),
    "a person that is no member id": (
        ("U01ALICE: {ways", "alice: {ways"),
        (
            "c.yaml:22:3: got key 'alice'; expected a Slack member id such as U02BOB"
            " (profile, More, Copy member ID)"
        ),
    ),
    "an unknown key of a person": (
        ("timezone: Europe", "timezon: Europe"),
        "c.yaml:23:68: unknown key 'timezon'; did you mean timezone?",
    ),
    "one PagerDuty user for two people": (
        ("email: bob@example.com", "email: bob@example.com, pagerduty: PALICE1"),
        "c.yaml:23:79: the PagerDuty user of U01ALICE already",
    ),
    "a way called slack": (
        ("phone-bridge: {kind", "slack: {kind"),
        "c.yaml:14:3: slack is built in; give this way another name",
    ),
    "a kind that doesn't exist": (
        ("kind: pagerduty", "kind: pagerdutty"),
        (
            "c.yaml:13:21: got text 'pagerdutty'; expected pagerduty, webhook or email;"
            " did you mean pagerduty?"
        ),
    ),
    "a way without a kind": (
        ("kind: webhook, ", ""),
        "c.yaml:14:3: missing key 'kind'",
    ),
    "a key of another kind": (
        ("secret: abcdefgh", "secret: abcdefgh, port: 25"),
        "c.yaml:14:82: unknown key 'port'; expected kind, url, secret or timeout",
    ),
    "a missing key": (
        (", secret: abcdefgh", ""),
        "c.yaml:14:3: missing key 'secret'",
    ),
    "a webhook that others can read": (
        ("https://example.com/hook", "http://example.com/hook"),
        (
            "c.yaml:14:38: got text 'http://example.com/hook'; expected a URL that starts with"
            " https://, or one of this machine"
        ),
    ),
    "a cloud's metadata as a webhook": (
        ("https://example.com/hook", "https://169.254.169.254/hook"),
        (
            "c.yaml:14:38: got text 'https://169.254.169.254/hook'; expected a URL that the bot may"
            " ask: it is a link-local address, where clouds keep their metadata service"
        ),
    ),
    "a cloud's metadata as a mail server": (
        ("smtp.example.com", "169.254.169.254"),
        (
            "c.yaml:17:11: got text '169.254.169.254'; expected a host that the bot may ask:"
            " it is a link-local address, where clouds keep their metadata service"
        ),
    ),
    "a user without a password": (
        ('    password: "${SMTP_PASSWORD}"\n', ""),
        "c.yaml:16:5: got a mapping; expected both user and password, or neither",
    ),
    "a password that others can read": (
        ("    user: iora", "    tls: none\n    user: iora"),
        (
            "c.yaml:18:10: got text 'none'; expected starttls or tls: the password would be readable"
            " on its way"
        ),
    ),
    "a timeout that is too long": (
        ("host: smtp.example.com", "host: smtp.example.com\n    timeout: 5m"),
        "c.yaml:18:14: got text '5m'; expected between 1s and 1m",
    ),
    "a routing key that isn't set": (
        ("${PD_KEY}", "${PD_KY}"),
        "c.yaml:13:46: the environment has no PD_KY; set it, or give a default: ${PD_KY:-default}",
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_refused_is_said_at_its_place(change: tuple[str, str], expected: str):
    assert change[0] in GOOD
    assert problems(GOOD.replace(*change, 1))[0] == expected


def test_problems_repeat_no_secret():
    text = GOOD.replace("port", "prot").replace("secret: abcdefgh", "secret: [abcdefgh]")
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert "abcdefgh" not in str(caught.value)


def test_this_machine_needs_no_tls():
    local = GOOD.replace("https://example.com/hook", "http://127.0.0.1:9000/hook")
    assert loaded(local.replace("host: smtp.example.com", "host: 127.0.0.1\n    tls: none")).ways


def test_mail_without_its_extra_is_a_problem_that_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
):
    there = importlib.util.find_spec

    def missing(name: str, package: str | None = None) -> object:
        return None if name == "aiosmtplib" else there(name, package)

    monkeypatch.setattr("bot.files.config.find_spec", missing)
    assert problems(GOOD) == [
        "c.yaml:16:11: the extra email is not installed; pip install 'iora-bot[email]'"
    ]


def notes(text: str) -> list[str]:
    return [str(note) for note in findings(loaded(text))]


def test_a_good_config_gives_no_note():
    assert notes(GOOD) == []


NOTES = {
    "a way that nobody uses": (
        ("[slack, phone-bridge]", "[slack]"),
        (
            "note: ways.phone-bridge: nobody's ways name it: nothing goes there;"
            " add it to somebody's ways below people"
        ),
    ),
    "an acknowledgement that would not be heard": (
        (', webhook_secret: "${PD_HOOK}"', ""),
        (
            "note: ways.pagerduty: no webhook_secret: an acknowledgement in PagerDuty doesn't count"
            " here; add a v3 webhook there, to /intake/pagerduty/pagerduty"
        ),
    ),
    "mail that others can read": (
        ('    user: iora\n    password: "${SMTP_PASSWORD}"\n', "    tls: none\n"),
        (
            "note: ways.mail.tls: mail leaves without TLS: others on the way can read it;"
            " use starttls or tls"
        ),
    ),
}


@pytest.mark.parametrize(("change", "expected"), NOTES.values(), ids=NOTES.keys())
def test_what_is_unwise_becomes_a_note(change: tuple[str, str], expected: str):
    assert change[0] in GOOD
    assert notes(GOOD.replace(*change, 1)) == [expected]


def test_the_tour_shows_every_key_as_it_may_be_written():
    """What is commented out below `ways` loads as soon as it is not, with each key of each kind."""
    tour = (Path(__file__).parents[2] / "config.yaml").read_text()
    begin = tour.index("ways: {}\n")
    end = tour.index("\n\n", begin)
    below = tour[begin:end].split("\n")[1:]
    ways = "\n".join(["ways:", *(line.removeprefix("# ") for line in below)])
    people = tour[end:].replace("# pagerduty: PXP", "pagerduty: PXP")
    names = ("PAGERDUTY_ROUTING_KEY", "PAGERDUTY_WEBHOOK_SECRET", "HOOK_SECRET", "SMTP_PASSWORD")
    shown = tour[:begin] + ways + people
    config = load_config_text(shown, "config.yaml", dict.fromkeys(names, "a-secret"))
    for way in config.ways.values():
        assert {*type(way).model_fields} == way.model_fields_set, f"the tour of {way.kind}"
    (bob,) = config.people.values()
    assert {*type(bob).model_fields} == bob.model_fields_set
