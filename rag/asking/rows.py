"""Rows of questions and their traces: what answering yields, what is stored, and the queries that read it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from rag.asking.applications.rows import TRAFFIC, Caller, application_named_by, traffic
from rag.errors import NotFoundError
from rag.grounding.rows import ClaimResult, SilentFailure
from rag.index.rows import Hit
from rag.models.endpoints.rows import Usage
from rag.storage.database import Database
from rag.text.plurals import counted
from rag.text.search_terms import comparable, match_expression


class TraceStatus(StrEnum):
    """How a question ended, or that it has not."""

    RUNNING = "running"
    DONE = "done"
    NOTHING_FOUND = "nothing found"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its process ended before the answer was complete

    @property
    def is_complete(self) -> bool:
        """Whether there is an answer as it was meant to be: the model's, or that nothing was found."""
        return self in (TraceStatus.DONE, TraceStatus.NOTHING_FOUND)

    @property
    def is_failure(self) -> bool:
        """Whether something went wrong."""
        return self in (TraceStatus.FAILED, TraceStatus.INTERRUPTED)


class TraceSource(StrEnum):
    """Who asked a question."""

    PERSON = "person"
    EVALUATION = "evaluation"
    REGRESSION = "regression"  # a regression question that is asked again
    RECEIVED = "received"  # asked in another application, which sent its trace
    CACHE_CHECK = "cache check"  # a cached answer is compared with a fresh one
    STEP = "step"  # an answer to a question that a cascade did not give
    REPLAY = "replay"  # a trace that is answered again with something changed
    SERVER = "server"  # asked by another program, through the server

    @property
    def is_traffic(self) -> bool:
        """Whether somebody needed the answer: it is counted, watched, cached and reviewed."""
        return self in (TraceSource.PERSON, TraceSource.SERVER)


ASKED = "asked"  # what a TraceFilter may have as its source: all of which is_traffic is true


class Stage(StrEnum):
    """A stage of answering that begins, as the window shows it."""

    SEARCH = "search"
    LOAD = "load"
    READ = "read"
    CHECK = "check"


# --- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A question with everything besides the settings that decides how it is answered."""

    text: str
    collection: str
    version: int | str | None = None  # number or tag of a dataset version; None: the active one
    model: str | None = None  # name or path; None: the active one
    session_id: str = ""
    source: TraceSource = TraceSource.PERSON
    # Changes to the settings for this question alone, by section and key.
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prompt: str = "default"  # "NAME@LABEL", "NAME@NUMBER" or "NAME", which means its production version
    trace_id: str = ""  # of the trace, when it must be known before: see rag.asking.traces.new_trace_id
    parent_id: str | None = None  # the question that it follows; "": none; None: the session's last one
    fresh: bool = False  # the model is asked even when the cache has an answer
    pipeline: str = ""  # name of the pipeline that this is, "" for the settings
    pipeline_version: int | None = None  # its number
    tags: tuple[str, ...] = ()  # words that rules of a cascade go by, such as those of a case
    caller: Caller | None = None  # the program that asks through the server
    guardrails: tuple[str, ...] = ()  # policies that the pipeline names, besides those of the collection
    is_confirmed: bool = False  # a person has said yes to what a policy asks


@dataclass(frozen=True)
class StageStarted:
    """A stage of answering began."""

    trace_id: str
    stage: Stage


@dataclass(frozen=True)
class RetrievalDone:
    """The search is done and the prompt is packed: all candidates, and how many are in the prompt."""

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
    """A piece of the answer, or of the thinking before it, and how many tokens of that there are so far."""

    trace_id: str
    text: str
    token_count: int
    is_thinking: bool = False


@dataclass(frozen=True)
class AnswerRestarted:
    """What was streamed as the answer so far was the model's thinking; the answer begins now."""

    trace_id: str


@dataclass(frozen=True)
class ClaimsChecked:
    """The answer was checked. support_rate is None without a claim; error says why the check failed."""

    trace_id: str
    claims: tuple[ClaimResult, ...]
    milliseconds: float
    outcome: str = ""
    support_rate: float | None = None
    error: str = ""


