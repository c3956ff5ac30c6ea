"""Values of parsed documents: text with places, and pages drawn as pictures."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """A part of a document that people refer to: a page, slide, sheet or section.

    start and end are character offsets into ParsedDocument.text (end exclusive). Places are in order and do
    not overlap; text between two places belongs to none and is only white space.
    """

    kind: str  # "page" | "slide" | "sheet" | "section" | "record" | "message"
    number: int | None  # 1-based page, slide or sheet number
    label: str  # what is shown: "page 3", "slide 2", "sheet Prices", "Chapter 1 > Scope"
    start: int
    end: int


@dataclass(frozen=True)
class AccountLine:
    """What became of one kind of content, such as "2 footnotes read"; see rag.parsing.account."""

    text: str
    left_out: int = 0  # how many things the line says are not in the text; 0 when it says what was read


@dataclass(frozen=True)
class EmbeddedFile:
    """A file inside a file: an attachment of a PDF or of a mail."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class ParsedDocument:
    """The text of one file, where its places are, and the account of what was read and what was not.

    A parser leaves the files inside it in `embedded`; parse_file reads them and hands on none.
    """

    title: str
    media_type: str
    text: str
    places: tuple[Place, ...]
    markup: str = "text"  # "text" | "markdown" | "code": how the chunker may split it
    account: tuple[AccountLine, ...] = ()
    embedded: tuple[EmbeddedFile, ...] = ()

    @property
    def left_out(self) -> int:
        """How many things of the file are not in the text."""
        return sum(line.left_out for line in self.account)


@dataclass(frozen=True)
class RenderedPage:
    """A page as packed RGB888 (stride = width * 3).

    Its rectangles (x, y, width, height) mark a quote; everything is in pixels.
    """

    width: int
    height: int
    rgb: bytes
    rectangles: tuple[tuple[float, float, float, float], ...]
    page_count: int
    page_number: int
