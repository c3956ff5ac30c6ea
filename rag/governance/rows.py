"""Reports of erasing documents and of compacting the data folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErasureReport:
    """What was erased and what the search found afterwards.

    sentences: how many sentences of the document were searched for; shared: those that stand in documents
    which stay, too, and so were not searched for. found: (file, sentence) of every one that was found.
    """

    documents: tuple[str, ...]
    revisions: int
    chunks: int
    versions: int
    traces: int
    files_searched: int
    bytes_searched: int
    sentences: int
    shared: int
    found: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not self.found

    def sentence(self) -> str:
        proof = (
            f"none of its {self.sentences:,} sentences is in any of the {self.files_searched} files of the data folder"
            if self.clean
            else f"{len(self.found)} places of the data folder still hold a sentence of it"
        )
        return f"Erased {self.revisions} revisions in {self.versions} versions and {self.traces} traces; {proof}."


@dataclass(frozen=True)
class CompactReport:
    documents: int
    embeddings: int
    index_collections: int
    bytes_before: int
    bytes_after: int
