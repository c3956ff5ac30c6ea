"""Word and PowerPoint files of before 2007 are read piece by piece, and refused with a sentence otherwise."""

from pathlib import Path

import pytest
from compound_files import compound, slides, word
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file


def test_a_word_document_is_read_in_one_and_two_bytes_a_letter(tmp_path: Path) -> None:
    data = word("The tide at Bremen.\rIt rises – slowly.\r", wide="Приливы Бремена.\r")
    document = check(parse_file(write(tmp_path, "tides.doc", data)))
    assert document.text == "The tide at Bremen.\nIt rises – slowly.\nПриливы Бремена."
    assert (document.title, document.media_type) == ("tides", "application/msword")


def test_fields_tables_and_hyphens_of_a_word_document_read_as_they_are_shown(tmp_path: Path) -> None:
    data = word(
        "See \x13 HYPERLINK \"x\" \x13 PAGE \x14 3 \x15\x14the plan\x15.\rPort\x07Boats\x07\x07Emden\x0712\x07\x07"
        "XR\x1e2075 docu\x1fmentation\x0bnext\x0cpage\x01\x02"
    )  # fmt: skip
    assert parse_file(write(tmp_path, "a.doc", data)).text == (
        "See the plan.\nPort | Boats\nEmden | 12\nXR-2075 documentation\nnext\n\npage"
    )


def test_the_footnotes_of_a_word_document_are_a_part_of_their_own(tmp_path: Path) -> None:
    document = check(
        parse_file(write(tmp_path, "a.doc", word("The main text.\r", footnotes="\x02 A note.\r")))
    )
    assert [(place.label, document.text[place.start : place.end]) for place in document.places] == [
        ("", "The main text."),
        ("footnotes", " A note."),
    ]
    assert [line.text for line in document.account] == ["1 part read"]


def test_slides_have_their_outline_their_boxes_and_their_notes(tmp_path: Path) -> None:
    data = slides(("Tides\rof Bremen", "Rises 3 m", "Say it slowly."), ("Storms", "Closed", ""))
    document = check(parse_file(write(tmp_path, "a.ppt", data)))
    assert [(place.label, document.text[place.start : place.end]) for place in document.places] == [
        ("slide 1", "Tides\nof Bremen\nRises 3 m\nNotes: Say it slowly."),
        ("slide 2", "Storms\nClosed"),
    ]
    assert [line.text for line in document.account] == ["1 note read"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.doc", word("x", flags=0x100), "protected by a password"),
        ("a.doc", compound({"WordDocument": b"\xdb\xa5" + bytes(600)}), "Word 95 or older"),
        ("a.doc", word("x")[:700], "damaged"),
        ("a.ppt", compound({"PowerPoint Document": b"\0" * 40, "EncryptedSummary": b"x"}), "password"),
        (
            "a.ppt",
            compound({"PowerPoint Document": b"x", "Current User": bytes(12) + b"\xdf\xc4\xd1\xf3"}),
            "password",
        ),
        ("a.ppt", compound({"Something": b"x"}), "no slides"),
        ("a.doc", slides(("A", "b", "")), r"really a \.ppt file; rename it to \.ppt"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        parse_file(write(tmp_path, name, data))
