"""Reads the words in pictures with Tesseract, a program that has to be installed beside Ragdeck.

pytesseract calls it, and is in the extra `ocr`. Neither is needed for anything else.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument

SUFFIXES = ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp")
MEDIA_TYPES = {"jpg": "image/jpeg", "tif": "image/tiff"}
LARGEST_PICTURE = 100_000_000  # pixels
_LONGEST_S = 40  # for one picture
_LEAST_CONFIDENCE = 40  # in hundredths; what Tesseract is less sure of is noise


def missing() -> str:
    """Return what has to be installed before pictures can be read, "" when all of it is there."""
    if importlib.util.find_spec("pytesseract") is None:
        return f"pytesseract (`{sys.executable} -m pip install pytesseract`) and the program Tesseract"
    if shutil.which("tesseract") is None:
        return (
            "the program Tesseract (Debian, Ubuntu: `sudo apt install tesseract-ocr`, macOS: `brew install "
            "tesseract`, Windows: `winget install UB-Mannheim.TesseractOCR`)"
        )
    return ""


def parse_picture(path: Path) -> ParsedDocument:
    """Return the words in a picture, with a place for each page of a TIFF that has several.

    Raises UnsupportedDocumentError when Tesseract is not installed, DocumentError when the picture is damaged
    or has no words.
    """
    if lacking := missing():
        raise UnsupportedDocumentError(f"Pictures are read when {lacking} is installed.")
    from PIL import Image, ImageSequence, UnidentifiedImageError

    builder, account = TextBuilder(), Account()
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > LARGEST_PICTURE:
                raise DocumentError("The picture has more than 100 million pixels; make it smaller.")
            several = getattr(picture, "n_frames", 1) > 1 and picture.format == "TIFF"
            frames = ImageSequence.Iterator(picture) if several else [picture]
            for number, frame in enumerate(frames, 1):
                text = _recognise(frame, account)
                builder.add("section", number if several else None, f"page {number}" if several else "", text)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise DocumentError(
            "The picture is damaged or too large; open it in a viewer and save it again."
        ) from error
    if not builder.text.strip():
        raise DocumentError("No words were recognised in the picture.")
    suffix = path.suffix.lower().lstrip(".")
    return ParsedDocument(
        path.stem,
        MEDIA_TYPES.get(suffix, f"image/{suffix}"),
        builder.text,
        builder.places,
        account=account.lines,
    )


def _recognise(picture: object, account: Account) -> str:
    """Return the words in a picture, line by line, without those that Tesseract is not sure of."""
    import pytesseract

    try:
        found = pytesseract.image_to_data(picture, timeout=_LONGEST_S, output_type=pytesseract.Output.DICT)
    except pytesseract.TesseractError as error:
        raise DocumentError(f"Tesseract cannot read the picture: {error.message}.") from error
    except RuntimeError as error:
        raise DocumentError(f"Tesseract took more than {_LONGEST_S} seconds for the picture.") from error
    lines: dict[tuple[int, int, int], list[str]] = {}
    for index, word in enumerate(found["text"]):
        if not word.strip():
            continue
        if float(found["conf"][index]) < _LEAST_CONFIDENCE:
            account.leave_out("word", "not recognised with confidence")
            continue
        key = found["block_num"][index], found["par_num"][index], found["line_num"][index]
        lines.setdefault(key, []).append(word)
    return "\n".join(" ".join(words) for words in lines.values())
