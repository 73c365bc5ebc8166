"""Text from outside: made harmless for Slack, masked where it looks like a secret, read back as typed."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.text import clean, cut, cut_mrkdwn, escape, from_slack, outside, plain, redact

ESCAPED = {
    "<!channel>": "&lt;!channel&gt;",
    "<@U01ALICE>": "&lt;@U01ALICE&gt;",
    "<https://x.example|click>": "&lt;https://x.example|click&gt;",
    "a & b": "a &amp; b",
    "already &lt;": "already &amp;lt;",
    "plain": "plain",
}


@pytest.mark.parametrize("text", ESCAPED)
def test_what_would_mention_or_link_is_shown_as_it_is(text: str) -> None:
    assert escape(text) == ESCAPED[text]


@given(st.text())
def test_escaped_text_has_no_token_and_comes_back(text: str) -> None:
    escaped = escape(text)
    assert "<" not in escaped
    assert ">" not in escaped
    assert from_slack(escaped) == text


SECRETS = {
    "a bot token": ("token xoxb-12345678901-abcdefABCDEF", "xoxb-12345678901-abcdefABCDEF"),
    "an app token": ("xapp-1-A0123456789-abcdef", "xapp-1-A0123456789-abcdef"),
    "a refresh token": ("xoxe-1-My0xLTExLTEyMzQ", "xoxe-1-My0xLTExLTEyMzQ"),
    "an AWS key": ("AKIAIOSFODNN7EXAMPLE is used", "AKIAIOSFODNN7EXAMPLE"),
    "a GitHub token": ("ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    "a JWT": (
        "Cookie: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN",
        "eyJzdWIiOiIxIn0",
    ),
    "a bearer": ("Authorization: Bearer abcdef123456.x", "abcdef123456"),
    "a password in a URL": ("postgres://iora:hunter2@db/iora", "hunter2"),
    "a password in a URL without a user": ("redis://:hunter2@cache:6379/0", "hunter2"),
    "a password in a URL with an @ in it": ("postgres://iora:hunt@er2@db/iora", "er2"),
    "password=": ("login failed: password=hunter2 user=bob", "hunter2"),
    "password= in capitals": ("PASSWORD=hunter2", "hunter2"),
    "password= with a sign first": ("password=$ecret!", "$ecret!"),
    "passwd=": ("passwd=hunter2", "hunter2"),
    "client_secret=": ("client_secret=hunter2", "hunter2"),
    "token= in a query": ("GET /x?token=hunter2", "hunter2"),
    "api_key=": ("api_key=hunter2", "hunter2"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_what_looks_like_a_secret_is_masked(case: str) -> None:
    text, secret = SECRETS[case]
    masked = redact(text)
    assert secret not in masked
    assert "[redacted]" in masked


HARMLESS = [
    "http://127.0.0.1:8080/api/health",
    "https://x.example:8443/a?b=c@d",
    "mail bob@x.example",
    "INC-7 API slow; CPU 96 % (critical above 90)",
    "the bearer of bad news",
    "xoxo",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_is_kept() -> None:
    assert redact("postgres://iora:hunter2@db/iora failed") == (
        "postgres://[redacted]@db/iora failed"
    )


def test_a_secret_is_masked_before_the_text_is_cut() -> None:
    text = "x" * 90 + " xoxb-12345678901-abcdef"
    assert "xoxb" not in outside(text, 100)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("\x00", id="NUL"),
        pytest.param("\x1b", id="ESC, which commands a terminal"),
        pytest.param("\x9b", id="the one-character CSI"),
        pytest.param("\r", id="carriage return"),
        pytest.param("\u202e", id="right-to-left override"),
        pytest.param("\u2067", id="right-to-left isolate"),
        pytest.param("\ud800", id="half a character, which no encoding takes"),
    ],
)
def test_signs_that_deceive_a_reader_or_a_terminal_are_left_out(sign: str) -> None:
    assert outside(f"a{sign}b") == "ab" == clean(f"a{sign}b")


@pytest.mark.parametrize("text", ["naïve café", "日本語", "שלום", "👩🏽‍🚒 on it", "a\nb\tc"])
def test_every_language_is_left_alone(text: str) -> None:
    assert outside(text) == text


@given(st.text(), st.integers(1, 50))
def test_text_from_outside_is_cut_and_harmless(text: str, limit: int) -> None:
    shown = outside(text, limit)
    assert not re.search("[<>]", shown)
    assert len(from_slack(shown)) <= limit
    shown.encode("utf-8")


def test_for_places_that_take_plain_text_nothing_is_escaped() -> None:
    assert clean("<b> & xoxb-12345678901-abcdef", 100) == "<b> & [redacted]"
    assert len(clean("x" * 500, 100)) == 100


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 3, ""), ("abcd", 1, "…")],
)
def test_what_is_cut_says_so(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


CUT = {
    "nothing to cut": ("a &amp; b", 20, "a &amp; b"),
    "in the middle of an entity": ("aaaa &amp; b", 8, "aaaa …"),
    "in the middle of a mention": ("by <@U01ALICE> and <@U02BOB>", 24, "by <@U01ALICE> and …"),
    "after a mention": ("by <@U01ALICE> and others", 16, "by <@U01ALICE> …"),
    "in the middle of a date": ("<!date^1^{time}|09:00 UTC> x", 12, "…"),
    "an & that is no entity": ("a & bcdefghijklmnop", 10, "a & bcdef…"),
}


@pytest.mark.parametrize("case", CUT)
def test_mrkdwn_is_never_cut_within_a_token(case: str) -> None:
    text, limit, expected = CUT[case]
    assert cut_mrkdwn(text, limit) == expected


PIECES = st.lists(
    st.sampled_from(["word ", "&amp;", "&lt;", "<@U01ALICE>", "<!date^1^{time}|09:00 UTC>", "\n"])
)


@given(PIECES, st.integers(1, 60))
def test_cut_mrkdwn_has_whole_tokens_only(pieces: list[str], limit: int) -> None:
    shown = cut_mrkdwn("".join(pieces), limit)
    assert len(shown) <= limit
    assert re.fullmatch(r"(?:[^<>&]|&(?:amp|lt|gt);|<[^<>]+>)*", shown)


TYPED = {
    "<@U02BOB|bob>": "@bob",
    "<@U02BOB>": "@U02BOB",
    "<#C01INC|incidents>": "#incidents",
    "<!subteam^S01|@engineering>": "@engineering",
    "<!here|here>": "here",
    "<https://x.example|x>": "https://x.example",
    "<https://x.example/a?b=1>": "https://x.example/a?b=1",
    "<http://x.example|x.example>": "x.example",
    "<mailto:bob@x.example|bob@x.example>": "bob@x.example",
    "a &lt; b &amp;&amp; c &gt; d": "a < b && c > d",
    "&amp;lt;": "&lt;",
    "a < b": "a < b",
    "": "",
}


@pytest.mark.parametrize("text", TYPED)
def test_what_a_person_typed_is_read_back(text: str) -> None:
    assert from_slack(text) == TYPED[text]


PLAIN = {
    "*bold* and _slanted_ and ~struck~": "bold and slanted and struck",
    "<!date^1750000000^{time}|15:06 UTC>": "15:06 UTC",
    "<@U01ALICE> acknowledged": "@U01ALICE acknowledged",
    "<https://x.example|INC-7 in #incidents>": "INC-7 in #incidents",
    "a &lt;b&gt; &amp; c": "a <b> & c",
    "2 * 3 * 4": "2 * 3 * 4",
    "error_rate_percent": "error_rate_percent",
}


@pytest.mark.parametrize("text", PLAIN)
def test_mrkdwn_for_a_terminal(text: str) -> None:
    assert plain(text) == PLAIN[text]


@pytest.mark.parametrize("function", [from_slack, plain, redact, outside])
@pytest.mark.parametrize(
    "piece", ["<", "<@", "<a|", "*a", "://a:", "&", "<!date^1^", "_a ", "eyJaaaaaaaaa."]
)
def test_no_text_takes_long(function: object, piece: str) -> None:
    """Ten thousand characters in a fraction of a second, whatever they are."""
    assert callable(function)
    text = piece * (10_000 // len(piece))
    started = time.process_time()
    function(text)
    assert time.process_time() - started < 0.5


@limits(max_examples=50)
@given(st.text(max_size=300))
def test_nothing_makes_them_fail(text: str) -> None:
    for function in (from_slack, plain, redact, outside, clean):
        assert isinstance(function(text), str)
