"""Reads EPUB by chapter, in the order of the book's spine."""

from __future__ import annotations

import html
import posixpath
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from rag.errors import DocumentError
from rag.parsing import encodings
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.markup import attributes_of, local_name, tokens
from rag.parsing.rows import ParsedDocument
from rag.parsing.web import add_page

_LARGEST_BOOK = 200 << 20  # bytes of all chapters
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")


@dataclass
class _Package:
    """What the package file says: the title, the files by their id, and the ids in reading order."""

    title: str = ""
    items: dict[str, dict[str, str]] = field(default_factory=dict)
    spine: list[str] = field(default_factory=list)


def parse_epub(path: Path) -> ParsedDocument:
    """Return a book in the order of its spine. Raises DocumentError when it is damaged or protected."""
    builder, account = TextBuilder(), Account()
    with zipfile.ZipFile(path) as archive:
        names = _Names(archive)
        package_name = names.find(_package_name(archive, names))
        if package_name is None:
            raise DocumentError("The EPUB has no table of contents; it is damaged or protected.")
        if names.find("META-INF/rights.xml"):
            raise DocumentError("The EPUB is protected against copying and cannot be read.")
        package = _read_package(encodings.decode(archive.read(package_name)))
        base = posixpath.dirname(package_name)
        book = _Book(archive, names, builder, account, _encrypted(archive, names))
        if not package.spine:
            package.spine = [key for key, item in package.items.items() if item.get("media-type") in _PAGES]
            kind = "in the order of the list of files, for want of a reading order"
            account.read(f"chapter {kind}", len(package.spine), f"chapters {kind}")
        for number, reference in enumerate(package.spine, 1):
            book.add(number, reference, package.items.get(reference), base)
        for item in package.items.values():
            if item.get("media-type") in _PAGES[:2] and "nav" not in item.get("properties", "").split():
                book.mention_unused(item, base)
    return ParsedDocument(
        package.title or path.stem,
        "application/epub+zip",
        builder.text,
        builder.places,
        account=account.lines,
    )


class _Names:
    """The names in an archive, found also by other letter case or another encoding of their accents."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._names: dict[str, str] = {}
        for name in archive.namelist():
            for form in (name, _as_utf8(name)):
                self._names.setdefault(_folded(form), name)

    def find(self, name: str) -> str | None:
        """Return the name as the archive has it, None where it is missing."""
        return self._names.get(_folded(name))


def _as_utf8(name: str) -> str:
    """Return a name that a program wrote in UTF-8 without saying so; zipfile reads those as cp437."""
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _package_name(archive: zipfile.ZipFile, names: _Names) -> str:
    container = names.find("META-INF/container.xml")
    if container is not None:
        for _, name, attributes in tokens(encodings.decode(archive.read(container))):
            if local_name(name) == "rootfile" and (path := attributes_of(attributes).get("full-path")):
                return html.unescape(path)
    return next((name for name in archive.namelist() if name.lower().endswith(".opf")), "")


def _read_package(source: str) -> _Package:
    package, in_title = _Package(), False
    for kind, name, text in tokens(source):
        name = local_name(name)
        if kind == "text":
            if in_title:
                package.title += html.unescape(text)
        elif name == "title":
            in_title = kind == "open" and not package.title.strip()
        elif kind != "close" and name == "item":
            item = {key: html.unescape(value) for key, value in attributes_of(text).items()}
            package.items.setdefault(item.get("id", ""), item)
        elif kind != "close" and name == "itemref":
            package.spine.append(html.unescape(attributes_of(text).get("idref", "")))
    package.title = " ".join(package.title.split())
    return package


def _encrypted(archive: zipfile.ZipFile, names: _Names) -> set[str]:
    """Return the folded names of encrypted files. Fonts are so in many books that anybody can read."""
    found = names.find("META-INF/encryption.xml")
    source = encodings.decode(archive.read(found)) if found else ""
    return {
        _folded(unquote(html.unescape(attributes_of(attributes).get("uri", ""))))
        for _, name, attributes in tokens(source)
        if local_name(name) == "cipherreference"
    }


class _Book:
    """A book under construction: it adds chapters, and enters those that it cannot read into the account."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        names: _Names,
        builder: TextBuilder,
        account: Account,
        encrypted: set[str],
    ) -> None:
        self._archive, self._names = archive, names
        self._builder, self._account = builder, account
        self._encrypted = encrypted
        self._done: set[str] = set()
        self._size = 0

    def add(self, number: int, reference: str, item: dict[str, str] | None, base: str) -> None:
        """Add a chapter of the spine.

        Args:
            number: Its number from 1.
            reference: The id that the spine names.
            item: The entry of the manifest with that id.
            base: The folder of the package.
        """
        href = (item or {}).get("href", "")
        name = self._names.find(_inside(base, href)) if href else None
        if name is None:
            self._leave_out("it is missing from the file", href or reference)
        elif name in self._done:
            self._leave_out("the book names it again", href)
        elif _folded(name) in self._encrypted:
            self._leave_out("it is encrypted", href)
        elif (item or {}).get("media-type", "").startswith("image/") and not name.lower().endswith(".svg"):
            self._leave_out("it is a picture", href)
        else:
            self._done.add(name)
            self._read(number, name, href)

    def mention_unused(self, item: dict[str, str], base: str) -> None:
        """Enter a page into the account that is in the book's list of files and not in its reading order."""
        name = self._names.find(_inside(base, item.get("href", "")))
        if name is not None and name not in self._done:
            self._account.leave_out("page", "not in the reading order", name=item.get("href", ""))

    def _read(self, number: int, name: str, href: str) -> None:
        self._size += self._archive.getinfo(name).file_size
        if self._size > _LARGEST_BOOK:
            self._leave_out(f"the chapters before it have {_LARGEST_BOOK >> 20} MB", href)
            return
        try:
            data = self._archive.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            self._leave_out(f"it is damaged ({error})", href)
            return
        found = encodings.read(data)
        found.tell(self._account, href)
        before = len(self._builder.text)
        add_page(
            self._builder, found.text, self._account, number=number, fallback=f"chapter {number}", xml=True
        )
        if len(self._builder.text) == before and data.strip():
            self._leave_out("it has no text", href)

    def _leave_out(self, reason: str, name: str) -> None:
        self._account.leave_out("chapter", reason, name=name)


def _inside(base: str, href: str) -> str:
    path = unquote(href.split("#")[0]).replace("\\", "/")
    return posixpath.normpath(posixpath.join(base, path)).lstrip("/")
