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


# --- evaluation -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PipelineVersionRow:
    """A version of a pipeline. config: JSON of rag.evaluation.pipelines.PipelineConfig."""

    id: int
    name: str
    number: int
    latest: int
    created_ms: int
    message: str
    fingerprint: str
    config: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class RunRow:
    """An evaluation run: one version of a set through one version of a pipeline.

    status: waiting, running, done, cancelled, interrupted or failed. done_count, failed_count: answers there are,
    and those that ended in an error or a timeout; total: cases x repeats. config, sampling, libraries, judge: JSON.
    gate_passed: of the newest gate it was put through; None: none.
    """

    id: int
    name: str
    status: str
    error: str
    note: str
    tags: tuple[str, ...]
    set_name: str
    set_version_id: int
    set_number: int
    set_fingerprint: str
    pipeline: str
    pipeline_version_id: int
    pipeline_number: int
    pipeline_fingerprint: str
    kind: str
    config: str
    case_count: int
    repeats: int
    seed: int
    parallel: int
    timeout_s: float
    collection: str
    version_id: int
    version_number: int
    version_fingerprint: str
    index_fingerprint: str
    embedder: str
    prompt_name: str
    prompt_version_id: int | None
    prompt_version: int | None
    prompt_fingerprint: str
    model_file: str
    model_sha256: str
    quantisation: str
    sampling: str
    libraries: str
    judge: str
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    busy_s: float
    done_count: int
    failed_count: int
    gate_passed: bool | None
    gate_sentence: str

    @property
    def total(self) -> int:
        return self.case_count * self.repeats

    @property
    def label(self) -> str:
        return f"{self.pipeline} {self.pipeline_number}"


@dataclass(frozen=True)
class ResultRow:
    """One answer of a run. metrics: metric -> value, None where it is undefined; checks: (type, passed, reason).

    verdict: what a person says of it, None: nothing; latency_ms None: not measured.
    """

    id: int
    run_id: int
    case_key: str
    repeat: int
    outcome: str
    trace_id: str
    metrics: dict[str, float | None]
    checks: tuple[tuple[str, bool, str], ...]
    judge: str
    latency_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    reused_trace: str
    error: str
    question: str
    answer: str
    verdict: bool | None


@dataclass(frozen=True)
class JudgeAgreement:
    """A model that judges against people, on the answers that both judged.

    rate: of right answers as the judge says it, over judged; corrected: without the judge's own errors, with its
    95 % interval low to high (Rogan and Gladen 1978). None where it cannot be known.
    """

    judged: int
    rate: float | None
    both: int
    agreed: int
    kappa: float | None
    corrected: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MetricMean:
    """A metric of one run, over the cases that have a value; missing counts those that have none.

    low, high: 95 % interval of the mean; None with fewer than two values.
    """

    run_id: int
    count: int
    missing: int
    mean: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class MetricDifference:
    """A metric of one run against the first one, over the cases that have a value in both.

    low, high: 95 % interval of the difference, whole documents resampled; p_holm: corrected for all metrics of these
    two runs; wins and losses by the metric's direction; warning: "", "insufficient_pairs", "few_pairs"
    or "few_documents" (cases were resampled and tested, not documents).
    """

    run_id: int
    pairs: int
    clusters: int
    mean_first: float | None
    mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    interval: str
    test: str
    p: float | None
    p_holm: float | None
    effect: float | None
    effect_name: str
    wins: int
    ties: int
    losses: int
    warning: str
    sentence: str

    @property
    def certain(self) -> bool:
        return self.p_holm is not None and self.p_holm < 0.05


@dataclass(frozen=True)
class MetricComparison:
    """A metric of all compared runs: its means in their order, and each run but the first against the first."""

    name: str
    label: str
    definition: str
    source: str
    direction: str
    unit: str
    kind: str
    means: tuple[MetricMean, ...]
    differences: tuple[MetricDifference, ...]


@dataclass(frozen=True)
class TagComparison:
    """A metric over the cases of one tag, for one run against the first. Too small to test: it says where to look."""

    tag: str
    metric: str
    run_id: int
    pairs: int
    mean_first: float
    mean: float
    wins: int
    losses: int


@dataclass(frozen=True)
class CaseAnswer:
    """What a run made of a case; of several repeats the first one's answer, and the mean values."""

    run_id: int
    outcome: str
    answer: str
    error: str
    trace_id: str
    values: dict[str, float]


@dataclass(frozen=True)
class CaseComparison:
    """A case in all runs. change: how far the last run is from the first, -1 (worse) to 1 (better): the mean
    difference of the metrics that are shares, by their direction; size: the same without signs, plus 1 where the
    outcomes differ."""

    key: str
    question: str
    tags: tuple[str, ...]
    change: float
    size: float
    answers: tuple[CaseAnswer | None, ...]  # in the order of the runs; None: it was not asked


@dataclass(frozen=True)
class Detectable:
    """What a set of this size can show at 80 % power, at 0.05. difference: of two rates, smallest that is found;
    None: not even 90 points. needed: (difference, independent cases that find it). clusters: source documents;
    few_documents: they are too few to say anything about others."""

    cases: int
    clusters: int
    few_documents: bool
    difference: float | None
    needed: tuple[tuple[float, int | None], ...]


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side; the first is what the others are compared with."""

    runs: tuple[RunRow, ...]
    metrics: tuple[MetricComparison, ...]
    tags: tuple[TagComparison, ...]
    cases: tuple[CaseComparison, ...]  # the most changed first
    failures: tuple[tuple[int, dict[str, int]], ...]  # run id, outcome -> cases
    sentences: tuple[str, ...]  # one for each run but the first
    warnings: tuple[str, ...]
    detectable: Detectable


@dataclass(frozen=True)
class GateOutcome:
    """A run put through a gate. rows: (rule, passed, value, reason)."""

    run_id: int
    baseline_run_id: int | None
    passed: bool
    sentence: str
    rows: tuple[tuple[str, bool, float | None, str], ...]


@dataclass(frozen=True)
class RequiredGate:
    """What the label production of a prompt or pipeline waits for."""

    kind: str  # prompt | pipeline
    name: str
    set_name: str
    gate: str  # YAML
    author: str
    created_ms: int


# --- writing prompts and sets -----------------------------------------------------------------------------


@dataclass(frozen=True)
class PromptPreview:
    """A template filled in. tokens: in the loaded model, None without one; error: what is wrong with the template."""

    text: str
    tokens: int | None
    model: str
    variables: tuple[str, ...]
    passages: int
    error: str


@dataclass(frozen=True)
class CasesImported:
    """good: cases that the file holds; version: number of the version they made, None when nothing was imported."""

    good: int
    version: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class CaseChange:
    """A case that differs between two versions of a set; old and new are JSON, empty where it is not there."""

    kind: str  # added | removed | changed
    key: str
    question: str
    old: str
    new: str
