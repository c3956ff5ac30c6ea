"""Reads HTML by heading, EPUB by chapter, XML and feeds by element."""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rag.errors import DocumentError
from rag.parsing.assemble import HeadingPath, TextBuilder
from rag.parsing.encodings import decode
from rag.parsing.rows import ParsedDocument
from rag.parsing.text import read_text

_DROPPED = (
    "script,style,noscript,template,svg,iframe,object,nav,form,button,select,a.headerlink,[role=navigation]"
)
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure "
    "footer header hr html li main ol p pre section summary table tbody thead tfoot tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DECLARATION = re.compile(r"<!\[CDATA\[|<\?|<!DOCTYPE", re.IGNORECASE)
_FEED_TAGS = re.compile(r"<(/?)(link|title|source|base|meta|image|col)\b", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def parse_html(path: Path) -> ParsedDocument:
    """Return a web page with a place for each section; scripts, menus and forms are left out."""
    builder = TextBuilder()
    title = _add_html(builder, read_text(path), HeadingPath(), "section", None, "")
    return ParsedDocument(title or path.stem, "text/html", builder.text, builder.places)


def parse_epub(path: Path) -> ParsedDocument:
    """Return a book in the order of its spine. Raises DocumentError when it is damaged or protected."""
    from selectolax.lexbor import LexborHTMLParser

    builder = TextBuilder()
    with zipfile.ZipFile(path) as archive:
        try:
            container = LexborHTMLParser(decode(archive.read("META-INF/container.xml")))
            root = container.css_first("rootfile")
            package_path = root.attributes["full-path"] if root is not None else ""
            package = LexborHTMLParser(decode(archive.read(package_path or "")))
        except KeyError as error:
            raise DocumentError("The EPUB has no table of contents; it is damaged or protected.") from error
        if "META-INF/rights.xml" in archive.namelist():
            raise DocumentError("The EPUB is protected against copying and cannot be read.")
        items = {item.attributes.get("id"): item.attributes.get("href") for item in package.css("item")}
        base = posixpath.dirname(package_path or "")
        for number, reference in enumerate(package.css("itemref"), 1):
            href = items.get(reference.attributes.get("idref"))
            name = posixpath.normpath(posixpath.join(base, unquote(href or "")))
            if href and name in archive.namelist():
                _add_html(
                    builder, decode(archive.read(name)), HeadingPath(), "section", number, f"chapter {number}"
                )
        found = package.css_first("dc\\:title") or package.css_first("title")
        title = found.text(strip=True) if found is not None else ""
    return ParsedDocument(title or path.stem, "application/epub+zip", builder.text, builder.places)


def parse_xml(path: Path) -> ParsedDocument:
    """Return the text of all elements, one a line, with a place for each item of a feed.

    An HTML parser reads it: it knows no XML entities, so none can expand.
    """
    from selectolax.lexbor import LexborHTMLParser

    # HTML's <link> and <title> have no content or a special one; in a feed they do.
    source = _FEED_TAGS.sub(r"<\1x-\2", _plain_elements(read_text(path)))
    body = LexborHTMLParser(source).body
    builder = TextBuilder()
    lines: list[str] = []
    label = ""

    def close_item() -> None:
        builder.add("section", None, label, "\n".join(lines))
        lines.clear()

    for node in body.traverse(include_text=True) if body is not None else ():
        if node.tag in ("item", "entry"):  # of RSS and Atom
            close_item()
            label = ""
            title = node.css_first("x-title")
            if title is not None:
                label = _strip_tags(title.text())[:120]
        elif node.tag == "-text":
            words = _strip_tags(node.text_content or "")
            parent = (node.parent.tag or "").removeprefix("x-") if node.parent is not None else ""
            if words:
                lines.append(f"{parent}: {words}" if parent not in ("", "body") else words)
    close_item()
    return ParsedDocument(path.stem, "application/xml", builder.text, builder.places)


def _plain_elements(source: str) -> str:
    """Return XML without its declarations, with CDATA as text.

    It takes one pass: a damaged file may have thousands of them.
    """
    parts, position = [], 0
    while found := _DECLARATION.search(source, position):
        parts.append(source[position : found.start()])
        opening = found.group()
        closing = (
            "]]>"
            if opening == "<![CDATA["
            else "?>"
            if opening == "<?"
            else _doctype_end(source, found.end())
        )
        end = source.find(closing, found.end())
        if end < 0:
            parts.append(_escape(source[found.end() :]))
            return "".join(parts)
        if opening == "<![CDATA[":
            parts.append(_escape(source[found.end() : end]))
        position = end + len(closing)
    parts.append(source[position:])
    return "".join(parts)


def _doctype_end(source: str, start: int) -> str:
    """Return what closes a document type, which may have declarations in brackets, entities among them."""
    found = re.compile(r"[\[>]").search(source, start)
    return "]>" if found and found.group() == "[" else ">"


def _strip_tags(text: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    if "<" in text:
        tree = LexborHTMLParser(text)
        text = tree.body.text(separator=" ") if tree.body is not None else text
    return " ".join(text.split())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _add_html(
    builder: TextBuilder, source: str, headings: HeadingPath, kind: str, number: int | None, fallback: str
) -> str:
    """Add the sections of a page and return its title."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    for node in tree.css(_DROPPED):
        node.decompose()
    found = tree.css_first("title")
    title = " ".join(found.text().split()) if found is not None else ""
    body = tree.body
    if body is None:
        return title
    walk = _Walk(builder, headings, kind, number, fallback)
    walk.node(body)
    walk.close()
    return title


class _Walk:
    """A walk through a tree of nodes that closes a section at each heading."""

    def __init__(
        self, builder: TextBuilder, headings: HeadingPath, kind: str, number: int | None, fallback: str
    ) -> None:
        self._builder, self._headings = builder, headings
        self._kind, self._number, self._fallback = kind, number, fallback
        self._parts: list[str] = []

    def node(self, start: Any) -> None:
        # An explicit stack: real pages nest deeper than Python recurses.
        stack: list[tuple[Any, bool]] = [(start, False)]
        while stack:
            node, leaving = stack.pop()
            tag = node.tag
            if leaving:
                if tag in _BLOCKS or tag in _HEADINGS:
                    self._parts.append("\n")
                continue
            if tag == "-text":
                words = node.text_content or ""
                self._parts.append(words if _inside_pre(node) else _SPACES.sub(" ", words.replace("\n", " ")))
                continue
            if tag in _HEADINGS:
                self.close()
                words = " ".join(node.text().split())
                if words:
                    self._headings.enter(_HEADINGS[tag], words)
                    self._parts.append(words + "\n")
                continue
            if tag == "br" or tag in _BLOCKS:
                self._parts.append("\n")
            if tag == "li":
                self._parts.append("- ")
            if tag in ("td", "th"):
                self._parts.append(" | " if node.prev is not None and self._in_row() else "")
            stack.append((node, True))
            children = []
            child = node.child
            while child is not None:
                children.append((child, False))
                child = child.next
            stack.extend(reversed(children))

    def close(self) -> None:
        text = "\n".join(
            line.strip() if "\t" not in line else line for line in "".join(self._parts).split("\n")
        )
        text = _BLANK_LINES.sub("\n\n", text)
        self._builder.add(self._kind, self._number, self._headings.label or self._fallback, text)
        self._parts = []

    def _in_row(self) -> bool:
        """Return whether the current line already contains a cell of this row."""
        last = "".join(self._parts[-3:])
        return not last.endswith("\n")


def _inside_pre(node: Any) -> bool:
    parent = node.parent
    for _ in range(4):
        if parent is None:
            return False
        if parent.tag in ("pre", "textarea"):
            return True
        parent = parent.parent
    return False
