"""Slack's message markup as HTML: what is markup is drawn, everything else is escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workspace.page import markdown, mrkdwn, rich
from bot.workspace.page.reader import Reader

READER = Reader(
    person="U01ALICE",
    zone=ZoneInfo("Europe/Berlin"),
    now=datetime(2026, 3, 1, 12, tzinfo=UTC),
    people={"U01ALICE": "Alice", "U02BOB": "Bob <b>"},
    channels={"C01": "incidents"},
)
NOON = 1772362800  # 2026-03-01 12:00 in Berlin
SAFE = 'target="_blank" rel="noopener noreferrer"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"),
        ("`a *b* &lt;c&gt;`", "<code>a *b* &lt;c&gt;</code>"),
        ("one\ntwo", "one<br>two"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("&gt; said\n&gt; twice\nafter", "<blockquote>said<br>twice</blockquote>after"),
        ("```\nx = *1*\n```", "<pre><code>x = *1*</code></pre>"),
        ("```a```\nb", "<pre><code>a</code></pre>b"),
        ("a &amp; b &lt;i&gt;", "a &amp; b &lt;i&gt;"),
        ("AT&T", "AT&amp;T"),
        ("&amp;lt;", "&amp;lt;"),
        ("03:12:04 P95: 84", "03:12:04 P95: 84"),
        (":no_such_emoji:", ":no_such_emoji:"),
    ],
)
def test_text_is_drawn_with_its_marks(text: str, html: str) -> None:
    assert mrkdwn.draw(text, READER) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<@U01ALICE>", '<span class="mention mention-me">@Alice</span>'),
        ("<@U02BOB>", '<span class="mention">@Bob &lt;b&gt;</span>'),
        ("<@U09|carol>", '<span class="mention">@carol</span>'),
        ("<#C01>", '<a class="mention" href="/?as=U01ALICE&amp;in=C01">#incidents</a>'),
        ("<#C99|gone>", '<span class="mention">#gone</span>'),
        ("<!here>", '<span class="mention mention-me">@here</span>'),
        ("<!subteam^S1|@oncall>", '<span class="mention">@oncall</span>'),
        ("<https://a.b/?x=1&amp;y=2|see>", f'<a href="https://a.b/?x=1&amp;y=2" {SAFE}>see</a>'),
        (
            "see https://a.b/c_d_e.",
            f'see <a href="https://a.b/c_d_e" {SAFE}>https://a.b/c_d_e</a>.',
        ),
        ("<mailto:a@b.c>", f'<a href="mailto:a@b.c" {SAFE}>a@b.c</a>'),
    ],
)
def test_mentions_and_links_lead_where_they_say(text: str, html: str) -> None:
    assert mrkdwn.draw(text, READER) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "*<img src=x onerror=alert(1)>*",
        "`<script>`",
        "```<script>```",
        "> <script>",
        "<https://a.b|<script>>",
        '<https://a.b/"onmouseover="alert(1)|x>',
        "<@U1|<script>>",
        "<!date^1^{date}|<script>>",
        "<!date^x^{date}|&lt;script&gt;>",
    ],
)
def test_html_in_a_message_stays_text(text: str) -> None:
    for drawn in (mrkdwn.draw(text, READER), markdown.draw(text, READER)):
        assert "<script" not in drawn
        assert "<img" not in drawn
        assert '"onmouseover' not in drawn


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc"],
)
def test_only_web_mail_and_telephone_addresses_become_links(address: str) -> None:
    link = {"type": "link", "url": address, "text": "x"}
    for drawn in (
        mrkdwn.draw(f"<{address}|press>", READER),
        mrkdwn.draw(f"<!date^{NOON}^{{time}}^{address}|x>", READER),
        markdown.draw(f"[press]({address})", READER),
        rich.draw([{"type": "rich_text_section", "elements": [link]}], READER),
    ):
        assert "<a " not in drawn


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{date_num}", "2026-03-01"),
        ("{date}", "1 March 2026"),
        ("{date_short} {time}", "1 Mar 2026 12:00"),
        ("{date_long}", "Sunday, 1 March 2026"),
        ("{date_short_pretty} at {time_secs}", "today at 12:00:00"),
        ("{ago}", "1 hour ago"),
    ],
)
def test_dates_are_in_the_time_zone_of_who_reads(form: str, words: str) -> None:
    assert f">{words}</time>" in mrkdwn.draw(f"<!date^{NOON}^{form}|then>", READER)


@pytest.mark.parametrize("broken", ["<!date^soon^{time}|then>", f"<!date^{NOON}^{{hour}}|then>"])
def test_a_date_that_can_not_be_read_shows_its_fallback(broken: str) -> None:
    assert mrkdwn.draw(broken, READER) == "then"


def test_an_emoji_has_a_name_for_those_who_can_not_see_it() -> None:
    assert 'role="img" aria-label="white check mark"' in mrkdwn.draw(":white_check_mark:", READER)


@given(st.text(alphabet="*_~`<>&|:@#! ab\n/", max_size=60))
def test_no_text_makes_a_tag_that_this_page_does_not_write(text: str) -> None:
    allowed = ("strong", "em", "s", "code", "pre", "br", "blockquote", "span", "a", "time")
    for part in mrkdwn.draw(text, READER).split("<")[1:]:
        assert part.split(">")[0].split(" ")[0].removeprefix("/") in allowed


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title", '<p class="heading-1"><strong>Title</strong></p>'),
        ("**b** *i* ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("> q", "<blockquote><p>q</p></blockquote>"),
        ("```sh\nls *\n```", "<pre><code>ls *</code></pre>"),
        ("[x](https://a.b)", f'<p><a href="https://a.b" {SAFE}>x</a></p>'),
        ("a\n\n---\nb", "<p>a</p><hr><p>b</p>"),
    ],
)
def test_markdown_is_drawn(text: str, html: str) -> None:
    assert markdown.draw(text, READER) == html


def test_rich_text_is_drawn() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "<b>", "style": {"bold": True}},
            {"type": "user", "user_id": "U01ALICE"},
        ],
    }
    listed = {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [section]}
    inside = '<strong>&lt;b&gt;</strong><span class="mention mention-me">@Alice</span>'
    assert rich.draw([section], READER) == f"<p>{inside}</p>"
    assert rich.draw([listed], READER) == f'<ol start="3"><li>{inside}</li></ol>'
