"""Markdown as models write it, as blocks of runs that know which characters of the source they show.

An answer is shown without its Markdown syntax, while claims and citations are offsets into its source: so
every run keeps its place. What can load or run something is no syntax here: HTML, images and reference
definitions are shown as they are written, and so is every block whose characters cannot all be placed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MOST_NESTING = 60
_LIST_NUMBER = re.compile(r"^[\s>*+\-]*(?:\d{1,9}[.)]\s*)+", re.MULTILINE)
_BREAK = re.compile(r"[ \t]*\\?\n[ \t]*")
_BEFORE_CELL = re.compile(r"[\s>|]*")


class Kind(StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"


@dataclass(frozen=True)
class Run:
    """Characters of one style.

    Attributes:
        start: Where the characters begin in the source.
        end: Where they end in it. Unless the text has as many, it is shown for them as a whole.
        text: What is shown.
        bold, italic, code: How it is shown.
        href: Where it links to, http or https; empty: nowhere.
    """

    start: int
    end: int
    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    href: str = ""


@dataclass(frozen=True)
class Item:
    """The list that a block is in.

    Attributes:
        list_start: Where the line begins in which the list does; with its depth it tells lists apart.
        number: Of the item; None in a list with bullets.
    """

    list_start: int
    number: int | None = None


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, code, table or rule.

    Attributes:
        kind: What it is.
        top: Where the outermost block, or item of an outermost list, that it belongs to begins in the source:
            what is read from there on is read alike.
        runs: What it shows; of a table nothing.
        level: Of a heading, from 1.
        items: The lists around it, the outermost first.
        opens_item: Whether it is the first block of its item, which has the bullet or the number.
        quotes: How many quotations are around it.
        rows: The cells of a table, the header first.
        right: Of a table, the columns that are aligned to the right.
    """

    kind: Kind
    top: int
    runs: tuple[Run, ...] = ()
    level: int = 0
    items: tuple[Item, ...] = ()
    opens_item: bool = False
    quotes: int = 0
    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()
    right: frozenset[int] = frozenset()

    @property
    def all_runs(self) -> Iterator[Run]:
        """Everything it shows, the cells of a table row by row."""
        yield from self.runs
        for row in self.rows:
            for cell in row:
                yield from cell

    @property
    def text(self) -> str:
        """What it shows as plain text, the cells of a table with tabs between them."""
        if self.kind is Kind.TABLE:
            return "\n".join("\t".join(_text(cell) for cell in row) for row in self.rows)
        return _text(self.runs)


def parse(source: str) -> list[Block]:
    r"""Return the blocks of a text, whose lines end with \n."""
    source = source.replace("\r", "\n").replace("\0", "\ufffd")
    lines = [0]
    for line in source.split("\n"):
        lines.append(lines[-1] + len(line) + 1)
    blocks: list[Block] = []
    tokens = _parser().parse(source)
    first = 0
    for number, token in enumerate(tokens):
        if token.level or token.nesting == 1:
            continue
        group = tokens[first : number + 1]
        first = number + 1
        begin, end = group[0].map or (0, 0)
        blocks += _Reader(source, lines).read(group, lines[begin], min(lines[end], len(source)))
    return blocks


def plain_text(source: str) -> str:
    """Return a text without its Markdown syntax, with bullets and numbers before the items of lists."""
    parts: list[str] = []
    before: Block | None = None
    for block in parse(source):
        mark = ""
        if not block.text:
            continue
        if block.items:
            number = block.items[-1].number
            mark = "  " * (len(block.items) - 1) + ("• " if number is None else f"{number}. ")
            if not block.opens_item:
                mark = " " * len(mark)
        tight = before is not None and before.items and block.items and block.opens_item
        parts.append(("\n" if tight else "\n\n") * bool(parts) + mark + block.text)
        before = block
    return "".join(parts)


def shown(source: str) -> tuple[str, list[int]]:
    """Return what is shown of a text, and where in it each character of that comes from."""
    text = ""
    offsets: list[int] = []
    for block in parse(source):
        for run in block.all_runs:
            if (
                text
                and not text[-1].isspace()
                and run.start > offsets[-1] + 1
                and _is_apart(source, offsets[-1], run)
            ):
                text, offsets = text + " ", [*offsets, run.start]
            text += run.text
            offsets += range(run.start, run.end)
    return text, offsets


def _is_apart(source: str, last: int, run: Run) -> bool:
    """Return whether a run begins in another line or cell than the last character before it."""
    return any(mark in source[last + 1 : run.start] for mark in "\n|")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _MOST_NESTING}).enable("table")
    # Indented code and underlined headings are mostly something else in what models write.
    off = "reference html_block html_inline image entity autolink code lheading text_join".split()
    return parser.disable(off)


class _LostError(Exception):
    """A character cannot be placed in the source: the block is shown as it is written."""


