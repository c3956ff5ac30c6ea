"""Rich text is read with its notes, comments, headers and boxes, in the encoding that it names."""

from pathlib import Path

import pytest
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file


def read(tmp_path: Path, body: str, head: str = r"\ansi\ansicpg1252") -> tuple[str, list[str]]:
    document = check(parse_file(write(tmp_path, "a.rtf", "{\\rtf1" + head + " " + body + "}")))
    return document.text, [line.text for line in document.account]


def test_words_signs_and_paragraphs_are_read(tmp_path: Path) -> None:
    text, account = read(tmp_path, r"The {\b tide} at M\'fcnchen\par rises 3\~m \endash  perhaps \u8364?5.")
    assert text == "The tide at München\nrises 3\xa0m – perhaps €5."
    assert account == []


def test_the_named_code_page_is_used(tmp_path: Path) -> None:
    assert read(tmp_path, r"\'cf\'f0\'e8\'eb\'e8\'e2", r"\ansi\ansicpg1251")[0] == "Прилив"


def test_notes_comments_headers_and_boxes_stand_where_they_belong(tmp_path: Path) -> None:
    text, account = read(
        tmp_path,
        r"{\header\pard Harbour rules\par}Pay{\footnote\pard\plain  Within 30 days.} now.{\*\annotation Ask Bob}\par"
        r"{\shp{\*\shpinst\shpleft0{\sp{\sn shapeType}{\sv 202}}{\shptxt Only in May.}}} End.",
    )
    assert " ".join(text.split()) == (
        "Harbour rules Pay (Footnote: Within 30 days.) now. (Comment: Ask Bob) Only in May. End."
    )
    assert account == ["1 text box read", "1 footnote read", "1 comment read"]


def test_a_table_is_a_line_for_each_row_and_pictures_are_no_text(tmp_path: Path) -> None:
    picture = r"{\pict\pngblip " + "89504e47" * 2000 + "}"
    text, _ = read(
        tmp_path, r"\trowd Port\cell Boats\cell\row\trowd Emden\cell 12\cell\row\pard " + picture + "End"
    )
    assert text == "Port | Boats\nEmden | 12\nEnd"


def test_the_title_of_the_file_is_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "a.rtf", r"{\rtf1{\info{\title Harbour rules}{\author Ann}}Text}")
    document = parse_file(path)
    assert (document.title, document.text) == ("Harbour rules", "Text")


def test_rich_text_called_doc_is_read(tmp_path: Path) -> None:
    assert parse_file(write(tmp_path, "a.doc", r"{\rtf1 Just words}")).text == "Just words"


def test_an_object_is_named(tmp_path: Path) -> None:
    _, account = read(tmp_path, r"Text {\object\objemb{\*\objdata 0105}{\result shown}}")
    assert account == ["1 embedded object not read (only its picture is shown)"]


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="not really an RTF file"):
        parse_file(write(tmp_path, "a.rtf", "just words"))
