"""HTML, XML and feeds give sections, whatever their markup is like, and say what they left out."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import check, write

from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument


def test_html_drops_scripts_and_keeps_headings_tables_and_entities(tmp_path: Path) -> None:
    page = (
        "<title>T &amp; U</title><script>evil()</script><nav><a href='m'>menu</a></nav><h1>One</h1><p>a&nbsp;b<br>c</p>"
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
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"),
        ("<form>x<input type=hidden value=no><textarea>typed</textarea></form>", "x\ntyped"),
        (
            "a <input value='18 kg'> <input type=submit value=Send><input type=image alt=Go>",
            "a 18 kg Send Go",
        ),
        ("<p>x</p><button>Open</button><svg><title>no</title><text>drawn</text></svg>", "x\n\nOpen\n\ndrawn"),
        ("<div role='navigation'><a>no</a></div><p>x</p><noscript><p>y</p></noscript>", "x\n\ny"),
        ("<nav>Turn <a>left</a> at the third lamp post.</nav>", "Turn left at the third lamp post."),
        ("<p>a<img src=v.png alt='Valve V3'>b</p>", "a Valve V3 b"),
        ("<frameset><frame src=m><noframes><body><p>Pump</p></body></noframes></frameset>", "Pump"),
        ("<p>x</p><iframe srcdoc='&lt;p&gt;in&lt;/p&gt;'></iframe>", "x\n\nin"),
        (
            "<ol start=3><li>x<li>y</ol><ol type=a><li>z</ol><ol type=i><li>r</ol>",
            "3. x\n\n4. y\n\na. z\n\n- r",
        ),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>字", "漢(kan)字"),
        ("<script/><p>x</p>", "x"),
        ("<xmp>a  b</xmp>", "a  b"),
        ("<p>x<![CDATA[ <y> ]]></p>", "x <y>"),
        ("<p>x</p><!-- <p>no</p> > --><p>y</p><!-- open <p>z</p>", "x\n\ny\nz"),
        ("<?xml:namespace prefix = o /><p>x<o:p></o:p></p><?php echo 'a->b' ?>", "x"),
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


_CONTAINERS = (
    "div p form button noscript span b a em details summary fieldset label h2 h4 li ul ol dl dd table td th tr pre "
    "figure section header footer aside main center font marquee iframe-not x-own object noframes sub q cite"
).split()


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.just([]),
        lambda inner: st.lists(st.tuples(st.sampled_from(_CONTAINERS), inner), min_size=1, max_size=4),
        max_leaves=12,
    )
)
def test_every_visible_word_is_read_once_whatever_contains_it(tree: Any) -> None:
    import tempfile

    words: list[str] = []

    def markup(nodes: Any) -> str:
        parts = []
        for name, inner in nodes:
            words.append(f"word{len(words)}x")
            parts.append(f"<{name}> {words[-1]} {markup(inner)}</{name}>")
        return "".join(parts)

    page = markup(tree) + "end"
    with tempfile.TemporaryDirectory() as folder:
        text = check(parse_file(write(Path(folder), "a.html", page))).text
    assert [text.count(word) for word in words] == [1] * len(words)


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


def account(document: ParsedDocument) -> list[str]:
    return [line.text for line in document.account]


def test_hidden_text_menus_and_lists_of_choices_are_left_out_and_counted(tmp_path: Path) -> None:
    document = html(
        tmp_path,
        "<p>Shown text.</p><div hidden>draft <b hidden>in it</b></div><p style='color:red; DISPLAY : none'>offer</p>"
        "<dialog>cookies</dialog><nav><a>Home</a> <a>News</a></nav>"
        "<select><option>red<option>blue</select><div hidden> </div>",
    )
    assert document.text == "Shown text."
    assert account(document) == [
        "3 hidden passages not read (the page does not show it): draft in it, offer, cookies",
        "1 menu not read (links, not content): Home News",
        "1 list of choices not read (part of a form): red blue",
    ]
    assert document.left_out == 5


def test_a_page_that_is_all_hidden_or_all_menu_is_read(tmp_path: Path) -> None:
    hidden = html(tmp_path, "<body style='visibility:hidden'><h1>Tide</h1><p>" + "High water at six. " * 9)
    assert "High water at six." in hidden.text and hidden.left_out == 0
    assert html(tmp_path, "<nav><ul><li><a>One</a><li><a>Two</a></ul></nav>").text == "- One\n\n- Two"


def test_pictures_and_pages_that_are_elsewhere_are_named(tmp_path: Path) -> None:
    document = html(
        tmp_path,
        "<p>x</p><img src='img/plan.png'><img src='line.gif' alt=''><img src=dot.gif width=1 height=1>"
        "<img src='data:image/png;base64,AA'><img src=v.png alt='Valve'><iframe src='menu.html'></iframe>"
        "<iframe src='about:blank'></iframe><video src='film.mp4'>old browser</video>",
    )
    assert document.text == "x\nValve"
    assert account(document) == [
        "1 picture description read",
        "2 pictures not read (no text describes it): plan.png",
        "1 embedded page not read (not a part of this file): menu.html",
        "1 video not read (not a part of this file): film.mp4",
    ]


def test_merged_cells_give_each_row_and_column_their_value(tmp_path: Path) -> None:
    source = (
        "<table><caption>Meters</caption><tr><th>Site</th><th>Meter</th><th>Value</th></tr>"
        "<tr><td rowspan=2>Dock</td><td>Water</td><td>71</td></tr><tr><td>Gas</td><td>12</td></tr>"
        "<tr><td colspan=2>Quay</td><td>5</td></tr><tr><td colspan=3>All read in May</td></tr>"
        "<tr hidden><td>no</td></tr><tr><td rowspan=0>Pier<td>a<td>1</tr><tr><td>b<td></td></tr></table>"
    )
    assert html(tmp_path, source).text == (
        "Meters\nSite | Meter | Value\nDock | Water | 71\nDock | Gas | 12\nQuay | Quay | 5\nAll read in May\n"
        "Pier | a | 1\nPier | b"
    )


def test_a_title_over_a_table_is_no_heading_of_its_columns(tmp_path: Path) -> None:
    source = (
        "<table><tr><td colspan=3>Read in May</td></tr><tr><th>Site<th>Water<th>Gas</tr>"
        "<tr><td rowspan=2>Dock</td></tr><tr><td colspan=2>closed</td></tr></table>"
        "<table><tr><td>one</td></tr><tr><td>two</td></tr></table>"
    )
    assert html(tmp_path, source).text == (
        "Read in May\nSite | Water | Gas\nDock\nDock | closed | closed\n\none\ntwo"
    )


def test_headings_of_two_rows_are_joined_and_repeated_in_a_long_table(tmp_path: Path) -> None:
    source = (
        "<table><thead><tr><th colspan=3>Prices of May</th></tr><tr><th rowspan=2>Item<th colspan=2>Price</tr>"
        "<tr><th>net<th>gross</tr></thead>"
        + "".join(f"<tr><td>Nut {n}<td>{n}<td>{n + 1}</tr>" for n in range(20))
        + "</table>"
    )
    lines = html(tmp_path, source).text.split("\n")
    assert lines[:3] == ["Prices of May", "Item | Price net | Price gross", "Nut 0 | 0 | 1"]
    assert [n for n, line in enumerate(lines) if line.startswith("Columns:")] == [14]
    assert lines[14] == "Columns: Item | Price net | Price gross"


def test_a_table_that_lays_out_a_page_is_read_as_its_parts(tmp_path: Path) -> None:
    document = html(
        tmp_path,
        "<table><tr><td><h2>Menu</h2></td><td><table><tr><td>a<td>b</tr></table></td></tr></table><p>end",
    )
    assert [place.label for place in document.places] == ["Menu"]
    assert "a | b" in document.text


def test_xhtml_follows_the_rules_of_xml(tmp_path: Path) -> None:
    page = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="k.js"/>'
        '<style/></head><body><h1>Crossing</h1><p>The ferry<a id="x"/> crosses.</p><div/><p>Twice.</p></body></html>'
    )
    for name in ("a.xhtml", "a.html"):
        document = check(parse_file(write(tmp_path, name, page)))
        assert document.text == "Crossing\n\nThe ferry crosses.\n\nTwice."
    prefixed = (
        page.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x=")
    )
    assert "Crossing\n\nThe ferry crosses." in parse_file(write(tmp_path, "b.xhtml", prefixed)).text


HOSTILE = {
    "divs": "<div>" * 50_000 + "deep",
    "elements": "".join(f"<x{n}>" for n in range(50_000)) + "deep",
    "attributes": "<div " + " ".join(f'a{n}=">"' for n in range(100_000)) + ">deep</div>",
    "fonts": "".join(f"<p><font size={n}>deep" for n in range(20_000)),
    "options": "deep<select>" + "<option>x" * 50_000,
    "bodies": "<body a=1>deep" * 20_000,
    "titles": "deep" + "<title>" * 50_000,
    "comments": "deep" + "<!--" * 50_000 + ">",
    "tags": "deep" + "<a b='" * 50_000 + ">x",
    "tables": "<table><tr><td>" * 10_000 + "deep",
    "cells": "<table>" + "<tr><td colspan=1000 rowspan=65000>deep<td>x" * 5_000,
    "rows": "<table><tr>" + "<td rowspan=65000>deep" * 1000 + "<tr>" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_read_in_seconds(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "a.html", HOSTILE[name])
    started = time.process_time()
    document = parse_file(path)
    assert "deep" in document.text
    assert len(document.text) < 3_000_000
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "source",
    [
        "<item>" * 30_000 + "deep",
        "<a>deep</b>" * 30_000,
        "<a " + " ".join(f'a{n}="x"' for n in range(100_000)) + ">deep</a>",
        "<a><![CDATA[" + "<div>" * 50_000 + "deep]]></a>",
    ],
)
def test_hostile_xml_is_read_in_seconds(tmp_path: Path, source: str) -> None:
    path = write(tmp_path, "a.xml", source)
    started = time.process_time()
    assert "deep" in parse_file(path).text
    assert time.process_time() - started < 5


def test_xml_keeps_sentences_with_markup_whole_and_reads_attributes_for_people(tmp_path: Path) -> None:
    source = (
        '<r xmlns="http://x/y"><para>Turn the <b>red</b> valve<i> off</i>.</para>'
        '<point id="p7" lat="47.1" name="Dock &amp; Quay"/><select><Row>x</Row></select></r>'
    )
    assert parse_file(write(tmp_path, "a.xml", source)).text == (
        "para: Turn the red valve off.\npoint: lat 47.1; name Dock & Quay\nRow: x"
    )
