"""What a preview says in a sentence."""

from __future__ import annotations

from rag.knowledge.preview.rows import ChunkPreview, PreviewChunk
from rag.knowledge.rows import FileOutcome, FileStatus


def test_a_preview_counts_files_and_chunks() -> None:
    chunk = PreviewChunk("/d/a.txt", "", "One.", 2)
    found = ChunkPreview("MiniLM", 200, 3, 10, (), ("/d/a.txt",), (chunk, chunk))
    assert found.sentence() == (
        "3 files would be added. These are the first 2 chunks of 1 file, with at most 200 tokens of MiniLM each."
    )


def test_without_a_chunk_only_the_files_are_counted() -> None:
    left = FileOutcome("/d/b.raw", FileStatus.SKIPPED, "not read")
    assert ChunkPreview("MiniLM", 200, 1, 0, (left,), (), ()).sentence() == (
        "1 file would be added, 1 file is left out."
    )