@dataclass(frozen=True)
class SearchSide:
    """One search for a question, without a model.

    Attributes:
        preset: The preset that its settings are, or Custom.
        version_number: The dataset version that was searched.
        hits: The candidates, with their markers or reasons.
        stages: What was done, in milliseconds since the search began.
        notes: What was done besides or instead of the usual.
        passage_count: How many passages would be in the prompt.
        tokens: Their tokens, counted by the embedder.
        milliseconds: How long the search took.
        explanation: What became of the passage that was looked for; empty when none was.
    """

    preset: str
    version_number: int
    hits: tuple[Hit, ...]
    stages: tuple[SpanRow, ...]
    notes: tuple[str, ...]
    passage_count: int
    tokens: int
    milliseconds: float
    explanation: str


@dataclass(frozen=True)
class SearchTest:
    """A question searched for in one or two ways."""

    query: str
    collection: str
    sides: tuple[SearchSide, ...]


def explain_hit(hits: Sequence[Hit], text: str) -> str:
    """Say what became of the passage that contains a text; empty when no candidate does or text is empty."""
    wanted = comparable(text)
    found = [hit for hit in hits if wanted and wanted in comparable(hit.text)]
    if not found:
        return ""
    hit = min(found, key=lambda hit: (hit.marker is None, hit.marker or hit.rank))
    return f"{_became(hit)} {how_it_came(hit)}".strip()


def _became(hit: Hit) -> str:
    where = f"the passage of {hit.document}{', ' + hit.place if hit.place else ''}"
    if hit.marker is not None:
        return f"[{hit.marker}] is {where}, candidate {hit.rank}."
    return f"Candidate {hit.rank} is {where}; it was left out: {hit.dropped}."


def how_it_came(hit: Hit) -> str:
    """Say where a candidate stood in each list, what fusion made of that, and what moved it afterwards."""
    if not hit.lists:
        return ". ".join(f"It was {move}" for move in hit.moves) + "." if hit.moves else ""
    said = "It was " + ", ".join(f"number {one.rank} of {one.list}" for one in hit.lists)
    best = min(one.rank for one in hit.lists)
    if hit.fused_rank > best:
        lost = hit.fused_rank - best
        said += f" and lost {counted(lost, 'place')} at fusion ({hit.fused_rank})"
    elif hit.fused_rank:
        said += f" and number {hit.fused_rank} after fusion"
    return "; then ".join([said, *hit.moves]) + "."


@dataclass(frozen=True)
class SampleProgress:
    """Progress of answering a trace's prompt again: done of total answers are complete."""

    trace_id: str
    done: int
    total: int


@dataclass(frozen=True)
class Sample:
    """One of several answers to the same prompt."""

    answer: str
    group: int  # answers of one group mean the same
    logprob: float | None  # of the whole answer, in nats; None when an endpoint does not tell it
    differs: tuple[str, ...] = ()  # sentences that the largest group does not have


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
    """The end of answering a question. Everything about it is in the trace."""

    trace_id: str
    session_id: str
    status: TraceStatus
    answer: str
    notices: tuple[str, ...] = ()


# --- flags ------------------------------------------------------------------------------------------------

FITS_FROM = 50  # verdicts of a person; with fewer a calibration is more noise than signal


