"""What long operations yield, and the plain values that travel between processes.

Everything here is a frozen dataclass of plain values: picklable, comparable, free of heavy imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rag.text.plurals import counted

# --- parsed documents -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A part of a document that people refer to: a page, slide, sheet or section.

    start and end are character offsets into ParsedDocument.text (end exclusive). Places are in order and do
    not overlap; text between two places belongs to none and holds only white space.
    """

    kind: str  # "page" | "slide" | "sheet" | "section" | "record" | "message"
    number: int | None  # 1-based page, slide or sheet number
    label: str  # what is shown: "page 3", "slide 2", "sheet Prices", "Chapter 1 > Scope"
    start: int
    end: int


@dataclass(frozen=True)
class ParsedDocument:
    """The text of one file and where its places are. warning: what of the file could not be read, a sentence or ""."""

    title: str
    media_type: str
    text: str
    places: tuple[Place, ...]
    markup: str = "text"  # "text" | "markdown" | "code": how the chunker may split it
    warning: str = ""


# --- ingest -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class IngestProgress:
    """Where an ingest stands. Sizes in bytes, times in seconds."""

    file: str
    stage: str  # "discovering" | "parsing" | "embedding" | "saving" | "indexing"
    files_done: int
    files_total: int
    chunks_done: int
    chunks_total: int  # of the files parsed so far
    bytes_done: int
    bytes_total: int
    elapsed_s: float
    remaining_s: float | None
    chunks_per_s: float | None


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file. detail: why it was left out, or what of it could not be read."""

    path: str
    outcome: str  # "added" | "unchanged" | "replaced" | "skipped" | "failed"
    detail: str = ""
    chunk_count: int = 0


@dataclass(frozen=True)
class IngestReport:
    """The end of an ingest: the version that came out of it and every file's outcome."""

    collection: str
    version_number: int | None
    document_count: int
    chunk_count: int
    outcomes: tuple[FileOutcome, ...]
    seconds: float

    def count(self, outcome: str) -> int:
        return sum(1 for o in self.outcomes if o.outcome == outcome)

    @property
    def incomplete(self) -> tuple[FileOutcome, ...]:
        """Files that were taken in without all of their text."""
        return tuple(o for o in self.outcomes if o.detail and o.outcome in ("added", "replaced"))


@dataclass(frozen=True)
class VersionProgress:
    """A version is being made or activated: "indexing", "cleaning", "proving" and others."""

    stage: str
    done: int
    total: int


# --- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StageStarted:
    """A stage of an ask began: "embed", "dense", "lexical", "fuse", "pack", "read", "generate", "check"."""

    trace_id: str
    stage: str


@dataclass(frozen=True)
class Hit:
    """One candidate chunk of a query, with every rank it got and why it was left out, if it was.

    dense_score is a cosine similarity in [-1, 1]; bm25_score is FTS5's bm25() negated, higher is better;
    fused_score is the sum of 1/(k + rank) (Cormack, Clarke, Buettcher 2009).
    """

    chunk_id: int
    document_id: int
    document: str
    path: str
    place: str
    place_kind: str
    place_number: int | None
    start: int
    end: int
    text: str
    token_count: int
    dense_rank: int | None = None
    dense_score: float | None = None
    bm25_rank: int | None = None
    bm25_score: float | None = None
    fused_rank: int = 0
    fused_score: float = 0.0
    marker: int | None = None  # the [n] under which it stands in the prompt
    dropped: str | None = None


@dataclass(frozen=True)
class RetrievalDone:
    trace_id: str
    hits: tuple[Hit, ...]
    packed_count: int
    packed_documents: int
    chunk_count: int
    document_count: int


@dataclass(frozen=True)
class PromptProgress:
    """How much of the prompt the model has read, in tokens."""

    trace_id: str
    tokens_done: int
    tokens_total: int
    tokens_cached: int


@dataclass(frozen=True)
class TokenStreamed:
    trace_id: str
    text: str
    token_count: int


