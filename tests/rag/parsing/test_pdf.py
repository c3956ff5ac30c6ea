"""PDF gives text by page, pages as pictures, and the places of a quote on them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_files import fields, lines, one_page
from sample_files import MANUAL, check, make_pdf, write

from rag.errors import DocumentError, NotFoundError
from rag.parsing.formats import parse_file
from rag.parsing.pdf import render_page


def test_pdf_has_a_place_for_each_page() -> None:
    document = check(parse_file(MANUAL))
    assert [place.label for place in document.places] == ["page 1", "page 2", "page 3"]
    assert "21 days" in document.text[document.places[1].start : document.places[1].end]
    assert document.title == "Aurora 3 User Manual"


def test_a_quote_is_found_on_its_page_and_marked() -> None:
    document = parse_file(MANUAL)
    place = document.places[1]
    page = render_page(MANUAL, 2, document.text[place.start + 20 : place.end - 30], 1.5)
    assert (page.width, page.height, page.page_count) == (893, 1263, 3)
    assert len(page.rgb) == page.width * page.height * 3
    assert len(page.rectangles) > 3
    for x, y, width, height in page.rectangles:
        assert 0 <= x < x + width <= page.width
        assert 0 <= y < y + height <= page.height
    assert render_page(MANUAL, 1, "words that are nowhere on it", 1.0).rectangles == ()
    assert render_page(MANUAL, 99, "", 1.0).page_number == 3


def test_a_quote_that_begins_on_the_page_before_is_marked_as_far_as_it_is_here() -> None:
    document = parse_file(MANUAL)
    first, second = document.places[0], document.places[1]
    quote = document.text[first.end - 60 : second.start + 200]
    assert render_page(MANUAL, 2, quote, 1.0).rectangles


@pytest.mark.parametrize(
    "box", [b"/Rotate 90 /MediaBox [0 0 595 842]", b"/MediaBox [0 0 595 842] /CropBox [30 60 560 830]"]
)
def test_the_marks_stand_on_the_ink_of_turned_and_cropped_pages(tmp_path: Path, box: bytes) -> None:
    import numpy

    path = write(tmp_path, "a.pdf", MANUAL.read_bytes().replace(b"/MediaBox [0 0 595 842]", box))
    page = render_page(path, 2, "A fully charged battery lasts 21 days", 2.0)
    dark = numpy.frombuffer(page.rgb, numpy.uint8).reshape(page.height, page.width, 3).min(axis=2) < 128
    assert page.rectangles
    for x, y, width, height in page.rectangles:
        assert dark[int(y) : int(y + height), int(x) : int(x + width)].mean() > 0.1


def test_a_quote_over_several_pages_marks_all_of_the_page_between() -> None:
    document = parse_file(MANUAL)
    second = document.places[1]
    lines = document.text[second.start : second.end].count("\n") + 1
    assert len(render_page(MANUAL, 2, document.text, 1.0).rectangles) == lines


def test_a_word_divided_at_a_line_end_is_found_whole_and_divided() -> None:
    page = render_page(MANUAL, 2, "fully charged bat-\ntery   lasts 21 DAYS", 1.0)
    assert 1 <= len(page.rectangles) <= 2


def test_a_page_of_a_huge_poster_is_drawn_smaller(tmp_path: Path) -> None:
    poster = MANUAL.read_bytes().replace(b"[0 0 595 842]", b"[0 0 14400 14400]")
    page = render_page(write(tmp_path, "a.pdf", poster), 1, "", 1.0)
    assert page.width * page.height < 41_000_000


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    plain = MANUAL.read_bytes()
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32)
    locked = plain.replace(b"trailer << ", b"trailer << /ID [<00> <00>] /Encrypt " + lock + b" ")
    with pytest.raises(DocumentError, match="password"):
        parse_file(write(tmp_path, "a.pdf", locked))


def with_pages(path: Path, kinds: str) -> Path:
    """The manual's first page for each t, a page with a picture alone for each p, an empty page for each other."""
    made, manual = pypdfium2.PdfDocument.new(), pypdfium2.PdfDocument(MANUAL)
    for kind in kinds:
        if kind == "t":
            made.import_pages(manual, [0])
            continue
        page = made.new_page(595, 842)
        if kind == "p":
            picture = pypdfium2.PdfImage.new(made)
            picture.set_bitmap(pypdfium2.PdfBitmap.new_native(20, 20, pypdfium2.raw.FPDFBitmap_BGR))
            picture.set_matrix(pypdfium2.PdfMatrix().scale(500, 700))
            page.insert_obj(picture)
            page.gen_content()
    made.save(path)
    return path


@pytest.mark.parametrize(
    ("pages", "left_out", "line"),
    [
        ("t", 0, ""),
        ("t t", 0, ""),
        (
            "tp",
            1,
            "1 page not read (page 2 of 2: an image without text; run OCR on the PDF and add it again)",
        ),
        ("tpppt p", 4, "4 pages not read (pages 2-4, 7 of 7: an image without text"),
        ("tptptptptptptptp", 8, "(pages 2, 4, 6, 8, 10, 12 and others of 16:"),
    ],
)
def test_scanned_pages_among_others_are_named(tmp_path: Path, pages: str, left_out: int, line: str) -> None:
    document = check(parse_file(with_pages(tmp_path / "a.pdf", pages)))
    assert line in "".join(found.text for found in document.account)
    assert document.left_out == left_out
    assert len(document.places) == pages.count("t")


def test_a_pdf_of_images_alone_is_reported_as_no_text_layer(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"no text layer: its pages are images\. Run OCR"):
        parse_file(with_pages(tmp_path / "a.pdf", "pp"))