@dataclass(frozen=True)
class CalibrationFit:
    """Scores fitted to a person's verdicts: sigmoid(slope * logit(score) + intercept).

    Losses are mean negative log-likelihoods in nats, lower is better; loss_after judges each verdict by a fit
    to the others.
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
        """Whether the fit lowers the loss on verdicts that it has not seen."""
        return self.loss_after < self.loss_before

    def of(self, score: float) -> float:
        """Return what a score becomes."""
        p = min(max(score, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(p / (1 - p)) + self.intercept)))


@dataclass(frozen=True)
class TraceFigures:
    """What the graphs draw of a trace: 100,000 of them are read at once. Times are in milliseconds."""

    id: str
    created_ms: int  # Unix
    collection: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_ms: float | None  # since the question
    tokens_per_s: float | None
    retrieve_ms: float | None
    read_ms: float | None
    generate_ms: float | None
    check_ms: float | None
    claim_count: int  # sentences that were scored
    flag_count: int


@dataclass(frozen=True)
class TraceRow(TraceFigures):
    """The figures and names of a trace: what lists and measures need. Times are in milliseconds.

    The long texts are left out: see TraceDetail and read_answers.
    """

    status: TraceStatus
    source: TraceSource
    application: str  # whose trace was received, or which asked through the server; "" of our own
    error: str
    question: str
    answer_length: int  # characters
    version_number: int | None
    prompt_name: str
    prompt_fingerprint: str
    total_ms: float | None
    passage_count: int
    best_score: float | None  # highest cosine of a candidate
    contradicted_count: int
    worst_verdict: str  # a Verdict; "" before the check
    outcome: str  # an Outcome; "" before the check
    silent_failures: tuple[SilentFailure, ...]
    step_count: int | None  # steps of another application; None of our own
    tool_calls: int | None
    tool_errors: int | None  # calls of tools that failed
    loop_count: int | None  # tools that were called three times with the same arguments
    guard_action: str  # the strongest thing that a policy did, "" for nothing

    @property
    def states(self) -> tuple[str, ...]:
        """How the question ended, in the words of every list: what is of no use, or the status."""
        found: tuple[str, ...] = tuple(self.silent_failures)
        if self.status == TraceStatus.DONE and self.model and not self.passage_count:
            found += (WITHOUT_SOURCES,)
        return found or (str(self.status),)

    @property
    def state(self) -> str:
        """The states in one line."""
        return ", ".join(self.states)

    @property
    def is_suspicious(self) -> bool:
        """Whether the answer came without an error and may be of no use."""
        return self.states != (str(self.status),) or self.status == TraceStatus.NOTHING_FOUND

    @property
    def explained(self) -> str:
        """What is suspicious, each with what it means; empty when nothing is."""
        if not self.is_suspicious:
            return ""
        return "; ".join(f"{each.capitalize()}: {_meaning(each)}" for each in self.states)


WITHOUT_SOURCES = "without sources"
_MEANINGS = {
    WITHOUT_SOURCES: "the prompt had no passages, so nothing of it can be looked up",
    TraceStatus.NOTHING_FOUND: "nothing in the collection is close to the question",
}


def _meaning(state: str) -> str:
    return _MEANINGS.get(state) or SilentFailure(state).description


@dataclass(frozen=True)
class SpanRow:
    """A stage of answering: its OpenInference kind, and its time in milliseconds since the trace began."""

    name: str
    kind: str
    start_ms: float
    end_ms: float
    detail: str


@dataclass(frozen=True)
class TraceDetail(TraceRow):
    """Everything stored about one question."""

    session_id: str
    answer: str
    thinking: str  # of the model before its answer
    thinking_tokens: int  # besides completion_tokens
    collection_id: int | None
    version_id: int | None
    version_fingerprint: str
    model_sha256: str
    endpoint: str  # its name, "" for this computer
    sent_to: str  # host that the prompt left this computer for, "" when it stayed
    served_model: str  # as the endpoint named it
    system_fingerprint: str
    usage: Usage  # who counted the tokens
    prompt_version_id: int | None
    prompt_version: int | None  # its number
    prompt: str  # as the model read it; "" when it was not asked
    settings: str  # JSON of the settings in use
    fallbacks: tuple[str, ...]  # what was done in another way than usual, in sentences
    finish_reason: str
    candidate_count: int
    passage_documents: int
    searched_chunks: int
    searched_documents: int
    min_logprob: float | None  # nats
    mean_logprob: float | None
    support_rate: float | None  # None without a claim
    check_error: str  # why the check failed; then nothing is known of the sentences
    hits: tuple[Hit, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    spans: tuple[SpanRow, ...] = ()
    parent_id: str = ""  # the question of the session that it follows


@dataclass(frozen=True)
class FlagState:
    """A collection's flags. answers are the scores of its last checked answers, newest first.

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
    """Which traces to list; empty values do not filter. Times are Unix milliseconds."""

    text: str = ""
    collection: str = ""
    model: str = ""
    verdict: str = ""
    status: str = ""  # a TraceStatus
    since_ms: int | None = None
    until_ms: int | None = None
    session_id: str = ""
    source: str = ""  # a TraceSource, or ASKED
    application: str = ""  # whose trace was received, or which asked through the server
    silent: str = ""  # a SilentFailure, WITHOUT_SOURCES, or "any" for any SilentFailure


