"""HTML, XML, feeds and EPUB give sections, whatever their markup is like."""

import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument


def test_html_drops_scripts_and_keeps_headings_tables_and_entities(tmp_path: Path) -> None:
    page = (
        "<title>T &amp; U</title><script>evil()</script><nav>menu</nav><h1>One</h1><p>a&nbsp;b<br>c</p>"
        "<h2>Two</h2><table><tr><td>x</td><td>y</td></tr></table><ul><li>item</li></ul><pre>k  = 1\n  v</pre>"
    )
    document = check(parse_file(write(tmp_path, "a.html", page)))
    assert document.title == "T & U"
    assert [place.label for place in document.places] == ["One", "One > Two"]
    assert "evil" not in document.text
    assert "menu" not in document.text
    assert "x | y" in document.text
    assert "- item" in document.text


def test_deeply_nested_html_is_read(tmp_path: Path) -> None:
    document = parse_file(write(tmp_path, "a.html", "<div>" * 30_000 + "deep" + "</div>" * 30_000))
    assert "deep" in document.text


def test_an_entity_bomb_stays_small(tmp_path: Path) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;">]><b>&b; text</b>'
    )
    assert len(parse_file(write(tmp_path, "a.xml", bomb)).text) < 100


@pytest.mark.parametrize("opening", ["<?", "<![CDATA[", "<!DOCTYPE[", "<!DOCTYPE a"])
def test_thousands_of_unclosed_declarations_are_read_in_one_pass(tmp_path: Path, opening: str) -> None:
    path = write(tmp_path, "a.xml", "<a>text " + opening * 60_000)
    started = time.perf_counter()
    assert "text" in parse_file(path).text
    assert time.perf_counter() - started < 5


def test_a_feed_has_a_section_for_each_item(tmp_path: Path) -> None:
    feed = "".join(
        f"<item><title>{name}</title><description><![CDATA[<p>About <b>{name}</b></p>]]></description></item>"
        for name in ("one", "two")
    )
    document = check(
        parse_file(write(tmp_path, "a.rss", f"<?xml version='1.0'?><rss><channel>{feed}</channel></rss>"))
    )
    assert [place.label for place in document.places] == ["one", "two"]
    assert "description: About two" in document.text


def test_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="o/p.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "o/p.opf",
            '<package><manifest><item id="b" href="b.xhtml"/><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        )
        archive.writestr("o/a.xhtml", "<html><body><p>First words.</p></body></html>")
        archive.writestr("o/b.xhtml", "<html><body><h1>Next</h1><p>Second words.</p></body></html>")
    document = check(parse_file(path))
    assert [place.label for place in document.places] == ["chapter 1", "Next"]
    assert document.text.index("First") < document.text.index("Second")


def test_an_encoding_that_a_page_names_is_used(tmp_path: Path) -> None:
    page = '<meta charset="iso-8859-2"><p>Příliš žluťoučký kůň</p>'
    assert parse_file(write(tmp_path, "a.html", page.encode("iso-8859-2"))).text == "Příliš žluťoučký kůň"


def html(folder: Path, source: str) -> ParsedDocument:
    return check(parse_file(write(folder, "a.html", source)))


def test_a_page_without_headings_is_one_section_with_the_name_of_the_file(tmp_path: Path) -> None:
    document = html(tmp_path, "<p>Only words.</p>")
    assert [(place.kind, place.label) for place in document.places] == [("section", "")]
    assert (document.title, document.media_type) == ("a", "text/html")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>a<br>b</p>", "a\nb"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>a <b>bold</b>\n word</p>", "a bold word"),
        ("a&lt;b &amp; c&nbsp;d", "a<b & c d"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n\n- y"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n\n1 | 2"),
        ("<p>x</p><form>no</form><button>no</button><svg><text>no</text></svg>", "x"),
        ("<div role='navigation'>no</div><p>x</p><noscript>no</noscript>", "x"),
        ("<p>unclosed <i>markup", "unclosed markup"),
        ("<p>x<!-- a comment --></p>", "x"),
    ],
)
def test_markup_becomes_the_words_and_breaks_that_a_reader_sees(
    tmp_path: Path, source: str, text: str
) -> None:
    assert html(tmp_path, source).text == text


def test_spaces_in_preformatted_text_stay(tmp_path: Path) -> None:
    assert "k  = 1\n" in html(tmp_path, "<pre>k  = 1\n<span>v   = 2</span></pre>").text


def test_an_empty_heading_is_none_and_deeper_ones_are_named_by_their_path(tmp_path: Path) -> None:
    document = html(tmp_path, "<h1>A</h1><p>a</p><h2> </h2><p>b</p><h3>C</h3><p>c</p><h1>D</h1><p>d</p>")
    assert [place.label for place in document.places] == ["A", "A", "A > C", "D"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<h2>", "</h2>", "word ", "<td>", "<li>", "<pre>", "&", "<"]),
        max_size=20,
    )
)
def test_any_markup_is_read_with_its_words(pieces: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "a.html", "start " + "".join(pieces))
        assert "start" in check(parse_file(path)).text


def test_an_atom_feed_names_its_entries(tmp_path: Path) -> None:
    feed = (
        '<feed xmlns="x"><title>News</title><entry><title type="html">&lt;b&gt;One&lt;/b&gt; more</title>'
        '<link href="y"/><summary>About it</summary></entry></feed>'
    )
    document = check(parse_file(write(tmp_path, "a.xml", feed)))
    assert [place.label for place in document.places] == ["", "One more"]
    assert "title: News" in document.text and "summary: About it" in document.text


def test_xml_is_a_line_for_each_element_with_its_name(tmp_path: Path) -> None:
    source = '<?xml version="1.0"?><!DOCTYPE r [<!ELEMENT r ANY>]><r><name>Vane</name><col>steel</col></r>'
    assert parse_file(write(tmp_path, "a.xml", source)).text == "name: Vane\ncol: steel"


def book(folder: Path, *, package: str = "<package/>", extra: dict[str, str] | None = None) -> Path:
    path = folder / "novel.epub"
    container = '<container><rootfiles><rootfile full-path="o/p.opf"/></rootfiles></container>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        if package:
            archive.writestr("o/p.opf", package)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def test_a_protected_and_an_incomplete_book_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="protected against copying"):
        parse_file(book(tmp_path, extra={"META-INF/rights.xml": "<rights/>"}))
    with pytest.raises(DocumentError, match="no table of contents"):
        parse_file(book(tmp_path, package=""))
    with pytest.raises(DocumentError, match="no text"):
        parse_file(book(tmp_path))


def test_a_chapter_that_is_missing_is_left_out_and_the_others_keep_their_number(tmp_path: Path) -> None:
    package = (
        "<package><metadata><dc:title>The Book</dc:title></metadata><manifest>"
        '<item id="a" href="gone.xhtml"/><item id="b" href="two%20b.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="none"/><itemref idref="b"/></spine></package>'
    )
    path = book(tmp_path, package=package, extra={"o/two b.xhtml": "<p>Words of the second.</p>"})
    document = check(parse_file(path))
    assert [(place.number, place.label) for place in document.places] == [(3, "chapter 3")]
    assert document.title == "The Book"


def test_a_book_without_a_title_has_the_name_of_its_file(tmp_path: Path) -> None:
    package = '<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
    path = book(tmp_path, package=package, extra={"o/a.xhtml": "<p>Words.</p>"})
    assert parse_file(path).title == "novel"
