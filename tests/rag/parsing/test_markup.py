"""Markup becomes tokens in one pass, and HTML is made harmless for the parser."""

import pytest

from rag.parsing.markup import attributes_of, escape, local_name, tame, tokens


def tamed(source: str, xml: bool = False) -> str:
    return "".join(tame(source, xml))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<b c='>'>d</b>", ["a", "<b c='>'>", "d", "</b>"]),
        ("<a/><b x='1'/><c href=x/>", ["<a/>", "<b x='1'/>", "<c href=x/>"]),
        ("a < b > c <3", ["a < b > c <3"]),
        ("<!-- <b> --><i>", ["<i>"]),
        ("<!--><i>", ["<i>"]),
        ("<!DOCTYPE a [<!ENTITY b 'c>'>]><i>", ["<i>"]),
        ("<?xml version='1.0'?><?php a->b ?><i>", ["<i>"]),
        ("<![CDATA[<b> & c]]>d", ["&lt;b&gt; &amp; c", "d"]),
        ("<![CDATA[open>", ["open&gt;"]),
        ("<i", ["<i"]),
        ("", []),
    ],
)
def test_markup_is_split_into_text_and_tags(source: str, expected: list[str]) -> None:
    forms = {"text": "{1}", "open": "<{0}{1}>", "close": "</{0}>", "empty": "<{0}{1}/>"}
    found = [forms[kind].format(name, text) for kind, name, text in tokens(source)]
    if "href" in source:  # an unquoted value keeps its slash
        assert list(tokens(source))[-1] == ("open", "c", " href=x/")
    assert found == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<script>if (a<b) '<p>'</script>x", "x"),
        ("<STYLE>p{}</STYLE>x<script>never closed", "x"),
        ("<title>a <b> c</title>x", "<title>a &lt;b> c</title>x"),
        ("<title>never closed<p>x", "never closed<p>x"),
        ("<title/>x<div/>y", "<title></title>x<div>y"),
        ("<noscript><b>x</b></noscript>", "<div><span>x</span></div>"),
        ("<frameset><frame src=a></frameset>", "<div><iframe src=a></iframe></div>"),
        ("<body a=1>x<body b=2>y</body>", "<body a=1>xy"),
        ("<select><option>a<option>b</select>", "<select> a b</select>"),
        ("<br/><img src='a'/></br>", "<br><img src='a'>"),
    ],
)
def test_html_is_made_harmless(source: str, expected: str) -> None:
    assert tamed(source) == expected


def test_in_xml_every_self_closed_element_is_whole_and_prefixes_go() -> None:
    assert tamed("<div/><p/>x", xml=True) == "<div></div><p></p>x"
    assert tamed("<?xml version='1.0'?><div/>x") == "<div></div>x"
    page = '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:html>'
    assert tamed(page).endswith("<p>x</p>")


def test_nesting_is_bounded_and_what_is_open_is_closed_in_order() -> None:
    source = "<div>" * 300 + "x" + "</div>" * 300 + "<div>y</div>"
    found = tamed(source)
    assert found.count("<div>") == found.count("</div>") == 201
    assert found.endswith("<div>y</div>")
    assert tamed("<li>a" * 1000).count("<li>") == 1000


def test_many_attributes_are_cut_to_the_useful_ones() -> None:
    many = " ".join(f'data-{n}="{n}"' for n in range(500))
    assert tamed(f'<img {many} alt="A &quot;B&quot;" alt="C">') == '<img alt="A &quot;B&quot;">'
    assert tamed(f"<img {many[:900]}>") == f"<img {many[:900]}>"


def test_a_large_page_comes_in_pieces_with_its_table_open() -> None:
    rows = "<table>" + "<tr><td>12</td><td>x</td></tr>" * 60
    pieces = list(tame(rows, most_tags=200))
    assert len(pieces) == 2
    assert pieces[1].startswith("<table><tr><td>12")
    assert "".join(pieces).count("<td>12</td>") == 60
    assert len(list(tame("<b>x</b>" * 250, most_tags=200))) == 2


def test_attributes_are_read_by_their_local_names() -> None:
    assert attributes_of(""" opf:Id='a' href="b > c" checked x = y id="second" """) == {
        "id": "a",
        "href": "b > c",
        "checked": "",
        "x": "y",
    }
    assert local_name("opf:itemRef") == "itemref"
    assert escape("<a & b>") == "&lt;a &amp; b&gt;"
