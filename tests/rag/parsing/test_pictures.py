"""Pictures are read when Tesseract is there, and named with what is missing when it is not."""

import io
import os
import shutil
from pathlib import Path

import pytest
from sample_files import check, write

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing.formats import is_supported, parse_file, why_unsupported
from rag.parsing.pictures import missing

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("pytesseract")

# What Tesseract writes of a picture: level, page, block, paragraph, line, word, box, confidence, text.
FOUND = "\n".join(
    [
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext",
        "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t96\tHarbour",
        "5\t1\t1\t1\t1\t2\t0\t0\t9\t9\t91\tclosed",
        "5\t1\t1\t1\t1\t3\t0\t0\t9\t9\t11\t~;",
        "5\t1\t1\t1\t2\t1\t0\t0\t9\t9\t88\tin",
        "5\t1\t1\t1\t2\t2\t0\t0\t9\t9\t90\tMay",
    ]
)


def picture(kind: str = "PNG", pages: int = 1) -> bytes:
    buffer = io.BytesIO()
    first, *others = [Image.new("RGB", (40, 20), "white") for _ in range(pages)]
    first.save(buffer, kind, **({"save_all": True, "append_images": others} if others else {}))
    return buffer.getvalue()


@pytest.fixture
def tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name on the path, which finds the same words in every picture."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "found.tsv").write_text(FOUND + "\n", "utf-8")
    program = folder / "tesseract"
    copy = f"/bin/cp '{folder / 'found.tsv'}' \"$2.tsv\""
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo tesseract 5.3.0; else {copy}; fi\n', "utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "a.webp"])
def test_the_words_of_a_picture_are_read_and_the_unsure_ones_counted(
    tmp_path: Path, tesseract: None, name: str
) -> None:
    kind = {"jpg": "JPEG", "tif": "TIFF"}.get(name[2:], name[2:].upper())
    document = check(parse_file(write(tmp_path, name, picture(kind))))
    assert document.text == "Harbour closed\nin May"
    assert document.media_type.startswith("image/")
    assert [(line.text, line.left_out) for line in document.account] == [
        ("1 word not read (not recognised with confidence)", 1)
    ]
    assert is_supported(tmp_path / name)


def test_each_page_of_a_fax_has_its_place(tmp_path: Path, tesseract: None) -> None:
    document = check(parse_file(write(tmp_path, "a.tiff", picture("TIFF", 2))))
    assert [place.label for place in document.places] == ["page 1", "page 2"]


def test_a_damaged_picture_is_one_sentence(tmp_path: Path, tesseract: None) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        parse_file(write(tmp_path, "a.png", picture()[:30]))


def test_without_tesseract_pictures_say_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the program Tesseract" in missing() and "apt install tesseract-ocr" in missing()
    with pytest.raises(
        UnsupportedDocumentError, match=r"^Pictures are read when the program Tesseract .* is installed\.$"
    ):
        parse_file(write(tmp_path, "a.png", picture()))
    assert why_unsupported(tmp_path / "a.png").startswith("Pictures are read when")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_words_are_really_recognised(tmp_path: Path) -> None:
    from PIL import ImageDraw, ImageFont

    drawn = Image.new("RGB", (900, 160), "white")
    ImageDraw.Draw(drawn).text((20, 40), "The harbour is closed in May", "black", ImageFont.load_default(56))
    drawn.save(tmp_path / "a.png")
    assert "harbour is closed" in parse_file(tmp_path / "a.png").text
