"""Compares ingest with bare sentence-transformers on the same chunks, and with the same folder a second time."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rag.index.vector_index import IndexPlace
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import IngestReport
from rag.parsing.chunking import Chunker
from rag.parsing.rows import ParsedDocument
from rag.settings import ChunkingSettings
from rag.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("../shared/data/documents/debian_docs/policy.txt"))
    parser.add_argument("--characters", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=10, help="number of files that the text is cut into")
    arguments = parser.parse_args()
    text = arguments.file.read_text("utf-8")[: arguments.characters]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        size = len(text) // arguments.files
        for number in range(arguments.files):
            (folder / f"{number}.txt").write_text(text[number * size : (number + 1) * size], "utf-8")
        with Workspace(Path(scratch)) as workspace:
            measure(workspace, folder)


def measure(workspace: Workspace, folder: Path) -> None:
    workspace.encode(["warm up"])  # the network and the index are opened before either is timed
    workspace.index.count(IndexPlace("warm-up"))
    embedder = workspace.embedder
    chunker = Chunker(embedder.tokenizer, ChunkingSettings(), embedder.longest_input)
    texts = [
        chunk.text
        for path in sorted(folder.iterdir())
        for chunk in chunker.split(ParsedDocument(path.stem, "text/plain", path.read_text("utf-8"), ()))
    ]
    began = time.perf_counter()
    embedder.encode(texts)
    bare = time.perf_counter() - began
    first = timed_ingest(workspace, folder)
    second = timed_ingest(workspace, folder)
    print(f"{len(texts)} chunks")
    print(f"bare encode        {bare:8.2f} s")
    print(f"ingest             {first:8.2f} s   {bare / first:6.2f} of bare encode   (goal: 0.90 or more)")
    print(f"ingest again       {second:8.3f} s   {first / second:6.0f} times faster      (goal: 50 or more)")


def timed_ingest(workspace: Workspace, folder: Path) -> float:
    began = time.perf_counter()
    events = ingest_files(workspace, "benchmark", [folder])
    try:
        while True:
            next(events)
    except StopIteration as end:
        report: IngestReport = end.value
    assert report.count("failed") == 0
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
