"""Form values, comments and files inside a PDF are read; signs that no font names are not."""

from pathlib import Path

import pytest
from pdf_files import fields, lines, one_page, with_files
from sample_files import MANUAL, check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file


def test_what_is_filled_into_a_form_is_read(tmp_path: Path) -> None:
    place = b"/Type /Annot /Subtype /Widget /Rect [0 0 90 20]"
    path = write(tmp_path, "a.pdf", fields(
        b"<< %s /FT /Tx /T (boat) /TU (Name of the boat) /V (Sea Thistle) /F 4 >>" % place,
        b"<< %s /FT /Tx /T (empty) /F 4 >>" % place,
        b"<< %s /FT /Ch /Ff 131072 /T (pier) /Opt [(North) (South)] /V (South) /F 4 >>" % place,
        b"<< %s /FT /Btn /T (winter) /V /Yes /AS /Yes /AP << /N << /Yes 5 0 R /Off 5 0 R >> >> /F 4 >>" % place,
        b"<< %s /FT /Btn /T (crane) /V /Off /AS /Off /AP << /N << /Yes 5 0 R /Off 5 0 R >> >> /F 4 >>" % place,
        b"<< %s /FT /Btn /Ff 65536 /T (send) /F 4 >>" % place,
        b"<< %s /FT /Tx /T (secret) /V (hidden words) /F 2 >>" % place,
        page=lines("Application for a berth"),
    ))  # fmt: skip
    document = check(parse_file(path))
    assert document.text == (
        "Application for a berth\n\nName of the boat: Sea Thistle\npier: South\nwinter: Yes\ncrane: no"
    )
    assert [line.text for line in document.account] == [
        "4 form fields read",
        "1 form field not read (hidden): secret",
    ]


def test_comments_are_read_with_their_author_and_links_are_not(tmp_path: Path) -> None:
    annotations = (
        b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /T (Ann) /Contents (The owner must show insurance.) >>"
        b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 90 9] /Contents (Approved\rfor pier seven) >>"
        b"<< /Type /Annot /Subtype /Highlight /Rect [0 0 9 9] /QuadPoints [0 0 9 0 9 9 0 9] >>"
        b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Contents (a link) >>"
    )
    document = parse_file(write(tmp_path, "a.pdf", one_page(lines("Berth 7"), annotations)))
    assert document.text == (
        "Berth 7\n\nComment by Ann: The owner must show insurance.\nText box: Approved for pier seven"
    )
    assert [line.text for line in document.account] == ["2 comments read"]


def test_signs_that_no_font_names_are_named_and_not_read(tmp_path: Path) -> None:
    stream = b"BT /F1 11 Tf 60 770 Td (7KH KDUERXU LV FORVHG LQ D VWRUP) Tj ET"
    nameless = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [0.1 0 0 0.1 0 0] /FirstChar 32 "
        b"/LastChar 95 /Widths [%s] /CharProcs << >> /Encoding << /Differences [32 %s] >> >>"
        % (b"5 " * 64, b" ".join(b"/g%d" % number for number in range(64)))
    )
    with pytest.raises(DocumentError, match=r"fonts of the PDF do not say which letters they show\. Run OCR"):
        parse_file(write(tmp_path, "a.pdf", one_page(stream, font=nameless)))
    comment = b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (Closed in May.) >>"
    document = parse_file(write(tmp_path, "b.pdf", one_page(stream, comment, font=nameless)))
    assert document.text == "Comment: Closed in May."
    assert document.account[-1].text.startswith(
        "1 page not read (page 1 of 1: its fonts do not say which letters"
    )
    readable = stream.replace(b"7KH KDUERXU LV FORVHG LQ D VWRUP", b"THE HARBOUR IS CLOSED IN A STORM")
    assert "HARBOUR" in parse_file(write(tmp_path, "c.pdf", one_page(readable, font=nameless))).text