@dataclass(frozen=True)
class ClaimResult:
    """One sentence of an answer and what the passages say about it.

    start and end are character offsets into the answer; score is the probability in [0, 1] that the sentence
    is not supported, None when it was not scored; raw_score the same before a calibration to a person's data.
    Evidence offsets are into the passage's text. doubtful is JSON, [[start, end], ...] in the sentence: the words
    of a flagged sentence that no passage holds.
    """

    text: str
    start: int
    end: int
    verdict: str  # "supported" | "check" | "unsupported" | "contradicted" | "no evidence" | "not checkable"
    score: float | None
    reason: str = ""
    evidence_marker: int | None = None  # 1-based passage number, as in the prompt
    evidence_start: int | None = None
    evidence_end: int | None = None
    evidence_text: str = ""
    raw_score: float | None = None
    doubtful: str = ""


@dataclass(frozen=True)
class ClaimsChecked:
    """The check's report. support_rate is None without a claim; error says why the check failed, if it did."""

    trace_id: str
    claims: tuple[ClaimResult, ...]
    milliseconds: float
    outcome: str = ""
    support_rate: float | None = None
    error: str = ""


@dataclass(frozen=True)
class SampleProgress:
    """Answering a trace's prompt again: done of total are complete."""

    trace_id: str
    done: int
    total: int


@dataclass(frozen=True)
class Sample:
    """One of several answers to the same prompt. logprob in nats, of the whole answer; differs holds the
    sentences that the largest group does not have."""

    answer: str
    group: int
    logprob: float
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConsistencyReport:
    """How far several answers to one prompt mean the same.

    agreement is the share of the largest group; semantic_entropy is in nats, at most highest_entropy.
    """

    trace_id: str
    temperature: float
    samples: tuple[Sample, ...]
    clusters: int
    agreement: float
    semantic_entropy: float
    highest_entropy: float


@dataclass(frozen=True)
class AskResult:
    """The end of an ask. The whole of it is in the trace."""

    trace_id: str
    session_id: str
    status: str  # "done" | "nothing found" | "cancelled" | "failed"
    answer: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunProgress:
    """Where an evaluation stands. done and total count answers (cases x repeats) of this run; seconds_left is of
    all runs that were started together, None before the first answer."""

    run_id: int
    pipeline: str  # "NAME NUMBER"
    done: int
    total: int
    seconds_left: float | None
    question: str  # the one in work


# --- the data folder --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BackupProgress:
    """Where a backup, a restore or a move stands, in bytes of this stage."""

    stage: str  # "copying" | "packing" | "checking" | "unpacking"
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class BackupReport:
    path: str
    size_bytes: int
    rows: tuple[tuple[str, int], ...]  # (table, rows)
    seconds: float


@dataclass(frozen=True)
class BackupInfo:
    """What the manifest of a backup says. Members are (name, bytes, sha256)."""

    path: str
    program: str
    schema: int
    created_ms: int
    members: tuple[tuple[str, int, str], ...]
    rows: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size, _ in self.members)

    @property
    def content(self) -> str:
        """What is in it, in words: "1 collection, 3 documents, 12 traces"."""
        rows = dict(self.rows)
        counts = [(rows.get(name, 0), name) for name in ("collection", "document", "trace")]
        return ", ".join(counted(count, name) for count, name in counts)


@dataclass(frozen=True)
class MoveReport:
    """followed: the program finds the new place by itself; else it must be named with --data."""

    source: str
    target: str
    size_bytes: int
    followed: bool


@dataclass(frozen=True)
class SpaceUse:
    """How much space one part of the data folder takes."""

    what: str
    bytes: int
    detail: str = ""


def as_plain(value: Any) -> Any:
    """Turn dataclasses, tuples and dicts of them into JSON-ready values."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return as_plain(asdict(value))
    if isinstance(value, dict):
        return {k: as_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(v) for v in value]
    return value