def test_only_images_are_called_images(tmp_path: Path) -> None:
    blank = make_pdf([("", "")]).replace(b"(1) Tj", b" () Tj")
    with pytest.raises(DocumentError, match=r"^The pages of the PDF are blank\.$"):
        parse_file(write(tmp_path, "blank.pdf", blank))
    shapes = b"0 0 m 9 9 l S\n" * 200
    with pytest.raises(DocumentError, match=r"drawn as shapes, not written\. Run OCR"):
        parse_file(write(tmp_path, "drawn.pdf", one_page(shapes)))
    empty = fields(b"<< /Subtype /Widget /FT /Tx /T (name) /Rect [0 0 9 9] /F 4 >>")
    with pytest.raises(DocumentError, match="nothing but a form in which nothing is filled in"):
        parse_file(write(tmp_path, "form.pdf", empty))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (("the board XR-", "2075 in stock"), "the board XR-2075 in stock"),
        (("against COVID-", "19 and"), "against COVID-19 and"),
        (("the Franco-", "American pact"), "the Franco-American pact"),
        (("an e-", "mail list"), "an e-mail list"),
        (("clause 4.1-", "4.3 and"), "clause 4.1-4.3 and"),
        (("the docu-", "mentation of it"), "the documentation of it"),
        (("a wind-", "shield, or wind-shield"), "a wind-shield, or wind-shield"),
        (("HARBOUR DOCU-", "MENTATION: documentation"), "HARBOUR DOCUMENTATION: documentation"),
        (("the long-", "term contract"), "the long-term contract"),
    ],
)
def test_a_hyphen_at_a_line_s_end_stays_where_it_belongs_to_the_word(
    tmp_path: Path, written: tuple[str, ...], text: str
) -> None:
    assert parse_file(write(tmp_path, "a.pdf", one_page(lines(*written)))).text == text


def test_lines_that_are_written_sideways_are_apart(tmp_path: Path) -> None:
    for direction in (b"0 1 -1 0 100 100", b"0 -1 1 0 100 700"):
        shown = b"(cargo of the ship) Tj T* (Line 3 of it) Tj T* (The last line) Tj"
        stream = b"BT /F1 11 Tf %s Tm 14 TL %s ET" % (direction, shown)
        words = parse_file(write(tmp_path, "a.pdf", one_page(stream))).text.split()
        assert sorted(words) == sorted("cargo of the ship Line 3 of it The last line".split())


def test_a_title_that_a_program_made_up_gives_way_to_the_file_name(tmp_path: Path) -> None:
    made = MANUAL.read_bytes().replace(b"(Aurora 3 User Manual)", b"(untitled)")
    assert parse_file(write(tmp_path, "minutes.pdf", made)).title == "minutes"


def test_a_pdf_that_is_gone_or_damaged_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no longer there"):
        render_page(tmp_path / "gone.pdf", 1, "", 1.0)
    with pytest.raises(DocumentError, match="damaged or not a PDF"):
        render_page(write(tmp_path, "a.pdf", b"%PDF-1.7\nnothing"), 1, "", 1.0)


def test_a_page_number_out_of_range_is_the_nearest_page() -> None:
    assert render_page(MANUAL, 0, "", 0.5).page_number == 1
    assert render_page(MANUAL, -5, "", 0.5).page_number == 1
    assert render_page(MANUAL, 4, "", 0.5).page_number == 3


@pytest.mark.parametrize(("scale", "width"), [(0.01, 119), (1.0, 595), (100.0, 3570)])
def test_the_scale_is_kept_within_bounds(scale: float, width: int) -> None:
    assert render_page(MANUAL, 1, "", scale).width == width


def test_the_same_page_is_the_same_picture() -> None:
    one, other = (render_page(MANUAL, 1, "Aurora", 1.0) for _ in range(2))
    assert one == other
    assert set(one.rgb) != {255}, "there is ink on it"


def page_text(number: int) -> str:
    document = parse_file(MANUAL)
    place = document.places[number - 1]
    return document.text[place.start : place.end]


def test_a_quote_with_a_few_wrong_letters_is_still_found() -> None:
    quote = page_text(2)[40:280]
    damaged = quote[:100] + "#" + quote[101:180] + "Q" + quote[181:]
    exact, near = (render_page(MANUAL, 2, q, 1.0).rectangles for q in (quote, damaged))
    assert near and near[0][1] == exact[0][1]


def test_a_quote_that_ends_on_the_next_page_is_marked_as_far_as_this_one_goes() -> None:
    quote = page_text(1)[-60:] + page_text(2)[:200]
    marked = render_page(MANUAL, 1, quote, 1.0).rectangles
    alone = render_page(MANUAL, 1, page_text(1)[-60:], 1.0).rectangles
    assert marked == alone != ()


def test_a_few_letters_at_the_edge_are_chance_and_not_marked() -> None:
    last = "".join(c for c in page_text(1) if c.isalnum())[-3:]
    assert render_page(MANUAL, 1, f"{last} zzzz qqqq xxxx", 1.0).rectangles == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 400), st.integers(20, 200))
def test_any_stretch_of_a_page_is_found_on_it(start: int, length: int) -> None:
    quote = page_text(2)[start : start + length]
    if sum(map(str.isalnum, quote)):
        assert render_page(MANUAL, 2, quote, 0.3).rectangles


def test_several_threads_may_read_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        texts = set(pool.map(lambda _: parse_file(MANUAL).text, range(8)))
        pages = set(pool.map(lambda n: render_page(MANUAL, n % 3 + 1, "Aurora", 0.3), range(9)))
    assert len(texts) == 1 and len(pages) == 3


def test_a_divided_word_is_whole_in_the_text() -> None:
    text = parse_file(MANUAL).text
    assert "\x02" not in text
    assert "bat-\n" not in text
