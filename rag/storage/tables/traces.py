"""Tables of traces: questions asked, spans, hits, claims, and what people said about flags."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Trace(SQLModel, table=True):
    """A question and its answer, however it ended."""

    id: str = Field(primary_key=True)  # 32 hex digits, as an OpenTelemetry trace id
    session_id: str = Field(index=True)
    created_ms: int = Field(index=True)
    status: str  # running | done | nothing found | cancelled | failed | interrupted
    source: str = "person"  # see rag.asking.rows.TraceSource
    error: str = ""
    question: str
    answer: str = ""
    thinking: str = ""  # of the model before its answer: never checked, sent back or measured
    collection_id: int | None = Field(default=None, index=True)
    collection: str = ""
    application: str = Field(default="", index=True)  # whose trace was received, "" of our own
    version_id: int | None = None
    version_number: int | None = None
    version_fingerprint: str = ""
    model: str = Field(default="", index=True)
    model_sha256: str = ""
    endpoint: str = ""  # name of the endpoint that answered, "" for this computer
    sent_to: str = ""  # host that the prompt left this computer for, "" when it stayed
    served_model: str = ""  # as the endpoint named it
    system_fingerprint: str = ""  # of the endpoint's configuration
    usage: str = ""  # a Usage: who counted the tokens
    pipeline: str = ""  # name of the pipeline that answered, "" for the settings
    pipeline_version: int | None = None  # its number
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
    completion_tokens: int = 0  # of the answer
    thinking_tokens: int = 0
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
    outcome: str = ""  # of the check: rag.grounding.rows.OUTCOMES; "" before there was one
    support_rate: float | None = None  # None without a claim
    contradicted_count: int = 0
    check_error: str = ""  # why the check failed; then nothing is known of the sentences
    best_score: float | None = None  # highest cosine of a candidate
    silent_failures: str = "[]"  # JSON list of names from rag.grounding.rows
    parent_id: str = ""  # the question of the session that this one follows; "" for a first one
    step_count: int | None = None  # steps of another application; None of our own
    tool_calls: int | None = None
    tool_errors: int | None = None  # calls of tools that failed
    loop_count: int | None = None  # tools that were called three times with the same arguments
    guard_action: str = ""  # the strongest thing that a policy did: rag.guardrails.policies.rows.Action


class AskSession(SQLModel, table=True):
    """Questions that follow each other, by Trace.session_id: how they are listed, and what answers them.

    Its first question names it and is read from the trace: no copy of it could survive an erasure.
    """

    id: str = Field(primary_key=True)
    name: str = ""  # given by a person; "" for the first question
    is_pinned: bool = False
    created_ms: int
    asked_ms: int = Field(index=True)  # of the last question
    deleted_ms: int | None = None  # it is not listed since then
    leaf: str = ""  # trace id: the last question of the branch that is shown
    collection_id: int | None = Field(default=None, index=True)
    collection: str = ""  # its name when it was chosen
    version: str = ""  # number or tag, "" for the active one
    pipeline: str = ""
    model: str = ""  # path or name, "" for the active one
    prompt_name: str = ""  # with its label or number, as people write it


class CascadeStep(SQLModel, table=True):
    """A step of a cascade that answered a question, or tried to, each in a trace of its own."""

    trace_id: str = Field(primary_key=True)
    answer_id: str = Field(
        index=True
    )  # the trace of the answer that was given; of that step itself: the same
    position: int  # in the cascade, from 1
    name: str
    reason: str = ""  # why its answer was not given, as the end of a sentence


class Replay(SQLModel, table=True):
    """What a trace repeats, and what was changed. The trace that it repeats may have been deleted since."""

    trace_id: str = Field(primary_key=True)
    parent_id: str = Field(index=True)
    group_id: str = ""  # the first answer of a leave-one-out; "" outside of one
    changes: str = "{}"  # JSON of rag.asking.replay.rows.Changes
    fates: str = "{}"  # JSON: by where a sentence of the parent's answer begins, what became of it


class Span(SQLModel, table=True):
    """A stage of answering and its time."""

    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    name: str
    kind: str  # OpenInference span kind
    start_ms: float  # since the trace began
    end_ms: float
    detail: str = ""


class TraceHit(SQLModel, table=True):
    """A candidate passage of a question: its ranks, and its marker in the prompt or why it was dropped."""

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
    rerank_score: float | None = None
    rank: int = 0  # after everything that moved it, from 1
    lists: str = "[]"  # JSON list of [list, rank, score], one for each list of candidates that has it
    moves: str = "[]"  # JSON list of what moved it after fusion, in words
    marker: int | None = None
    dropped: str | None = None


class Claim(SQLModel, table=True):
    """A sentence of an answer and the verdict on it."""

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
    """What a person says of one verdict: right or wrong. A calibration to their data learns from it."""

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
    second_detector: str = ""  # folder of a second detector, "" for none
    second_slope: float = 1.0  # its recalibration on the bundled slice
    second_intercept: float = 0.0
    updated_ms: int


class ConsistencyCheck(SQLModel, table=True):
    """A prompt that was answered several times, and how far the answers agree."""

    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(index=True)
    created_ms: int
    temperature: float
    samples: str  # JSON: [{"answer", "cluster", "logprob"}]
    clusters: int
    agreement: float  # share of the largest cluster
    semantic_entropy: float  # nats, discrete (Farquhar et al. 2024)


mark(Trace, derived="answer thinking", copy="prompt", written="question error fallbacks check_error settings",
     name="collection application model endpoint sent_to served_model pipeline prompt_name",
     technical="id session_id parent_id status source version_fingerprint model_sha256 prompt_fingerprint "
               "system_fingerprint usage "
               "finish_reason "
     "worst_verdict outcome silent_failures guard_action")  # fmt: skip
mark(AskSession, written="name", name="collection pipeline model prompt_name", technical="id leaf version")
mark(CascadeStep, name="name", derived="reason", technical="trace_id answer_id")
mark(Replay, name="changes", technical="trace_id parent_id group_id fates")
mark(Span, written="detail", technical="trace_id name kind")
mark(TraceHit, copy="text place", name="document path", technical="trace_id place_kind dropped lists moves")
mark(Claim, derived="text reason", copy="evidence_text", technical="trace_id verdict doubtful")
mark(FlagOpinion, written="note", technical="trace_id verdict")
mark(FlagLimits, name="second_detector")
mark(ConsistencyCheck, derived="samples", technical="trace_id")