def test_the_files_of_a_portfolio_are_read_each_in_places_of_its_own(tmp_path: Path) -> None:
    inner = with_files(deep_txt=b"The deepest words.")
    data = with_files(
        a_txt=b"Berth 7 is free.", b_pdf=MANUAL.read_bytes(), c_zip=b"PK\3\4" + bytes(40), d_pdf=inner
    )
    document = check(parse_file(write(tmp_path, "a.pdf", data)))
    labels = [place.label for place in document.places]
    assert labels == ["a.txt", "b.pdf, page 1", "b.pdf, page 2", "b.pdf, page 3", "d.pdf, deep.txt"]
    assert {(place.kind, place.number) for place in document.places} == {("section", None)}
    assert document.text.startswith("Berth 7 is free.") and document.text.endswith("The deepest words.")
    assert [(line.text, line.left_out) for line in document.account] == [
        ("3 attached files read", 0),
        ("1 attached file not read (.zip files are not supported): c.zip", 1),
        ("d.pdf: 1 attached file read", 0),
    ]


def test_files_inside_files_are_read_to_a_depth_and_no_further(tmp_path: Path) -> None:
    data = with_files(end_txt=b"The end.")
    for _ in range(4):
        data = with_files(inner_pdf=data)
    with pytest.raises(
        DocumentError, match=r"no text: .* not read \(There are too many files inside files\): inner"
    ):
        parse_file(write(tmp_path, "a.pdf", data))


def test_choices_of_several_kinds_say_what_was_chosen(tmp_path: Path) -> None:
    place = b"/Type /Annot /Subtype /Widget /Rect [0 0 90 20] /F 4"
    states = b"/AP << /N << /%s 5 0 R /Off 5 0 R >> >>"
    radio = b"<< %s /FT /Btn /Ff 49152 /T (pier) /V /South /AS /%s %s >>"
    path = write(tmp_path, "a.pdf", fields(
        radio % (place, b"Off", states % b"North"),
        radio % (place, b"South", states % b"South"),
        b"<< %s /FT /Ch /Ff 2097152 /T (days) /Opt [(Mon) (Tue) (Wed)] /V [(Mon) (Wed)] /I [0 2] >>" % place,
        b"<< %s /FT /Tx /T (note) /V (two\\nlines) >>" % place,
    ))  # fmt: skip
    assert parse_file(path).text == "pier: South\ndays: Mon, Wed\nnote: two lines"


def test_a_signature_is_named_where_there_is_one(tmp_path: Path) -> None:
    place = b"/Type /Annot /Subtype /Widget /Rect [0 0 90 20] /F 4"
    path = write(tmp_path, "a.pdf", fields(
        b"<< %s /FT /Sig /T (owner) /V << /Type /Sig /Filter /Adobe.PPKLite /Contents <00> >> >>" % place,
        b"<< %s /FT /Sig /T (harbour) >>" % place,
    ))  # fmt: skip
    assert parse_file(path).text == "owner: signed"


def test_a_form_for_adobe_s_programs_alone_is_named(tmp_path: Path) -> None:
    packet = b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>"
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(packet), packet)
    data = one_page(
        lines("Please wait"),
        more=(stream,),
        catalogue=b"/NeedsRendering true /AcroForm << /Fields [] /XFA 6 0 R >>",
    )
    (line,) = parse_file(write(tmp_path, "a.pdf", data)).account
    assert line.text.startswith("1 form not read (its XFA format is shown by Adobe's programs alone")


def test_a_file_pinned_to_a_page_is_read(tmp_path: Path) -> None:
    pinned = b"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /Contents (The list) /FS 7 0 R >>"
    words = b"Berth 7 is free."
    more = (
        b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
        b"<< /Type /Filespec /F (list.txt) /UF (list.txt) /EF << /F 6 0 R >> >>",
    )
    document = check(parse_file(write(tmp_path, "a.pdf", one_page(lines("Berths"), pinned, more))))
    assert document.text == "Berths\n\nComment: The list\n\nBerth 7 is free."
    assert [place.label for place in document.places] == ["page 1", "list.txt"]
    assert [line.text for line in document.account] == ["1 comment read", "1 attached file read"]


def test_an_attachment_without_content_is_named(tmp_path: Path) -> None:
    data = with_files(empty_txt=b"", a_txt=b"Berth 7 is free.")
    document = parse_file(write(tmp_path, "a.pdf", data))
    assert document.text == "Berth 7 is free."
    assert [line.text for line in document.account] == [
        "1 attached file read",
        "1 attached file not read (The file is empty): empty.txt",
    ]
