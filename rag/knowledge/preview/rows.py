"""Rows of the preview of a new collection."""

from __future__ import annotations

from dataclasses import dataclass

from rag.knowledge.rows import FileOutcome
from rag.text.plurals import counted


@dataclass(frozen=True)
class PreviewChunk:
    """A chunk that a file would make."""

    path: str
    place: str
    text: str
    token_count: int


@dataclass(frozen=True)
class ChunkPreview:
    """The first chunks that some files would make; nothing has been stored.

    Attributes:
        embedder: The name of the embedder whose tokens count.
        longest: The most tokens of a chunk: the setting, or what the embedder reads if that is less.
        file_count: Files that would be added.
        bytes: Their size.
        left_out: Those that would not be, and those that could not be read for the preview.
        read: The files that were read for the preview.
        chunks: The first chunks.
    """

    embedder: str
    longest: int
    file_count: int
    bytes: int
    left_out: tuple[FileOutcome, ...]
    read: tuple[str, ...]
    chunks: tuple[PreviewChunk, ...]

    def sentence(self) -> str:
        """Return the counts for people."""
        left = f", {counted(len(self.left_out), 'file is', 'files are')} left out" if self.left_out else ""
        files = f"{counted(self.file_count, 'file')} would be added{left}."
        if not self.chunks:
            return files
        of = counted(len(self.read), "file")
        return (
            f"{files} These are the first {counted(len(self.chunks), 'chunk')} of {of}, with at most "
            f"{self.longest:,} tokens of {self.embedder} each."
        )