class _Reader:
    """Reads the tokens of one outermost block."""

    def __init__(self, source: str, lines: Sequence[int]) -> None:
        self._source, self._lines = source, lines
        self._top = 0
        self._syntax: list[tuple[int, int]] = []  # with letters: addresses of links, languages of code

    def read(self, tokens: Sequence[Token], begin: int, end: int) -> list[Block]:
        """Return the blocks of these tokens, which stand for these characters."""
        self._top = begin
        try:
            blocks = self._read(tokens)
            self._check(blocks, begin, end)
        except _LostError:
            text = self._source[begin:end].rstrip("\n")
            return [Block(Kind.PARAGRAPH, begin, (Run(begin, begin + len(text), text),))]
        return blocks

    def _check(self, blocks: Sequence[Block], begin: int, end: int) -> None:
        """Raise when a letter or a figure of the source would not be shown."""
        left = list(self._source[begin:end])
        shown = ((run.start, run.end) for block in blocks for run in block.all_runs)
        for start, stop in (*shown, *self._syntax):
            left[start - begin : stop - begin] = " " * (stop - start)
        if any(character.isalnum() for character in _LIST_NUMBER.sub("", "".join(left))):
            raise _LostError

    def _read(self, tokens: Sequence[Token]) -> list[Block]:
        blocks: list[Block] = []
        items: list[Item] = []
        numbers: list[int | None] = []  # of the next item of each list around
        quotes, opens = 0, False
        table = 0
        for place, token in enumerate(tokens):
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                first = token.attrs.get("start", 1)
                numbers.append(int(first) if kind == "ordered_list_open" else None)
                items.append(Item(self._lines[(token.map or [0])[0]]))
            elif kind in ("bullet_list_close", "ordered_list_close"):
                items.pop()
                numbers.pop()
            elif kind == "list_item_open":
                number = numbers[-1]
                items[-1] = replace(items[-1], number=number)
                numbers[-1] = number + 1 if number is not None else None
                opens = True
                if token.level == 1:
                    self._top = self._lines[(token.map or [0])[0]]
            elif kind in ("blockquote_open", "blockquote_close"):
                quotes += token.nesting
            elif kind == "table_open":
                table = place
            elif kind in ("inline", "fence", "hr", "table_close"):
                if kind == "inline" and tokens[place - 1].type in ("th_open", "td_open"):
                    continue
                made = (
                    self._table(tokens[table:place])
                    if kind == "table_close"
                    else self._block(tokens[place - 1], token)
                )
                blocks.append(replace(made, items=tuple(items), opens_item=opens, quotes=quotes))
                opens = False
        return blocks

    def _block(self, opened: Token, token: Token) -> Block:
        if token.type == "hr":
            return Block(Kind.RULE, self._top)
        if token.type == "fence":
            return Block(Kind.CODE, self._top, tuple(self._code(token)))
        offsets = self._offsets(token)
        runs = tuple(_Inline(self._source, token.content, offsets, self._syntax).read(token.children or []))
        if opened.type == "heading_open":
            return Block(Kind.HEADING, self._top, runs, level=int(opened.tag[1:]))
        return Block(Kind.PARAGRAPH, self._top, runs)

    def _line(self, number: int) -> str:
        return self._source[self._lines[number] : self._lines[number + 1] - 1]

    def _offsets(self, token: Token) -> list[int]:
        """Return where each character of a token's content is in the source, and where its last one ends."""
        found: list[int] = []
        begin = (token.map or [0])[0]
        for number, content in enumerate(token.content.split("\n"), begin):
            line = self._line(number)
            for whole in (line, line.rstrip()):
                if whole.endswith(content):
                    start = len(whole) - len(content)
                    break
            else:  # a heading with # at its end
                start = line.find(content, len(line) - len(line.lstrip(" \t#>")))
            if start < 0:
                raise _LostError
            place = self._lines[number] + start
            found += range(place, place + len(content) + 1)  # the last is that of the line's end
        return found

    def _code(self, token: Token) -> Iterator[Run]:
        begin = (token.map or [0])[0]
        self._syntax.append((self._lines[begin], self._lines[begin + 1] - 1))
        lines = token.content.removesuffix("\n").split("\n") if token.content else []
        for number, content in enumerate(lines, begin + 1):
            line = self._line(number)
            if not line.endswith(content):
                raise _LostError
            start = self._lines[number] + len(line) - len(content)
            last = number == begin + len(lines)
            yield Run(start, start + len(content) + (not last), content + "\n" * (not last), code=True)

    def _table(self, tokens: Sequence[Token]) -> Block:
        rows: list[tuple[tuple[Run, ...], ...]] = []
        right: set[int] = set()
        cells: list[tuple[Run, ...]] = []
        at = 0
        for place, token in enumerate(tokens):
            if token.type == "tr_open":
                cells, at = [], 0
            elif token.type in ("th_open", "td_open"):
                if "right" in str(token.attrs.get("style", "")):
                    right.add(len(cells))
                runs, at = self._cell(tokens[place + 1], at)
                cells.append(runs)
            elif token.type == "tr_close":
                rows.append(tuple(cells))
        return Block(Kind.TABLE, self._top, rows=tuple(rows), right=frozenset(right))

    def _cell(self, token: Token, at: int) -> tuple[tuple[Run, ...], int]:
        """Return a cell's runs, and where in its line it ends. at: where the cell before it ends."""
        number = (token.map or [0])[0]
        line = self._line(number)
        if not token.content:
            return (), at
        found = _BEFORE_CELL.match(line, at)
        start = at = found.end() if found else at
        offsets = []
        for character in token.content:  # a bar in a cell is written \|
            if character == "|" and line.startswith("\\|", at):
                at += 1
            if not line.startswith(character, at):
                raise _LostError
            offsets.append(self._lines[number] + at)
            at += 1
        assert start <= at
        offsets.append(self._lines[number] + at)
        read = _Inline(self._source, token.content, offsets, self._syntax)
        return tuple(read.read(token.children or [])), at


