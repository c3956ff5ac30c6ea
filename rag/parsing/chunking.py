"""Splits a parsed document into chunks that fit the embedder.

A chunk never crosses a place (page, slide, sheet, section), so it can say where it is. The model silently
drops text past its longest input, so no chunk may be longer.

A chunk ends at the greatest boundary within its reach, and at the last of that kind: before a heading, else
after a blank line, else after a line, a sentence, a word. Every text is tokenised once and all else is looked
up in the offsets of its tokens, so the time grows with the text: the library used before tokenised each
candidate again and took minutes for one long line.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.rows import ParsedDocument, Place
from rag.settings import ChunkingSettings
from rag.text.encoded import EncodedKind, Stretch, encoded_stretches

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNKER = "ragdeck-chunker/1"  # part of every chunking fingerprint: change it when chunks would change
_PIECE = 6000  # characters that are tokenised together, or up to twice as many
_BATCH = 32  # pieces between two reports of progress: the tokenizer takes several on several processors
_LONGEST_TOKEN = (
    20  # characters for each token of a chunk at most: a tokenizer may take any word for one token
)
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+(?=[^\s\da-z])|[。！？]+[」』）”’]*\s*")
_LINE_END = re.compile(r"\n\s*\n\s*|\n")
_BLANK = re.compile(r"\s+")
_HEADING = re.compile(r" {0,3}(?:(`{3,}|~{3,})|(#{1,6})[ \t])")
_LEFT_OUT = {
    EncodedKind.ENCODED: ("stretch of encoded text", "stretches of encoded text", "base64 or hexadecimal"),
    EncodedKind.MINIFIED: ("stretch of minified code", "stretches of minified code", "not for reading"),
}
_HINT = "the chunk setting “Keep encoded text” includes it"  # by which lines of this module are known


@dataclass(frozen=True)
class TextChunk:
    """A piece of a document's text. start and end are character offsets into it, end exclusive."""

    start: int
    end: int
    text: str
    token_count: int
    place: Place | None

    @property
    def text_hash(self) -> str:
        """The sha256 of the text in hex: equal texts share a vector."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


class Chunker:
    """A splitter that measures chunks by the tokens of one tokenizer.

    The tokenizer must be a copy without truncation and padding. longest is the most tokens that its model
    reads; the settings cannot exceed it.
    """

    def __init__(self, tokenizer: Tokenizer, settings: ChunkingSettings, longest: int) -> None:
        self._tokenizer = tokenizer
        self.settings = settings
        self._capacity = min(settings.max_tokens, longest)
        self._overlap = min(settings.overlap_tokens, self._capacity // 2)

    def split(self, document: ParsedDocument) -> list[TextChunk]:
        """Return the chunks of a document in order; white space and encoded text are in none.

        Raises DocumentError when the document has nothing but encoded text.
        """
        steps = self.split_steps(document)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                chunks: list[TextChunk] = end.value
                return chunks

    def split_steps(self, document: ParsedDocument) -> Generator[int, None, list[TextChunk]]:
        """Split a document like `split`, and yield how many characters are done from time to time."""
        text = document.text
        left_out = [] if self.settings.keep_encoded else encoded_stretches(text)
        pieces = [
            (place, start, end)
            for place, first, last in _readable(document, left_out)
            for start, end in _pieces(text, first, last)
        ]
        chunks: list[TextChunk] = []
        for begin in range(0, len(pieces), _BATCH):
            batch = pieces[begin : begin + _BATCH]
            spans = self._spans([text[start:end] for _, start, end in batch], document.markup)
            chunks += [
                TextChunk(start + first, start + last, text[start + first : start + last], count, place)
                for (place, start, _), found in zip(batch, spans, strict=True)
                for first, last, count in found
            ]
            yield batch[-1][2]
        if left_out and not chunks:
            raise DocumentError(
                "The file contains nothing but encoded or minified text, which is left out; "
                f"{_HINT}, if you want to search it."
            )
        return chunks

    def _spans(self, texts: list[str], markup: str) -> list[list[tuple[int, int, int]]]:
        """Return (start, end, tokens) of the chunks of each text."""
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        spans = [
            list(_cut(text, [o[0] for o in encoding.offsets], markup, self._capacity, self._overlap))
            for text, encoding in zip(texts, encodings, strict=True)
        ]
        cut = [text[start:end] for text, found in zip(texts, spans, strict=True) for start, end in found]
        counts = iter(self._counts(cut))
        return [
            [part for start, end in found for part in self._fitting(text, start, end, next(counts))]
            for text, found in zip(texts, spans, strict=True)
        ]

    def _counts(self, texts: list[str]) -> list[int]:
        return [len(found.ids) for found in self._tokenizer.encode_batch(texts, add_special_tokens=False)]

    def _fitting(self, text: str, start: int, end: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Yield a chunk, in halves where it has more tokens by itself than as a part of its text.

        A word that is cut has other tokens than the whole word.
        """
        if count <= self._capacity or end - start < 2:
            yield start, end, count
            return
        middle = (start + end) // 2
        for first, last in ((start, middle), (middle, end)):
            if text[first:last].strip():
                yield from self._fitting(text, first, last, self._counts([text[first:last]])[0])


