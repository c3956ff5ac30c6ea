"""EPUB is read in the order of its spine, however carelessly it was made; what is missing is named."""

import zipfile
from pathlib import Path

import pytest
from sample_files import check

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument


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


def spine(*chapters: str, extra: str = "") -> str:
    items = "".join(f'<item id="c{n}" href="{name}"/>' for n, name in enumerate(chapters))
    references = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return f"<package><manifest>{items}{extra}</manifest><spine>{references}</spine></package>"


def account(document: ParsedDocument) -> list[str]:
    return [line.text for line in document.account]


def test_chapters_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    package = spine("a.xhtml", "gone.xhtml", "a.xhtml", "cover.jpg", "empty.xhtml", "locked.xhtml").replace(
        'href="cover.jpg"', 'href="cover.jpg" media-type="image/jpeg"'
    )
    package = package.replace(
        "</manifest>", '<item id="n" href="note.xhtml" media-type="text/html"/></manifest>'
    )
    locked = '<e><CipherReference URI="o/locked.xhtml"/><CipherReference URI="o/font.otf"/></e>'
    extra = {
        "o/a.xhtml": "<p>Words.</p>",
        "o/cover.jpg": "x",
        "o/empty.xhtml": "<body><img src='p.png'/></body>",
        "o/locked.xhtml": "%$&",
        "o/note.xhtml": "<p>x</p>",
        "META-INF/encryption.xml": locked,
    }
    document = check(parse_file(book(tmp_path, package=package, extra=extra)))
    assert document.text == "Words."
    assert account(document) == [
        "1 chapter not read (it is missing from the file): gone.xhtml",
        "1 chapter not read (the book names it again): a.xhtml",
        "1 chapter not read (it is a picture): cover.jpg",
        "1 picture not read (no text describes it): p.png",
        "1 chapter not read (it has no text): empty.xhtml",
        "1 chapter not read (it is encrypted): locked.xhtml",
        "1 page not read (not in the reading order): note.xhtml",
    ]


def test_prefixes_letter_case_and_accents_in_names_do_not_hide_chapters(tmp_path: Path) -> None:
    package = (
        '<?xml version="1.0"?><opf:package xmlns:opf="http://www.idpf.org/2007/opf"><opf:metadata>'
        "<dc:title>A &amp; B</dc:title><dc:title>second</dc:title></opf:metadata><opf:manifest>"
        '<opf:item id="a" href="One.XHTML"/><opf:item id="b" href="%C3%BCber.xhtml#top"/></opf:manifest>'
        '<opf:spine><opf:itemref idref="a"/><opf:itemref idref="b"/></opf:spine></opf:package>'
    )
    extra = {"O/one.xhtml": "<p>First.</p>", "o/u\u0308ber.xhtml": "<p>Second.</p>"}
    document = check(parse_file(book(tmp_path, package=package, extra=extra)))
    assert document.text == "First.\n\nSecond."
    assert document.title == "A & B"
    assert document.account == ()


def test_a_name_in_utf8_that_the_archive_does_not_declare_is_found(tmp_path: Path) -> None:
    path = book(tmp_path, package=spine("über.xhtml"), extra={"o/über.xhtml": "<p>Words.</p>"})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # clear the flag that says UTF-8
        position = -1
        while (position := data.find(mark, position + 1)) >= 0:
            data[position + offset + 1] &= 0xF7
    path.write_bytes(data)
    assert parse_file(path).text == "Words."


def test_self_closed_elements_and_wrong_bytes_cost_no_chapter(tmp_path: Path) -> None:
    path = book(tmp_path, package=spine("a.xhtml"))
    chapter = (
        "<html><head><title/><script src='k.js'/></head><body><p>Größe der Tür</p>\n\udcff</body></html>"
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("o/a.xhtml", chapter.encode("utf-8", "surrogateescape"))
    document = parse_file(path)
    assert document.text.startswith("Größe der Tür")
    assert account(document) == ["1 character not read (wrong bytes in UTF-8 text): a.xhtml line 2"]


def test_a_book_without_a_container_is_read_by_its_package(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("p.opf", spine("a.xhtml"))
        archive.writestr("a.xhtml", "<p>Words.</p>")
    assert parse_file(path).text == "Words."


def test_a_chapter_named_thousands_of_times_is_read_once(tmp_path: Path) -> None:
    package = spine("a.xhtml").replace("</spine>", '<itemref idref="c0"/>' * 20_000 + "</spine>")
    document = parse_file(book(tmp_path, package=package, extra={"o/a.xhtml": "<p>Words.</p>"}))
    assert document.text == "Words."
    assert document.left_out == 20_000


def test_a_book_without_a_reading_order_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    package = (
        '<package><manifest><item id="p" href="p.png" media-type="image/png"/>'
        '<item id="b" href="t\\b.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="/o/a.xhtml" media-type="application/xhtml+xml"/></manifest></package>'
    )
    extra = {"o/a.xhtml": "<p>First.</p>", "o/t/b.xhtml": "<p>Second.</p>"}
    document = parse_file(book(tmp_path, package=package, extra=extra))
    assert document.text == "Second.\n\nFirst."
    assert account(document) == [
        "2 chapters in the order of the list of files, for want of a reading order read"
    ]
