"""The state of an erasure, and reports of erasing documents and of compacting the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.text.plurals import counted


class ErasureState(StrEnum):
    """How far an erasure is. There is no state before the first: the rows go in one transaction."""

    CLEANING = "cleaning"
    """No row contains the document any more; the files still have its bytes."""

    DONE = "done"


@dataclass(frozen=True)
class ErasureReport:
    """What was erased, and what the search through all files found afterwards.

    Attributes:
        documents: Names of the erased documents; those with the same content went as well.
        revisions: How many revisions of them were deleted.
        chunks: How many chunks these had.
        versions: How many dataset versions lost something.
        traces: How many traces lost something.
        files_searched: How many files the data folder has.
        bytes_searched: How many bytes these have.
        sentences: How many sentences of the document were searched for.
        shared: How many more are in documents that stay, and so were not searched for.
        found: (place, sentence) of every sentence that was found; a place is a file, or a column in one.
        notes: Sentences on what else was deleted, and what the program cannot reach.
        certificate: The file that states what was searched and found.
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
    certificate: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing of the document was found."""
        return not self.found

    def sentence(self) -> str:
        """Return what was erased and whether anything is left, as one sentence."""
        files = counted(self.files_searched, "file")
        if not self.clean:
            verb = "contains" if len(self.found) == 1 else "contain"
            left = f"{counted(len(self.found), 'place')} in the data folder still {verb} a sentence of it"
        elif not self.sentences:
            left = f"it had no sentence of its own to search the {files} of the data folder for"
        else:
            left = f"a search through {files} found none of its {counted(self.sentences, 'sentence')}"
        return (
            f"Erased {counted(self.revisions, 'revision')} from {counted(self.versions, 'version')} and "
            f"{counted(self.traces, 'trace')}; {left}."
        )


@dataclass(frozen=True)
class CompactReport:
    """What compacting removed: counts of rows and index collections, and the data folder's bytes."""

    documents: int
    embeddings: int
    index_collections: int
    bytes_before: int
    bytes_after: int
