"""Tables of evaluation: sets, cases, pipelines, runs, results, gates and drafts."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class EvaluationSet(SQLModel, table=True):
    """A named set of cases, in versions."""

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
    """A case of a version of a set, at its position."""

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
    """An immutable, numbered configuration of a pipeline."""

    __table_args__ = (UniqueConstraint("pipeline_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    pipeline_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    fingerprint: str
    content: str  # JSON of rag.evaluation.pipelines.PipelineConfig


class PipelineLabel(SQLModel, table=True):
    """A name that points to one version of a pipeline and can be moved, like PromptLabel."""

    pipeline_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version_id: int
    moved_ms: int


class PipelineLabelMove(SQLModel, table=True):
    """A move of a label; from_number None: it was made, to_number None: it was removed."""

    id: int | None = Field(default=None, primary_key=True)
    pipeline_id: int = Field(index=True)
    label: str
    from_number: int | None = None
    to_number: int | None = None
    moved_ms: int
    author: str
    note: str = ""


class EvaluationRun(SQLModel, table=True):
    """A version of a set through a version of a pipeline, with everything that repeating it needs."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    status: str  # rag.evaluation.rows.RunStatus
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
    kind: str  # rag.evaluation.rows.PipelineKind
    config: str  # JSON of PipelineConfig with everything pinned: numbers for labels, a path for the model
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
    judge: str = ""  # JSON of the judge: model, rubric, seed; empty: there is none
    created_ms: int = Field(index=True)
    started_ms: int | None = None
    finished_ms: int | None = None
    busy_s: float = 0.0  # time spent on it, over all resumptions


class EvaluationRunTag(SQLModel, table=True):
    """A word that a run is found by, such as baseline; of several runs with it the newest one is meant."""

    run_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, index=True)


class EvaluationResult(SQLModel, table=True):
    """The result of one case in one repeat; it is written when it is complete."""

    __table_args__ = (UniqueConstraint("run_id", "case_key", "repeat"),)
    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    case_key: str
    repeat: int  # from 0
    outcome: str  # rag.evaluation.rows.CaseOutcome
    trace_id: str = Field(default="", index=True)  # empty: it failed before there was one
    metrics: str = "{}"  # JSON: metric -> value or null
    checks: str = "[]"  # JSON: [{"type", "passed", "reason"}]
    judge: str = ""  # JSON of what the judge said
    latency_ms: float | None = None  # None: not measured, answers were made together or taken over
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_trace: str = ""  # the answer was taken from this trace: same prompt, model and greedy sampling
    error: str = ""
    stale: str = "[]"  # JSON: the judgements of the case that the dataset version does not contain
    created_ms: int


class ResultVerdict(SQLModel, table=True):
    """A person's verdict on one answer of a run, right or wrong; judges are measured against it."""

    result_id: int = Field(primary_key=True)
    is_right: bool
    note: str = ""
    author: str = ""
    created_ms: int


class EvaluationGate(SQLModel, table=True):
    """A decision of a gate on a run."""

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(index=True)
    baseline_run_id: int | None = None
    gate_sha256: str  # of the gate's text
    passed: bool
    sentence: str
    rows: str  # JSON list of rag.evaluation.gates.rules.GateRow
    created_ms: int


class GateRequirement(SQLModel, table=True):
    """A gate that a version must pass on a set before the label production moves to it."""

    kind: str = Field(primary_key=True)  # prompt | pipeline
    subject_id: int = Field(primary_key=True)
    set_name: str
    gate: str  # YAML text
    gate_sha256: str
    author: str
    created_ms: int


class Draft(SQLModel, table=True):
    """A generated case that a person accepts or rejects."""

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
    marks: str = "[]"  # JSON [[name, passed, detail], ...]: what the filters say
    model: str
    state: str = "waiting"  # rag.evaluation.rows.DraftState
    created_ms: int
    decided_ms: int | None = None
    decided_by: str = ""
    case_key: str = ""


mark(EvaluationSet, written="description", name="name")
mark(EvaluationSetVersion, written="message", technical="fingerprint")
mark(EvaluationCase, written="question content", technical="key fingerprint")
mark(EvaluationSetCase)
mark(Pipeline, name="name")
mark(PipelineVersion, written="message content", technical="fingerprint")
mark(PipelineLabel, name="name")
mark(PipelineLabelMove, written="note", name="label author")
mark(
    EvaluationRun,
    written="error note config judge",
    name="name set_name pipeline collection prompt_name model_file",
    technical="status set_fingerprint pipeline_fingerprint kind version_fingerprint index_fingerprint "
    "embedder prompt_fingerprint model_sha256 quantisation sampling libraries",
)
mark(EvaluationRunTag, name="name")
mark(
    EvaluationResult,
    derived="checks judge error",
    written="stale",
    technical="case_key outcome trace_id metrics reused_trace",
)
mark(ResultVerdict, written="note", name="author")
mark(EvaluationGate, written="sentence rows", technical="gate_sha256")
mark(GateRequirement, written="gate", name="set_name author", technical="kind gate_sha256")
mark(
    Draft,
    copy="passage place",
    derived="question answer marks",
    name="document model decided_by",
    technical="state case_key",
)
