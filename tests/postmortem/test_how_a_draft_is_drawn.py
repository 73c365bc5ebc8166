"""Markdown and HTML only show what people wrote: no markup, no mention, no broken table."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import text
from bot.model.incident import Entry
from bot.model.postmortem import Record
from bot.render.postmortem import figures, html, markdown, sheet
from bot.rules.postmortem import account
from tests.support.configs import config
from tests.support.postmortem import eventful, record

HOSTILE = [
    "<!channel> <@U02BOB> <https://evil.example|click>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a | b || c \\| d \\\\| e",
    "# heading", "- [ ] item", "1. one", "2) two", "> quote", "--- ", "===", "+ plus", "~~~ fence",
    "```\nfence\n```", "`code` ``more``", "**bold** __bold__ _it_ *it* ~~gone~~",
    "[link](javascript:alert(1)) ![img](http://evil.example/x.png) [ref]: http://evil.example",
    "&lt;b&gt; &amp; &#60;", "line\nline\r\n\n| x | y |\n|---|---|", "ends with \\",
    "@channel @here @everyone", "{{ 7 * 7 }} {% raw %}", "</title></style></p></td>", "\u202eevil\x00\x1b[31m",
]  # fmt: skip


def drawn(known: Record) -> tuple[str, str]:
    """As Markdown and as HTML, without pictures, which say nothing of anybody's."""
    told = replace(account(known, config()), charts=())
    made = sheet(told, ())
    return markdown(made, "INC-7"), html(made)


def saying(words: str) -> Record:
    """An incident in which everybody says these words wherever they can."""
    known = eventful()
    entries = tuple(_saying(entry, words) for entry in known.entries)
    return replace(
        known,
        incident=replace(known.incident, title=words or "-", impact=words or "-"),
        entries=entries,
        series=(),
        runs=tuple(
            replace(
                one,
                steps=tuple(
                    replace(step, reason=words, output=_output(step.output, words))
                    for step in one.steps
                ),
            )
            for one in known.runs
        ),
    )


def _output(output, words):
    ticked = output.get("items", {})
    items = {number: {**one, "note": words} for number, one in ticked.items()}
    return {**output, "text": words, "items": items}


def _saying(entry: Entry, words: str) -> Entry:
    facts = {
        name: words if name in {"text", "title", "reason"} else value
        for name, value in entry.facts.items()
    }
    return replace(entry, facts=facts)


def shape(source: str) -> list[tuple[str, str]]:
    """What a reader of Markdown makes of it: every element but the words."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = []
    for token in parser.parse(source):
        found.append((token.type, token.tag))
        found += [
            (child.type, child.tag)
            for child in token.children or ()
            if child.type not in {"text", "text_special"}
        ]
    return found


def words_of(source: str) -> str:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return " ".join(
        "".join(child.content for child in token.children or ()) for token in parser.parse(source)
    )


class Tags(HTMLParser):
    """The tags of a page, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    found.close()
    return found


PLAIN_MARKDOWN, PLAIN_HTML = drawn(saying("nothing special"))


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_change_what_the_draft_is_made_of(words: str):
    source, page = drawn(saying(words))
    assert shape(source) == shape(PLAIN_MARKDOWN)
    assert tags(page).tags == tags(PLAIN_HTML).tags


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)), max_size=4).map(" ".join)
)
def test_no_text_at_all_changes_what_the_draft_is_made_of(words: str):
    source, page = drawn(saying(f"x {words}"))
    assert shape(source) == shape(PLAIN_MARKDOWN)
    assert tags(page).tags == tags(PLAIN_HTML).tags


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="\\`*_[]()#+-.!|~<>&@ab1 \n", max_size=30))
)
def test_a_text_is_read_in_markdown_as_it_was_written(words: str):
    plain = " ".join(text.without_controls(words).split())
    for form in (f"- {text.markdown(plain)}", f"| a |\n| --- |\n| {text.markdown(plain)} |"):
        assert words_of(form).split() == f"{'a ' * form.startswith('|')}{plain}".split()


def test_nobody_is_woken_where_the_markdown_is_pasted_into_slack():
    source, _ = drawn(saying("<!channel> @channel @here <@U02BOB> @everyone"))
    assert not re.search(r"<[!@#]|(?<!;)@(?:channel|here|everyone)", source)


def test_a_secret_in_a_note_is_masked():
    token = "xoxb-1234567890-abcdefghij"
    for drawing in drawn(saying(f"it was {token}")):
        assert token not in drawing
        assert "redacted" in drawing


def test_a_template_in_a_title_is_only_text():
    source, page = drawn(saying("{{ 7 * 7 }}"))
    assert "{{ 7 \\* 7 }}" in source
    assert "{{ 7 * 7 }}" in page


def test_an_empty_section_says_that_nothing_is_recorded_and_no_more():
    source, page = drawn(record())
    empty = ("Impact", "Durations", "Timeline", "Readings", "Runbook steps", "What worked")
    for title in (*empty, "What did not", "Open actions"):
        assert f"## {title}\n\nNot recorded.\n" in source
    assert page.count('<p class="nothing">Not recorded.</p>') == 8


def test_a_drill_and_an_open_incident_say_so_above_all_else():
    known = record()
    source, page = drawn(replace(known, incident=replace(known.incident, drill=True)))
    for drawing in (source, page):
        assert "Drill: this was practice, not a real incident." in drawing
        assert "Still open: INC-7 is open." in drawing
    assert source.index("Drill:") < source.index("## Summary")


def test_a_page_has_its_charts_inside_and_asks_for_nothing_from_elsewhere():
    told = account(eventful(), config())
    page = html(sheet(told, figures(told)))
    found = tags(page)
    assert [tag for tag, _ in found.tags].count("svg") == 2
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"(?:src|href)\s*=|url\(", page)
    assert "default-src 'none'" in page


def test_the_markdown_shows_the_charts_that_lie_beside_it():
    told = account(eventful(), config())
    drawings = figures(told)
    source = markdown(sheet(told, drawings), "INC-7-2")
    assert "![CPU of iora](INC-7-2-chart-1-cpu-percent.png)" in source
    assert all(one.png and one.png.startswith(b"\x89PNG") for one in drawings)


def test_without_matplotlib_signs_stand_in_for_a_chart(monkeypatch):
    monkeypatch.setattr("bot.render.postmortem.figure.available", lambda: False)
    told = account(eventful(), config())
    made = sheet(told, figures(told))
    assert "█" in markdown(made, "INC-7")
    assert "<svg" not in html(made)
    assert "█" in html(made)