def with_left_out(document: ParsedDocument, settings: ChunkingSettings) -> ParsedDocument:
    """Return a document whose account names the text that these settings leave out of all chunks."""
    account = Account()
    line = position = 0
    for start, end, kind in [] if settings.keep_encoded else encoded_stretches(document.text):
        line += document.text.count("\n", position, start)
        position = start
        one, many, reason = _LEFT_OUT[kind]
        name = f"line {line + 1:,} ({end - start:,} characters)"
        account.leave_out(one, f"{reason}; {_HINT}", many=many, name=name)
    others = tuple(line for line in document.account if _HINT not in line.text)
    return replace(document, account=others + account.lines)


def _readable(
    document: ParsedDocument, left_out: Sequence[Stretch]
) -> Iterator[tuple[Place | None, int, int]]:
    """Yield (place, start, end) of what is split: the places or all of the text, without what is left out."""
    places = document.places or (None,)
    number = 0
    for place in places:
        start, end = (place.start, place.end) if place else (0, len(document.text))
        while number < len(left_out) and left_out[number].start < end:
            stretch = left_out[number]
            if stretch.start > start:
                yield place, start, stretch.start
            start = max(start, stretch.end)
            if stretch.end > end:  # it goes on in the next place
                break
            number += 1
        if start < end:
            yield place, start, end


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a long stretch, at a blank line if there is one, else at a line, a sentence, a word or anywhere."""
    while end - start > 2 * _PIECE:
        low, high = start + _PIECE, start + 2 * _PIECE
        cuts = (text.find(mark, low, high) for mark in ("\n\n", "\n", ". ", "。", " "))
        cut = next((cut for cut in cuts if cut >= 0), high - 1) + 1
        yield start, cut
        start = cut
    yield start, end


def _cut(
    text: str, tokens: Sequence[int], markup: str, capacity: int, overlap: int
) -> Iterator[tuple[int, int]]:
    """Yield the chunks of a text.

    Args:
        text: What is cut.
        tokens: The offset of each token in it, in order.
        markup: See ParsedDocument.
        capacity: The most tokens of a chunk.
        overlap: The most tokens that it shares with the one before.
    """
    levels = _boundaries(text, markup)
    start = end = 0
    while end < len(text):
        number = bisect_left(tokens, start) + capacity
        reach = tokens[number] if number < len(tokens) else len(text)
        reach = max(min(reach, start + capacity * _LONGEST_TOKEN), end + 1)
        end, same_kind = (len(text), ()) if reach >= len(text) else _last(levels, end, reach)
        first, last = _trimmed(text, start, end, markup)
        if first < last:
            yield first, last
        # What is shared is whole: the last sentences if the chunk ends with a sentence, and so on.
        back = bisect_left(tokens, end) - overlap
        number = bisect_left(same_kind, max(tokens[back] if 0 <= back < len(tokens) else end, start + 1))
        start = same_kind[number] if number < len(same_kind) and same_kind[number] < end else end


def _boundaries(text: str, markup: str) -> list[list[int]]:
    """Return the places where a text may be cut, in order: a list for each kind, the greatest first."""
    sentences = [found.end() for found in _SENTENCE_END.finditer(text)]
    words = [found.end() for found in _BLANK.finditer(text)]
    lines, paragraphs = [], []
    for found in _LINE_END.finditer(text):
        end = text.rfind("\n", found.start(), found.end()) + 1  # before the indentation of the next line
        lines.append(end)
        if found.end() - found.start() > 1:
            paragraphs.append(end)
    headings: list[list[int]] = [[] for _ in range(6)]
    if markup == "markdown":
        fence = ""
        for at in [0, *lines]:
            found_mark = _HEADING.match(text, at)
            if found_mark is None:
                continue
            mark, signs = found_mark.groups()
            if mark:
                fence = "" if fence and mark.startswith(fence) else fence or mark
            elif not fence and at:
                headings[len(signs) - 1].append(at)
    return [*headings, paragraphs, lines, sentences, words]


def _last(levels: Sequence[Sequence[int]], least: int, reach: int) -> tuple[int, Sequence[int]]:
    """Return the last boundary of the greatest kind beyond `least` and within reach, and all of its kind.

    Where there is none, it is reach itself, and the only one of its kind.
    """
    for boundaries in levels:
        number = bisect_right(boundaries, reach) - 1
        if number >= 0 and boundaries[number] > least:
            return boundaries[number], boundaries
    return reach, ()


def _trimmed(text: str, start: int, end: int, markup: str) -> tuple[int, int]:
    """Return a chunk without the white space around it; code and Markdown keep their first indentation."""
    part = text[start:end]
    end = start + len(part.rstrip())
    first = start + len(part) - len(part.lstrip())
    if markup != "text" and first < end:
        first = max(text.rfind("\n", start, first) + 1, start)
    return first, end


def chunking_fingerprint(settings: ChunkingSettings, parser: str, tokenizer: str) -> str:
    """Return 16 hex digits that identify everything that decides where chunks begin and end.

    Args:
        settings: The chunking settings.
        parser: The version of the parsers, see formats.PARSER.
        tokenizer: What identifies the tokenizer: the fingerprint of its embedder.
    """
    parts = "\n".join((CHUNKER, parser, tokenizer, settings.fingerprint()))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
