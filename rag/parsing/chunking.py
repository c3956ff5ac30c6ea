"""Splits a parsed document into chunks that fit the embedder. The only importer of semantic_text_splitter.

A chunk never crosses a place (page, slide, sheet, section), so it can say where it is. The model silently
drops text past its longest input, so no chunk may be longer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.parsing.rows import ParsedDocument, Place
from rag.settings import ChunkingSettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNKER = "semantic-text-splitter/2"  # part of every chunking fingerprint: change it when chunks would change
_PIECE = 6000  # characters


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
        from semantic_text_splitter import MarkdownSplitter, TextSplitter

        capacity = min(settings.max_tokens, longest)
        overlap = min(settings.overlap_tokens, capacity // 2)
        self._tokenizer = tokenizer
        self._splitters: dict[str, Any] = {
            "markdown": MarkdownSplitter.from_huggingface_tokenizer(tokenizer, capacity, overlap),
            "text": TextSplitter.from_huggingface_tokenizer(tokenizer, capacity, overlap),
        }

    def split(self, document: ParsedDocument) -> list[TextChunk]:
        """Return the chunks of a document in order; pieces of white space are left out."""
        splitter = self._splitters.get(document.markup, self._splitters["text"])
        whole = Place("", None, "", 0, len(document.text))
        pieces = [
            (place, start, end)
            for place in document.places or (whole,)
            for start, end in _pieces(document.text, place.start, place.end)
        ]
        # All at once: the library splits several texts on several processors.
        split = splitter.chunk_all_indices([document.text[start:end] for _, start, end in pieces])
        chunks = [
            TextChunk(start + offset, start + offset + len(text), text, 0, None if place is whole else place)
            for (place, start, _), found in zip(pieces, split, strict=True)
            for offset, text in found
            if text.strip()
        ]
        counts = [
            len(e.ids)
            for e in self._tokenizer.encode_batch([c.text for c in chunks], add_special_tokens=False)
        ]
        return [
            TextChunk(c.start, c.end, c.text, count, c.place) for c, count in zip(chunks, counts, strict=True)
        ]


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a long stretch at blank lines into pieces that can be split side by side."""
    while end - start > 2 * _PIECE:
        cut = text.find("\n\n", start + _PIECE, start + 2 * _PIECE)
        if cut < 0:
            break
        yield start, cut
        start = cut
    yield start, end


def chunking_fingerprint(settings: ChunkingSettings, parser: str, tokenizer: str) -> str:
    """Return 16 hex digits that identify everything that decides where chunks begin and end.

    Args:
        settings: The chunking settings.
        parser: The version of the parsers, see formats.PARSER.
        tokenizer: What identifies the tokenizer: the fingerprint of its embedder.
    """
    parts = "\n".join((CHUNKER, parser, tokenizer, settings.fingerprint()))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
