"""All tables of the SQLite file, the only truth. Times are Unix milliseconds, sizes bytes, offsets characters.

Values that are read as a whole and never searched are JSON text. Rows of Document, Chunk, Embedding and
DatasetVersion never change after they were written; Collection holds what moves (the active version).
"""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class Collection(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # names the Chroma collection: a person's name may be any text
    name: str = Field(unique=True)
    created_ms: int
    embedder: str  # fingerprint of the embedder that this collection uses
    embedder_name: str
    chunking: str  # JSON of ChunkingSettings
    active_version_id: int | None = None
    # The version whose texts the index holds, all of them and perhaps more; None: the index is not to be used.
    index_version_id: int | None = None
    index_key: str = ""  # the Chroma collection that serves the active version
    index_server: str = ""  # address of a Chroma server; empty: the folder beside the SQLite file
    last_number: int = 0  # of a version; the number of a deleted one is not given again
    pending: str = ""  # what is being changed; still there at a start: it was killed


class Document(SQLModel, table=True):
    """One immutable parsed and chunked revision of a source file."""

    __table_args__ = (
        Index("document_source", "collection_id", "source", "sha256", "chunking"),
        Index("document_content", "collection_id", "sha256"),
    )
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    source: str  # absolute path as it was given
    name: str
    title: str
    media_type: str
    sha256: str
    size_bytes: int
    text: str
    places: str  # JSON list of [kind, number, label, start, end]
    chunking: str  # fingerprint of parser version, chunk settings and tokenizer
    chunk_count: int
    token_count: int
    created_ms: int
    complete: bool = False  # every chunk has its embedding


class Chunk(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(index=True)
    position: int
    start: int
    end: int
    text: str
    text_hash: str = Field(index=True)
    token_count: int
    place: str
    place_kind: str
    place_number: int | None = None


class Embedding(SQLModel, table=True):
    """A vector, keyed by what was embedded and by whom: nothing is embedded twice."""

    text_hash: str = Field(primary_key=True)
    embedder: str = Field(primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)  # float32, little endian, L2-normalised


class DatasetVersion(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("collection_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    embedder: str
    embedder_name: str
    chunking: str  # JSON of ChunkingSettings
    fingerprint: str
    document_count: int
    chunk_count: int
    token_count: int
    added_count: int
    replaced_count: int
    removed_count: int
    # ingest | remove | rechunk | embedder | metadata | exclude | import
    kind: str = "ingest"
    parent_id: int | None = None  # the version that was active when this one was made
    chunks_added: int = 0  # against the parent, by text
    chunks_removed: int = 0
    tokens_added: int = 0
    tokens_removed: int = 0
    excluded_count: int = 0
    text_count: int = 0  # distinct texts: what the index holds
    index_fingerprint: str = ""  # sha256 over embedder and sorted text hashes
    trial_key: str = ""  # a what-if that was never active: the Chroma collection of its own


class VersionDocument(SQLModel, table=True):
    version_id: int = Field(primary_key=True)
    document_id: int = Field(primary_key=True, index=True)
    attributes: str = ""  # JSON object of what a person wrote about the document; empty: nothing


class VersionExclusion(SQLModel, table=True):
    """A chunk that a version leaves out although it has the chunk's document."""

    version_id: int = Field(primary_key=True)
    chunk_id: int = Field(primary_key=True)
    reason: str


class VersionTag(SQLModel, table=True):
    """A name for a version, as a tag in git; a collection has each name once."""

    __table_args__ = (UniqueConstraint("collection_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    version_id: int = Field(index=True)
    name: str
    created_ms: int


class Probe(SQLModel, table=True):
    """A stored query whose hits prove that an activated version answers as it did."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    embedder: str
    text: str
    vector: bytes = Field(sa_type=LargeBinary)
    by_person: bool = False
    created_ms: int


class ProbeResult(SQLModel, table=True):
    """The hits of a probe when the version was first complete: JSON list of text hashes, best first."""

    version_id: int = Field(primary_key=True)
    probe_id: int = Field(primary_key=True)
    hits: str


class Proof(SQLModel, table=True):
    """The outcome of checking the index of a version."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    version_id: int = Field(index=True)
    created_ms: int
    ok: bool
    fingerprint_same: bool
    vectors_checked: int
    vectors_same: int
    probe_count: int
    probes_same: int
    embedded_count: int  # texts that had to be embedded: 0
    milliseconds: float
    detail: str = ""


class EmbedderFolder(SQLModel, table=True):
    """A sentence-transformers folder that made vectors here, besides the starter."""

    fingerprint: str = Field(primary_key=True)
    name: str
    path: str
    added_ms: int


class WatchedFolder(SQLModel, table=True):
    """A folder whose files a collection follows. A signature is a hash over names, sizes and times."""

    __table_args__ = (UniqueConstraint("collection_id", "path"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    path: str
    enabled: bool = True
    quiet_s: int
    created_ms: int
    last_check_ms: int | None = None
    last_change_ms: int | None = None
    seen_signature: str = ""
    seen_since_ms: int = 0
    done_signature: str = ""
    outcome: str = ""


class Model(SQLModel, table=True):
    """A GGUF file that the person added. Its header is read again from the file."""

    id: int | None = Field(default=None, primary_key=True)
    path: str = Field(unique=True)
    sha256: str | None = None
    size_bytes: int
    modified_ms: int
    added_ms: int


class Trace(SQLModel, table=True):
    """One ask, whatever its end."""

    id: str = Field(primary_key=True)  # 32 hex digits, as an OpenTelemetry trace id
    session_id: str = Field(index=True)
    created_ms: int = Field(index=True)
    status: str  # running | done | nothing found | cancelled | failed | interrupted
    source: str = "person"  # person | evaluation | replay | probe | generation
    error: str = ""
    question: str
    answer: str = ""
    collection_id: int | None = Field(default=None, index=True)
    collection: str = ""
    version_id: int | None = None
    version_number: int | None = None
    version_fingerprint: str = ""
    model: str = Field(default="", index=True)
    model_sha256: str = ""
    prompt_name: str = ""
    prompt_fingerprint: str = ""
    prompt_version_id: int | None = Field(default=None, index=True)
    prompt_version: int | None = None  # its number
    prompt: str = ""
    settings: str = "{}"
    fallbacks: str = "[]"
    finish_reason: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    tokens_per_s: float | None = None
    retrieve_ms: float | None = None
    read_ms: float | None = None
    generate_ms: float | None = None
    check_ms: float | None = None
    total_ms: float | None = None
    candidate_count: int = 0
    passage_count: int = 0
    passage_documents: int = 0
    searched_chunks: int = 0
    searched_documents: int = 0
    claim_count: int = 0  # sentences that were scored
    flag_count: int = 0  # verdict check, unsupported or contradicted
    worst_verdict: str = ""
    min_logprob: float | None = None
    mean_logprob: float | None = None
    outcome: str = ""  # of the check: rag.verdicts.OUTCOMES; "" before there was one
    support_rate: float | None = None  # None without a claim
    contradicted_count: int = 0
    check_error: str = ""  # why the check failed; then nothing is known of the sentences
    best_score: float | None = None  # highest cosine of a candidate
    silent_failures: str = ""  # names from rag.silent, separated by a comma and a space


class Span(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    name: str
    kind: str  # OpenInference span kind
    start_ms: float  # since the trace began
    end_ms: float
    detail: str = ""


class TraceHit(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    chunk_id: int = Field(index=True)
    document_id: int = Field(index=True)
    document: str
    path: str
    place: str
    place_kind: str
    place_number: int | None = None
    start: int
    end: int
    text: str
    token_count: int
    dense_rank: int | None = None
    dense_score: float | None = None
    bm25_rank: int | None = None
    bm25_score: float | None = None
    fused_rank: int
    fused_score: float
    marker: int | None = None
    dropped: str | None = None


class Claim(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    text: str
    start: int
    end: int
    verdict: str
    score: float | None = None
    reason: str = ""
    evidence_marker: int | None = None
    evidence_start: int | None = None
    evidence_end: int | None = None
    evidence_text: str = ""
    raw_score: float | None = None  # before the calibration to a person's data
    doubtful: str = (
        ""  # JSON [[start, end], ...] in the sentence: words of a flagged one that no passage holds
    )


class FlagOpinion(SQLModel, table=True):
    """What a person says of one verdict: right or wrong. It is what a calibration to their data learns from."""

    trace_id: str = Field(primary_key=True)
    start: int = Field(primary_key=True)  # of the sentence in the answer, as in Claim
    collection_id: int | None = Field(default=None, index=True)
    verdict: str  # as it was shown
    score: float | None = None  # the detector's own, before any calibration
    is_right: bool
    note: str = ""
    created_ms: int


class FlagLimits(SQLModel, table=True):
    """From which score on a collection's sentences are flagged, and how scores are calibrated to its data."""

    collection_id: int = Field(primary_key=True)
    check_from: float | None = None  # None: as the detector was trained
    unsupported_from: float | None = None
    slope: float = 1.0  # calibrated = sigmoid(slope * logit(score) + intercept)
    intercept: float = 0.0
    fitted_on: int = 0  # opinions
    second_detector: str = ""  # folder of a tier 2 model, "" for none
    second_slope: float = 1.0  # its recalibration on the bundled slice
    second_intercept: float = 0.0
    updated_ms: int


class ConsistencyCheck(SQLModel, table=True):
    """The same prompt answered several times, and how far the answers agree."""

    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    created_ms: int
    temperature: float
    samples: str  # JSON: [{"answer", "cluster", "logprob"}]
    clusters: int
    agreement: float  # share of the largest cluster
    semantic_entropy: float  # nats, discrete (Farquhar et al. 2024)


class Prompt(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    created_ms: int
    last_number: int = 0  # of a version; numbers are not given again


class PromptVersion(SQLModel, table=True):
    """An immutable text of a prompt."""

    __table_args__ = (UniqueConstraint("prompt_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    prompt_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    author: str
    system: str  # Jinja2
    user: str
    variables: str  # JSON list of names, sorted
    fingerprint: str = Field(index=True)  # of system and user
    notes: str = ""


class PromptLabel(SQLModel, table=True):
    """A name that points to one version of a prompt and can be moved; `production` is what answers."""

    prompt_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version_id: int
    moved_ms: int


class PromptLabelMove(SQLModel, table=True):
    """The log of a label. from_number None: it was made; to_number None: it was removed."""

    id: int | None = Field(default=None, primary_key=True)
    prompt_id: int = Field(index=True)
    label: str
    from_number: int | None = None
    to_number: int | None = None
    moved_ms: int
    author: str
    note: str = ""


class EvaluationSet(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    created_ms: int
    last_number: int = 0


class EvaluationSetVersion(SQLModel, table=True):
    """An immutable, numbered list of cases."""

    __table_args__ = (UniqueConstraint("set_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    set_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    fingerprint: str  # sha256 over the sorted fingerprints of its cases
    case_count: int


class EvaluationCase(SQLModel, table=True):
    """One immutable wording of a case; versions share the cases that did not change."""

    __table_args__ = (UniqueConstraint("set_id", "fingerprint"),)
    id: int | None = Field(default=None, primary_key=True)
    set_id: int
    key: str = Field(index=True)  # the same in every version
    fingerprint: str
    question: str
    content: str  # JSON of rag.evaluation.cases.Case
    created_ms: int


class EvaluationSetCase(SQLModel, table=True):
    version_id: int = Field(primary_key=True)
    case_id: int = Field(primary_key=True, index=True)
    position: int


class Pipeline(SQLModel, table=True):
    """A named way to answer, whose versions can be compared."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_ms: int
    last_number: int = 0


class PipelineVersion(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("pipeline_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    pipeline_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    fingerprint: str
    content: str  # JSON of rag.evaluation.pipelines.PipelineConfig


class PipelineLabel(SQLModel, table=True):
    """A name that points to one version of a pipeline and can be moved, as PromptLabel does."""

    pipeline_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version_id: int
    moved_ms: int


class PipelineLabelMove(SQLModel, table=True):
    """The log of a label. from_number None: it was made; to_number None: it was removed."""

    id: int | None = Field(default=None, primary_key=True)
    pipeline_id: int = Field(index=True)
    label: str
    from_number: int | None = None
    to_number: int | None = None
    moved_ms: int
    author: str
    note: str = ""


class EvaluationRun(SQLModel, table=True):
    """One version of a set asked through one version of a pipeline, with everything to do the same again."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    status: str  # waiting | running | done | cancelled | interrupted | failed
    error: str = ""  # why it failed
    note: str = ""
    set_name: str = Field(index=True)  # as it was called then
    set_version_id: int
    set_number: int
    set_fingerprint: str
    pipeline: str = Field(index=True)
    pipeline_version_id: int = Field(index=True)
    pipeline_number: int
    pipeline_fingerprint: str
    kind: str  # answer | retrieval
    config: (
        str  # JSON of PipelineConfig with everything pinned: numbers in place of labels, a path for the model
    )
    case_count: int
    repeats: int
    seed: int
    parallel: int  # questions answered at once; 1: one by one, which is what times are measured by
    timeout_s: float
    collection: str
    version_id: int
    version_number: int
    version_fingerprint: str
    index_fingerprint: str
    embedder: str
    prompt_name: str = ""
    prompt_version_id: int | None = Field(default=None, index=True)
    prompt_version: int | None = None
    prompt_fingerprint: str = ""
    model_file: str = ""
    model_sha256: str = ""
    quantisation: str = ""
    sampling: str = "{}"  # JSON
    libraries: str = "{}"  # JSON: package -> version
    judge: str = ""  # JSON of what judged: model, rubric, seed; empty: nothing
    created_ms: int = Field(index=True)
    started_ms: int | None = None
    finished_ms: int | None = None
    busy_s: float = 0.0  # time spent on it, over all resumptions


class EvaluationRunTag(SQLModel, table=True):
    """A word that a run is found by, such as baseline; several runs may have it, the newest one counts."""

    run_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, index=True)


class EvaluationResult(SQLModel, table=True):
    """What became of one case in one repeat; written when it is complete."""

    __table_args__ = (UniqueConstraint("run_id", "case_key", "repeat"),)
    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    case_key: str
    repeat: int  # from 0
    outcome: str  # rag.evaluation.cases.Outcome
    trace_id: str = Field(default="", index=True)  # empty: it failed before there was one
    metrics: str = "{}"  # JSON: metric -> value or null
    checks: str = "[]"  # JSON: [{"type", "passed", "reason"}]
    judge: str = ""  # JSON of what the judge said
    latency_ms: float | None = None  # None: not measured, answers were made together or taken over
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_trace: str = ""  # the answer was taken from this trace: same prompt, model and greedy sampling
    error: str = ""
    created_ms: int


class ResultVerdict(SQLModel, table=True):
    """What a person says of one answer of a run: right or wrong. A judge is measured against it."""

    result_id: int = Field(primary_key=True)
    is_right: bool
    note: str = ""
    author: str = ""
    created_ms: int


class EvaluationGate(SQLModel, table=True):
    """A run that was put through a gate."""

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(index=True)
    baseline_run_id: int | None = None
    gate_sha256: str  # of the gate's text
    passed: bool
    sentence: str
    rows: str  # JSON list of rag.evaluation.gate.GateRow
    created_ms: int


class GateRequirement(SQLModel, table=True):
    """The label production of a prompt or pipeline moves only to a version that passed this gate on this set."""

    kind: str = Field(primary_key=True)  # prompt | pipeline
    subject_id: int = Field(primary_key=True)
    set_name: str
    gate: str  # YAML text
    gate_sha256: str
    author: str
    created_ms: int


class Feedback(SQLModel, table=True):
    """What one person says of a whole answer; saying it again replaces what they said before."""

    trace_id: str = Field(primary_key=True)
    author: str = Field(primary_key=True)
    created_ms: int
    is_up: bool
    reason: str = ""  # one of rag.people.REASONS
    note: str = ""
    correction: str = ""  # the right answer
    tags: str = "[]"  # JSON list
    set_name: str = ""  # where a case was made of it
    case_key: str = ""


class ReviewQueue(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_ms: int


class ReviewItem(SQLModel, table=True):
    """An answer that waits for a verdict; why: "flagged", "thumbs-down", "low score 0.21" or "random"."""

    __table_args__ = (UniqueConstraint("queue_id", "trace_id"),)
    id: int | None = Field(default=None, primary_key=True)
    queue_id: int
    trace_id: str = Field(index=True)
    why: str


class Review(SQLModel, table=True):
    """The verdict of one reviewer on one item; giving another replaces it."""

    item_id: int = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    created_ms: int
    verdict: str  # one of rag.people.VERDICTS
    reason: str = ""
    correction: str = ""
    relevant: str = "[]"  # JSON list: markers of the passages that hold the answer
    set_name: str = ""
    case_key: str = ""


class Draft(SQLModel, table=True):
    """A generated case that waits for a person's yes."""

    id: int | None = Field(default=None, primary_key=True)
    set_id: int = Field(index=True)
    collection_id: int = Field(index=True)
    version_id: int
    document_id: int = Field(index=True)
    document: str  # source path
    place: str
    chunk_id: int
    start: int
    end: int
    passage: str
    question: str
    answer: str
    marks: str = "[]"  # JSON [[name, passed, detail], ...]: what the filters found
    model: str
    state: str = "waiting"  # waiting | accepted | rejected
    created_ms: int
    decided_ms: int | None = None
    decided_by: str = ""
    case_key: str = ""


class Rollout(SQLModel, table=True):
    """Two pipelines in use side by side. collection_id None: all collections. Both configurations are kept as they
    were at the start: what is compared must not change on the way."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int | None = None
    collection: str = ""
    kind: str  # canary | blind
    share: float  # of the asks that go to staging; 1 for blind: both answer
    production: str  # what it is called
    production_config: str  # JSON of rag.evaluation.pipelines.PipelineConfig
    staging: str
    staging_config: str
    state: str = "running"  # running | promoted | stopped
    created_ms: int
    ended_ms: int | None = None
    note: str = ""
    outcome: str = ""  # what the promotion moved


class RolloutAsk(SQLModel, table=True):
    """Which pipeline of a roll-out made a trace. Of a blind comparison two have the same pair."""

    trace_id: str = Field(primary_key=True)
    rollout_id: int = Field(index=True)
    arm: str  # production | staging
    pair: str = ""
    position: int = 0  # 1 or 2: where it stood
    picked: str = ""  # "" nobody chose yet | this | other | no difference


class ProductionPipeline(SQLModel, table=True):
    """What answers a collection (0: all) since a roll-out was promoted; no row: the settings do."""

    collection_id: int = Field(primary_key=True)
    name: str
    config: str
    moved_ms: int
    rollout_id: int


class AuditEvent(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_ms: int = Field(index=True)
    action: str
    subject: str
    detail: str = ""


class ReferencePeriod(SQLModel, table=True):
    """The time whose asks control limits and drift tests compare with; one for a collection, one for all."""

    collection: str = Field(primary_key=True)  # empty: for collections without one of their own
    start_ms: int
    end_ms: int
    note: str = ""


class AlertRule(SQLModel, table=True):
    """When to raise an alert, and how it stands."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    measure: str  # a key of rag.measures.MEASURES
    collection: str = ""  # scope; empty: any
    model: str = ""
    prompt: str = ""  # fingerprint of a prompt
    comparison: str  # above | below
    threshold: float | None = None  # None: the control limit of the reference period
    window: int  # the last so many asks
    minimum: int  # fewer asks that have the measure: no judgement
    enabled: bool = True
    note: str = ""  # why the rule is there
    state: str = "not enough data"  # ok | firing | acknowledged | not enough data
    since_ms: int = 0
    checked_ms: int = 0  # when the figures below were written; an unchanged sentence is not written again
    value: float | None = None
    count: int = 0
    limit: float | None = None
    sentence: str = ""
    acknowledged: str = ""  # what the person said to it


class QuestionVector(SQLModel, table=True):
    """Embeddings of questions and answers, made when a monitor needs them. Can be made again."""

    text_hash: str = Field(primary_key=True)
    embedder: str = Field(primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)  # float32, little endian, L2-normalised


class FrozenQuestion(SQLModel, table=True):
    """A frozen question that is asked again after changes. Its reference answer is a trace."""

    __table_args__ = (UniqueConstraint("collection_id", "question"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    question: str
    reference_trace_id: str
    created_ms: int


class FrozenRun(SQLModel, table=True):
    """One asking of all frozen questions of a collection, and what it was done with."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    created_ms: int
    version_number: int
    version_fingerprint: str
    model: str
    prompt_fingerprint: str
    settings: str  # JSON of what answers depend on
    question_count: int
    changed_count: int


class FrozenResult(SQLModel, table=True):
    """One frozen question against its reference. Texts stay in the traces."""

    run_id: int = Field(primary_key=True)
    question_id: int = Field(primary_key=True)
    trace_id: str
    reference_trace_id: str
    passage_overlap: float  # Jaccard index of the passages in the prompt
    answer_similarity: float | None  # cosine; None where an answer is missing
    change: str  # in words; empty: the same
