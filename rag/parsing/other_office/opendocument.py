"""Reads OpenDocument texts (ODT) by section and presentations (ODP) by slide.

The format is XML in a zip file. The standard library's parser refuses entities that grow, and fetches none.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.assemble import HeadingPath, TextBuilder, title_or_name
from rag.parsing.rows import ParsedDocument

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = {name: f"{{{_NAMES}{space}:1.0}}" for name, space in {
    "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style",
    "presentation": "presentation", "chart": "chart", "svg": "svg-compatible",
}.items()}  # fmt: skip
_SPACES["dc"] = "{http://purl.org/dc/elements/1.1/}"
_SPACES["xlink"] = "{http://www.w3.org/1999/xlink}"
_MOST_REPEATED = 64  # cells: a table may say that an empty cell is repeated a million times


def _tag(name: str) -> str:
    space, _, local = name.partition(":")
    return _SPACES[space] + local


_HEADING, _PARAGRAPH, _LIST_ITEM = _tag("text:h"), _tag("text:p"), _tag("text:list-item")
_TABLE, _ROW, _NOTES = _tag("table:table"), _tag("table:table-row"), _tag("presentation:notes")
_CELLS = {_tag("table:table-cell"), _tag("table:covered-table-cell")}
_SIGNS = {_tag("text:tab"): "\t", _tag("text:line-break"): "\n"}
# What was deleted, what pictures are called inside programs, and what forms and scripts are made of.
_SKIPPED = {_tag(name) for name in (
    "text:tracked-changes", "office:forms", "office:scripts", "text:ruby-text", "text:note-citation",
    "dc:date", "text:sequence-decls", "text:variable-decls", "text:user-field-decls",
)}  # fmt: skip


def parse_opendocument(path: Path) -> ParsedDocument:
    """Return a text with a place for each section, or a presentation with one for each slide.

    Raises DocumentError when it is damaged or has a password.
    """
    with zipfile.ZipFile(path) as archive:
        if b"encryption-data" in _member(archive, "META-INF/manifest.xml"):
            raise DocumentError("The file is protected by a password; save a copy without it and add that.")
        reader = _Reader(archive)
        content = _xml(archive, "content.xml")
        body = None if content is None else content.find(_tag("office:body"))
        if body is None:
            raise DocumentError("The file has no content; open it in its own program and save it again.")
        slides = list(body.iter(_tag("draw:page")))
        if slides:
            for number, slide in enumerate(slides, 1):
                reader.builder.add("slide", number, f"slide {number}", "\n".join(reader.lines(slide)))
        else:
            reader.read_sections(body)
            reader.read_margins(_xml(archive, "styles.xml"))
        meta = _xml(archive, "meta.xml")
        title = "" if meta is None else meta.findtext(f".//{_tag('dc:title')}") or ""
    kind = "presentation" if slides else "text"
    return ParsedDocument(
        title_or_name(title, path), f"application/vnd.oasis.opendocument.{kind}", reader.builder.text,
        reader.builder.places, account=reader.account.lines,
    )  # fmt: skip


class _Reader:
    """Turns elements into lines, and counts what of them stood beside the text."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.builder, self.account = TextBuilder(), Account()
        self._archive = archive

    def read_sections(self, body: Element) -> None:
        """Read a text from heading to heading."""
        headings = HeadingPath()
        lines: list[str] = []
        for block in _blocks(body):
            if block.tag == _HEADING and (words := self._words(block).strip()):
                self.builder.add("section", None, headings.label, "\n".join(lines))
                headings.enter(int(block.get(_tag("text:outline-level"), "1")), words)
                lines = [words]
            else:
                lines += self.lines_of(block)
        self.builder.add("section", None, headings.label, "\n".join(lines))

    def read_margins(self, styles: Element | None) -> None:
        """Read the headers and footers of all kinds of pages, each text once."""
        if styles is None:
            return
        found: dict[str, None] = {}
        for kind in ("style:header", "style:footer"):
            for margin in styles.iter(_tag(kind)):
                found |= dict.fromkeys(line for line in self.lines(margin) if line.strip())
        self.account.read("header or footer", len(found), "headers and footers")
        self.builder.add("section", None, "headers and footers", "\n".join(found))

    def lines(self, parent: Element) -> Iterator[str]:
        """Yield the lines of all blocks in an element."""
        for block in _blocks(parent):
            yield from self.lines_of(block)

    def lines_of(self, block: Element) -> Iterator[str]:
        """Yield the lines of a paragraph, a list item, a table, an object or the notes of a slide."""
        if block.tag == _TABLE:
            yield from self._rows(block)
        elif block.tag == _LIST_ITEM:
            first, *others = [*self.lines(block), ""]
            yield f"- {first}"
            yield from others[:-1]
        elif block.tag == _NOTES:
            said = [line for line in self.lines(block) if line.strip()]
            self.account.read("note", bool(said))
            yield from (f"Notes: {line}" for line in said)
        elif block.tag == _tag("draw:object"):
            yield from self._object(block)
        else:
            yield self._words(block).rstrip()

    def _words(self, element: Element) -> str:
        """Return the text of a paragraph, with notes, comments and text boxes in their places."""
        parts = [element.text or ""]
        for child in element:
            if child.tag in _SIGNS:
                parts.append(_SIGNS[child.tag])
            elif child.tag == _tag("text:s"):
                parts.append(" " * min(int(child.get(_tag("text:c"), "1")), _MOST_REPEATED))
            elif child.tag == _tag("text:note"):
                kind = child.get(_tag("text:note-class"), "footnote")
                self.account.read(kind)
                parts.append(f" ({kind.capitalize()}: {' '.join(self.lines(child))})")
            elif child.tag == _tag("office:annotation"):
                author = child.findtext(_tag("dc:creator")) or ""
                self.account.read("comment")
                said = " ".join(self.lines(child))
                parts.append(f" (Comment{f' by {author}' if author else ''}: {said})")
            elif child.tag == _tag("text:ruby"):
                ruby = child.findtext(_tag("text:ruby-text")) or ""
                parts.append(self._words(child) + (f" ({ruby})" if ruby else ""))
            elif child.tag in (_tag("draw:frame"), _tag("draw:custom-shape"), _tag("draw:g")):
                boxed = "\n".join(self.lines(child))
                parts.append(f"\n{boxed}\n" if boxed.strip() else "")
            elif child.tag not in _SKIPPED:
                parts.append(self._words(child))
            parts.append(child.tail or "")
        return "".join(parts)

    def _rows(self, table: Element) -> Iterator[str]:
        """Yield a line for each row; a cell that reaches over several rows is in each of them."""
        above: dict[int, tuple[int, str]] = {}  # column -> rows left, text
        for row in table.iter(_ROW):
            cells: list[str] = []
            for cell in row:
                if cell.tag not in _CELLS:
                    continue
                text = " ".join(" ".join(self.lines(cell)).split())
                rows = int(cell.get(_tag("table:number-rows-spanned"), "1"))
                for _ in range(
                    min(int(cell.get(_tag("table:number-columns-repeated"), "1")), _MOST_REPEATED)
                ):
                    column = len(cells)
                    left, shared = above.get(column, (0, ""))
                    if cell.tag == _tag("table:covered-table-cell") and left:
                        above[column] = (left - 1, shared)
                        cells.append(shared)
                        continue
                    if rows > 1:
                        above[column] = (rows - 1, text)
                    cells.append(text)
            if any(cells):
                yield " | ".join(cells).rstrip(" |")

    def _object(self, element: Element) -> Iterator[str]:
        """Yield what a chart or formula says, which is a document of its own inside the file."""
        name = posixpath.normpath(element.get(_tag("xlink:href"), ""))
        inner = _xml(self._archive, f"{name}/content.xml")
        if inner is None:
            self.account.leave_out("embedded object", "its format is unknown", name=name)
            return
        chart = inner.find(f".//{_tag('chart:chart')}")
        if chart is None:
            words = " ".join(" ".join(inner.itertext()).split())
            yield words
            return
        self.account.read("chart")
        for title in chart.iter(_tag("chart:title")):
            yield "Chart: " + " ".join(self.lines(title))
        for table in chart.iter(_TABLE):
            yield from self._rows(table)


def _blocks(parent: Element) -> Iterator[Element]:
    """Yield the blocks of text in an element: paragraphs, headings, list items, tables, objects and notes."""
    blocks = {_HEADING, _PARAGRAPH, _LIST_ITEM, _TABLE, _NOTES, _tag("draw:object")}
    for child in parent:
        if child.tag in blocks:
            yield child
        elif child.tag not in _SKIPPED and child.tag != _tag("dc:creator"):
            yield from _blocks(child)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        return b""


def _xml(archive: zipfile.ZipFile, name: str) -> Element | None:
    """Return the root of a part of the file, None where it is missing. Raises DocumentError for damage."""
    data = _member(archive, name)
    if not data:
        return None
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DocumentError(
            f"The file is damaged ({name} is no XML); open it in its own program and save it again."
        ) from error
