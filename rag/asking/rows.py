"""What long operations yield, and the plain values that travel between processes.

Everything here is a frozen dataclass of plain values: picklable, comparable, free of heavy imports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit
from rag.text.search_terms import match_expression

# --- parsed documents -------------------------------------------------------------------------------------


# --- ingest -----------------------------------------------------------------------------------------------


# --- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StageStarted:
    """A stage of an ask began: "embed", "dense", "lexical", "fuse", "pack", "read", "generate", "check"."""

    trace_id: str
    stage: str


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


# --- the data folder --------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class TraceRow:
    """One line of the list of traces."""

    id: str
    created_ms: int
    status: str
    source: str
    error: str
    question: str
    answer: str
    collection: str
    version_number: int | None
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_ms: float | None
    tokens_per_s: float | None
    total_ms: float | None
    passage_count: int
    claim_count: int
    flag_count: int
    worst_verdict: str
    silent_failures: str


@dataclass(frozen=True)
class SpanRow:
    name: str
    kind: str
    start_ms: float
    end_ms: float
    detail: str


@dataclass(frozen=True)
class TraceDetail:
    """Everything stored about one ask. row holds every column of the trace table by name."""

    row: dict[str, Any]
    hits: tuple[Hit, ...]
    claims: tuple[ClaimResult, ...]
    spans: tuple[SpanRow, ...]


@dataclass(frozen=True)
class FlagState:
    """A collection's flags: answers holds the scores of each of its last checked answers, newest first.

    None as a limit means as the detector was trained; opinions are the person's own verdicts on flags.
    """

    answers: tuple[tuple[float, ...], ...]
    flagged_answers: int
    check_from: float | None
    unsupported_from: float | None
    second_detector: str
    fitted_on: int
    opinions: int
    right: int
    fits_from: int = FITS_FROM


@dataclass(frozen=True)
class TraceFilter:
    """What to list; empty values do not filter. verdict may be "flagged"; times are Unix milliseconds."""

    text: str = ""
    collection: str = ""
    model: str = ""
    verdict: str = ""
    status: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    session_id: str = ""
    source: str = ""  # person | evaluation | replay | probe | generation
    silent: str = ""  # a name of rag.silent, or "any"


@dataclass(frozen=True)
class AskPoint:
    """The numbers of one ask, for the graphs."""

    id: str
    created_ms: int
    status: str
    collection: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_ms: float | None
    tokens_per_s: float | None
    retrieve_ms: float | None
    read_ms: float | None
    generate_ms: float | None
    check_ms: float | None
    total_ms: float | None
    claim_count: int
    flag_count: int


@dataclass(frozen=True)
class Overview:
    """What the Overview page shows; "today" is since since_ms."""

    collection_count: int
    document_count: int
    chunk_count: int
    ask_count: int
    failed_count: int
    claim_count: int
    flag_count: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    trace_count: int


def _trace_condition(wanted: TraceFilter) -> tuple[str, tuple[Any, ...]]:
    """The WHERE clause of a filter, over `trace t`, and its values."""
    parts: list[str] = []
    values: list[Any] = []
    equal = {
        "t.collection": wanted.collection,
        "t.model": wanted.model,
        "t.status": wanted.status,
        "t.session_id": wanted.session_id,
        "t.source": wanted.source,
    }
    for column, value in equal.items():
        if value:
            parts.append(f"{column} = ?")
            values.append(value)
    if wanted.verdict == "flagged":
        parts.append("t.flag_count > 0")
    elif wanted.verdict:
        parts.append("t.worst_verdict = ?")
        values.append(wanted.verdict)
    if wanted.silent:
        parts.append("t.silent_failures != ''" if wanted.silent == "any" else "instr(t.silent_failures, ?)")
        values += [wanted.silent] if wanted.silent != "any" else []
    if wanted.since_ms is not None:
        parts.append("t.created_ms >= ?")
        values.append(wanted.since_ms)
    if wanted.until_ms is not None:
        parts.append("t.created_ms < ?")
        values.append(wanted.until_ms)
    expression = match_expression(wanted.text)
    if expression:
        parts.append("t.rowid IN (SELECT rowid FROM trace_fts WHERE trace_fts MATCH ?)")
        values.append(expression)
    elif wanted.text.strip():
        parts.append("instr(lower(t.question || ' ' || t.answer), lower(?)) > 0")
        values.append(wanted.text.strip())
    return " AND ".join(parts) or "1", tuple(values)
