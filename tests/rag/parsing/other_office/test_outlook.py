"""A mail that Outlook saved is read like the mail that was sent, with what is attached to it."""

from pathlib import Path

import pytest
from compound_files import compound, outlook_parts
from compressed_rtf import compress
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file

HEAD = {
    "p0037": "Tides für Bremen",
    "p0C1A": "Ann Bauer",
    "p5D01": "ann@example.org",
    "p0E04": "Bob; 'Bauer, Eve'",
}


def test_an_outlook_mail_has_its_header_body_and_date(tmp_path: Path) -> None:
    data = compound(outlook_parts(**HEAD, p1000="The tide rises.\r\nBoats leave at noon – perhaps."))
    document = check(parse_file(write(tmp_path, "a.msg", data)))
    assert document.title == "Tides für Bremen"
    assert document.media_type == "application/vnd.ms-outlook"
    for words in (
        "Ann Bauer <ann@example.org>",
        "Bob, ",
        "Bauer, Eve",
        "Jan 2024",
        "The tide rises.",
        "noon – perhaps",
    ):
        assert words in document.text


@pytest.mark.parametrize(
    ("body", "narrow"),
    [
        ({"p1000": "Größe of the tide: 3 m"}, False),
        ({"p1000": "Größe of the tide: 3 m"}, True),
        (
            {
                "p1000": " ",
                "p1013": "<html><body><p>Größe of the <b>tide</b>: 3 m</p></body></html>".encode(),
            },
            False,
        ),
        (
            {"p1009": compress(rb"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe of the tide: 3 m}", compressed=True)},
            False,
        ),
    ],
    ids=["wide", "narrow", "html", "rich text"],
)
def test_the_body_is_found_in_whichever_form_it_is_stored(
    tmp_path: Path, body: dict[str, str | bytes], narrow: bool
) -> None:
    data = compound(outlook_parts(narrow=narrow, p0037="S", **body))
    assert "Größe of the tide: 3 m" in parse_file(write(tmp_path, "a.msg", data)).text


def test_attached_files_and_mails_are_there(tmp_path: Path) -> None:
    inner = outlook_parts(p0037="Inner mail", p1000="Words of the inner mail.")
    file = {
        "__substg1.0_3707001F": "list.txt".encode("utf-16-le"),
        "__substg1.0_37010102": b"Berth 7 is free.",
    }
    mail = {"__substg1.0_3001001F": "Inner".encode("utf-16-le"), "__substg1.0_3701000D": inner}
    data = compound(outlook_parts(p0037="Outer", p1000="See below.", attachments=(file, mail)))
    document = parse_file(write(tmp_path, "a.msg", data))
    for words in ("See below.", "list.txt", "Berth 7 is free.", "Inner mail", "Words of the inner mail."):
        assert words in document.text
    assert [line.text for line in document.account] == ["1 attachment read", "1 forwarded message read"]


def test_another_file_of_that_name_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="not a mail that Outlook saved"):
        parse_file(write(tmp_path, "de.msg", "namespace eval ::tk"))
    with pytest.raises(DocumentError, match="damaged"):
        parse_file(write(tmp_path, "a.msg", compound(outlook_parts(p0037="S"))[:600]))
