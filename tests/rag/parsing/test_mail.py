"""Mail is read whole: every text and attachment in its place, and what cannot be read is named."""

import email.message
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from sample_files import MANUAL, SAMPLES, check, write, xlsx

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument


def test_a_mail_in_html_has_no_style_sheet_and_whole_lines(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"] = "S"
    message.set_content("<style>p{}</style><p>A <b>bold</b> word.</p><script>x()</script>", subtype="html")
    document = check(parse_file(write(tmp_path, "a.eml", message.as_bytes())))
    assert document.text == "Subject: S\n\nA bold word."


def test_mail_has_its_head_body_and_attachments(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"], message["From"] = "Höhe", "a@example.org"
    message.set_content("The body.")
    message.add_attachment("inside text", filename="note.txt")
    message.add_attachment(b"\0\1", maintype="application", subtype="zip", filename="data.zip")
    document = check(parse_file(write(tmp_path, "a.eml", message.as_bytes())))
    for words in ("Subject: Höhe", "The body.", "inside text", "data.zip"):
        assert words in document.text


def test_a_mail_without_a_subject_has_the_name_of_its_file(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["From"] = "a@example.org"
    message.set_content("Words.")
    document = check(parse_file(write(tmp_path, "greeting.eml", message.as_bytes())))
    assert document.title == "greeting"
    assert document.text == "From: a@example.org\n\nWords."


def test_a_mail_in_two_forms_is_read_once_as_plain_text(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"] = "S"
    message.set_content("The plain form of the text, said in a dozen words or a few more than that.")
    message.add_alternative(
        "<p>The HTML form of the text, said in a dozen words or a few more than that.</p>", subtype="html"
    )
    text = parse_file(write(tmp_path, "a.eml", message.as_bytes())).text
    assert "plain form" in text and "HTML form" not in text


def test_an_attached_page_is_read_and_other_attachments_are_named(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"] = "S"
    message.set_content("Body.")
    message.add_attachment("<p>one<br>two</p><table><tr><td>x</td><td>y</td></tr></table>", subtype="html")
    message.add_attachment(b"\0", maintype="image", subtype="png")
    document = check(parse_file(write(tmp_path, "a.eml", message.as_bytes())))
    assert [place.label for place in document.places] == ["message", "attachment text/html", "attachments"]
    assert "one\ntwo" in document.text and "x | y" in document.text
    assert document.text.endswith("Attachments: text/html, image/png")


def test_a_mail_in_an_unknown_character_set_is_read_as_well_as_it_can_be(tmp_path: Path) -> None:
    content = b"Subject: S\nContent-Type: text/plain; charset=no-such\n\nGr\xfc\xdfe"
    assert parse_file(write(tmp_path, "a.eml", content)).text == "Subject: S\n\nGrüße"


HEAD = "From: Dana <dana@example.org>\nSubject: Report\n"
PICTURE = "Content-Type: image/x-icon; name=logo.ico\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo="
SENTENCE = "Grüße aus Malmö: der Schlüssel hängt am Brett „Süd“."


def mail(folder: Path, source: str | bytes, name: str = "a.eml") -> ParsedDocument:
    return check(parse_file(write(folder, name, source)))


def multipart(kind: str, parts: Iterable[str]) -> str:
    mark = f"b{kind}"
    body = "".join(f"--{mark}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\n\n{body}--{mark}--\n'


def account(document: ParsedDocument) -> list[str]:
    return [line.text for line in document.account]


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ("Content-Type: text/plain; charset=us-ascii", "utf-8"),
        ("Content-Type: text/plain; charset=us-ascii", "cp1252"),
        ("Content-Type: text/plain; charset=iso-8859-1", "cp1252"),
        ("Content-Type: text/plain; charset=utf-8", "cp1252"),
        ("Content-Type: text/plain; charset=windows-1252", "utf-8"),
        ("Content-Type: text/plain; charset=x-unknown", "utf-8"),
        ("Content-Type: text/html", "utf-8"),
    ],
)
def test_a_wrong_or_missing_charset_costs_no_word(tmp_path: Path, header: str, encoding: str) -> None:
    source = f"{HEAD}{header}\nContent-Transfer-Encoding: 8bit\n\n".replace("\n\n\n", "\n\n").replace(
        "\n\nC", "\nC"
    )
    document = mail(tmp_path, source.encode() + SENTENCE.encode(encoding))
    assert SENTENCE in document.text
    assert document.account == ()


def test_a_charset_is_its_superset_and_html_names_its_own(tmp_path: Path) -> None:
    head = f"{HEAD}Content-Type: text/plain; charset=gb2312\n\n".encode()
    assert "朱镕基" in mail(tmp_path, head + "请找朱镕基先生。".encode("gbk")).text
    page = '<meta charset="iso-8859-2"><p>Příliš žluťoučký kůň'.encode("iso-8859-2")
    assert "Příliš žluťoučký kůň" in mail(tmp_path, f"{HEAD}Content-Type: text/html\n\n".encode() + page).text


def test_wrong_bytes_of_a_body_are_counted(tmp_path: Path) -> None:
    document = mail(tmp_path, f"{HEAD}\n".encode() + SENTENCE.encode() + b"\n\xff\n")
    assert account(document) == ["1 character not read (wrong bytes in UTF-8 text): body line 2"]


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Über Schlüssel".encode(), "Über Schlüssel"),
        ("Über Schlüssel".encode("cp1252"), "Über Schlüssel"),
        (b"=?utf-8?B?U2NobMO8c3NlbCBmw7w=?=\n =?utf-8?B?ciBkYXMgTGFnZXI=?=", "Schlüssel für das Lager"),
        (b"=?utf-8?Q?Quai_f=C3?= =?utf-8?Q?=BCnf?= (neu)", "Quai fünf (neu)"),
        (b"Re: =?iso-8859-1?q?Gr=FC=DFe_=80?= end", "Re: Grüße € end"),
        (b"=?no-such?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?B?!!!?= x", "x"),
        (b"folded\n\tover lines", "folded over lines"),
    ],
)
def test_headers_are_read_however_they_are_encoded(tmp_path: Path, raw: bytes, subject: str) -> None:
    document = mail(tmp_path, b"Subject: " + raw + b"\n\nBody.")
    assert document.title == subject
    assert document.text == f"Subject: {subject}\n\nBody."


def test_every_text_of_nested_parts_is_read_once(tmp_path: Path) -> None:
    forms = multipart(
        "alternative", ["\nThe crane is closed.", "Content-Type: text/html\n\n<p>The crane is closed.</p>"]
    )
    source = HEAD + multipart(
        "mixed",
        [
            multipart("related", [forms, PICTURE]),
            "Content-Disposition: inline\n\nFooter: price 12.",
            "Content-Type: application/pgp-signature\n\nabc",
        ],
    )
    document = mail(tmp_path, source)
    assert document.text == (
        "From: Dana <dana@example.org>\nSubject: Report\n\nThe crane is closed.\n\nFooter: price 12.\n\n"
        "Attachments: logo.ico"
    )
    assert account(document) == ["1 attachment not read (.ico files are not supported): logo.ico"]


@pytest.mark.parametrize(
    ("plain", "page", "text"),
    [
        ("", "<p>The gate code changes.</p>", "The gate code changes."),
        (
            "See the HTML form.",
            "<p>The gate code changes.</p>",
            "See the HTML form.\n\nThe gate code changes.",
        ),
        ("The gate code", "<p>The gate code changes.</p>", "The gate code changes."),
        (
            "The gate code changes. More here.",
            "<p>The gate code changes.</p>",
            "The gate code changes. More here.",
        ),
    ],
)
def test_of_two_forms_the_one_that_says_more_is_read(
    tmp_path: Path, plain: str, page: str, text: str
) -> None:
    forms = multipart("alternative", [f"\n{plain}\n", f"Content-Type: text/html\n\n{page}"])
    assert mail(tmp_path, HEAD + forms).text.split("\n\n", 1)[1] == text


def test_a_mixed_form_is_read_with_its_attachments(tmp_path: Path) -> None:
    halves = [
        "Content-Type: text/html\n\n<p>First half.</p>",
        "Content-Type: text/x-note; name=n.txt\n\nnote",
    ]
    inner = multipart("mixed", [*halves, "Content-Type: text/html\n\n<p>Second half.</p>"])
    document = mail(tmp_path, HEAD + multipart("alternative", ["\nshort", inner]))
    assert "short\n\nFirst half.\n\nSecond half.\n\nnote" in document.text
    assert [place.label for place in document.places] == ["message", "attachment n.txt", "attachments"]


def test_attachments_are_read_by_their_own_parsers_in_places_of_their_own(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"] = "S"
    message.set_content("Body.")
    docx = (SAMPLES / "service-and-warranty.docx").read_bytes()
    message.add_attachment(docx, maintype="application", subtype="octet-stream", filename="Garantie ü.docx")
    message.add_attachment(MANUAL.read_bytes(), maintype="application", subtype="pdf")
    message.add_attachment(xlsx(("A1", "Nut M8")), maintype="application", subtype="x", filename="p.xlsx")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="broken.pdf")
    message.add_attachment(b"PK\3\4x", maintype="application", subtype="zip", filename="plans.zip")
    document = mail(tmp_path, message.as_bytes())
    labels = [place.label for place in document.places]
    assert [label for label in labels if label.startswith("attachment Garantie ü.docx")]
    assert "attachment application/pdf, page 1" in labels
    assert "attachment p.xlsx, sheet Prices" in labels
    assert {place.kind for place in document.places} == {"message"}
    assert "Nut M8" in document.text
    assert account(document)[:3] == [
        "3 attachments read",
        "1 attachment not read (the PDF is damaged or not a PDF): broken.pdf",
        "1 attachment not read (.zip files are not supported): plans.zip",
    ]
    assert document.text.endswith(
        "Attachments: Garantie ü.docx, application/pdf, p.xlsx, broken.pdf, plans.zip"
    )


def test_the_account_of_an_attachment_is_part_of_the_mails(tmp_path: Path) -> None:
    page = (
        "Content-Type: text/html; name=page.html\nContent-Disposition: attachment\n\n<p>x</p><p hidden>no</p>"
    )
    document = mail(tmp_path, HEAD + multipart("mixed", ["\nBody.", page]))
    assert account(document) == [
        "1 attachment read",
        "page.html: 1 hidden passage not read (the page does not show it): no",
    ]
    assert document.left_out == 1


def test_forwarded_messages_are_read_with_what_they_contain(tmp_path: Path) -> None:
    inner = "From: Lee <l@example.org>\nSubject: Old\n" + multipart(
        "mixed", ["\nThe inner words.", "Content-Type: text/plain; name=list.txt\n\nbolts"]
    )
    report = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; host\n\nStatus: 5.1.1\n"
    parts = ["\nSee below.", f"Content-Type: message/rfc822\n\n{inner}", report]
    document = mail(tmp_path, HEAD + multipart("report", parts))
    assert [place.label for place in document.places] == [
        "message",
        "forwarded message: Old",
        "forwarded message: Old, attachment list.txt",
        "forwarded message: Old, attachments",
        "message/delivery-status",
        "attachments",
    ]
    assert "From: Lee <l@example.org>\nSubject: Old\n\nThe inner words." in document.text
    assert "Status: 5.1.1" in document.text
    assert account(document) == ["1 forwarded message read", "1 attachment read"]


def test_a_saved_web_page_and_a_mail_attached_as_a_file_are_read(tmp_path: Path) -> None:
    parts = ["Content-Type: text/html\n\n<h1>Tide</h1><p>High water at six.</p>"]
    saved = "From: <Saved by a browser>\nSubject: Tide\n" + multipart("related", parts)
    assert "High water at six." in mail(tmp_path, saved, "page.mhtml").text
    part = "Content-Type: application/octet-stream; name=old.eml\n\nSubject: Old\n\nThe inner words."
    document = mail(tmp_path, HEAD + multipart("mixed", ["\nx", part]))
    assert [place.label for place in document.places] == ["message", "forwarded message: Old", "attachments"]


def test_an_encoded_forwarded_message_is_read(tmp_path: Path) -> None:
    import base64

    data = base64.b64encode(b"Subject: Old\n\nThe inner words.").decode()
    part = f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{data}"
    assert "The inner words." in mail(tmp_path, HEAD + multipart("mixed", ["\nx", part])).text


def test_messages_in_messages_are_bounded_in_depth(tmp_path: Path) -> None:
    document = mail(tmp_path, f"{HEAD}Content-Type: message/rfc822\n\n" * 30 + f"{HEAD}\ndeep")
    assert account(document) == [
        "10 forwarded messages read",
        "1 message not read (nested too deeply): message/rfc822",
    ]


MAILBOX = (
    "From dana@example.org Mon Jan  6 10:00:00 2025\nSubject: first\n\nLadders.\n\nFrom here on: 10:00 is late.\n"
    "\n>From now on quoted.\n\nFrom - Tue Jan 07 10:00:00 2025\nSubject: second\n\nScaffolds.\n"
)


@pytest.mark.parametrize("name", ["a.mbox", "a.eml"])
def test_a_mailbox_has_a_place_for_each_message(tmp_path: Path, name: str) -> None:
    document = mail(tmp_path, MAILBOX, name)
    assert [(place.number, place.label) for place in document.places] == [
        (1, "message 1: first"),
        (2, "message 2: second"),
    ]
    assert "From here on: 10:00 is late.\n\nFrom now on quoted." in document.text
    assert document.text.endswith("Subject: second\n\nScaffolds.")


def test_a_mail_saved_with_a_mark_or_blank_lines_is_read_and_other_text_is_refused(tmp_path: Path) -> None:
    assert "Body." in mail(tmp_path, b"\xef\xbb\xbf\r\n" + f"{HEAD}\nBody.".encode()).text
    with pytest.raises(DocumentError, match="no mail header"):
        parse_file(write(tmp_path, "b.eml", "just words\n\nand more"))


HOSTILE = {
    "recipients": "To: " + ", ".join(f"N {n} <a{n}@example.org>" for n in range(60_000)) + "\n\ndeep",
    "subject": "Subject: " + "=?utf-8?Q?f=C3=BCnf?= " * 50_000 + "\n\ndeep",
    "type": 'Subject: s\nContent-Type: multipart/mixed; x="' + ";" * 500_000 + '"\n\ndeep',
    "parts": HEAD + multipart("mixed", ["\ndeep"] * 20_000),
    "forms": HEAD + multipart("alternative", [f"\ndeep w{n}" for n in range(3_000)]),
    "lines": HEAD + "\n" + "From here 10:00 on\n" * 200_000 + "deep",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_in_seconds(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "a.eml", HOSTILE[name])
    started = time.process_time()
    document = parse_file(path)
    assert "deep" in document.text
    assert time.process_time() - started < 5
    if name == "recipients":
        assert account(document) == ["1 end of a header not read (too long): To"]


def test_more_attachments_than_a_person_sends_are_counted_not_read(tmp_path: Path) -> None:
    part = "Content-Type: text/plain; name=a.txt\n\ndeep"
    document = mail(tmp_path, HEAD + multipart("mixed", ["\nBody.", *[part] * 510]))
    assert account(document)[0] == "500 attachments read"
    assert document.left_out == 10
