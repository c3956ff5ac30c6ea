"""Reads HTML by heading, and XML and feeds by element."""

from __future__ import annotations

import html
import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rag.parsing.account import Account
from rag.parsing.assemble import HeadingPath, TextBuilder, table_lines
from rag.parsing.markup import attributes_of, local_name, tame, tokens
from rag.parsing.rows import ParsedDocument
from rag.parsing.text import read_text

_SKIPPED = frozenset("script style template title rp defs desc metadata datalist".split())
_BLOCKS = frozenset(
    "address article aside blockquote body button center dd details dialog div dl dt fieldset figcaption "
    "figure footer form header hr html iframe legend li main nav ol p pre section summary table tbody text "
    "textarea tfoot thead tr ul".split()
)
_UNREADABLE_INPUTS = frozenset("hidden password checkbox radio file range color image".split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ELSEWHERE = {"iframe": "embedded page", "embed": "embedded file", "video": "video", "audio": "recording"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_Cell = tuple[str, int, int]  # text, columns, rows
_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)\b")
_TECHNICAL = frozenset("id class style type lang space schemalocation version encoding standalone".split())
_MOST_UNCLOSED = 100  # elements that the end of an outer one closes
_DEEPEST_FRAME = 3  # pages in pages, by srcdoc
_LARGEST_CELL = 1000  # characters; a table with more in a cell lays out a page
_REPEATED_CELL = 100  # characters of a merged cell that are said again in each of its rows and columns
_MOST_COLUMNS = 200
_MOST_REPEATED = 1_000_000  # characters of merged cells in one table; they could make any number
_LAST_ROW = 65_534  # what HTML takes rowspan="0" for, at most


def parse_html(path: Path) -> ParsedDocument:
    """Return a web page with a place for each section; scripts, menus and hidden text are left out."""
    builder, account = TextBuilder(), Account()
    source = read_text(path, account)
    xml = path.suffix.lower() == ".xhtml"
    title = add_page(builder, source, account, xml=xml)
    return ParsedDocument(
        title or path.stem, "text/html", builder.text, builder.places, account=account.lines
    )


def add_page(
    builder: TextBuilder,
    source: str,
    account: Account,
    *,
    number: int | None = None,
    fallback: str = "",
    xml: bool = False,
) -> str:
    """Add the sections of a page as places and return its title.

    Args:
        builder: The document that the sections are added to.
        source: The HTML or XHTML.
        account: The account of that document.
        number: The number of the sections' places.
        fallback: What names a section without a heading.
        xml: Whether the page is known to be XHTML.
    """
    walk = _read_page(source, account, xml)
    for label, text in walk.sections:
        builder.add("section", number, label or fallback, text)
    return walk.title


def page_text(source: str, account: Account) -> str:
    """Return the words of a page as one text, as a mail contains it."""
    return "\n\n".join(text for _, text in _read_page(source, account).sections)


def _read_page(source: str, account: Account, xml: bool = False) -> _Walk:
    """Return a finished walk through a page.

    Menus and hidden text are read where there is nearly nothing else, as on a page that a script would show.
    """
    own = Account()
    walk = _Walk(own, keep_all=False)
    walk.page(tame(source, xml))
    if walk.skipped_length and walk.length < 0.1 * (walk.length + walk.skipped_length):
        own = Account()
        walk = _Walk(own, keep_all=True)
        walk.page(tame(source, xml))
    account.include(own)
    return walk


class _Walk:
    """A walk through the tree of a page that closes a section at each heading."""

    def __init__(self, account: Account, keep_all: bool) -> None:
        self.sections: list[tuple[str, str]] = []
        self.title = ""
        self.length = self.skipped_length = 0  # characters
        self._account, self._keep_all = account, keep_all
        self._headings = HeadingPath()
        self._parts: list[str] = []
        self._frames = 0
        self._on_one_line = False  # within a heading or a cell

    def page(self, pieces: Iterable[str]) -> None:
        """Read a whole page, whose pieces are parsed one after the other."""
        from selectolax.lexbor import LexborHTMLParser

        for piece in pieces:
            tree = LexborHTMLParser(piece)
            found = tree.css_first("title")
            self.title = self.title or (" ".join(found.text().split()) if found is not None else "")
            if tree.body is not None:
                self._flow(tree.body)
        if not self._frames:
            self._close()

    def _flow(self, start: Any) -> None:
        """Add the words of a node and of what is in it."""
        # An explicit stack: real pages nest deeper than Python recurses.
        stack: list[tuple[Any, str, bool]] = [(start, "", False)]
        while stack:
            node, marker, leaving = stack.pop()
            tag = node.tag
            if leaving:
                self._parts += ["\n"] if tag in _BLOCKS else [")"] if tag == "rt" else []
            elif tag == "-text":
                self._text(node)
            elif self._enter(node, tag, marker):
                stack.append((node, "", True))
                stack.extend((child, mark, False) for child, mark in reversed(list(_children(node))))

    def _text(self, node: Any) -> None:
        words = node.text_content or ""
        if not _inside_pre(node):
            words = _SPACES.sub(" ", words.replace("\n", " "))
            if self._parts and self._parts[-1].endswith(" "):
                words = words.removeprefix(" ")
        self._parts += [words] if words else []

    def _apart(self, words: str) -> None:
        """Add words that are written in an attribute, apart from those around them."""
        before = "" if not self._parts or self._parts[-1][-1:].isspace() else " "
        self._parts += [f"{before}{words} "] if words else []

    def _enter(self, node: Any, tag: str, marker: str) -> bool:
        """Add what begins with an element; return whether what is in it is still to be read."""
        if tag in _SKIPPED or self._is_left_out(node, tag):
            return False
        if tag in _HEADINGS and not self._on_one_line:
            self._heading(node, tag)
            return False
        if tag == "br" or tag in _BLOCKS:
            self._parts.append("\n")
        if tag == "img" or (tag == "input" and "alt" in node.attributes):
            self._picture(node)
        elif tag == "input" and (node.attributes.get("type") or "text").lower() not in _UNREADABLE_INPUTS:
            self._apart(" ".join((node.attributes.get("value") or "").split()))
        elif tag in _ELSEWHERE:
            self._elsewhere(node, tag)
            return False
        elif tag == "table" and not self._on_one_line and _is_data(node):
            self._parts.append("\n" + "\n".join(self._table(node)) + "\n")
            return False
        elif tag in ("td", "th"):
            self._parts += [" | "] if node.prev is not None and self._in_row() else []
        elif tag == "rt":
            self._parts.append("(")
        self._parts += [marker] if marker else []
        return True

    def _is_left_out(self, node: Any, tag: str) -> bool:
        """Return whether an element is not content, and enter it into the account."""
        attributes = node.attributes
        if tag == "a" and "headerlink" in (attributes.get("class") or "").split():
            return True
        if self._keep_all:
            return False
        if (
            "hidden" in attributes
            or _HIDDEN.search(attributes.get("style") or "")
            or (tag == "dialog" and "open" not in attributes)
        ):
            kind, many, reason = "hidden passage", "", "the page does not show it"
        elif tag == "select":
            kind, many, reason = "list of choices", "lists of choices", "part of a form"
        elif (tag == "nav" or attributes.get("role") == "navigation") and _is_menu(node):
            kind, many, reason = "menu", "", "links, not content"
        else:
            return False
        words = " ".join(node.text(separator=" ").split())
        if words:
            self.skipped_length += len(words)
            self._account.leave_out(kind, reason, many=many, name=words[:40])
        return True

    def _heading(self, node: Any, tag: str) -> None:
        words = self._line(node)
        self._close()
        if words:
            self._headings.enter(_HEADINGS[tag], words)
            self._parts.append(words + "\n")

    def _picture(self, node: Any) -> None:
        attributes = node.attributes
        words = " ".join((attributes.get("alt") or "").split())
        if words:
            self._apart(words)
            self._account.read("picture description")
        elif "alt" not in attributes and attributes.get("width") not in ("0", "1"):
            source = attributes.get("src") or ""
            name = "" if source.startswith("data:") else posixpath.basename(source)
            self._account.leave_out("picture", "no text describes it", name=name)

    def _elsewhere(self, node: Any, tag: str) -> None:
        attributes = node.attributes
        inner = attributes.get("srcdoc")
        if inner and self._frames < _DEEPEST_FRAME:
            self._frames += 1
            self._parts.append("\n")
            self.page(tame(inner))
            self._frames -= 1
            self._parts.append("\n")
        elif inner or attributes.get("src") not in (None, "", "about:blank"):
            reason = "nested too deeply" if inner else "not a part of this file"
            self._account.leave_out(_ELSEWHERE[tag], reason, name=attributes.get("src") or "")

    def _table(self, table: Any) -> list[str]:
        """Return the lines of a table: its caption, then its rows with merged cells repeated."""
        captions: list[str] = []
        rows: list[list[_Cell]] = []
        headings: list[bool] = []
        for kind, node in _table_parts(table):
            if self._is_left_out(node, node.tag):
                continue
            if kind == "caption":
                captions.append(self._line(node))
                continue
            cells = [cell for cell in _elements(node, "td", "th") if not self._is_left_out(cell, cell.tag)]
            headings.append(kind == "thead" or (len(cells) > 1 and all(cell.tag == "th" for cell in cells)))
            rows.append(
                [(self._line(cell), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in cells]
            )
        titles = len(list(itertools.takewhile(_is_title, rows[:-1])))
        captions += [row[0][0] for row in rows[:titles]]
        heading_count = len(list(itertools.takewhile(bool, headings[titles:])))
        grid = _spread(rows[titles:])
        if heading_count > 1:  # headings of two rows: `Price net`
            columns = itertools.zip_longest(*grid[:heading_count], fillvalue="")
            grid[:heading_count] = [[" ".join(dict.fromkeys(filter(None, names))) for names in columns]]
        return [*captions, *table_lines(grid, heading_count > 0)]

    def _line(self, node: Any) -> str:
        """Return the words in a node on one line."""
        outer, self._parts = self._parts, []
        was_on_one_line, self._on_one_line = self._on_one_line, True
        for child, marker in _children(node):
            self._parts += [marker] if marker else []
            self._flow(child)
        words, self._parts = " ".join("".join(self._parts).split()), outer
        self._on_one_line = was_on_one_line
        return words

    def _close(self) -> None:
        text = "\n".join(
            line.strip() if "\t" not in line else line for line in "".join(self._parts).split("\n")
        )
        text = _BLANK_LINES.sub("\n\n", text)
        if text.strip():
            self.sections.append((self._headings.label, text.strip("\n")))
            self.length += len(text)
        self._parts = []

    def _in_row(self) -> bool:
        """Return whether the current line already contains a cell of this row."""
        return not "".join(self._parts[-3:]).endswith("\n")


def _children(node: Any) -> Iterator[tuple[Any, str]]:
    """Yield each child with what marks it: the dash or the number of a list's item."""
    ordered = node.tag == "ol"
    style = (node.attributes.get("type") or "1") if ordered else ""
    number = _integer(node.attributes.get("start"), 1) if ordered else 1
    child = node.child
    while child is not None:
        marker = ""
        if child.tag == "li":
            marker = "- "
            if ordered:
                number = _integer(child.attributes.get("value"), number)
                marker = _list_marker(number, style)
                number += 1
        yield child, marker
        child = child.next


def _list_marker(number: int, style: str) -> str:
    if style in ("a", "A") and 1 <= number <= 26:
        return f"{chr(ord(style) + number - 1)}. "
    return f"{number}. " if style == "1" else "- "


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,6}", text.strip()) else default


def _is_data(table: Any) -> bool:
    """Return whether a table contains data; others lay out a page."""
    if len(table.css("table")) > 1 or table.css_first("h1,h2,h3,h4,h5,h6,pre") is not None:
        return False
    return all(len(cell.text()) <= _LARGEST_CELL for cell in table.css("td,th"))


def _elements(node: Any, *tags: str) -> Iterator[Any]:
    child = node.child
    while child is not None:
        if child.tag in tags:
            yield child
        child = child.next


def _table_parts(table: Any) -> Iterator[tuple[str, Any]]:
    """Yield ("caption", caption) and, for each row, its group ("thead", "tbody" or "tfoot") and itself."""
    for part in _elements(table, "caption", "thead", "tbody", "tfoot", "tr"):
        if part.tag in ("caption", "tr"):
            yield part.tag, part
        else:
            yield from ((part.tag, row) for row in _elements(part, "tr"))


def _is_title(row: list[_Cell]) -> bool:
    """Return whether a row is one cell, as a title over the columns of a table is."""
    return len(row) == 1 and row[0][2] == 1


def _span(cell: Any, name: str) -> int:
    return _integer(cell.attributes.get(name), 1)


def _spread(rows: list[list[_Cell]]) -> list[list[str]]:
    """Return a row of texts for each row of (text, columns, rows): a merged cell has its value everywhere."""
    grid: list[list[str]] = []
    carried: dict[int, tuple[int, str]] = {}
    budget = _MOST_REPEATED
    for row in rows:
        budget -= sum(len(text) + 3 for _, text in carried.values())
        if budget <= 0:
            carried = {}
        line = {column: text for column, (_, text) in carried.items()}
        carried = {column: (left - 1, text) for column, (left, text) in carried.items() if left > 1}
        column = 0
        for text, across, down in row:
            while column in line:
                column += 1
            again = text if len(text) <= _REPEATED_CELL else ""
            if budget <= 0 or (len(row) == 1 and not line):  # a cell alone fills its row
                across = 1
            for offset in range(max(1, min(across, _MOST_COLUMNS - column))):
                line[column + offset] = again if offset else text
                if down != 1:
                    carried[column + offset] = ((down or _LAST_ROW) - 1, again)
            budget -= across * (len(again) + 3)
        if row:
            grid.append([line.get(column, "") for column in range(max(line, default=-1) + 1)])
    return grid


def _is_menu(node: Any) -> bool:
    """Return whether most words of an element are links, in a list or one after the other."""
    whole = sum(map(len, node.text().split()))
    links = sum(len(word) for link in node.css("a") for word in link.text().split())
    return links > 0.6 * whole


def _inside_pre(node: Any) -> bool:
    parent = node.parent
    for _ in range(4):
        if parent is None:
            return False
        if parent.tag in ("pre", "textarea"):
            return True
        parent = parent.parent
    return False


def parse_xml(path: Path) -> ParsedDocument:
    """Return the text of all elements, one a line with its name, with a place for each item of a feed.

    Entities that the file declares are not expanded, so none can fill the memory.
    """
    account = Account()
    source = read_text(path, account)
    lines = _XmlLines(feed=_FEED.search(source[:10_000]) is not None)
    for kind, name, text in tokens(source):
        if kind == "text":
            lines.text(html.unescape(text))
        elif kind == "close":
            lines.close(name)
        else:
            lines.open(name, text)
            if kind == "empty":
                lines.close(name)
    builder = TextBuilder()
    for label, part in lines.items():
        builder.add("section", None, label, "\n".join(part))
    return ParsedDocument(path.stem, "application/xml", builder.text, builder.places, account=account.lines)


class _XmlLines:
    """The lines of an XML file under construction, apart for each item of a feed."""

    def __init__(self, feed: bool) -> None:
        self._feed = feed
        self._items: list[tuple[str, list[str]]] = [("", [])]
        self._open: list[tuple[str, bool]] = []  # name, and whether it stands within a sentence
        self._words: list[str] = []

    def items(self) -> list[tuple[str, list[str]]]:
        """Return the label and the lines of what stands before the items, and of each item."""
        self._flush()
        return self._items

    def text(self, words: str) -> None:
        """Add text to the innermost open element."""
        self._words.append(words)

    def open(self, name: str, attributes: str) -> None:
        """Enter an element. One that follows text of its parent belongs to the same sentence."""
        within = any(words.strip() for words in self._words)
        if local_name(name) in ("item", "entry"):  # of RSS and Atom
            self._flush()
            within = False
            self._items.append(("", []))
        self._open.append((name, within))
        if not (within or self._feed) and (found := _worth_reading(attributes_of(attributes))):
            self._items[-1][1].append(f"{name}: {found}")

    def close(self, name: str) -> None:
        """Leave an element and those that were not closed in it."""
        depth = len(self._open)
        for level in range(depth - 1, max(-1, depth - _MOST_UNCLOSED), -1):
            if self._open[level][0] == name:
                while len(self._open) > level:
                    if not self._open[-1][1]:
                        self._flush()
                    self._open.pop()
                return

    def _flush(self) -> None:
        words = " ".join(_without_tags("".join(self._words)).split())
        self._words = []
        if not words:
            return
        names = [name for name, within in self._open if not within][-2:]
        label, lines = self._items[-1]
        lines.append(f"{names[-1]}: {words}" if names else words)
        if names and local_name(names[-1]) == "title" and not label and len(self._items) > 1:
            self._items[-1] = (words[:120], lines)


def _worth_reading(attributes: dict[str, str]) -> str:
    """Return the attributes that say something to people, as `lat 47.1; name Dock`."""
    return "; ".join(
        f"{name} {' '.join(html.unescape(value).split())}"
        for name, value in attributes.items()
        if value.strip() and name not in _TECHNICAL and "://" not in value
    )


def _without_tags(text: str) -> str:
    """Return text without the HTML that feeds have in their descriptions."""
    from selectolax.lexbor import LexborHTMLParser

    if "<" not in text:
        return text
    trees = (LexborHTMLParser(piece) for piece in tame(text))
    return " ".join(tree.body.text(separator=" ") for tree in trees if tree.body is not None)
