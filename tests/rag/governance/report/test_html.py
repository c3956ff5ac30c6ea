"""The HTML of a report: complete in itself, without scripts, and with everything of others escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from evidence import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.governance.report.html import PRINT, SCREEN, Medium, html_of, text_of, title_of
from rag.governance.report.rows import EVERYTHING, Report

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h6", "p", "table", "thead", "tbody", "tr",
    "th", "td", "a", "ul", "ol", "li", "span", "div", "b", "code",
}  # fmt: skip
EMPTY = {"meta"}


class Page(HTMLParser):
    """The elements of a page, its links and anchors, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.anchors: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attributes:
            self.attributes.add(name)
            if name == "href":
                self.links.add(str(value))
            elif name == "id":
                self.anchors.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


@pytest.mark.parametrize("medium", [SCREEN, PRINT])
def test_hostile_texts_are_shown_and_do_nothing(hostile_report: Report, medium: Medium) -> None:
    html = html_of(hostile_report, medium)
    page = Page(html)
    assert page.tags <= TAGS and not page.open
    assert page.attributes.isdisjoint({"onload", "onerror", "onclick", "src"})
    assert "<script>alert(1)</script>" in page.text  # as text
    assert "[U+202E]gnp.exe" in page.text and "\u202e" not in html
    assert "http://evil.example/x" in page.text and all(link.startswith("#") for link in page.links)


def test_the_fixture_has_hostile_texts_in_several_sections(hostile_report: Report) -> None:
    found = {section.key for section, _, one in hostile_report.statements() if HOSTILE in one.text}
    assert {"gates", "incidents", "changes"} <= found


@pytest.mark.parametrize("medium", [SCREEN, PRINT])
def test_the_file_is_complete_in_itself(report: Report, medium: Medium) -> None:
    html = html_of(report, medium)
    assert not re.search(r"https?://|url\(|@import|<script|<link|<img|<iframe", html)
    assert "default-src 'none'" in html
    assert Page(html).tags <= TAGS


@pytest.mark.parametrize("medium", [SCREEN, PRINT])
def test_every_link_leads_to_a_place_in_the_file_that_is_there_once(report: Report, medium: Medium) -> None:
    page = Page(html_of(report, medium))
    assert {link.removeprefix("#") for link in page.links} <= set(page.anchors)
    assert len(page.anchors) == len(set(page.anchors))
    assert sum(anchor.startswith("s-") for anchor in page.anchors) == len(report.sources)


def test_all_statements_gaps_and_notes_are_on_the_page(report: Report) -> None:
    text = Page(html_of(report)).text
    for _, _, one in report.statements():
        for part in one.cells or (one.text,):
            assert " ".join(part.split())[:16] in " ".join(text.split()), one
    for section in report.sections:
        assert section.title in text
        assert all(gap.text in text for gap in section.gaps)
    assert all(note in text for note in report.notes)
    assert "not a legal determination" in text and "EU AI Act, Annex IV" in text


def test_a_long_table_is_cut_and_says_where_the_rest_is(report: Report) -> None:
    section = next(one for one in report.sections if one.key == "changes")
    log = section.blocks[-1]
    many = replace(log, statements=tuple(replace(log.statements[0], key=str(n)) for n in range(1234)))
    long = replace(report, sections=(replace(section, blocks=(many,)),))
    page = Page(html_of(long))
    assert "1,034 more rows in the JSON file" in page.text
    assert page.text.count("prompt version made") == 200


def test_titles_name_what_a_report_is_about(report: Report) -> None:
    assert title_of(report) == "Evidence report: answers version 1"
    assert title_of(replace(report, subject=EVERYTHING)) == "Evidence report: everything"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b < c", "a &amp; b &lt; c"),
        ('say "it\'s"', "say &quot;it&#x27;s&quot;"),
        ("zero\u200bwidth\ufeff", "zero[U+200B]width[U+FEFF]"),
        ("half \udc80", "half [U+DC80]"),
        ("bell\x07 nul\x00", "bell[U+0007] nul[U+0000]"),
        ("two\nlines", "two lines"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("mark\u2066up\u2069", "mark[U+2066]up[U+2069]"),
        ("hangul\u3164filler", "hangul[U+3164]filler"),
    ],
)
def test_signs_that_nobody_sees_are_spelled_out(text: str, shown: str) -> None:
    assert text_of(text) == shown


@settings(max_examples=30)
@given(st.text(max_size=12))
def test_no_text_opens_an_element_or_leaves_an_attribute(text: str) -> None:
    shown = text_of(text)
    assert not set(shown) & set("<>\"'")
    shown.encode("utf-8")
    page = Page(f'<p title="{shown}">{shown}</p>')
    assert page.tags == {"p"} and not page.open
