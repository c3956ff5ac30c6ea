"""What long operations yield, and the plain values that travel between processes.

Everything here is a frozen dataclass of plain values: picklable, comparable, free of heavy imports.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rag.errors import NotFoundError
from rag.grounding.rows import ClaimResult, SilentFailure
from rag.index.rows import Hit
from rag.storage.database import Database
from rag.text.search_terms import match_expression

# --- parsed documents -------------------------------------------------------------------------------------


# --- ingest -----------------------------------------------------------------------------------------------


# --- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A question with all that decides how it is answered, besides the settings.

    version: number or tag of a dataset version; None: the active one. model: name or path; None: the active
    one. source: who asks, see the traces. overrides: changes to the settings for this question alone, by
    section and key. prompt: "NAME", "NAME@LABEL" or "NAME@NUMBER"; the name alone means its production version.
    trace_id: of the trace, when it must be known before; see rag.asking.traces.new_trace_id.
    """

    text: str
    collection: str
    version: int | str | None = None
    model: str | None = None
    session_id: str = ""
    source: str = "person"
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prompt: str = "default"
    trace_id: str = ""


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
    silent_failures: tuple[SilentFailure, ...]


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
    source: str = ""  # person | evaluation | replay | regression | generation
    silent: str = ""  # a name of rag.grounding.rows, or "any"


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
        known = "instr(t.silent_failures, json_quote(?))"  # a list of a few names, each in quotation marks
        parts.append("t.silent_failures != '[]'" if wanted.silent == "any" else known)
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


