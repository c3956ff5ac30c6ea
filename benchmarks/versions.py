"""Measures versions of 50,000 chunks in 10,000 documents: memory, 1 % more, a diff, a verified rollback, the page.

Vectors come from a quick stand-in (hashed words, 384 dimensions), because embedding is not what is measured
here: `benchmarks.ingest` measures that.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.asking.retrieval import retrieve
from rag.knowledge.collections import open_version
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, look_up_version
from rag.knowledge.version_diff import diff_versions
from rag.knowledge.versions import activate_version
from rag.models.embedding import Embedder, starter_embedder_folder
from rag.settings import RetrievalSettings
from rag.workspace import Workspace


class HashedWords(Embedder):
    """A random vector for each word, summed."""

    fingerprint = "benchmark-hashed-words"  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(starter_embedder_folder())
        self._words: dict[str, np.ndarray] = {}
        self._random = np.random.default_rng(1)

    def warm_up(self) -> None:
        return

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                if word not in self._words:
                    self._words[word] = self._random.standard_normal(384).astype(np.float32)
                vectors[row] += self._words[word]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, default=5, help="chunks of each document")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.folder or Path(scratch)
        measure(root, arguments.documents, arguments.chunks)
        page(root / "data")


def measure(root: Path, documents: int, chunks: int) -> None:
    files = root / "files"
    files.mkdir(parents=True)
    (root / "data").mkdir()
    for number in range(documents):
        write(files, number, chunks)
    with Workspace(root / "data", "benchmark", embedder=HashedWords()) as workspace:
        workspace.encode(["warm up"])
        first = ingest(workspace, files)
        row = get_collection(workspace.database, "Benchmark")
        print(f"{row.document_count:,} documents, {row.chunk_count:,} chunks: first ingest {first:.1f} s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory of the process        {peak:8.0f} MB   (goal: below 1,500)")
        one_percent(workspace, files, first, documents, chunks)
        two_percent(workspace, files, documents, chunks)


def one_percent(workspace: Workspace, files: Path, first: float, documents: int, chunks: int) -> None:
    more = files.parent / "more"
    more.mkdir()
    for number in range(documents, documents + documents // 100):
        write(more, number, chunks)
    seconds = ingest(workspace, more)
    print(
        f"1 % more documents                {seconds:8.2f} s    {100 * seconds / first:.1f} % of the first   (goal: 3 or less)"
    )


def two_percent(workspace: Workspace, files: Path, documents: int, chunks: int) -> None:
    for number in range(0, documents, 50):
        write(files, number, chunks, changed=True)
    before = look_up_version(workspace.database, "Benchmark", "active")
    ingest(workspace, files)
    after = look_up_version(workspace.database, "Benchmark", "active")
    began = time.perf_counter()
    diff = diff_versions(workspace.database, before.id, after.id)
    seconds = time.perf_counter() - began
    print(f"diff of two versions              {seconds:8.2f} s    {diff.sentence()}   (goal: 1 or less)")
    hits = ask(workspace, None)
    workspace.forget_contents()
    began = time.perf_counter()
    report = drive(activate_version(workspace, "Benchmark", before.number))
    seconds = time.perf_counter() - began
    print(
        f"roll back and verify              {seconds:8.2f} s    {report.verification.sentence()}   (goal: 3 or less)"
    )
    assert report.verification.ok
    same = len(set(ask(workspace, after.number)) & set(hits))
    print(f"exact search finds as the index   {same:8} of the first 10 (random vectors are the hardest case)")
    began = time.perf_counter()
    ask(workspace, None)
    print(f"a search in the active version    {1000 * (time.perf_counter() - began):8.0f} ms")
    began = time.perf_counter()
    ask(workspace, after.number)
    print(
        f"a search in another version       {1000 * (time.perf_counter() - began):8.0f} ms   (exact, loaded before)"
    )


def page(folder: Path) -> None:
    """Time how long the Collections page takes to open on this folder, in a window without an engine."""
    import os

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from app.console import Console
    from app.engine.client import Engine
    from app.pages.collections.page import CollectionsPage
    from app.widgets.theme import Theme
    from rag.storage.database import Database

    application = QApplication([])
    console = Console(Theme(application, "light"), Engine(folder), Database(folder / "ragdeck.sqlite"))
    times = []
    for _ in range(5):
        began = time.perf_counter()
        made = CollectionsPage(console)
        made.resize(1280, 800)
        made.show()
        application.processEvents()
        times.append(1000 * (time.perf_counter() - began))
        made.close()
    print(f"the Collections page opens in     {sorted(times)[2]:8.0f} ms   (median of 5; goal: 200 or less)")


def write(folder: Path, number: int, chunks: int, changed: bool = False) -> None:
    generator = random.Random(number)
    parts = []
    for part in range(chunks):
        words = " ".join(f"w{int(generator.paretovariate(0.9)) % 20000}" for _ in range(60))
        note = " It was changed." if changed and part == 0 else ""
        parts.append(f"# Part {part} of document {number}\n\nIn part {part} of {number}: {words}.{note}")
    (folder / f"document-{number}.md").write_text("\n\n".join(parts), "utf-8")


def ingest(workspace: Workspace, folder: Path) -> float:
    began = time.perf_counter()
    report = drive(ingest_files(workspace, "Benchmark", [folder]))
    assert report.count("failed") == 0
    return time.perf_counter() - began


def ask(workspace: Workspace, version: int | None) -> list[int]:
    collection, found = open_version(workspace, "Benchmark", version)
    settings = RetrievalSettings(min_similarity=-1)
    hits = retrieve(workspace, collection, found, "w7 w90 w4711 part of document 77", settings).hits
    return [hit.chunk_id for hit in hits[:10]]


def drive(events: Any) -> Any:
    try:
        while True:
            next(events)
    except StopIteration as end:
        return end.value


if __name__ == "__main__":
    main()
