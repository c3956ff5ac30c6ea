"""Any file is read by what it contains, or refused with one sentence; its text is clean and its places exact."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from compound_files import compound, outlook_parts, slides, word
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_files import fields
from sample_files import MANUAL, ROOT, SAMPLES, check, write, xlsx

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing.formats import CODE, SUPPORTED, is_supported, parse_file
from rag.parsing.rows import ParsedDocument

REAL = ROOT.parent / "shared" / "data" / "documents"


def test_line_ends_nulls_and_control_characters_are_cleaned_with_exact_places(tmp_path: Path) -> None:
    document = check(
        parse_file(
            write(tmp_path, "a.md", "# A\r\n\r\n" + "word " * 60 + "x\x07y\0\x0cnext\r\n# B\r\nz\x1b[31m")
        )
    )
    assert "xy\nnext" in document.text
    assert "\r" not in document.text
    assert document.text[document.places[1].start :].startswith("# B")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"   \n ", "no text"),
        ("a.docx", b"PK\3\4broken", "damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        ("a.docx", "EncryptedPackage".encode("utf-16-le").join((b"\xd0\xcf\x11\xe0", b"")), "password"),
        ("a.docx", MANUAL.read_bytes(), r"really a \.pdf file; rename"),
        ("a.pdf", (SAMPLES / "service-and-warranty.docx").read_bytes(), r"really a \.docx file; rename"),
        ("a.docx", (SAMPLES / "service-and-warranty.docx").read_bytes()[:9000], "damaged"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(50), r"really a \.png file"),
        ("a.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("a.xlsx", b"not a workbook", "damaged"),
        ("a.epub", b"PK\5\6" + bytes(18), "damaged|table of contents"),
        ("a.txt", bytes(range(256)) * 20, "binary"),
        ("a.json", b'{"a": ', "not valid JSON"),
        ("a.eml", b"\n\n", "mail|no text"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        parse_file(write(tmp_path, name, content))
    assert "Traceback" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\3\4" + bytes(50), bytes(100)])
def test_kinds_that_are_not_read_are_skipped_not_failed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnsupportedDocumentError):
        parse_file(write(tmp_path, "a.xyz", content))
    assert not is_supported(tmp_path / "a.xyz")


def test_files_of_apple_s_programs_are_skipped_with_advice(tmp_path: Path) -> None:
    for name in ("a.pages", "a.key"):
        with pytest.raises(UnsupportedDocumentError, match=r"save it as \.pdf"):
            parse_file(write(tmp_path, name, b"any text"))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate((200 << 20) + (1 << 20))
    with pytest.raises(DocumentError, match="more than 200 MB"):
        parse_file(path)


def test_a_missing_package_and_an_unforeseen_error_are_sentences(tmp_path: Path) -> None:
    def missing(_: Path) -> ParsedDocument:
        raise ModuleNotFoundError("No module named 'docx'", name="docx")

    def failing(_: Path) -> ParsedDocument:
        raise AssertionError("inside a library")

    path = write(tmp_path, "a.txt", "text")
    for parser, words in ((missing, "needs the package docx"), (failing, "AssertionError")):
        with pytest.raises(DocumentError, match=words):
            parse_file(path, {"txt": parser})


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w") as member,
    ):
        for _ in range(501):
            member.write(bytes(1 << 20))
    with pytest.raises(DocumentError, match="unpacks to"):
        parse_file(path)


def originals() -> dict[str, bytes]:
    import docx

    buffer = io.BytesIO()
    made = docx.Document()
    made.add_heading("H", 1)
    made.add_paragraph("Some words.")
    made.save(buffer)
    return {
        "a.docx": buffer.getvalue(),
        "a.pdf": MANUAL.read_bytes(),
        "a.xlsx": xlsx(("A1", "Part"), ("B1", "Price"), ("A2", "Vane"), ("B2", 31)),
        "a.html": (SAMPLES / "faq.html").read_bytes(),
    }


ORIGINALS = originals()


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(ORIGINALS)), st.data())
def test_a_mutated_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray(ORIGINALS[name])
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    path = write(tmp_path_factory.mktemp("m"), name, bytes(content[:cut]))
    try:
        check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")


def test_each_sample_question_is_answered_by_one_sentence_of_one_sample() -> None:
    samples = [path for path in sorted(SAMPLES.iterdir()) if path.suffix not in (".py", ".toml", ".jsonl")]
    texts = [" ".join(parse_file(path).text.split()) for path in samples]
    assert all(300 <= len(text.split()) <= 900 for text in texts)
    for answer in (
        "lasts 21 days without sunlight",
        "Repairs outside the warranty cost a flat fee of 85 euros",
        "assembled in Tromso, Norway",
    ):
        assert sum(answer in text for text in texts) == 1


@pytest.mark.skipif(not REAL.exists(), reason="the shared documents are not here")
@pytest.mark.parametrize("path", sorted(p for p in REAL.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_every_real_document_is_read_or_refused_with_a_sentence(path: Path) -> None:
    try:
        document = check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")
    else:
        assert document.text.strip()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", True),
        ("A.PDF", True),
        ("notes.MD", True),
        ("main.rs", True),
        ("README", True),
        ("Makefile", True),
        ("LICENSE", True),
        ("other", False),
        ("a.exe", False),
        ("a.doc", True),
        ("a.pages", False),
        ("archive.tar.gz", False),
    ],
)
def test_a_name_says_whether_a_file_is_worth_trying(name: str, expected: bool) -> None:
    assert is_supported(Path("folder") / name) is expected


def test_every_suffix_has_one_parser_and_code_is_among_them() -> None:
    assert all(suffix == suffix.lower() and "." not in suffix for suffix in SUPPORTED)
    assert set(CODE) <= set(SUPPORTED)


def test_a_text_of_an_unknown_suffix_is_read_as_text(tmp_path: Path) -> None:
    document = parse_file(write(tmp_path, "notes.xyz", "Just words."))
    assert (document.text, document.media_type, document.title) == ("Just words.", "text/plain", "notes")


def test_a_pdf_without_a_suffix_is_read_as_pdf(tmp_path: Path) -> None:
    assert parse_file(write(tmp_path, "manual", MANUAL.read_bytes())).media_type == "application/pdf"


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_a_name_that_is_no_utf_8_keeps_no_library_from_its_file(tmp_path: Path, name: str) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9" + Path(name).suffix.encode()))
    try:
        path.write_bytes(ORIGINALS[name])
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    document = check(parse_file(path))
    assert document.text == parse_file(write(tmp_path, name, ORIGINALS[name])).text
    assert "\udce9" not in document.title


def test_a_suffix_in_capitals_is_the_same(tmp_path: Path) -> None:
    assert parse_file(write(tmp_path, "A.PDF", MANUAL.read_bytes())).title == "Aurora 3 User Manual"


def test_a_workbook_with_macros_is_an_ordinary_workbook(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "a.xlsm", xlsx(("A1", "one"), ("B1", "two")))))
    assert document.text == "one | two"


def archive(*parts: tuple[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in parts:
            made.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "parts", "words"),
    [
        ("a.docx", [("ppt/presentation.xml", "<p/>")], r"really a \.pptx file; rename it to \.pptx"),
        (
            "a.docx",
            [("mimetype", "application/vnd.oasis.opendocument.text")],
            r"really a \.odt file; rename it to \.odt",
        ),
        ("a.pdf", [("META-INF/container.xml", "<c/>")], r"really a \.epub file; rename it to \.epub"),
        ("a.pptx", [("something", "else")], "damaged or not really"),
    ],
)
def test_an_archive_is_what_its_parts_say(
    tmp_path: Path, name: str, parts: list[tuple[str, str]], words: str
) -> None:
    with pytest.raises(DocumentError, match=words):
        parse_file(write(tmp_path, name, archive(*parts)))


def test_a_picture_called_text_is_called_a_picture(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"really a \.gif file; rename it to \.gif"):
        parse_file(write(tmp_path, "a.txt", b"GIF89a" + bytes(50)))
    with pytest.raises(UnsupportedDocumentError, match="its format is unknown"):
        parse_file(write(tmp_path, "blob", bytes(100)))


@pytest.mark.parametrize(("stream", "kind"), [("WordDocument", "doc"), ("PowerPoint Document", "ppt")])
def test_an_old_office_file_under_a_new_name_is_recognised_by_its_streams(
    tmp_path: Path, stream: str, kind: str
) -> None:
    content = b"\xd0\xcf\x11\xe0" + bytes(512) + stream.encode("utf-16-le")
    with pytest.raises(DocumentError, match=rf"really a \.{kind} file; rename it to \.{kind}"):
        parse_file(write(tmp_path, "a.docx", content))


def test_a_file_that_is_gone_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        parse_file(tmp_path / "gone.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(DocumentError):
        parse_file(tmp_path / "folder.txt")


def test_a_parser_that_needs_too_much_is_one_sentence(tmp_path: Path) -> None:
    def nested(_: Path) -> ParsedDocument:
        raise RecursionError

    with pytest.raises(DocumentError, match="nested too deeply"):
        parse_file(write(tmp_path, "a.txt", "text"), {"txt": nested})


def test_a_text_is_composed_and_its_title_is_one_line(tmp_path: Path) -> None:
    def parser(_: Path) -> ParsedDocument:
        return ParsedDocument("A\n long\ttitle " * 40, "text/plain", "Cafe\u0301 \udcff end\r\rnext", ())

    document = parse_file(write(tmp_path, "a.txt", "text"), {"txt": parser})
    assert document.text == "Café ? end\n\nnext"
    assert "\n" not in document.title and len(document.title) <= 300


def test_a_place_that_is_empty_once_cleaned_goes(tmp_path: Path) -> None:
    from rag.parsing.rows import Place

    def parser(_: Path) -> ParsedDocument:
        places = (Place("page", 1, "page 1", 0, 3), Place("page", 2, "page 2", 5, 9))
        return ParsedDocument("T", "text/plain", "\x00\x01\x02\n\nword", places)

    document = check(parse_file(write(tmp_path, "a.txt", "text"), {"txt": parser}))
    assert [(p.label, document.text[p.start : p.end]) for p in document.places] == [("page 2", "word")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(set(SUPPORTED) - {"xls", "xlsb"})), st.binary(max_size=300))
def test_any_bytes_under_any_name_are_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    path = write(tmp_path_factory.mktemp("any"), f"a.{suffix}", content)
    try:
        document = check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".") and "Traceback" not in str(error)
    else:
        assert document.text.strip()
        assert not any(ord(letter) < 9 or ord(letter) == 127 for letter in document.text)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["txt", "md", "json", "csv", "html", "xml", "eml", "jsonl", "py"]), st.text(max_size=200)
)
def test_any_text_under_any_name_is_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: str
) -> None:
    path = write(tmp_path_factory.mktemp("any"), f"a.{suffix}", content.encode("utf-8", "replace"))
    try:
        check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")


def opendocument(words: list[str]) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = f'xmlns:o="{names}office:1.0" xmlns:t="{names}text:1.0"'
    body = "".join(f"<t:p>{word}</t:p>" for word in words)
    content = f"<o:document-content {spaces}><o:body><o:text>{body}</o:text></o:body></o:document-content>"
    return archive(("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content))


def rich_text(words: list[str]) -> bytes:
    escaped = ("".join(c if ord(c) < 128 else f"\\u{ord(c)}?" for c in word) for word in words)
    return ("{\\rtf1\\ansi " + "\\par ".join(escaped) + "}").encode()


WRITERS: dict[str, Callable[[list[str]], bytes]] = {
    "a.rtf": rich_text,
    "a.odt": opendocument,
    "a.doc": lambda words: word("First.", wide=" ".join(words)),
    "a.ppt": lambda words: slides(*((one, "box", "note") for one in words)),
    "a.msg": lambda words: compound(outlook_parts(p0037="S", p1000=" ".join(words))),
    "a.pdf": lambda words: fields(*(
        b"<< /Subtype /Widget /FT /Tx /T (f%d) /Rect [0 0 9 9] /F 4 /V <feff%s> >>"
        % (number, one.encode("utf-16-be").hex().encode())
        for number, one in enumerate(words)
    )),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(WRITERS)),
    st.lists(st.text("abcABC019äßéЖ東ｅ", min_size=1, max_size=12), min_size=1, max_size=8),
)
def test_every_word_that_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, name: str, words: list[str]
) -> None:
    text = parse_file(write(tmp_path_factory.mktemp("words"), name, WRITERS[name](words))).text
    assert [one for one in words if one not in text] == []