@dataclass(frozen=True)
class Overview:
    """The figures that the Overview page shows."""

    collection_count: int
    document_count: int
    chunk_count: int
    question_count: int
    failed_count: int
    claim_count: int
    flag_count: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    trace_count: int


def _trace_condition(wanted: TraceFilter) -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE clause of a filter, over `trace t`, and its values."""
    parts: list[str] = []
    values: list[Any] = []
    named = application_named_by(wanted.collection)
    if named:  # its users' questions, whoever of the sources is meant
        parts.append("t.source IN ('received', 'server')")
    equal = {
        "t.collection": "" if named else wanted.collection,
        "t.model": wanted.model,
        "t.status": wanted.status,
        "t.session_id": wanted.session_id,
        "t.source": "" if named or wanted.source == ASKED else wanted.source,
        "t.application": wanted.application or named,
    }
    for column, value in equal.items():
        if value:
            parts.append(f"{column} = ?")
            values.append(value)
    if wanted.source == ASKED and not named:
        parts.append(f"t.source IN {TRAFFIC}")
    if wanted.verdict == "flagged":
        parts.append("t.flag_count > 0")
    elif wanted.verdict:
        parts.append("t.worst_verdict = ?")
        values.append(wanted.verdict)
    if wanted.silent == WITHOUT_SOURCES:
        parts.append("t.status = 'done' AND t.model != '' AND t.passage_count = 0")
    elif wanted.silent:
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


def _columns(kind: type[TraceFigures]) -> str:
    return ", ".join(
        "length(t.answer) AS answer_length" if f.name == "answer_length" else f"t.{f.name}"
        for f in fields(kind)
    )


TRACE_COLUMNS = _columns(TraceRow)  # over `trace t`


def list_traces(database: Database, wanted: TraceFilter, limit: int = 200, offset: int = 0) -> list[TraceRow]:
    """Return the traces of a filter, newest first."""
    where, values = _trace_condition(wanted)
    return database.rows(
        TraceRow,
        f"SELECT {TRACE_COLUMNS} FROM trace t WHERE {where} "
        "ORDER BY t.created_ms DESC, t.id LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )


def count_traces(database: Database, wanted: TraceFilter) -> int:
    """Return how many traces a filter lets through."""
    where, values = _trace_condition(wanted)
    found = database.query(f"SELECT count(*) FROM trace t WHERE {where}", values)
    return int(found[0][0]) if found else 0


def get_trace(database: Database, trace_id: str, *, with_spans: bool = True) -> TraceDetail:
    """Return one trace by its id or by an unambiguous beginning of it. Raises NotFoundError.

    with_spans: False where they are not shown: another application's may be 10,000.
    """
    prefix = trace_id.replace("%", "").replace("_", "")
    found = database.rows(
        TraceDetail,
        """SELECT *, length(answer) AS answer_length FROM trace
           WHERE id = ? OR (length(?) >= 4 AND id LIKE ? || '%') LIMIT 2""",
        (trace_id, prefix, prefix),
    )
    if len(found) != 1:
        why = "More than one trace begins with" if found else "There is no trace"
        raise NotFoundError(f"{why} “{trace_id}”. Run `ragdeck traces list` to see their ids.")
    key = (found[0].id,)
    return replace(
        found[0],
        hits=tuple(database.rows(Hit, "SELECT * FROM tracehit WHERE trace_id = ? ORDER BY rank", key)),
        claims=tuple(
            database.rows(ClaimResult, "SELECT * FROM claim WHERE trace_id = ? ORDER BY start, id", key)
        ),
        spans=list_spans(database, found[0].id) if with_spans else (),
    )


def list_spans(database: Database, trace_id: str) -> tuple[SpanRow, ...]:
    """Return the stages of a trace in the order in which they began."""
    return tuple(
        database.rows(SpanRow, "SELECT * FROM span WHERE trace_id = ? ORDER BY start_ms, id", (trace_id,))
    )


def read_flag_opinion(database: Database, trace_id: str, start: int) -> bool | None:
    """Return whether a person called the verdict on the sentence at start right; None: nobody said."""
    found = database.query(
        "SELECT is_right FROM flagopinion WHERE trace_id = ? AND start = ?", (trace_id, start)
    )
    return bool(found[0][0]) if found else None


def read_flag_state(database: Database, collection_id: int, most: int = 2000) -> FlagState:
    """Return a collection's flag limits, the scores of its last answers, and the person's verdicts."""
    limits = database.query("SELECT * FROM flaglimits WHERE collection_id = ?", (collection_id,))
    row = dict(limits[0]) if limits else {}
    answers: dict[str, list[float]] = {}
    flagged = 0
    for trace_id, score, has_flag in database.query(
        f"""SELECT t.id, c.score, t.flag_count > 0 FROM (SELECT id, flag_count FROM trace
           WHERE collection_id = ? AND source IN {TRAFFIC} AND claim_count > 0
           ORDER BY created_ms DESC LIMIT ?) t
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
    """Return the last check of how far a trace's answer repeats; None when there was none."""
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
    """Return the names of all models that have answered."""
    return [row[0] for row in database.query("SELECT DISTINCT model FROM trace WHERE model != ''")]


