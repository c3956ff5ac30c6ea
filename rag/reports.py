"""What operations return to the window: values that cross to its process.

They stand here, and not beside what makes them, because reading one must not bring SQLModel into the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class VersionMade:
    """A version was written; it is active unless it is a trial."""

    collection: str
    number: int
    kind: str
    message: str
    document_count: int
    chunk_count: int


@dataclass(frozen=True)
class ProofResult:
    """What was found when an index was compared with its version.

    The fingerprint covers the texts of all entries; vectors are compared with the stored ones, all or a
    sample; a probe is the same when it finds the passages that it found when the version was first complete.
    """

    ok: bool
    fingerprint_same: bool
    vectors_checked: int
    vectors_same: int
    probe_count: int
    probes_same: int
    embedded_count: int
    milliseconds: float
    detail: str = ""

    def sentence(self) -> str:
        fingerprint = "fingerprint as expected" if self.fingerprint_same else "ANOTHER fingerprint"
        parts = [
            fingerprint,
            f"{self.vectors_same:,} of {self.vectors_checked:,} vectors checked are the same",
            f"{self.probes_same} of {self.probe_count} probes find the same passages",
        ]
        return ", ".join(parts) + "." + (f" {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class ActivationReport:
    """A version became active; added is how many entries the index did not hold yet."""

    collection: str
    number: int
    added: int
    proof: ProofResult
    milliseconds: float


@dataclass(frozen=True)
class QueryComparison:
    """The hits of one query in two versions.

    shared: hits of the old version that the new one has too, because they cover the same stretch of the same
    file. changes: (document, place, rank in the old, rank in the new), a rank from 1 or None. Metrics are None
    when the query has no judgements.
    """

    query: str
    old_count: int
    new_count: int
    shared: int
    changes: tuple[tuple[str, str, int | None, int | None], ...]
    old_metrics: dict[str, float] | None = None
    new_metrics: dict[str, float] | None = None


@dataclass(frozen=True)
class VersionComparison:
    """overlap: mean share of the first k hits that both versions have, in [0, 1]; None without any hit.

    metrics: name -> (old mean, new mean, judged queries): recall@k, hit rate and MRR at document level.
    """

    old_number: int
    new_number: int
    k: int
    queries: tuple[QueryComparison, ...]
    overlap: float | None
    metrics: dict[str, tuple[float, float, int]]


@dataclass(frozen=True)
class Suspect:
    """A chunk that a person should look at. kind: "garbled" | "nearly empty" | "boilerplate"."""

    chunk_id: int
    document_id: int
    document: str
    place: str
    kind: str
    detail: str
    text: str


@dataclass(frozen=True)
class NearDuplicate:
    """Two chunks with other texts and nearly the same vector; similarity is their cosine."""

    chunk_id: int
    document: str
    place: str
    text: str
    other_id: int
    other_document: str
    other_place: str
    other_text: str
    similarity: float


@dataclass(frozen=True)
class EmbeddingMap:
    """Chunks of a version on the plane: the first two principal components of their vectors.

    x, y: float32 bytes of length 4 n; chunk_ids, document_ids: int64 bytes of length 8 n. explained: share of
    the variance that both components hold, in [0, 1]. total: chunks of the version, more than n when a sample
    is shown.
    """

    number: int
    x: bytes
    y: bytes
    chunk_ids: bytes
    document_ids: bytes
    documents: dict[int, str]
    explained: float
    total: int


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


@dataclass(frozen=True)
class RenderedPage:
    """A page as packed RGB888 (stride = width * 3) and rectangles (x, y, width, height), all in pixels."""

    width: int
    height: int
    rgb: bytes
    rectangles: tuple[tuple[float, float, float, float], ...]
    page_count: int
    page_number: int


@dataclass(frozen=True)
class ModelState:
    """The loaded model, or an empty name. Memory in bytes: what loading it added to the process."""

    name: str = ""
    path: str = ""
    context: int = 0
    memory_bytes: int = 0
    load_ms: float = 0.0
    gpu: bool = False


@dataclass(frozen=True)
class ModelTest:
    text: str
    prompt_tokens: int
    completion_tokens: int
    read_tokens_per_s: float
    tokens_per_s: float


@dataclass(frozen=True)
class ChromaCollection:
    """A collection of some Chroma. dimension is None while it is empty; hnsw: setting -> value, as shown."""

    name: str
    count: int
    dimension: int | None
    space: str  # "cosine" | "l2" | "ip"
    hnsw: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]
    embedding_function: str


@dataclass(frozen=True)
class ChromaRecord:
    """distance is in the collection's space, None when the record was not searched for."""

    id: str
    text: str
    metadata: tuple[tuple[str, str], ...]
    distance: float | None = None


@dataclass(frozen=True)
class ChromaPage:
    """Some records; more: whether others follow."""

    records: tuple[ChromaRecord, ...]
    offset: int
    more: bool


@dataclass(frozen=True)
class ChromaImport:
    """What became of an import. embedder: whose vectors they are, by name; known: it can be asked by text."""

    collection: str
    number: int
    documents: int
    chunks: int
    without_text: int
    duplicates: int
    embedder: str
    known: bool

    def sentence(self) -> str:
        parts = [
            f"Version {self.number} of “{self.collection}”: {self.chunks:,} chunks in {self.documents:,} documents"
        ]
        if self.without_text:
            parts.append(f"{self.without_text:,} records without text were left out")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} texts stood there twice")
        asked = "can be asked" if self.known else "can be browsed, not asked: its embedder is not known"
        return f"{'; '.join(parts)}. It {asked} ({self.embedder})."


FITS_FROM = 50  # verdicts of a person, before a calibration to them is more signal than noise


@dataclass(frozen=True)
class CalibrationFit:
    """Scores fitted to a person's verdicts: sigmoid(slope * logit(score) + intercept).

    Losses are mean negative log-likelihoods in nats, lower is better; loss_after judges each verdict by a fit to
    the others.
    """

    collection: str
    opinions: int
    unsupported: int  # of them, by the person's verdict
    slope: float
    intercept: float
    loss_before: float
    loss_after: float

    @property
    def helps(self) -> bool:
        return self.loss_after < self.loss_before

    def of(self, score: float) -> float:
        """What a score becomes."""
        p = min(max(score, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(p / (1 - p)) + self.intercept)))
