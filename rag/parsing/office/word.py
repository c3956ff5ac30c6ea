"""Reads Word documents by section, with the numbers and notes that everybody sees in Word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from rag.parsing.account import Account
from rag.parsing.assemble import HeadingPath, TextBuilder, table_lines, title_or_name
from rag.parsing.office.drawings import GRAPHICS, Drawings
from rag.parsing.office.markup import (
    ALTERNATE,
    DRAWING,
    FALLBACK,
    LONGEST_COPY,
    MATH,
    RELATION,
    WORD,
    equation,
    whole,
)
from rag.parsing.office.numbering import Numbering
from rag.parsing.office.package import Package, PartError
from rag.parsing.office.styles import Styles, property_value
from rag.parsing.rows import ParsedDocument

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MOST_COLUMNS = 63  # Word's own limit; a cell that is wider is a mistake or an attack
_TEXTS = {f"{WORD}t", f"{MATH}t"}
_SIGNS = {
    f"{WORD}tab": "\t",
    f"{WORD}ptab": "\t",
    f"{WORD}br": "\n",
    f"{WORD}cr": "\n",
    f"{WORD}noBreakHyphen": "-",
}
# Properties contain no text (a tab stop is not a tab); deleted and moved text is elsewhere or nowhere; the
# fallback repeats a text box for old versions of Word.
_PROPERTIES = "pPr rPr sdtPr tblPr tblGrid trPr tcPr sectPr rubyPr ffData del moveFrom".split()
_SKIPPED = {FALLBACK, *(f"{WORD}{name}" for name in _PROPERTIES)}
_BLOCKS = {f"{WORD}p", f"{WORD}tbl", f"{WORD}altChunk"}
_NOTES = {f"{WORD}footnoteReference": "footnote", f"{WORD}endnoteReference": "endnote"}
_FIELDS = {f"{WORD}fldChar", f"{WORD}instrText", f"{WORD}fldSimple"}
_SHAPES = {f"{WORD}drawing", f"{WORD}pict", f"{WORD}object"}
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_PICTURE_PROPERTIES = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_EMBEDDED = "{urn:schemas-microsoft-com:office:office}OLEObject"
_WORD_ART = "{urn:schemas-microsoft-com:vml}textpath"
_FIRST_ROW = set("2367ABEFabef")  # the digits with the bit that gives the first row a style of its own
_PAGE_NUMBERS = ("PAGE", "NUMPAGES", "SECTIONPAGES")  # another one on each page


def parse_docx(path: Path) -> ParsedDocument:
    """Return a Word document with a place for each section; table rows become `a | b` lines.

    Notes and comments stand below the paragraph or table that refers to them, headers and footers at the end.
    """
    account, builder = Account(), TextBuilder()
    with Package(path) as package:
        _Reader(package, account, package.main("word/document.xml")).read(builder)
        title = title_or_name(package.title(), path)
    return ParsedDocument(title, MEDIA_TYPE, builder.text, builder.places, account=account.lines)


@dataclass
class _Words:
    """The words of a paragraph, and the lines that follow it: notes, comments, text boxes, charts."""

    parts: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def __bool__(self) -> bool:
        return bool(self.text or self.after)


class _Reader:
    """A reading of one document from its beginning to its end: its numbers count on."""

    def __init__(self, package: Package, account: Account, name: str) -> None:
        self._package = package
        self._account = account
        self._main = self._part = name  # the part that is being read; references are looked up in it
        self._drawings = Drawings(package, account)
        self._styles = Styles(self._side("styles", "list of styles")[1])
        self._numbering = Numbering(self._side("numbering", "list of numberings")[1])
        self._notes = {kind: self._items(kind) for kind in ("footnote", "endnote", "comment")}
        self._counts = Counter[str]()
        self._headings = HeadingPath()
        self._fields: list[str] = []  # the instructions of the fields that are open

    def read(self, builder: TextBuilder) -> None:
        """Add the sections of the document to a text. Raises DocumentError when none of it can be read."""
        lines: list[str] = []
        margins: dict[tuple[str, str], None] = {}
        try:
            for piece in self._package.pieces(self._main, frozenset({"body"})):
                for block in _outermost((piece,), _BLOCKS):
                    lines = self._add_block(block, lines, builder)
                for kind in ("header", "footer"):
                    for reference in piece.iter(f"{WORD}{kind}Reference"):
                        margins[kind, reference.get(f"{RELATION}id", "")] = None
        except PartError as error:
            if not builder.places and not lines:
                raise error.refusal("document") from error
            self._account.leave_out("rest of the document", str(error))
        builder.add("section", None, self._headings.label, "\n".join(lines))
        builder.add("section", None, "Headers and footers", "\n".join(self._margin_lines(margins)))

    def _add_block(self, block: Element, lines: list[str], builder: TextBuilder) -> list[str]:
        """Return the lines of the section that is open after a block; a heading closes the one before it."""
        if block.tag != f"{WORD}p":
            lines += self._block_lines(block)
            return lines
        if not len(block):
            lines.append("")
            return lines
        words = self._paragraph(block)
        level = self._styles.level(block)
        if level is not None and words.text.strip():
            builder.add("section", None, self._headings.label, "\n".join(lines))
            lines = []
            self._headings.enter(level, words.text)
        lines += [words.text.rstrip(), *words.after]
        return lines

    def _side(self, kind: str, noun: str) -> tuple[str, Element | None]:
        """Return the name and the root of a part that belongs to the document, None where it has none."""
        for name in self._package.related(self._main, kind):
            try:
                return name, self._package.xml(name)
            except PartError as error:
                self._account.leave_out(noun, str(error), many=noun)
        return "", None

    def _items(self, kind: str) -> dict[str, tuple[str, Element]]:
        """Return the notes or comments of a kind, each with the name of its part, by their ids."""
        name, root = self._side(f"{kind}s", f"list of {kind}s")
        items = root.iterfind(f"{WORD}{kind}") if root is not None else ()
        return {item.get(f"{WORD}id", ""): (name, item) for item in items}

    def _lines(self, element: Element, part: str = "", after: list[str] | None = None) -> list[str]:
        """Return the lines of everything in a cell, a text box or a note.

        Args:
            element: What contains the paragraphs and tables.
            part: The part that it stands in, where that is another one.
            after: Takes what would follow the paragraphs, such as notes; None leaves it between them.
        """
        before, self._part = self._part, part or self._part
        lines = [line for block in _outermost(element, _BLOCKS) for line in self._block_lines(block, after)]
        self._part = before
        return [line for line in lines if line.strip()]

    def _block_lines(self, block: Element, after: list[str] | None = None) -> list[str]:
        if block.tag == f"{WORD}tbl":
            return self._table(block, after)
        if block.tag == f"{WORD}p":
            words = self._paragraph(block)
            if after is not None:
                after += words.after
                words.after = []
            return [words.text.rstrip(), *words.after]
        relation = self._package.relations(self._part).get(block.get(f"{RELATION}id", ""))
        name = relation.target.rpartition("/")[2] if relation else ""
        self._account.leave_out("inserted file", "Word reads it only when it opens the document", name=name)
        return []

    def _paragraph(self, element: Element) -> _Words:
        words = _Words()
        self._inline(element, words)
        numbered = self._styles.numbering(element)
        # A paragraph that a tracked change removes has no number either.
        if numbered and (words or element.find(f"{WORD}pPr/{WORD}rPr/{WORD}del") is None):
            number_id, level, styles = numbered
            if level is None:
                level = self._numbering.level_of_styles(number_id, styles)
            label = self._numbering.label(number_id, level)
            if words.text.strip():
                words.parts.insert(0, label)
        return words

    # Inside a paragraph ---------------------------------------------------------------------------------

    def _inline(self, element: Element, words: _Words) -> None:
        """Add the words below an element of a paragraph."""
        for child in element:
            tag = child.tag
            if tag in _TEXTS:
                if not self._in_page_number():
                    words.parts.append(self._drawings.signs(child.text or "", _font(element)))
            elif tag in _SIGNS:
                words.parts.append(_SIGNS[tag])
            elif tag == f"{WORD}sym":
                code = child.get(f"{WORD}char", "")
                words.parts.append(self._drawings.sign(child.get(f"{WORD}font", ""), code))
            elif tag in _NOTES:
                self._add_note(_NOTES[tag], child, words)
            elif tag == f"{WORD}commentReference":
                self._add_comment(child, words)
            elif tag in _SHAPES:
                self._add_shapes(child, words)
            elif tag == ALTERNATE:
                self._add_alternate(child, words)
            elif tag == f"{WORD}ruby":
                self._add_ruby(child, words)
            elif tag in _FIELDS:
                self._add_field(child, words)
            elif tag not in _SKIPPED:
                self._add_rest(child, words)

    def _add_rest(self, element: Element, words: _Words) -> None:
        """Add what is in a run, a link, a content control or an equation."""
        inner = _Words(after=words.after)
        self._inline(element, inner)
        text = equation(element, inner.text)
        words.parts.append(f"\n{text}" if element.tag == f"{WORD}p" else text)

    def _add_note(self, kind: str, reference: Element, words: _Words) -> None:
        part, note = self._notes[kind].pop(reference.get(f"{WORD}id", ""), ("", None))
        if note is None:
            self._account.leave_out(kind, "its text is not in the file")
            return
        label = kind.capitalize()
        if reference.get(f"{WORD}customMarkFollows") is None:  # else its mark stands in the text
            self._counts[kind] += 1
            label += f" {self._counts[kind]}"
        lines = self._lines(note, part)
        if lines:
            words.after.append(f"{label}: {' '.join(lines)}")
            self._account.read(kind)

    def _add_comment(self, reference: Element, words: _Words) -> None:
        part, comment = self._notes["comment"].pop(reference.get(f"{WORD}id", ""), ("", None))
        lines = self._lines(comment, part) if comment is not None else []
        if comment is not None and lines:
            author = comment.get(f"{WORD}author", "")
            words.after.append(f"Comment{' by ' if author else ''}{author}: {' '.join(lines)}")
            self._account.read("comment")

    def _add_alternate(self, element: Element, words: _Words) -> None:
        """Add what new versions of Word show, or what is there for old ones where that has no words."""
        inner = _Words()
        before = self._account.lines
        # The first choice is that of the newest version of Word.
        for alternative in (next(iter(element), None), element.find(FALLBACK)):
            if alternative is not None:
                self._inline(alternative, inner)
            if inner.text.strip() or inner.after or self._account.lines != before:
                break
        words.parts += inner.parts
        words.after += inner.after

    def _add_ruby(self, element: Element, words: _Words) -> None:
        """Add a word and, in brackets, how it is read."""
        parts = {}
        for name in ("rubyBase", "rt"):
            inner = _Words(after=words.after)
            child = element.find(f"{WORD}{name}")
            if child is not None:
                self._inline(child, inner)
            parts[name] = inner.text
        words.parts.append(f"{parts['rubyBase']}({parts['rt']})" if parts["rt"] else parts["rubyBase"])

    def _add_field(self, element: Element, words: _Words) -> None:
        """Follow the beginning and end of a field, and add what a form field shows."""
        if element.tag == f"{WORD}instrText":
            if self._fields:
                self._fields[-1] += element.text or ""
        elif element.tag == f"{WORD}fldSimple":
            self._fields.append(element.get(f"{WORD}instr", ""))
            self._inline(element, words)
            self._fields.pop()
        elif element.get(f"{WORD}fldCharType") == "begin":
            self._fields.append("")
            words.parts.append(_form_value(element.find(f"{WORD}ffData")))
        elif element.get(f"{WORD}fldCharType") == "end" and self._fields:
            self._fields.pop()

    def _in_page_number(self) -> bool:
        return any(
            instruction.split()[:1] in ([name] for name in _PAGE_NUMBERS) for instruction in self._fields
        )

    def _add_shapes(self, element: Element, words: _Words) -> None:
        """Add what a drawing holds below the paragraph: text boxes, charts, SmartArt, pictures."""
        pictures = 0
        for shape in _descendants(element):
            if shape.tag == f"{WORD}txbxContent":
                words.after += self._lines(shape)
            elif shape.tag in GRAPHICS:
                where = self._headings.label.rpartition(" > ")[2]
                words.after += self._drawings.graphic(shape, self._part, where)
            elif shape.tag == f"{DRAWING}p":
                words.after.append(self._drawings.words(shape))
            elif shape.tag == _WORD_ART:
                words.after.append(shape.get("string", ""))
            elif shape.tag == _EMBEDDED:
                name = shape.get("ProgID", "")
                self._account.leave_out("embedded object", "only its own program shows it in full", name=name)
            elif shape.tag == _PICTURE:
                pictures += 1
        if pictures:
            for properties in element.iter(_PICTURE_PROPERTIES):
                words.after += self._drawings.description(properties)

    # Tables and margins ---------------------------------------------------------------------------------

    def _table(self, table: Element, after: list[str] | None = None) -> list[str]:
        """Return the lines of a table. A merged cell stands in each row that it covers, once."""
        rows: list[list[str]] = []
        above: dict[int, str] = {}
        below: list[str] = [] if after is None else after
        for row in _outermost(table, {f"{WORD}tr"}):
            properties = row.find(f"{WORD}trPr")
            if properties is not None and properties.find(f"{WORD}del") is not None:
                continue  # a tracked change removes it
            column = min(whole(property_value(properties, "gridBefore")), _MOST_COLUMNS)
            cells = [""] * column
            covered: dict[int, str] = {}
            for cell in _outermost(row, {f"{WORD}tc"}):
                text = " ".join(" ".join(self._lines(cell, after=below)).split())
                if _continues(cell, "vMerge") and column in above:
                    text = above[column]
                if not _continues(cell, "hMerge"):
                    cells.append(text)
                covered[column] = text if len(text) <= LONGEST_COPY else ""
                column += max(
                    1, min(whole(property_value(cell.find(f"{WORD}tcPr"), "gridSpan")), _MOST_COLUMNS)
                )
            above = covered
            rows.append(cells)
        lines = _with_heading(table, rows)
        # The rows of a table inside a cell become one line of it.
        return [*lines, *below] if after is None else ["; ".join(lines)]

    def _margin_lines(self, references: Iterable[tuple[str, str]]) -> list[str]:
        """Return a line for each header and footer, which stand on many pages and are given once."""
        lines: dict[str, None] = {}
        seen: set[str] = set()
        for kind, reference in references:
            relation = self._package.relations(self._main).get(reference)
            if relation is None or relation.is_external or relation.target in seen:
                continue
            seen.add(relation.target)
            try:
                words = " ".join(self._lines(self._package.xml(relation.target), relation.target))
            except PartError as error:
                self._account.leave_out(kind, str(error))
                continue
            line = f"{kind.capitalize()}: {words}"
            if line not in lines and any(map(str.isalnum, words)):
                lines[line] = None
                self._account.read(kind)
        return list(lines)


def _outermost(elements: Iterable[Element], tags: set[str]) -> Iterator[Element]:
    """Yield the outermost elements with these tags among and below others, also those in content controls."""
    for child in elements:
        if child.tag in tags:
            yield child
        elif child.tag not in _SKIPPED:
            yield from _outermost(child, tags)


def _descendants(element: Element) -> Iterator[Element]:
    """Yield what is in a drawing, but not what is in its text boxes, nor what repeats it for old programs."""
    for child in element:
        yield child
        if child.tag not in (FALLBACK, f"{WORD}txbxContent", f"{DRAWING}p"):
            yield from _descendants(child)


def _font(run: Element) -> str:
    """Return the font of a run, which tells what the characters of symbol fonts mean."""
    fonts = run.find(f"{WORD}rPr/{WORD}rFonts")
    return "" if fonts is None else fonts.get(f"{WORD}ascii") or fonts.get(f"{WORD}hAnsi") or ""


def _form_value(data: Element | None) -> str:
    """Return what a form field shows that has no text of its own: a choice from a list, a check box."""
    if data is None:
        return ""
    choices = data.find(f"{WORD}ddList")
    if choices is not None:
        chosen = whole(property_value(choices, "result") or property_value(choices, "default"))
        entries = [entry.get(f"{WORD}val", "") for entry in choices.iterfind(f"{WORD}listEntry")]
        return entries[chosen] if 0 <= chosen < len(entries) else ""
    box = data.find(f"{WORD}checkBox")
    if box is None:
        return ""
    mark = box.find(f"{WORD}checked")
    mark = box.find(f"{WORD}default") if mark is None else mark
    return "☐" if mark is None or mark.get(f"{WORD}val", "1") in ("0", "false", "off") else "☒"


def _continues(cell: Element, direction: str) -> bool:
    """Return whether a cell goes on with the one above it ("vMerge") or to its left ("hMerge")."""
    merge = cell.find(f"{WORD}tcPr/{WORD}{direction}")
    return merge is not None and merge.get(f"{WORD}val", "continue") == "continue"


def _with_heading(table: Element, rows: list[list[str]]) -> list[str]:
    """Return the lines of a table; below titles over its whole width, a row may name the columns."""
    look = table.find(f"{WORD}tblPr/{WORD}tblLook")
    first = table.find(f"{WORD}tr/{WORD}trPr/{WORD}tblHeader")
    has_header = first is not None or (
        look is not None
        and (look.get(f"{WORD}firstRow") in ("1", "true") or look.get(f"{WORD}val", "")[-2:-1] in _FIRST_ROW)
    )
    titles = next((n for n, row in enumerate(rows) if len(row) > 1), len(rows))
    return [*table_lines(rows[:titles], False), *table_lines(rows[titles:], has_header)]
