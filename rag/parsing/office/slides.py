"""Reads presentations by slide: shapes, tables, charts, SmartArt, notes and comments, hidden slides too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder, table_lines, title_or_name
from rag.parsing.office.drawings import GRAPHICS, Drawings
from rag.parsing.office.markup import (
    ALTERNATE,
    DRAWING,
    FALLBACK,
    LONGEST_COPY,
    RELATION,
    SLIDE,
    local,
    whole,
)
from rag.parsing.office.numbering import written
from rag.parsing.office.package import Package, PartError
from rag.parsing.rows import ParsedDocument

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_AUTOMATIC = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
_BRACKETS = {"Period": "{}. ", "ParenR": "{}) ", "ParenBoth": "({}) "}


def parse_pptx(path: Path) -> ParsedDocument:
    """Return a presentation with a place for each slide that contains something."""
    account, builder = Account(), TextBuilder()
    with Package(path) as package:
        name = package.main("ppt/presentation.xml")
        try:
            root = package.xml(name)
        except PartError as error:
            raise error.refusal("presentation") from error
        _Reader(package, account, name).read(root, builder)
        title = title_or_name(package.title(), path)
    return ParsedDocument(title, MEDIA_TYPE, builder.text, builder.places, account=account.lines)


class _Reader:
    """A reading of one presentation."""

    def __init__(self, package: Package, account: Account, name: str) -> None:
        self._package = package
        self._account = account
        self._main = name
        self._drawings = Drawings(package, account)
        self._authors = dict(self._read_authors())
        self._part = self._where = ""  # the part that is being read, and what a person knows it by
        self._pictures = 0

    def read(self, root: Element, builder: TextBuilder) -> None:
        """Add the slides to a text, and below them what their layouts show on many of them."""
        relations = self._package.relations(self._main)
        layouts: dict[str, None] = {}
        seen: set[str] = set()
        for number, reference in enumerate(root.iterfind(f"{SLIDE}sldIdLst/{SLIDE}sldId"), 1):
            self._where = f"slide {number}"
            relation = relations.get(reference.get(f"{RELATION}id", ""))
            try:
                if relation is None or relation.is_external:
                    raise PartError("it is missing")
                if relation.target in seen:
                    raise PartError("it repeats another one")
                seen.add(relation.target)
                slide = self._package.xml(relation.target)
            except PartError as error:
                self._account.leave_out("slide", str(error), name=str(number))
                continue
            self._part = relation.target
            label = self._where
            if slide.get("show") in ("0", "false"):
                self._account.read("hidden slide")
                label += " (hidden)"
            builder.add("slide", number, label, "\n".join(self._slide_lines(slide)))
            layouts |= dict.fromkeys(self._package.related(self._part, "slideLayout"))
        builder.add("section", None, "Slide layouts", "\n".join(self._layout_lines(layouts)))

    def _slide_lines(self, slide: Element) -> list[str]:
        self._pictures = 0
        lines = self._shape_lines(slide.iterfind(f"{SLIDE}cSld/{SLIDE}spTree"))
        if self._pictures and not any(map(str.strip, lines)):
            reason = "nothing else is on their slide, and they have no description"
            self._account.leave_out("picture", reason, self._pictures, name=self._where)
        return [*lines, *self._notes(), *self._comments()]

    # Shapes ---------------------------------------------------------------------------------------------

    def _shape_lines(self, shapes: Iterable[Element]) -> list[str]:
        return [line for shape in shapes for line in self._lines(shape)]

    def _lines(self, shape: Element) -> list[str]:
        """Return the lines of a shape, or of what a group or a wrapper contains."""
        if local(shape) == "txBody":
            text = "\n".join(self._paragraphs(shape)).strip()
            return [text] if text else []
        if shape.tag in GRAPHICS:
            return self._drawings.graphic(shape, self._part, self._where)
        if shape.tag == f"{DRAWING}tbl":
            return self._table(shape)
        if shape.tag == f"{SLIDE}pic":
            return self._picture(shape)
        if shape.tag == f"{SLIDE}oleObj":
            name = f"{self._where} {shape.get('progId', '')}".strip()
            self._account.leave_out("embedded object", "only its own program shows it in full", name=name)
            return []
        if shape.tag == ALTERNATE:
            return self._alternate(shape)
        return self._shape_lines(shape)

    def _alternate(self, element: Element) -> list[str]:
        """Return what new programs show, or what is there for old ones where that has no words."""
        before = self._account.lines
        for alternative in (next(iter(element), None), element.find(FALLBACK)):
            lines = self._shape_lines(alternative) if alternative is not None else []
            if lines or self._account.lines != before:
                return lines
        return []

    def _picture(self, picture: Element) -> list[str]:
        self._pictures += 1
        return self._drawings.description(picture.find(f"{SLIDE}nvPicPr/{SLIDE}cNvPr"))

    def _paragraphs(self, body: Element) -> Iterator[str]:
        """Yield the paragraphs of a shape with the numbers that PowerPoint gives them."""
        counts: dict[int, int] = {}
        for paragraph in body.iterfind(f"{DRAWING}p"):
            words = self._drawings.words(paragraph)
            properties = paragraph.find(f"{DRAWING}pPr")
            level = whole(properties.get("lvl")) if properties is not None else 0
            automatic = properties.find(f"{DRAWING}buAutoNum") if properties is not None else None
            counts = {n: count for n, count in counts.items() if n <= level - (automatic is None)}
            if automatic is not None and words.strip():
                start = whole(automatic.get("startAt"), 1)
                counts[level] = counts[level] + 1 if level in counts else start
                words = _automatic(automatic.get("type", ""), counts[level]) + words
            yield words

    def _table(self, table: Element) -> list[str]:
        """Return the lines of a table. A merged cell stands in each row that it covers, once."""
        rows: list[list[str]] = []
        above: dict[int, str] = {}
        for row in table.iterfind(f"{DRAWING}tr"):
            cells: list[str] = []
            covered: dict[int, str] = {}
            for column, cell in enumerate(row.iterfind(f"{DRAWING}tc")):
                text = " ".join("\n".join(self._shape_lines(cell)).split())
                if cell.get("vMerge") in ("1", "true"):
                    text = above.get(column, text)
                if cell.get("hMerge") not in ("1", "true"):
                    cells.append(text)
                covered[column] = text if len(text) <= LONGEST_COPY else ""
            above = covered
            rows.append(cells)
        properties = table.find(f"{DRAWING}tblPr")
        has_header = properties is not None and properties.get("firstRow") in ("1", "true")
        titles = next((n for n, row in enumerate(rows) if len(row) > 1), len(rows))
        return [*table_lines(rows[:titles], False), *table_lines(rows[titles:], has_header)]

    # What belongs to a slide ----------------------------------------------------------------------------

    def _notes(self) -> list[str]:
        """Return the notes of the speaker as one line or more."""
        lines: list[str] = []
        for name in self._package.related(self._part, "notesSlide"):
            try:
                tree = self._package.xml(name).find(f"{SLIDE}cSld/{SLIDE}spTree")
            except PartError as error:
                self._account.leave_out("page of notes", str(error), many="pages of notes", name=self._where)
                continue
            for shape in tree if tree is not None else ():
                holder = shape.find(f".//{SLIDE}ph")
                if holder is None or holder.get("type", "body") == "body":  # the others repeat the slide
                    lines += self._lines(shape)
        notes = "\n".join(lines).strip()
        if notes:
            self._account.read("page of notes", many="pages of notes")
        return [f"Notes: {notes}"] if notes else []

    def _comments(self) -> list[str]:
        lines: list[str] = []
        for name in self._package.related(self._part, "comments"):
            try:
                root = self._package.xml(name)
            except PartError as error:
                self._account.leave_out(
                    "list of comments", str(error), many="lists of comments", name=self._where
                )
                continue
            for comment in root.iter():
                if local(comment) in ("cm", "reply"):  # those of newer versions have answers
                    lines += self._comment(comment)
        self._account.read("comment", len(lines))
        return lines

    def _comment(self, comment: Element) -> list[str]:
        body = comment.find("{*}txBody")
        text = comment.findtext(f"{SLIDE}text") or ""
        words = " ".join((text if body is None else "\n".join(self._drawings.paragraphs(body))).split())
        author = self._authors.get(comment.get("authorId", ""), "")
        return [f"Comment{' by ' if author else ''}{author}: {words}"] if words else []

    def _read_authors(self) -> Iterator[tuple[str, str]]:
        for kind in ("commentAuthors", "authors"):
            for name in self._package.related(self._main, kind):
                try:
                    authors = list(self._package.xml(name))
                except PartError:  # the comments are read without names
                    continue
                yield from ((author.get("id", ""), author.get("name", "")) for author in authors)

    def _layout_lines(self, layouts: Iterable[str]) -> list[str]:
        """Return what layouts and their masters show beside the places for a slide's own text."""
        names = dict.fromkeys(layouts)
        masters = [master for name in names for master in self._package.related(name, "slideMaster")]
        lines: dict[str, None] = {}
        for name in dict.fromkeys([*masters, *names]):
            try:
                root = self._package.xml(name)
            except PartError as error:
                self._account.leave_out("slide layout", str(error), name=name.rpartition("/")[2])
                continue
            self._part, self._where = name, "slide layout"
            for shape in root.find(f"{SLIDE}cSld/{SLIDE}spTree") or ():
                if shape.find(f".//{SLIDE}ph") is None:
                    lines |= dict.fromkeys(self._lines(shape))
        self._account.read("text of the slide layouts", len(lines), many="texts of the slide layouts")
        return list(lines)


def _automatic(kind: str, number: int) -> str:
    """Return the number of a paragraph as PowerPoint writes it: `2. `, `b) `, `(iv) `."""
    style = next((style for name, style in _AUTOMATIC.items() if kind.startswith(name)), "decimal")
    bracket = next((text for name, text in _BRACKETS.items() if kind.endswith(name)), "{} ")
    return bracket.format(written(number, style))
