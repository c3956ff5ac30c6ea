"""Reads drawings of documents, slides and sheets: paragraphs of shapes, charts, SmartArt, pictures."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from rag.parsing.account import Account
from rag.parsing.office.charts import chart_lines
from rag.parsing.office.markup import CHART, DIAGRAM, DRAWING, MATH, NEW_CHART, RELATION, equation
from rag.parsing.office.package import Package, PartError
from rag.parsing.office.symbols import PRIVATE, sign

# Programs put the name of the picture's file where people write what it shows.
_FILE_NAME = re.compile(r"\S*|.*\.(?:png|jpe?g|gif|emf|wmf|bmp|tiff?|svg|pdf)|[a-z]:\\.*", re.IGNORECASE)
GRAPHICS = {f"{CHART}chart", f"{NEW_CHART}chart", f"{DIAGRAM}relIds"}  # what refers to a part of its own
_TEXTS = {f"{DRAWING}t", f"{MATH}t"}
_SKIPPED = {f"{DRAWING}pPr", f"{DRAWING}rPr", f"{DRAWING}endParaRPr", f"{MATH}rPr", f"{MATH}ctrlPr"}
_FONTS = (f"{DRAWING}rPr/{DRAWING}sym", f"{DRAWING}rPr/{DRAWING}latin")


class Drawings:
    """A reader of the drawings in one package, which keeps account of them."""

    def __init__(self, package: Package, account: Account) -> None:
        self._package = package
        self._account = account
        self._seen: set[str] = set()  # parts that were read: a hostile file may refer to one a million times

    def paragraphs(self, element: Element) -> list[str]:
        """Return the words of each paragraph of a shape that contains some."""
        found = (self.words(paragraph).strip() for paragraph in element.iter(f"{DRAWING}p"))
        return [words for words in found if words]

    def words(self, element: Element) -> str:
        """Return the words below an element, on one line but for the line breaks that it holds."""
        parts = []
        for child in element:
            if child.tag in _TEXTS:
                font = next(
                    (f.get("typeface", "") for path in _FONTS if (f := element.find(path)) is not None), ""
                )
                parts.append(self.signs(child.text or "", font))
            elif child.tag == f"{DRAWING}br":
                parts.append("\n")
            elif child.tag not in _SKIPPED:
                parts.append(equation(child, self.words(child)))
        return "".join(parts)

    def signs(self, text: str, font: str) -> str:
        """Return a text with the characters of a symbol font replaced by the signs that they show."""
        return PRIVATE.sub(lambda found: self.sign(font, f"{ord(found[0]):X}"), text)

    def sign(self, font: str, code: str) -> str:
        """Return the sign that a font shows for a character, whose number is given in hexadecimal digits."""
        try:
            known = sign(font, int(code, 16))
        except ValueError:
            known = None
        if known is None:
            self._account.leave_out(
                "sign", "its font does not say what it means", name=f"{font} {code}".strip()
            )
        return known or ""

    def graphic(self, element: Element, part: str, where: str) -> list[str]:
        """Return the lines of a chart or of SmartArt.

        Args:
            element: The reference to it in a document, on a slide or in a sheet.
            part: The name of the part that the element stands in.
            where: What a person knows the place by.
        """
        is_chart = element.tag != f"{DIAGRAM}relIds"
        noun = "chart" if is_chart else "SmartArt graphic"
        reference = element.get(f"{RELATION}{'id' if is_chart else 'dm'}", "")
        relation = self._package.relations(part).get(reference)
        try:
            if relation is None or relation.is_external:
                raise PartError("its data are not in the file")
            if relation.target in self._seen:
                return []
            self._seen.add(relation.target)
            lines = self._chart(relation.target) if is_chart else self._diagram(relation.target)
            if not lines:
                raise PartError("it holds no values" if is_chart else "it has no text")
        except PartError as error:
            self._account.leave_out(noun, str(error), name=where)
            return []
        self._account.read(noun)
        return lines

    def description(self, properties: Element | None) -> list[str]:
        """Return what somebody wrote to describe a picture, as a line, or nothing."""
        text = "" if properties is None else " ".join(properties.get("descr", "").split())
        if not text or _FILE_NAME.fullmatch(text):
            return []
        self._account.read("description of a picture", many="descriptions of pictures")
        return [f"Picture: {text}"]

    def _chart(self, name: str) -> list[str]:
        lines = chart_lines(self._package.xml(name))
        for drawing in self._package.related(name, "chartUserShapes"):  # text boxes on top of it
            lines += self.paragraphs(self._package.xml(drawing))
        return lines

    def _diagram(self, name: str) -> list[str]:
        points = self._package.xml(name).iter(f"{DIAGRAM}pt")
        # The other kinds of points repeat these for the layout.
        texts = (point for point in points if point.get("type", "node") in ("node", "asst", "doc"))
        return [line for point in texts for line in self.paragraphs(point)]
