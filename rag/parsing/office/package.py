"""Opens Open XML packages (DOCX, PPTX, XLSX): their parts, how these refer to each other, the Strict dialect.

A package is opened as it lies: a part is read when it is asked for, so that one that is damaged or missing
costs no more than itself.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from rag.errors import DocumentError
from rag.parsing.office.markup import local

LARGEST_TREE = 32 << 20  # of a part that is read at once: in memory it may take fifteen times as much
LARGEST_PART = 128 << 20  # of a part that is read piece by piece
_MOST_ELEMENTS = 12_000_000  # of a part that is read piece by piece; the longest documents have three million
_MOST_IN_A_PIECE = 5_000_000  # such as a table
_STRICT = "http://purl.oclc.org/ooxml/"
_USUAL = "http://schemas.openxmlformats.org/"
_READING_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)


class PartError(Exception):
    """A part that cannot be read; its text says why, as a clause without a full stop."""

    def refusal(self, noun: str) -> DocumentError:
        """Return the error of a file whose main part this is.

        Args:
            noun: What the file is, such as "presentation".
        """
        if isinstance(self, TooLargeError):
            return DocumentError(
                f"The main part of the {noun} is too large ({self}); split it and add the parts."
            )
        return DocumentError(
            f"The {noun} is damaged or not really one: its main part cannot be read ({self}). "
            "Open it in its own program and save it again."
        )


class TooLargeError(PartError):
    """A part that would fill the memory."""


@dataclass(frozen=True)
class Relation:
    """A reference from one part to another, or to something outside the package."""

    kind: str  # the end of its type, which is the same in both dialects: "footnotes", "slide", "chart"
    target: str  # the name of the part, or the address of what is outside
    is_external: bool


class Package:
    """A package that is open for reading; close it, or use it in a `with` statement."""

    def __init__(
        self, path: Path, largest_tree: int = LARGEST_TREE, largest_part: int = LARGEST_PART
    ) -> None:
        self._largest_tree = largest_tree
        self._largest_part = largest_part
        self._archive = zipfile.ZipFile(path)
        self._names = {_key(name): name for name in self._archive.namelist()}
        self._relations: dict[str, dict[str, Relation]] = {}

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def open(self, name: str) -> IO[bytes]:
        """Return a part as a stream of bytes. Raises PartError when there is none."""
        try:
            return self._archive.open(self._names[_key(name)])
        except KeyError:
            raise PartError("it is missing") from None
        except _READING_ERRORS as error:
            raise PartError("it is damaged") from error

    def xml(self, name: str) -> Element:
        """Return the root of a part in the names of the usual dialect. Raises PartError."""
        try:
            with self.open(name) as file:
                data = _Bounded(file, self._largest_tree).read()
            return _usual(ElementTree.fromstring(data))
        except (*_READING_ERRORS, ElementTree.ParseError, ValueError, LookupError) as error:
            raise PartError("it is damaged") from error

    def pieces(self, name: str, parents: frozenset[str]) -> Iterator[Element]:
        """Yield each element directly below some others of a part when it ends, and forget it then.

        Raises PartError where the part cannot be read; the pieces before that place have been yielded.

        Args:
            name: The name of the part.
            parents: The names of the elements around the pieces, without their namespaces.
        """
        above: list[Element] = []
        count = total = 0
        try:
            with self.open(name) as file:
                for event, element in ElementTree.iterparse(
                    _Bounded(file, self._largest_part), ("start", "end")
                ):
                    if event == "start":
                        above.append(element)
                        count += 1
                        total += 1
                        if total > _MOST_ELEMENTS:
                            raise TooLargeError(f"it has more than {_MOST_ELEMENTS:,} elements")
                        if count > _MOST_IN_A_PIECE:
                            raise TooLargeError("a table in it has too many cells for the memory")
                        continue
                    above.pop()
                    if above and local(above[-1]) in parents:
                        yield _usual(element)
                        del above[-1][:]
                        count = 0
        except (*_READING_ERRORS, ElementTree.ParseError, ValueError, LookupError) as error:
            raise PartError("it is damaged") from error

    def relations(self, name: str = "") -> dict[str, Relation]:
        """Return what a part, or the package itself, refers to, by the id that its text uses."""
        if name not in self._relations:
            folder, file = posixpath.split(name)
            try:
                root = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
            except PartError:  # most parts have none; what a lost one would say is then missing by name
                root = Element("none")
            self._relations[name] = dict(_relations(root, folder))
        return self._relations[name]

    def related(self, name: str, kind: str) -> list[str]:
        """Return the names of the parts of a kind that a part refers to."""
        return [r.target for r in self.relations(name).values() if r.kind == kind and not r.is_external]

    def main(self, usual: str) -> str:
        """Return the name of the part that the package is about, which is nearly always the usual one."""
        return next(iter(self.related("", "officeDocument")), usual)

    def title(self) -> str:
        """Return the title in the properties, "" where there is none."""
        for name in self.related("", "core-properties"):
            try:
                return self.xml(name).findtext("{*}title") or ""
            except PartError:
                return ""
        return ""


def _relations(root: Element, folder: str) -> Iterator[tuple[str, Relation]]:
    for element in root:
        target = element.get("Target", "")
        is_external = element.get("TargetMode") == "External"
        if not is_external:
            target = posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")
        kind = element.get("Type", "").rpartition("/")[2]
        yield element.get("Id", ""), Relation(kind, target, is_external)


class _Bounded:
    """A stream that ends with an error where it is longer than it may be, whatever its header says."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = self._left = most

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, or all. Raises PartError."""
        data = self._file.read(size if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError(f"it has more than {self._most / (1 << 20):.3g} MB")
        return data


def _usual(root: Element) -> Element:
    """Return an element with its names, and those below it, translated from the Strict dialect."""
    if root.tag.startswith(f"{{{_STRICT}"):
        for element in root.iter():
            element.tag = _usual_name(element.tag)
            for key in [key for key in element.attrib if key.startswith(f"{{{_STRICT}")]:
                element.set(_usual_name(key), element.attrib.pop(key))
    return root


def _usual_name(name: str) -> str:
    subject, separator, rest = name.removeprefix(f"{{{_STRICT}").partition("/")
    return f"{{{_USUAL}{subject}/2006/{rest}" if separator and name.startswith(f"{{{_STRICT}") else name


def _key(name: str) -> str:
    """Return a name as names of parts are compared: without regard to letter case."""
    return name.replace("\\", "/").lstrip("/").lower()