def list_traces(database: Database, wanted: TraceFilter, limit: int = 200, offset: int = 0) -> list[TraceRow]:
    """Newest first."""
    where, values = _trace_condition(wanted)
    columns = ", ".join(f"t.{f.name}" for f in fields(TraceRow))
    return database.rows(
        TraceRow,
        f"SELECT {columns} FROM trace t WHERE {where} ORDER BY t.created_ms DESC, t.id LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )


def count_traces(database: Database, wanted: TraceFilter) -> int:
    where, values = _trace_condition(wanted)
    found = database.query(f"SELECT count(*) FROM trace t WHERE {where}", values)
    return int(found[0][0]) if found else 0


def get_trace(database: Database, trace_id: str) -> TraceDetail:
    """One trace by its id or by the unambiguous beginning of it. Raises NotFoundError."""
    prefix = trace_id.replace("%", "").replace("_", "")
    found = database.query(
        "SELECT * FROM trace WHERE id = ? OR (length(?) >= 4 AND id LIKE ? || '%') LIMIT 2",
        (trace_id, prefix, prefix),
    )
    if len(found) != 1:
        why = "More than one trace begins with" if found else "There is no trace"
        raise NotFoundError(f"{why} “{trace_id}”; `ragdeck traces list` shows the ids.")
    row = dict(found[0])
    key = (row["id"],)
    hit_columns = ", ".join(f'"{f.name}"' for f in fields(Hit))
    claim_columns = ", ".join(f'"{f.name}"' for f in fields(ClaimResult))
    return TraceDetail(
        row=row,
        hits=tuple(
            database.rows(
                Hit, f"SELECT {hit_columns} FROM tracehit WHERE trace_id = ? ORDER BY fused_rank", key
            )
        ),
        claims=tuple(
            database.rows(
                ClaimResult,
                f"SELECT {claim_columns} FROM claim WHERE trace_id = ? ORDER BY start, id",
                key,
            )
        ),
        spans=tuple(
            database.rows(
                SpanRow,
                "SELECT name, kind, start_ms, end_ms, detail FROM span WHERE trace_id = ? ORDER BY start_ms, id",
                key,
            )
        ),
    )


def read_flag_opinion(database: Database, trace_id: str, start: int) -> bool | None:
    """Whether a person called the verdict on the sentence at start right; None when nobody said."""
    found = database.query(
        "SELECT is_right FROM flagopinion WHERE trace_id = ? AND start = ?", (trace_id, start)
    )
    return bool(found[0][0]) if found else None


def read_flag_state(database: Database, collection_id: int, most: int = 2000) -> FlagState:
    """What is known of a collection's flags: its limits, the last answers' scores, the person's verdicts."""
    limits = database.query("SELECT * FROM flaglimits WHERE collection_id = ?", (collection_id,))
    row = dict(limits[0]) if limits else {}
    answers: dict[str, list[float]] = {}
    flagged = 0
    for trace_id, score, has_flag in database.query(
        """SELECT t.id, c.score, t.flag_count > 0 FROM (SELECT id, flag_count FROM trace WHERE collection_id = ?
           AND source = 'person' AND claim_count > 0 ORDER BY created_ms DESC LIMIT ?) t
           JOIN claim c ON c.trace_id = t.id WHERE c.score IS NOT NULL""",
        (collection_id, most),
    ):
        flagged += bool(has_flag) and trace_id not in answers
        answers.setdefault(trace_id, []).append(float(score))
    said = database.query(
        "SELECT count(*), coalesce(sum(is_right), 0) FROM flagopinion WHERE collection_id = ?",
        (collection_id,),
    )
    return FlagState(
        tuple(tuple(scores) for scores in answers.values()), flagged, row.get("check_from"),
        row.get("unsupported_from"), row.get("second_detector", ""), row.get("fitted_on", 0),
        int(said[0][0]) if said else 0, int(said[0][1]) if said else 0,
    )  # fmt: skip


def read_consistency(database: Database, trace_id: str) -> ConsistencyReport | None:
    """The last check of how far a trace's answer repeats; None when there was none."""
    found = database.query(
        "SELECT * FROM consistencycheck WHERE trace_id = ? ORDER BY id DESC LIMIT 1", (trace_id,)
    )
    if not found:
        return None
    row = dict(found[0])
    samples = tuple(
        Sample(s["answer"], s["group"], s["logprob"], tuple(s["differs"])) for s in json.loads(row["samples"])
    )
    return ConsistencyReport(
        trace_id, row["temperature"], samples, row["clusters"], row["agreement"], row["semantic_entropy"],
        math.log(max(len(samples), 1)),
    )  # fmt: skip


def list_trace_models(database: Database) -> list[str]:
    return [row[0] for row in database.query("SELECT DISTINCT model FROM trace WHERE model != ''")]


def list_ask_points(database: Database, since_ms: int, until_ms: int, limit: int = 100_000) -> list[AskPoint]:
    """Asks by persons, oldest first: test traffic stays out of the dashboards."""
    columns = ", ".join(f.name for f in fields(AskPoint))
    return database.rows(
        AskPoint,
        f"""SELECT {columns} FROM trace WHERE source = 'person' AND status != 'running'
            AND created_ms >= ? AND created_ms < ? ORDER BY created_ms LIMIT ?""",
        (since_ms, until_ms, limit),
    )


def read_overview(database: Database, since_ms: int) -> Overview:
    totals = database.query(
        """SELECT count(*), coalesce(sum(v.document_count), 0), coalesce(sum(v.chunk_count), 0)
           FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id"""
    )
    asks = database.query(
        """SELECT count(*), coalesce(sum(status IN ('failed', 'interrupted')), 0),
                  coalesce(sum(claim_count), 0), coalesce(sum(flag_count), 0),
                  coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0),
                  coalesce(sum(completion_tokens), 0)
           FROM trace WHERE source = 'person' AND created_ms >= ?""",
        (since_ms,),
    )
    traces = database.query("SELECT count(*) FROM trace WHERE source = 'person'")
    if not (totals and asks and traces):
        return Overview(*[0] * len(fields(Overview)))
    return Overview(*(int(value) for value in (*totals[0], *asks[0], *traces[0])))


def read_answers(database: Database, trace_ids: Sequence[str]) -> dict[str, str]:
    found = database.query(
        "SELECT id, answer FROM trace WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(trace_ids)),),
    )
    return {row[0]: row[1] for row in found}
