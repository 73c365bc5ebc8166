"""Nothing secret is kept: neither in texts, nor under a key that names a secret."""

from __future__ import annotations

import time

import pytest

from bot.text import redact, redacted

KEYS = ["password", "db_password", "API_KEY", "X-Api-Key", "client_secret", "Authorization", "cookie",
        "access_token", "private-key", "credentials"]  # fmt: skip
HARMLESS_KEYS = ["tokens", "keyboard", "total", "secretary", "path", "author"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["hunter2", 12345, ["hunter2"], {"deep": "hunter2"}])
def test_what_a_key_names_a_secret_is_masked_whatever_it_is(key, value):
    assert redacted({"a": [{key: value}]}) == {"a": [{key: "[redacted]"}]}


@pytest.mark.parametrize("key", HARMLESS_KEYS)
def test_other_keys_keep_their_values(key):
    assert redacted({key: 5, "b": None}) == {key: 5, "b": None}


def test_a_secret_that_is_not_there_is_still_null():
    assert redacted({"password": None}) == {"password": None}


TEXTS = {
    '{"password": "hunter2", "user": "bob"}': '{"password": "[redacted]", "user": "bob"}',
    r'{"password": "hun\"ter2", "user": "bob"}': '{"password": "[redacted]", "user": "bob"}',
    r'"{\"api_key\": \"hunter2\"}"': r'"{\"api_key\": \"[redacted]\"}"',
    "postgres://iora:hunter2@db/iora": "postgres://[redacted]@db/iora",
    "db_password: hunter2 x": "db_password: [redacted] x",
    "{'password': 'hunter2'}": "{'password': [redacted]",
    "X-Api-Key: hunter2": "X-Api-Key: [redacted]",
    "Set-Cookie: sid=hunter2; path=/": "Set-Cookie: [redacted]",
    "psql --password hunter2 --quiet": "psql --password [redacted] --quiet",
    "run --token hunter2": "run --token [redacted]",
    "Authorization: Basic aHVudGVyMg==": "Authorization: Basic [redacted]",
    "a basic operation; a password is wrong": "a basic operation; a password is wrong",
    "AccountKey=hunter2;x": "AccountKey=[redacted]",
    "AIza" + "a" * 35: "[redacted]",
    "glpat-" + "a" * 20: "[redacted]",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----": "[redacted]",
}


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_in_texts_are_masked(text):
    assert redact(text) == TEXTS[text]
    assert redacted([text]) == [TEXTS[text]]


def test_addresses_of_people_are_masked_where_that_is_wanted():
    line = "mail to bob.smith+x@mail.example.org failed"
    assert redact(line, emails=True) == "mail to [redacted] failed"
    assert redact(line) == line
    assert redacted({"to": line}, emails=True) == {"to": "mail to [redacted] failed"}


@pytest.mark.parametrize(
    "part",
    ["a", '"', "a@", '"token', "a_", ": ", "password: ", " --token ", '\\"', '"password": "', "a-"],
)
def test_no_text_takes_long(part):
    began = time.perf_counter()
    redact(part * 100_000, emails=True)
    assert time.perf_counter() - began < 2
