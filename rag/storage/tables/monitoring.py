"""Tables of monitoring: reference periods, alert rules and regression questions."""

from __future__ import annotations

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark

_LIMIT_NOTE = (
    "Beyond the control limit of the reference period. If nothing changes, at most {} windows are. Windows "
    "overlap, so a false alarm lasts for some questions."
)
# (name, measure, comparison, threshold, window, minimum, note): what a new data folder starts with.
DEFAULT_RULES: tuple[tuple[str, str, str, float | None, int, int, str], ...] = (
    ("More flagged answers", "flag_rate", "above", None, 50, 20, _LIMIT_NOTE.format("1 of 670")),
    ("More contradictions", "contradiction_rate", "above", None, 50, 20, _LIMIT_NOTE.format("1 of 670")),
    ("More refusals", "refusal_rate", "above", None, 50, 20, _LIMIT_NOTE.format("1 of 670")),
    ("More empty retrievals", "empty_retrieval_rate", "above", None, 50, 20, _LIMIT_NOTE.format("1 of 670")),
    ("Lower retrieval scores", "best_score", "below", None, 50, 20, _LIMIT_NOTE.format("1 of 740")),
    ("Slower answers", "latency", "above", None, 50, 20, _LIMIT_NOTE.format("1 of 740")),
    (
        "Silent failures", "silent_failure_rate", "above", 0.05, 50, 20,
        "On 422 real answers of six models (RAGTruth) the checks raised one alarm. At that rate, 3 in 50 by "
        "chance is one window in 4,000.",
    ),
    (
        "Other questions than before", "question_drift", "below", 0.01, 100, 20,
        "Energy test against the reference period: 1 % of tests alarm without drift. When a fifth of the "
        "questions are on a new topic, 72 % of tests find it with 100 questions, 36 % with 50 (XQuAD and "
        "Cranfield, reference of 100).",
    ),
    (
        "Other scores than before", "score_drift", "below", 0.01, 100, 20,
        "Kolmogorov-Smirnov test against the reference period: exact, so 1 % of tests alarm without drift.",
    ),
)  # fmt: skip


class ReferencePeriod(SQLModel, table=True):
    """The period that control limits and drift tests compare with; one a collection, one for all others."""

    collection: str = Field(primary_key=True)  # empty: for collections without one of their own
    start_ms: int
    end_ms: int
    note: str = ""


class AlertRule(SQLModel, table=True):
    """When to raise an alert, and its state."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    measure: str  # a key of rag.monitoring.rows.MEASURES
    collection: str = ""  # scope; empty: any
    model: str = ""
    prompt: str = ""  # fingerprint of a prompt
    comparison: str  # above | below
    threshold: float | None = None  # None: the control limit of the reference period
    window: int  # questions, the newest
    minimum: int  # questions that have the measure; fewer are not judged
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


class RegressionQuestion(SQLModel, table=True):
    """A question that is asked again after changes. Its reference answer is a trace."""

    __table_args__ = (UniqueConstraint("collection_id", "question"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    question: str
    reference_trace_id: str
    created_ms: int


class RegressionRun(SQLModel, table=True):
    """A run of all regression questions of a collection, and what they were answered with."""

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


class RegressionResult(SQLModel, table=True):
    """A regression question in a run, compared with its reference. Texts stay in the traces."""

    run_id: int = Field(primary_key=True)
    question_id: int = Field(primary_key=True)
    trace_id: str
    reference_trace_id: str
    passage_overlap: float  # Jaccard index of the passages in the prompt
    answer_similarity: float | None  # cosine; None where an answer is missing
    changes: str = "[]"  # JSON list of rag.monitoring.rows.AnswerChange or silent failures; empty: the same


mark(ReferencePeriod, written="note", name="collection")
mark(AlertRule, written="note acknowledged sentence", name="name collection model",
     technical="measure prompt comparison state")  # fmt: skip
mark(QuestionVector, technical="text_hash embedder")
mark(RegressionQuestion, question="question", technical="reference_trace_id")
mark(RegressionRun, written="settings", name="model", technical="version_fingerprint prompt_fingerprint")
mark(RegressionResult, technical="trace_id reference_trace_id changes")