def list_traces_between(
    database: Database, since_ms: int, until_ms: int, limit: int = 100_000, scope: str = ""
) -> list[TraceFigures]:
    """Return the finished questions of people in a period, oldest first; test traffic is left out.

    scope: see rag.asking.applications.rows.
    """
    asked, values = traffic(scope)
    return database.rows(
        TraceFigures,
        f"""SELECT {_columns(TraceFigures)} FROM trace t WHERE {asked} AND t.status != 'running'
            AND t.created_ms >= ? AND t.created_ms < ? ORDER BY t.created_ms LIMIT ?""",
        (*values, since_ms, until_ms, limit),
    )


def read_overview(database: Database, since_ms: int, scope: str = "") -> Overview:
    """Return the figures of the Overview page; those of questions are since since_ms, Unix milliseconds.

    scope: whose questions; see rag.asking.applications.rows.
    """
    asked, values = traffic(scope)
    totals = database.query(
        """SELECT count(*), coalesce(sum(v.document_count), 0), coalesce(sum(v.chunk_count), 0)
           FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id"""
    )
    asks = database.query(
        f"""SELECT count(*), coalesce(sum(status IN ('failed', 'interrupted')), 0),
                  coalesce(sum(claim_count), 0), coalesce(sum(flag_count), 0),
                  coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0),
                  coalesce(sum(completion_tokens), 0)
           FROM trace WHERE {asked} AND created_ms >= ?""",
        (*values, since_ms),
    )
    traces = database.query(f"SELECT count(*) FROM trace WHERE {asked}", values)
    if not (totals and asks and traces):
        return Overview(*[0] * len(fields(Overview)))
    return Overview(*(int(value) for value in (*totals[0], *asks[0], *traces[0])))


def read_questions(database: Database, trace_ids: Sequence[str]) -> dict[str, str]:
    """Return the questions of traces by their ids."""
    found = database.query(
        "SELECT id, question FROM trace WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(trace_ids)),),
    )
    return {row[0]: row[1] for row in found}


def read_answers(database: Database, trace_ids: Sequence[str]) -> dict[str, str]:
    """Return the answers of traces by their ids."""
    found = database.query(
        "SELECT id, answer FROM trace WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(trace_ids)),),
    )
    return {row[0]: row[1] for row in found}
