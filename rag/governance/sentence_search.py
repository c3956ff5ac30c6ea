"""Finds the sentences of a document wherever they are: in texts, in JSON, and in the bytes of files.

An erasure looks for many thousand sentences in gigabytes, so the search is one pass over the bytes: a table
over hashed 8-byte beginnings, then a comparison.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from rag.knowledge.rows import VersionProgress

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")
_SHORTEST = 24  # bytes of UTF-8: shorter ones ("Thank you.") say nothing about where they come from
_BLOCK = 1 << 22
_TABLE_BITS = 22


def sentences_of(text: str) -> set[str]:
    """Return the sentences of a text that are long enough to be told from others, without space around."""
    found = (part.strip() for part in _SENTENCE_END.split(text))
    return {part for part in found if len(_bytes(part)) >= _SHORTEST}


class Sentences:
    """A set of sentences to look for, in the forms in which they are stored: plain and escaped by JSON."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._forms: dict[bytes, tuple[str, str]] = {}
        for sentence in sentences:
            escaped, unicode = json.dumps(sentence)[1:-1], json.dumps(sentence, ensure_ascii=False)[1:-1]
            for form in (sentence, escaped, unicode):
                self._forms[_bytes(form)] = (form, sentence)
        self._finder = _Finder(list(self._forms))
        self._shortest = min(map(len, self._forms), default=0)

    def found_in(self, text: str) -> set[str]:
        """Return the sentences that a text contains."""
        return {self._forms[raw][1] for raw in self._search(text)}

    def cut_from(self, text: str, replacement: str) -> str:
        """Return a text with a replacement for each of the sentences in it. JSON stays JSON."""
        # The longest first: a sentence may be the beginning of another.
        for raw in sorted(set(self._search(text)), key=len, reverse=True):
            text = text.replace(self._forms[raw][0], replacement)
        return text

    def found_in_file(self, file: BinaryIO) -> set[str]:
        """Return the sentences that the bytes of a file contain."""
        return {self._forms[raw][1] for raw in self._finder.search(file)}

    def _search(self, text: str) -> Iterable[bytes]:
        data = _bytes(text)
        return self._finder.search(io.BytesIO(data)) if len(data) >= self._shortest else ()


def search_files(
    folder: Path, sentences: Sequence[str]
) -> Generator[VersionProgress, None, tuple[list[tuple[str, str]], int, int]]:
    """Look for sentences in the bytes of every file below a folder, as UTF-8 and as JSON escapes them.

    SQLite cuts long texts at the ends of pages: a sentence that lies across one is missed, its neighbours are
    not.

    Returns:
        What was found as (file, sentence), the number of files, and their bytes.
    """
    wanted = Sentences(sentences)
    found: list[tuple[str, str]] = []
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    size = 0
    for number, path in enumerate(files):
        yield VersionProgress("searching", number, len(files))
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb") as file:
                found.extend((name, sentence) for sentence in sorted(wanted.found_in_file(file)))
            size += path.stat().st_size
        except OSError:
            continue  # the file has gone in the meantime: a write-ahead log that was checkpointed
    return found, len(files), size


class _Finder:
    """A search for many byte strings of 8 bytes and more at once."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._longest = max((len(n) for n in needles), default=0)
        self._by_head: dict[int, list[bytes]] = {}
        self._table = np.zeros(1 << _TABLE_BITS, dtype=bool)
        for needle in needles:
            head = int.from_bytes(needle[:8], "little")
            self._by_head.setdefault(head, []).append(needle)
        if self._by_head:
            self._table[_hashed(np.array(list(self._by_head), dtype=np.uint64))] = True

    def search(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield every needle that the file contains, perhaps more than once."""
        tail = b""
        while self._by_head and (block := file.read(_BLOCK)):
            data = tail + block
            for offset in range(min(8, max(len(data) - 7, 0))):
                words = np.frombuffer(data, dtype="<u8", count=(len(data) - offset) // 8, offset=offset)
                for row in np.flatnonzero(self._table[_hashed(words)]):
                    for needle in self._by_head.get(int(words[row]), ()):
                        if data.startswith(needle, int(row) * 8 + offset):
                            yield needle
            tail = data[-self._longest :]


def _hashed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (words * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _TABLE_BITS)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
