"""The way of mail: one message a page, over TLS, with headers that no title can write into."""

from __future__ import annotations

import email
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bot.http import Client
from bot.model.message import Failed, Outcome, Refused, Sent, Unsure
from bot.model.way import EmailWay, Page
from bot.send.way import Way
from bot.send.way.email import INSTALL, message
from tests.support.clock import NOON
from tests.support.hostile import self_signed
from tests.support.mail_server import CLOSE, HANG, RESET, MailServer
from tests.support.pages import page, settings_of, way_of

LOGIN = ("iora", "hünter2 of the mail")
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
}


def mail_way(server: MailServer, **changes: Any) -> Way:
    written: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "tls": "none"}
    if server.login is not None:
        written |= dict(zip(("user", "password"), server.login, strict=True))
    known = {"kind": "email", "from": "iora@example.com", "timeout": "20s"} | written
    return way_of(Client(), "mail", **(known | changes))


@asynccontextmanager
async def mailing(
    *, way: dict[str, Any] | None = None, **server: Any
) -> AsyncIterator[tuple[MailServer, Way]]:
    async with MailServer(**server).listening() as listening:
        yield listening, mail_way(listening, **(way or {}))


def read(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def test_the_person_gets_a_plain_mail_that_says_it_all():
    async with mailing() as (server, way):
        sent = await way.tell(
            "page", page(title="API langsam: ä €", text="Zeile 1: ä\n.\n..Zeile 3")
        )
    assert sent == Sent("mail", "<ping%3A7%3A12%3AU02BOB@example.com>")
    (mail,) = server.mails
    assert (mail.sender, mail.recipients) == ("iora@example.com", ("bob@example.com",))
    found = read(mail.content)
    assert {name: found[name] for name in found} == {
        "From": "iora@example.com",
        "To": "bob@example.com",
        "Subject": "[SEV2] INC-7 API langsam: ä €",
        "Date": "Sun, 15 Jun 2025 15:06:40 +0000",
        "Message-ID": "<ping%3A7%3A12%3AU02BOB@example.com>",
        "In-Reply-To": "<iora%3AT01TEAM%3AINC-7@example.com>",
        "References": "<iora%3AT01TEAM%3AINC-7@example.com>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    assert found.get_content().splitlines() == ["Zeile 1: ä", ".", "..Zeile 3"]
    assert mail.content.isascii(), "any server takes it"


async def test_all_mail_about_an_incident_is_one_thread_and_what_is_sent_again_has_the_same_id():
    async with mailing() as (server, way):
        for event in ("page", "page", "acknowledged", "resolved"):
            assert isinstance(await way.tell(event, page()), Sent)
        await way.tell("page", page(thread="iora:T01TEAM:INC-8", key="ping:8:3:U02BOB"))
    found = [read(mail.content) for mail in server.mails]
    assert found[0]["Message-ID"] == found[1]["Message-ID"]
    assert len({one["Message-ID"] for one in found}) == 4
    assert len({one["In-Reply-To"] for one in found[:4]}) == 1
    assert found[4]["In-Reply-To"] != found[0]["In-Reply-To"]
    assert [one["Subject"] for one in found[1:4]] == [
        "[SEV2] INC-7 API slow",
        "Re: [SEV2] INC-7 API slow",
        "Re: [SEV2] INC-7 API slow",
    ]
    assert not way.idempotent, "whether a repeat is dropped is the receiver's affair"


async def test_it_logs_in_over_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    async with mailing(context=context, login=LOGIN, way={"tls": "starttls"}) as (server, way):
        assert isinstance(await way.tell("page", page()), Sent)
        (mail,) = server.mails
        assert (mail.secure, mail.user) == (True, "iora")
        words = [command.split()[0] for command in server.commands]
        assert words.index("STARTTLS") < words.index("AUTH")


async def test_it_speaks_tls_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    options = {"context": context, "tls_at_once": True, "login": LOGIN}
    async with mailing(**options, way={"tls": "tls"}) as (server, way):
        assert isinstance(await way.tell("page", page()), Sent)
        assert server.mails[0].secure


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_trusts_gets_neither_password_nor_mail(
    tmp_path: Path, tls: str
):
    context = self_signed(tmp_path)
    options = {"context": context, "tls_at_once": tls == "tls", "login": LOGIN}
    async with mailing(**options, way={"tls": tls}) as (server, way):
        outcome = await way.tell("page", page())
        assert isinstance(outcome, Failed)
        assert "certificate" in outcome.reason.lower()
        assert server.mails == []
        assert not [one for one in server.commands if one.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize(
    ("faults", "secure"), [({"starttls": "454 4.7.0 not now"}, True), ({}, False)]
)
async def test_without_tls_where_it_is_asked_for_nothing_is_sent(
    tmp_path: Path, faults: dict[str, str], secure: bool
):
    options: dict[str, Any] = {"login": LOGIN, "faults": faults}
    if secure:
        options["context"] = self_signed(tmp_path)
    async with mailing(**options, way={"tls": "starttls"}) as (server, way):
        assert isinstance(await way.tell("page", page()), Failed)
        assert server.mails == []
        assert not [one for one in server.commands if one.startswith(("AUTH", "MAIL"))]


async def test_a_wrong_password_is_refused_and_not_repeated_in_the_reason():
    async with mailing(login=LOGIN, way={"password": "hunter3"}) as (server, way):
        outcome = await way.tell("page", page())
        assert outcome == Refused("535 5.7.8 authentication failed")
        assert server.mails == []


def limited(fault: str) -> dict[str, Any]:
    """Who hangs is not waited for for long; any other fault is there at once."""
    return {"timeout": "2s" if fault == HANG else "20s"}


STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "body")


@pytest.mark.parametrize("stage", STAGES)
async def test_a_4xx_has_failed_and_is_tried_again_and_a_5xx_is_refused(stage: str):
    for reply, kind in (("451 4.3.0 try later", Failed), ("554 5.7.1 not wanted", Refused)):
        async with mailing(faults={stage: reply}) as (server, way):
            outcome = await way.tell("page", page())
            assert isinstance(outcome, kind), (stage, outcome)
            assert outcome.reason == reply
            assert server.mails == []


@pytest.mark.parametrize("fault", [HANG, RESET, CLOSE])
@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt"])
async def test_before_the_data_it_was_certainly_not_taken(stage: str, fault: str):
    async with mailing(faults={stage: fault}, way=limited(fault)) as (server, way):
        assert isinstance(await way.tell("page", page()), Failed)
        assert server.mails == []


@pytest.mark.parametrize("fault", [HANG, RESET, CLOSE])
@pytest.mark.parametrize("kept", [False, True])
async def test_after_the_data_nobody_knows(fault: str, kept: bool):
    faults = {"body": f"+{fault}" if kept else fault}
    async with mailing(faults=faults, way=limited(fault)) as (server, way):
        assert isinstance(await way.tell("page", page()), Unsure)
        assert len(server.mails) == kept
        assert server.connections == 1, "it is not tried twice"


@pytest.mark.parametrize("fault", [HANG, RESET, CLOSE])
async def test_a_data_command_without_an_answer_counts_as_one_whose_data_may_be_there(fault: str):
    async with mailing(faults={"data": fault}, way=limited(fault)) as (server, way):
        assert isinstance(await way.tell("page", page()), Unsure)
        assert server.mails == []


@pytest.mark.parametrize("fault", [HANG, RESET, CLOSE, "421 4.3.2 going down"])
async def test_once_it_is_taken_the_goodbye_changes_nothing(fault: str):
    async with mailing(faults={"quit": fault}) as (server, way):
        assert isinstance(await way.tell("page", page()), Sent)
        assert len(server.mails) == 1


async def test_where_nothing_listens_it_was_certainly_not_taken():
    async with mailing() as (_, way):
        pass
    assert isinstance(await way.tell("page", page()), Failed)


async def test_somebody_without_an_address_can_not_be_mailed():
    async with mailing() as (server, way):
        outcome: Outcome = await way.tell("page", page(address=None))
        assert isinstance(outcome, Refused)
        assert "add email:" in outcome.reason
        assert server.connections == 0


async def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "bot.send.way.smtp", raising=False)
    monkeypatch.setitem(sys.modules, "aiosmtplib", None)
    async with mailing() as (server, way):
        assert await way.tell("page", page()) == Refused(INSTALL)
        assert server.connections == 0


def mailed(told: Page, sender: str = "iora@example.com") -> tuple[bytes, EmailMessage]:
    settings = settings_of(**{"kind": "email", "host": "127.0.0.1", "from": sender})
    assert isinstance(settings, EmailWay)
    raw = message(settings, "page", told, "bob@example.com", NOON).as_bytes()
    return raw, read(raw)


INJECTIONS = st.lists(
    st.text(max_size=20)
    | st.from_regex(r"[\r\n]{1,3}(Bcc|To|Subject): ?[a-z@.]+[\r\n]*", fullmatch=True)
    | st.from_regex(
        r"=\?(utf-8|us-ascii)\?q\?(=0[AD]){1,2}(Bcc|To)=3A_?[a-z@.]+\?=", fullmatch=True
    )
    | st.sampled_from(["=?utf-8?b?CkJjYzogeA==?=", " ", "=", "?", "\r\n ", "\u2028", "\x00"])
).map("".join)


@limits(max_examples=150, deadline=None)
@given(INJECTIONS, st.text(max_size=3_000))
def test_no_title_and_no_text_writes_a_header(title: str, text: str):
    raw, found = mailed(page(title=title, text=text))
    assert sorted(found) == sorted(HEADERS)
    assert found["To"] == "bob@example.com"
    assert found["Subject"].strip().startswith("[SEV2] INC-7")
    assert found.get_content_type() == "text/plain"
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")), "RFC 5322's limit"
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("API\r\nBcc: all@example.com", "[SEV2] INC-7 API Bcc: all@example.com"),
        ("\u2028line\u2029ends\x85here\x0b", "[SEV2] INC-7 line endshere"),
        ("=?utf-8?q?=0ABcc=3A_x?=", "[SEV2] INC-7 = ?utf-8?q?=0ABcc=3A_x?="),
        ("=?utf-8?b?CkJjYzogeA==?=", "[SEV2] INC-7 = ?utf-8?b?CkJjYzogeA== ?="),
        ("ü" * 500, f"[SEV2] INC-7 {'ü' * 236}…"),
        ("password=hunter2", "[SEV2] INC-7 password=[redacted]"),
    ],
)
def test_a_title_stays_one_line_of_text(title: str, subject: str):
    raw, found = mailed(page(title=title))
    assert sorted(found) == sorted(HEADERS)
    assert found["Subject"] == subject
    assert b"\nBcc" not in raw


def test_ids_stay_whole_where_a_domain_is_long():
    domain = f"{'a' * 60}.internal.very-long-company-name.example.com"
    raw, found = mailed(page(), f"iora@{domain}")
    assert found["In-Reply-To"] == found["References"] == f"<iora%3AT01TEAM%3AINC-7@{domain}>"
    assert f"In-Reply-To: <iora%3AT01TEAM%3AINC-7@{domain}>\r\n".encode() in raw
