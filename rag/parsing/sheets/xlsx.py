"""Reads workbooks of the Open XML format (xlsx, xlsm) as Excel shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from rag.parsing.account import Account
from rag.parsing.office.drawings import GRAPHICS, Drawings
from rag.parsing.office.markup import RELATION, local, whole
from rag.parsing.office.number_formats import BUILT_IN
from rag.parsing.office.package import Package, PartError
from rag.parsing.sheets.cells import PLACE, Book, read_cells, read_texts
from rag.parsing.sheets.lines import Sheet

_THREAD = "[Threaded comment]"  # begins the note that old versions of Excel show in its place
_NOUNS = {"comments": "list of comments", "threadedComment": "list of comments", "drawing": "drawing"}


def read_xlsx(path: Path, account: Account) -> Iterator[Sheet]:
    """Yield the sheets of a workbook. Raises DocumentError when the workbook itself cannot be read."""
    with Package(path) as package:
        name = package.main("xl/workbook.xml")
        try:
            root = package.xml(name)
        except PartError as error:
            raise error.refusal("workbook") from error
        yield from _Reader(package, account, name, root).sheets(root)


class _Reader:
    """A reading of one workbook."""

    def __init__(self, package: Package, account: Account, name: str, root: Element) -> None:
        self._package = package
        self._account = account
        self._main = name
        self._drawings = Drawings(package, account)
        properties = root.find("{*}workbookPr")
        from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self._book = Book(self._shared_texts(), self._formats(), from_1904, account)
        self._people = dict(self._read_people())

    def sheets(self, root: Element) -> Iterator[Sheet]:
        """Yield the sheets in the order of their tabs."""
        relations = self._package.relations(self._main)
        seen: set[str] = set()
        for element in root.iterfind("{*}sheets/{*}sheet"):
            sheet = Sheet(element.get("name", ""), is_hidden=element.get("state", "visible") != "visible")
            relation = relations.get(element.get(f"{RELATION}id", ""))
            if relation is None or relation.is_external or relation.target in seen:
                self._account.leave_out("sheet", "it is missing", name=sheet.name)
                continue
            seen.add(relation.target)
            self._read_sheet(sheet, relation.target)
            yield sheet

    def _read_sheet(self, sheet: Sheet, part: str) -> None:
        try:
            read_cells(self._package, part, sheet, self._book)
        except PartError as error:
            noun = "rest of a sheet" if sheet.rows else "sheet"
            self._account.leave_out(noun, str(error), many=f"{noun}s", name=sheet.name)
        readers = {"threadedComment": self._threads, "comments": self._comments, "drawing": self._drawing}
        for kind, reader in readers.items():
            for name in self._package.related(part, kind):
                try:
                    reader(sheet, name, self._package.xml(name))
                except PartError as error:
                    self._account.leave_out(_NOUNS[kind], str(error), name=sheet.name)

    def _comments(self, sheet: Sheet, _name: str, root: Element) -> None:
        authors = ["".join(author.itertext()) for author in root.iterfind("{*}authors/{*}author")]
        for comment in root.iterfind("{*}commentList/{*}comment"):
            text = "".join(part.text or "" for part in comment.iterfind("{*}text//{*}t"))
            number = whole(comment.get("authorId"), -1)
            author = authors[number] if 0 <= number < len(authors) else ""
            if not text.startswith(_THREAD):
                self._remark(sheet, comment.get("ref", ""), author, text.removeprefix(f"{author}:"))

    def _threads(self, sheet: Sheet, _name: str, root: Element) -> None:
        for comment in root.iterfind("{*}threadedComment"):
            author = self._people.get(comment.get("personId", ""), "")
            self._remark(sheet, comment.get("ref", ""), author, comment.findtext("{*}text") or "")

    def _remark(self, sheet: Sheet, place: str, author: str, text: str) -> None:
        words, found = " ".join(text.split()), PLACE.fullmatch(place)
        if words and found:
            line = f"Comment on {place}{' by ' if author else ''}{author}: {words}"
            sheet.remarks.setdefault(int(found[2]), []).append(line)
            self._account.read("comment")

    def _drawing(self, sheet: Sheet, name: str, root: Element) -> None:
        for shape in root.iter():
            if local(shape) == "txBody":
                words = " ".join(self._drawings.paragraphs(shape))
                sheet.texts += [f"Text box: {words}"] if words else []
            elif shape.tag in GRAPHICS:
                sheet.texts += self._drawings.graphic(shape, name, f"sheet {sheet.name}")

    def _read_people(self) -> Iterator[tuple[str, str]]:
        for name in self._package.related(self._main, "person"):
            try:
                people = list(self._package.xml(name))
            except PartError:  # the comments are read without names
                continue
            yield from ((person.get("id", ""), person.get("displayName", "")) for person in people)

    def _shared_texts(self) -> list[str]:
        texts: list[str] = []
        for name in self._package.related(self._main, "sharedStrings"):
            try:
                read_texts(self._package, name, texts)
            except PartError as error:
                self._account.leave_out("rest of the shared texts", str(error), many="shared texts")
        return texts

    def _formats(self) -> list[str]:
        """Return the format code of each cell style."""
        for name in self._package.related(self._main, "styles"):
            try:
                root = self._package.xml(name)
            except PartError as error:
                self._account.leave_out("list of number formats", str(error), many="lists of number formats")
                continue
            defined = root.iterfind("{*}numFmts/{*}numFmt")
            codes = BUILT_IN | {whole(f.get("numFmtId")): f.get("formatCode", "") for f in defined}
            return [
                codes.get(whole(xf.get("numFmtId")), "General") for xf in root.iterfind("{*}cellXfs/{*}xf")
            ]
        return []
