"""The HTML of a report: complete in itself, without scripts, and with everything of others escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from evidence import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.governance.report.html import PRINT, SCREEN, Medium, html_of, text_of, title_of
from rag.governance.report.rows import EVERYTHING, Block, Gap, Report, Section, Source, Statement

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
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
        ("line\u2028end", "line[U+2028]end"),
        ("paragraph\u2029end", "paragraph[U+2029]end"),
        ("private\ue000", "private[U+E000]"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("khmer\u17b4", "khmer[U+17B4]"),
        ("half\uffa0width", "half[U+FFA0]width"),
        ("क्\u200dष", "क्\u200dष"),
        ("one\ttwo\rthree", "one two three"),
        ("\x1b[31mred", "[U+001B][31mred"),
        ("😀 naïve Ž", "😀 naïve Ž"),
        ("&amp;", "&amp;amp;"),
        ("", ""),
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


# --- small reports ----------------------------------------------------------------------------------------


def said(key: str, text: str, *cells: str) -> Statement:
    return Statement(key, text, ("trace:1",), cells)


def small(*blocks: Block, key: str = "settings", gaps: tuple[Gap, ...] = (), **values: str) -> Report:
    """A report with one section and one source."""
    made: dict[str, Any] = {"id": "trace:1", "title": "trace 1", "table": "trace", "keys": {"id": "1"},
                            "row_sha256": "ab" * 32, **values}  # fmt: skip
    part = Section(key, "Settings", (("ISO/IEC 42001", "A.6.2.3"),), blocks, gaps)
    return Report("f", "answers@1", "2026-Q4", 0, 10, 1, "0" * 64, (), (part,), (Source(**made),))


def sentence(text: str, key: str = "settings.different") -> Report:
    return small(Block("Sentences", (said(key, text),)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"file {'ab' * 32}.", f'file <code title="{"ab" * 32}">abababababababab…</code>.'),
        ("0" * 32, f'<code title="{"0" * 32}">0000000000000000…</code>'),
        ("0" * 31, "0" * 31),  # too short for a hash
        ("A" * 64, "A" * 64),  # no hash of ours
        (f"{'1' * 40} and {'2' * 40}", f'<code title="{"1" * 40}">1111111111111111…</code> and '
                                       f'<code title="{"2" * 40}">2222222222222222…</code>'),
        (f"<b>{'c' * 32}</b>", f'&lt;b&gt;<code title="{"c" * 32}">cccccccccccccccc…</code>&lt;/b&gt;'),
    ],
)  # fmt: skip
def test_hashes_in_sentences_are_cut_and_nothing_else_is(text: str, shown: str) -> None:
    assert f"<li>{shown} <span" in html_of(sentence(text))


@pytest.mark.parametrize(("medium", "whole"), [(SCREEN, True), (PRINT, False)])
def test_the_list_of_sources_has_whole_hashes_where_there_is_room(medium: Medium, whole: bool) -> None:
    report = small(Block("Sentences", (said("settings.different", "One."),)), row_sha256="cd" * 32)
    assert (f'<code class="whole">{"cd" * 32}</code>' in html_of(report, medium)) == whole
    assert f">{'cd' * 8}…</code>" in html_of(report, PRINT)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"fingerprint": ""}, "<td>–</td>"),
        ({"fingerprint": "abc"}, "<td>abc</td>"),
        ({"fingerprint": "<i>"}, "<td>&lt;i&gt;</td>"),
        ({"command": ""}, '<td class="path">–</td>'),
        (
            {"command": "ragdeck traces show 'a b'"},
            '<td class="path">ragdeck traces show &#x27;a b&#x27;</td>',
        ),
        ({"title": "trace <1>"}, "trace &lt;1&gt;</td>"),
        ({"keys": {"id": "x\u202e", "n": 2}}, "<td>trace id=x[U+202E], n=2</td>"),
    ],
)
def test_a_source_shows_what_it_has_and_a_dash_for_what_it_has_not(values: Any, shown: str) -> None:
    assert shown in html_of(small(Block("Sentences", (said("settings.different", "One."),)), **values))


def test_a_report_without_statements_has_no_list_of_sources_and_no_glance() -> None:
    html = html_of(small(gaps=(Gap("settings.none", "Nothing <asked>."),)))
    assert 'id="sources"' not in html and "At a glance" not in html
    assert (
        "<li>Nothing &lt;asked&gt;.</li>" in html and "0 statements, 1 gap, 1 stored row as sources" in html
    )


@pytest.mark.parametrize(
    ("key", "is_first"),
    [
        ("system.questions", True),
        ("incidents.rate.flagged", True),
        ("incidents.rate.silent", True),
        ("evaluation.metric.questions.answers.token_f1", True),
        ("evaluation.limit.questions.answers", True),
        ("gates.decision.questions.answers", True),
        ("oversight.kappa.weekly.mira.tom", True),
        ("guardrails.rate.privacy", True),
        ("costs.use", True),
        ("changes.head", True),
        ("incidents.rate.refused", False),
        ("settings.different", False),
        ("costs.EUR", False),
    ],
)
def test_what_stands_on_the_first_page(key: str, is_first: bool) -> None:
    html = html_of(sentence("This matters.", key))
    assert html.count("This matters.") == 1 + is_first
    assert ("At a glance" in html) == is_first


def test_the_first_page_has_one_statement_of_each_kind() -> None:
    metrics = tuple(said(f"evaluation.metric.{n}", f"Metric {n}.") for n in range(3))
    html = html_of(small(Block("Metrics", metrics)))
    assert [html.count(f"Metric {n}.") for n in range(3)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("count", "left_out"), [(1, ""), (200, ""), (201, "1 more row in"), (203, "3 more rows in")]
)
def test_a_table_is_cut_only_after_200_rows(count: int, left_out: str) -> None:
    rows = tuple(said(f"settings.{n}", "x", f"key {n};", "value") for n in range(count))
    html = html_of(small(Block("Settings", rows, ("Setting", "Value"))))
    assert html.count("<td>value</td>") == min(count, 200)
    assert ('class="more"' in html) == bool(left_out) and left_out in html


@pytest.mark.parametrize(
    ("period", "since", "until", "shown"),
    [
        ("everything", None, None, "everything that is stored"),
        ("1970", 0, 31_536_000_000, "1970: 1970-01-01 to 1970-12-31 (UTC)"),
        ("1970..", 0, None, "1970..: 1970-01-01 to now (UTC)"),
        ("<b>", 0, 86_400_000, "&lt;b&gt;: 1970-01-01"),
    ],
)
def test_the_period_is_said_as_it_was_written_and_in_days(
    period: str, since: int | None, until: int | None, shown: str
) -> None:
    report = replace(sentence("One."), period=period, since_ms=since, until_ms=until)
    assert f'Period</td><td class="plain">{shown}</td>' in html_of(report)


@given(st.lists(st.text(max_size=6), unique=True, max_size=5))
def test_every_source_has_a_place_of_its_own_whatever_its_id(ids: list[str]) -> None:
    sources = tuple(Source(f"t:{one}", "title", "trace", {"id": one}, "0" * 64) for one in ids)
    rows = tuple(Statement(f"k{n}", "One.", (one.id,)) for n, one in enumerate(sources))
    report = replace(small(Block("Sentences", rows)), sources=sources)
    page = Page(html_of(report))
    anchors = [anchor for anchor in page.anchors if anchor.startswith("s-")]
    assert len(set(anchors)) == len(ids) == len(anchors)
    assert all(re.fullmatch("[a-zA-Z0-9-]+", anchor) for anchor in anchors)
    assert {f"#{anchor}" for anchor in anchors} <= page.links