class _Inline:
    """Places the inline tokens of one text in the source."""

    def __init__(
        self, source: str, content: str, offsets: Sequence[int], syntax: list[tuple[int, int]]
    ) -> None:
        self._source, self._content, self._offsets = source, content, offsets
        self._syntax = syntax
        self._at = 0

    def read(self, tokens: Sequence[Token]) -> Iterator[Run]:
        bold = italic = 0
        href = ""
        for token in tokens:
            kind = token.type
            style = Run(0, 0, "", bold=bold > 0, italic=italic > 0, href=href)
            if kind == "text":
                yield from self._placed(style, len(token.content), token.content)
            elif kind == "text_special":
                yield from self._placed(style, len(token.markup), token.content)
            elif kind in ("softbreak", "hardbreak"):
                yield self._break(style)
            elif kind == "code_inline":
                yield from self._code(style, token)
            elif kind in ("strong_open", "strong_close", "em_open", "em_close"):
                self._skip(token.markup)
                bold += token.nesting * (kind.startswith("strong"))
                italic += token.nesting * (kind.startswith("em"))
            elif kind == "link_open":
                self._skip("[")
                href = _address(str(token.attrs.get("href", "")))
            elif kind == "link_close":
                self._skip_address()
                href = ""
            else:
                raise _LostError

    def _skip(self, markup: str) -> None:
        if not self._content.startswith(markup, self._at):
            raise _LostError
        self._at += len(markup)

    def _placed(self, style: Run, length: int, text: str) -> Iterator[Run]:
        """Yield a run for the next characters, in pieces where the source goes on elsewhere."""
        begin, self._at = self._at, self._at + length
        if length != len(text):
            if self._content[begin : begin + 1] != "\\":
                raise _LostError
            # The backslash is syntax: the run is the character behind it.
            begin += length - len(text)
            length = len(text)
        if self._content[begin : begin + length] != text:
            raise _LostError
        yield from self._pieces(style, begin, text)

    def _pieces(self, style: Run, begin: int, text: str) -> Iterator[Run]:
        places = self._offsets[begin : begin + len(text)]
        piece = 0
        for number in range(1, len(text) + 1):
            if number == len(text) or places[number] != places[number - 1] + 1:
                start = places[piece]
                yield replace(style, start=start, end=start + number - piece, text=text[piece:number])
                piece = number

    def _break(self, style: Run) -> Run:
        found = _BREAK.match(self._content, self._at)
        if found is None:
            raise _LostError
        place = self._offsets[self._content.index("\n", self._at)]
        self._at = found.end()
        return replace(style, start=place, end=place + 1, text="\n")

    def _code(self, style: Run, token: Token) -> Iterator[Run]:
        self._skip(token.markup)
        ticks = re.compile(rf"(?<!`){re.escape(token.markup)}(?!`)")
        closing = ticks.search(self._content, self._at)
        if closing is None:
            raise _LostError
        inner = self._content[self._at : closing.start()]
        self._at += (len(inner) - len(token.content)) // 2  # a space on each side, where both are
        begin = self._at
        plain = self._content[begin : begin + len(token.content)]
        if plain.replace("\n", " ") != token.content:
            raise _LostError
        self._at = closing.start()
        for number, line in enumerate(plain.split("\n")):
            if number:
                place = self._offsets[begin]
                yield replace(style, start=place, end=place + 1, text=" ", code=True)
                begin += 1
            yield from self._pieces(replace(style, code=True), begin, line)
            begin += len(line)
        self._skip(token.markup)

    def _skip_address(self) -> None:
        from markdown_it.helpers import parseLinkDestination, parseLinkTitle

        begin, content = self._at, self._content
        self._skip("](")
        most = len(content)
        at = _past_space(content, self._at)
        found = parseLinkDestination(content, at, most)
        at = found.pos if found.ok else at
        title = parseLinkTitle(content, _past_space(content, at), most)
        at = _past_space(content, title.pos if title.ok else at)
        self._at = at
        self._skip(")")
        self._syntax.append((self._offsets[begin], self._offsets[self._at - 1] + 1))


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\n":
        at += 1
    return at


def _address(href: str) -> str:
    """Return an address of the web; nothing else is a link, least of all a file."""
    return href if re.match(r"https?://", href, re.IGNORECASE) else ""


def _text(runs: Sequence[Run]) -> str:
    return "".join(run.text for run in runs)
