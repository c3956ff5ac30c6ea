"""Rows of evaluation sets, pipelines, runs, comparisons and drafts, and the queries that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rag.errors import NotFoundError
from rag.evaluation.verdicts.rows import AnswerMark, RunVerdict
from rag.prompts.rows import LabelMove
from rag.storage.database import Database
from rag.text.plurals import counted


class RunStatus(StrEnum):
    """How far an evaluation run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the program ended
    FAILED = "failed"


class CaseOutcome(StrEnum):
    """How a case ended. One that did not end "ok" has no value, never 0.0: a crash is not a wrong answer."""

    OK = "ok"
    ASSERTION_FAILED = "assertion failed"
    REFUSED = "refused"
    ERROR = "error"
    TIMEOUT = "timeout"


NO_ANSWER = (CaseOutcome.ERROR, CaseOutcome.TIMEOUT)


class PipelineKind(StrEnum):
    """What a pipeline does: answer, or only search without asking a model."""

    ANSWER = "answer"
    RETRIEVAL = "retrieval"


class DraftState(StrEnum):
    """What a person decided about a draft of a case."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ChangeKind(StrEnum):
    """How a case differs between two versions of a set."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


# --- versions of a collection compared --------------------------------------------------------------------


@dataclass(frozen=True)
class QueryComparison:
    """The hits of one query in two versions.

    Attributes:
        query: The question.
        old_count: Hits in the old version.
        new_count: Hits in the new one.
        shared: Hits of the old version that the new one has too: they cover the same part of the same file.
        changes: (document, place, rank in the old, rank in the new); ranks are from 1, or None.
        old_metrics: Metrics in the old version; None when the query has no judgements.
        new_metrics: Metrics in the new one.
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
    """What two versions of a collection find for the same questions.

    Attributes:
        old_number: The old version.
        new_number: The new one.
        k: How many hits of each were compared.
        queries: The hits of each query.
        overlap: Mean share of the first k hits that both have, 0 to 1; None without any hit.
        metrics: Of recall@k, hit rate and MRR at document level: (old mean, new mean, judged queries).
        sentence: Whether the new version is certainly better or worse for the judged queries; empty: none is.
    """

    old_number: int
    new_number: int
    k: int
    queries: tuple[QueryComparison, ...]
    overlap: float | None
    metrics: dict[str, tuple[float, float, int]]
    sentence: str = ""


@dataclass(frozen=True)
class SearchComparison:
    """What two searches find in the same version for the same questions.

    Attributes:
        old: The preset that is in use, or Custom.
        new: The preset that is compared with it, or Custom.
        k: How many hits of each were compared.
        queries: The hits of each query.
        overlap: Mean share of the first k hits that both have, 0 to 1; None without any hit.
        old_ms: Mean milliseconds a search.
        new_ms: Likewise, of the new one.
    """

    old: str
    new: str
    k: int
    queries: tuple[QueryComparison, ...]
    overlap: float | None
    old_ms: float
    new_ms: float

    @property
    def changed(self) -> tuple[QueryComparison, ...]:
        """The queries that do not find the same in both."""
        return tuple(q for q in self.queries if q.shared < max(q.old_count, q.new_count))


# --- pipelines and runs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PipelineVersionRow:
    """A version of a pipeline; `config` is JSON of rag.evaluation.pipelines.PipelineConfig."""

    id: int
    name: str
    number: int
    latest: int
    created_ms: int
    message: str
    fingerprint: str
    config: str
    labels: tuple[str, ...]

    @property
    def is_cascade(self) -> bool:
        """Whether it has steps."""
        return bool(json.loads(self.config).get("steps"))


@dataclass(frozen=True)
class RunRow:
    """An evaluation run: one version of a set through one version of a pipeline.

    The fields up to `busy_s`, without the tags, are the columns of EvaluationRun, described there. `config`,
    `sampling`, `libraries` and `judge` are JSON.

    Attributes:
        tags: Words that the run is found by, such as baseline.
        done_count: Answers so far.
        failed_count: Those that ended in an error or a timeout.
        stale_count: Judgements of its cases that the dataset version does not contain.
        gate_passed: Whether it passed the newest gate it was checked against; None: there was none.
        gate_sentence: What that gate said.
    """

    id: int
    name: str
    status: RunStatus
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
    kind: PipelineKind
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
    stale_count: int = 0

    @property
    def total(self) -> int:
        """How many answers a whole run has: cases x repeats."""
        return self.case_count * self.repeats

    @property
    def label(self) -> str:
        """The pipeline with its number, for people."""
        return f"{self.pipeline} {self.pipeline_number}"


@dataclass(frozen=True)
class ResultRow:
    """An answer of a run; the fields up to `error` are columns of EvaluationResult.

    Attributes:
        metrics: The value of each metric; None where it is undefined.
        checks: (type, passed, reason) of each check.
        latency_ms: None when it was not measured.
        question: As it was asked.
        answer: What the model said.
        verdict: Whether a person called it right; None: nobody has.
        stale: The judgements of its case that the dataset version does not contain.
    """

    id: int
    run_id: int
    case_key: str
    repeat: int
    outcome: CaseOutcome
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
    stale: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgeAgreement:
    """The agreement of a judge with people, on the answers that both judged; None where it is not known.

    Attributes:
        judged: Answers that the judge judged.
        rate: Share of them that it calls right.
        both: Answers that a person judged too.
        agreed: Those on which both say the same.
        kappa: Cohen's kappa.
        corrected: The rate without the judge's own errors (Rogan and Gladen 1978).
        low: Start of the 95 % interval of `corrected`.
        high: Its end.
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
    """The mean of a metric in one run, over the cases with a value; `missing` counts those without.

    `low` and `high` are its 95 % interval by the method `interval`, None with fewer than two values. `failed`
    of the missing ones should have a value: they ended in an error, or their judgements were not found.
    """

    run_id: int
    count: int
    missing: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    failed: int = 0


@dataclass(frozen=True)
class MetricDifference:
    """A metric of one run compared with the first one, over the cases that have a value in both.

    Attributes:
        run_id: The run that is compared with the first.
        pairs: Cases with a value in both.
        clusters: Their source documents.
        low: Start of the 95 % interval of the difference; documents are what is independent.
        high: Its end.
        interval: How the interval was made.
        test: The name of the test.
        p_holm: p corrected for all metrics of these two runs.
        effect: The size of the effect, by the measure that `effect_name` names.
        wins: Cases that are better, by the metric's direction.
        losses: Cases that are worse.
        warning: "", "insufficient_pairs", "few_pairs" or "few_documents" (cases were resampled and tested,
            not documents).
        sentence: What can be said, for people.
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
        """Whether the corrected p is below 0.05."""
        return self.p_holm is not None and self.p_holm < 0.05


@dataclass(frozen=True)
class MetricComparison:
    """A metric of all compared runs: a mean for each run, and each run but the first against the first."""

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
    """A metric over the cases of one tag, one run against the first: too few to test, but a place to look."""

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
    """The answer of a run to a case; of several repeats the first answer, and the mean values.

    `mark` is what is known of the answer, and `mark_reason` how.
    """

    run_id: int
    outcome: CaseOutcome
    answer: str
    error: str
    trace_id: str
    values: dict[str, float]
    mark: AnswerMark = AnswerMark.RAN
    mark_reason: str = ""


@dataclass(frozen=True)
class CaseComparison:
    """A case in all runs.

    Attributes:
        key: Of the case.
        question: As the set has it.
        tags: Of the case.
        change: How far the last run is from the first, -1 (worse) to 1 (better): the mean difference of the
            metrics that are shares, by their direction.
        size: The same without signs, plus 1 where the outcomes differ.
        answers: In the order of the runs; None: the case was not asked.
        is_changed: Whether it asks or expects something else in another run; then nothing is compared.
        references: The right answers.
        should_refuse: Whether declining is right.
        reasons: Why the last run differs from the first, what probably matters most first.
    """

    key: str
    question: str
    tags: tuple[str, ...]
    change: float
    size: float
    answers: tuple[CaseAnswer | None, ...]
    is_changed: bool = False
    references: tuple[str, ...] = ()
    should_refuse: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detectable:
    """What a set of this size can show with 80 % power, at 0.05.

    Attributes:
        cases: Of the set.
        clusters: Their source documents.
        few_documents: Whether the documents are too few to say anything about others.
        difference: The smallest difference of two rates that is found; None: not even 90 points.
        needed: (difference, independent cases that find it) for some differences.
    """

    cases: int
    clusters: int
    few_documents: bool
    difference: float | None
    needed: tuple[tuple[float, int | None], ...]


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side; the others are compared with the first.

    Attributes:
        runs: The first is the baseline.
        metrics: Those of which any run has a value.
        tags: Metrics over the cases of each tag.
        cases: The most changed first.
        failures: Of each run, by its id, how many cases ended in each outcome.
        sentences: A summary for each run but the first.
        warnings: What a reader must know.
        detectable: What a set of this size can show.
        changed: (run id, keys of cases that ask or expect something else than in the first run).
        stale: (run id, case key, judgement) of what a run's dataset version does not contain.
        verdicts: Of each run but the first, whether it is better, and why, in one sentence.
    """

    runs: tuple[RunRow, ...]
    metrics: tuple[MetricComparison, ...]
    tags: tuple[TagComparison, ...]
    cases: tuple[CaseComparison, ...]
    failures: tuple[tuple[int, dict[str, int]], ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    detectable: Detectable
    changed: tuple[tuple[int, tuple[str, ...]], ...] = ()
    stale: tuple[tuple[int, str, str], ...] = ()
    verdicts: tuple[RunVerdict, ...] = ()


# --- sets and drafts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CasesImported:
    """What an import did.

    Attributes:
        good: Cases in the file.
        version: The number of the version they made; None when nothing was imported.
        problems: What is wrong with the other entries.
    """

    good: int
    version: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ImportPreview:
    """What importing a file would do to a set; nothing has been stored.

    Attributes:
        format_name: What it was read as.
        good: Cases in the file.
        added: Those that the set does not have yet.
        same: Those that it already has as they are.
        replaced: Which cases of the set would be replaced, in a sentence; empty: none.
        problems: What is wrong with the other entries.
        unused: The columns and keys that were not used, each with the reason.
        rows: (key, question, right answer, passages, checks, tags) of the first cases.
        headers: Of a table.
    """

    format_name: str
    good: int
    added: int
    same: int
    replaced: str
    problems: tuple[str, ...]
    unused: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    headers: tuple[str, ...]


@dataclass(frozen=True)
class StaleJudgement:
    """A judgement about what a dataset version does not contain.

    Attributes:
        case_key: Of its case.
        question: Of its case.
        label: The document, and the beginning of the quote.
        proposal: What it seems to be about now, in a sentence; empty: nothing is like it.
    """

    case_key: str
    question: str
    label: str
    proposal: str


@dataclass(frozen=True)
class JudgementCheck:
    """The judgements of a set held against a dataset version; `judged` counts all of them."""

    set_name: str
    set_number: int
    collection: str
    version_number: int
    judged: int
    stale: tuple[StaleJudgement, ...]

    def sentence(self) -> str:
        """Return the counts for people."""
        where = f"version {self.version_number} of {self.collection}"
        if not self.judged:
            return f"“{self.set_name}” has no judgements to find in {where}."
        if not self.stale:
            found = "The judgement" if self.judged == 1 else f"All {self.judged:,} judgements"
            verb = "is" if self.judged == 1 else "are"
            return f"{found} of “{self.set_name}” {verb} found in {where}."
        known = sum(bool(one.proposal) for one in self.stale)
        return (
            f"{len(self.stale):,} of {counted(self.judged, 'judgement')} of “{self.set_name}” are not found "
            f"in {where}; {known:,} of them can be corrected."
        )


@dataclass(frozen=True)
class CaseChange:
    """A case that differs between two versions of a set; `old` and `new` are JSON, "" where it is missing."""

    kind: ChangeKind
    key: str
    question: str
    old: str
    new: str


@dataclass(frozen=True)
class RunProgress:
    """How far an evaluation run is.

    Attributes:
        run_id: The run.
        pipeline: "NAME NUMBER".
        done: Answers so far.
        total: Answers of the whole run: cases x repeats.
        seconds_left: For all runs that were started together; None before the first answer.
        question: The one being answered.
    """

    run_id: int
    pipeline: str
    done: int
    total: int
    seconds_left: float | None
    question: str


@dataclass(frozen=True)
class DraftMark:
    """What a filter says of a draft."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DraftRow:
    """A generated case and what became of it; `place` is where in the document its passage is."""

    id: int
    set_name: str
    collection: str
    document: str
    place: str
    passage: str
    question: str
    answer: str
    marks: tuple[DraftMark, ...]
    model: str
    state: DraftState
    created_ms: int
    decided_by: str
    case_key: str


@dataclass(frozen=True)
class GenerationReport:
    """What a generation of drafts did.

    Attributes:
        set_name: The set that the drafts are for.
        asked: Drafts that were asked for.
        tried: Drafts that were written.
        stored: Drafts that now wait for a decision.
        dropped: (filter, how many drafts it kept out).
        seconds: How long it took.
    """

    set_name: str
    asked: int
    tried: int
    stored: int
    dropped: tuple[tuple[str, int], ...]
    seconds: float

    def sentence(self) -> str:
        """Return the counts for people."""
        reasons = ", ".join(f"{count} {name}" for name, count in self.dropped)
        dropped = f" Dropped: {reasons}." if reasons else ""
        waiting = counted(self.stored, "draft is", "drafts are")
        return (
            f"{waiting} waiting for review in “{self.set_name}”; "
            f"{self.tried} written in {self.seconds:.0f} s.{dropped}"
        )


def list_drafts(
    database: Database, set_name: str = "", state: DraftState | None = DraftState.WAITING
) -> list[DraftRow]:
    """Return drafts, oldest first; set_name "": of all sets, state None: in all states."""
    return database.rows(
        DraftRow,
        """SELECT d.id, s.name AS set_name, coalesce(c.name, '') AS collection, d.document, d.place,
                  d.passage, d.question, d.answer, d.marks, d.model, d.state, d.created_ms, d.decided_by,
                  d.case_key
           FROM draft d JOIN evaluationset s ON s.id = d.set_id
           LEFT JOIN collection c ON c.id = d.collection_id
           WHERE (?1 = '' OR s.name = ?1) AND (?2 IS NULL OR d.state = ?2) ORDER BY d.id""",
        (set_name, state),
    )


@dataclass(frozen=True)
class SetRow:
    """An evaluation set and its current version; `number` 0: it has none yet."""

    name: str
    description: str
    created_ms: int
    number: int
    case_count: int
    fingerprint: str
    changed_ms: int


@dataclass(frozen=True)
class SetVersionRow:
    """A version of an evaluation set."""

    id: int
    number: int
    created_ms: int
    message: str
    fingerprint: str
    case_count: int


def list_sets(database: Database) -> list[SetRow]:
    """Return all evaluation sets by name, with their current version."""
    return database.rows(
        SetRow,
        """SELECT s.name, s.description, s.created_ms, s.last_number AS number,
                  coalesce(v.case_count, 0) AS case_count, coalesce(v.fingerprint, '') AS fingerprint,
                  coalesce(v.created_ms, s.created_ms) AS changed_ms
           FROM evaluationset s
           LEFT JOIN evaluationsetversion v ON v.set_id = s.id AND v.number = s.last_number
           ORDER BY s.name""",
    )


def list_set_versions(database: Database, name: str) -> list[SetVersionRow]:
    """Return the versions of a set, newest first. Raises NotFoundError."""
    return database.rows(
        SetVersionRow,
        """SELECT id, number, created_ms, message, fingerprint, case_count FROM evaluationsetversion
           WHERE set_id = ? ORDER BY number DESC""",
        (_set_id(database, name),),
    )


def list_cases(database: Database, name: str, number: int | None = None) -> list[str]:
    """Return the cases of a version (None: the current one) in order, each as JSON. Raises NotFoundError."""
    set_id = _set_id(database, name)
    versions = database.query(
        """SELECT v.id FROM evaluationsetversion v JOIN evaluationset s ON s.id = v.set_id
           WHERE s.id = ? AND v.number = coalesce(?, s.last_number)""",
        (set_id, number),
    )
    if not versions and number is not None:
        raise NotFoundError(f"“{name}” has no version {number}. Run `ragdeck sets versions` to see them all.")
    return [
        row["content"]
        for version in versions
        for row in database.query(
            """SELECT c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
               WHERE sc.version_id = ? ORDER BY sc.position""",
            (version["id"],),
        )
    ]


def list_pipelines(database: Database) -> list[PipelineVersionRow]:
    """Return the newest version of each pipeline, by name."""
    return _pipeline_rows(database, "v.number = p.last_number", ())


def list_pipeline_versions(database: Database, name: str) -> list[PipelineVersionRow]:
    """Return the versions of a pipeline, newest first. Raises NotFoundError."""
    database.id_of("pipeline", name, f"There is no pipeline named “{name}”.")
    return _pipeline_rows(database, "p.name = ?", (name,))


def list_pipeline_label_moves(database: Database, name: str, label: str = "") -> list[LabelMove]:
    """Return the moves of one label of a pipeline, or of all, newest first. Raises NotFoundError."""
    pipeline_id = database.id_of("pipeline", name, f"There is no pipeline named “{name}”.")
    return database.rows(
        LabelMove,
        """SELECT label, from_number, to_number, moved_ms, author, note FROM pipelinelabelmove
           WHERE pipeline_id = ? AND (? = '' OR label = ?) ORDER BY id DESC""",
        (pipeline_id, label, label),
    )


def _pipeline_rows(database: Database, condition: str, values: tuple[Any, ...]) -> list[PipelineVersionRow]:
    return database.rows(
        PipelineVersionRow,
        f"""SELECT v.id, p.name, v.number, p.last_number AS latest, v.created_ms, v.message, v.fingerprint,
                   v.content AS config,
                   (SELECT json_group_array(name) FROM
                       (SELECT name FROM pipelinelabel l WHERE l.version_id = v.id ORDER BY name)) AS labels
            FROM pipeline p JOIN pipelineversion v ON v.pipeline_id = p.id
            WHERE {condition} ORDER BY p.name, v.number DESC""",
        values,
    )


def list_version_cases(database: Database, set_version_id: int) -> list[str]:
    """Return the cases of a version in order, each as JSON; none when the set was deleted."""
    rows = database.query(
        """SELECT c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
           WHERE sc.version_id = ? ORDER BY sc.position""",
        (set_version_id,),
    )
    return [row[0] for row in rows]


def list_runs(database: Database, set_name: str = "", pipeline: str = "", tag: str = "") -> list[RunRow]:
    """Return runs, newest first; empty values do not filter."""
    return _run_rows(
        database,
        """(?1 = '' OR r.set_name = ?1) AND (?2 = '' OR r.pipeline = ?2) AND (?3 = '' OR EXISTS
           (SELECT 1 FROM evaluationruntag t WHERE t.run_id = r.id AND t.name = ?3))""",
        (set_name, pipeline, tag),
    )


def get_run(database: Database, run_id: int) -> RunRow:
    """Return a run. Raises NotFoundError."""
    found = _run_rows(database, "r.id = ?", (run_id,))
    if not found:
        raise NotFoundError(f"There is no run {run_id}. Run `ragdeck runs list` to see all runs.")
    return found[0]


def _run_rows(database: Database, condition: str, values: tuple[Any, ...]) -> list[RunRow]:
    return database.rows(
        RunRow,
        f"""SELECT r.*, coalesce(x.done, 0) AS done_count, coalesce(x.failed, 0) AS failed_count,
                   coalesce(x.stale, 0) AS stale_count,
                   g.passed AS gate_passed, coalesce(g.sentence, '') AS gate_sentence,
                   (SELECT json_group_array(name) FROM
                       (SELECT name FROM evaluationruntag t WHERE t.run_id = r.id ORDER BY name)) AS tags
            FROM evaluationrun r
            LEFT JOIN (SELECT run_id, count(*) AS done, sum(outcome IN ('error', 'timeout')) AS failed,
                              sum(iif(repeat = 0, json_array_length(stale), 0)) AS stale
                       FROM evaluationresult GROUP BY run_id) x ON x.run_id = r.id
            LEFT JOIN evaluationgate g
                ON g.id = (SELECT max(h.id) FROM evaluationgate h WHERE h.run_id = r.id)
            WHERE {condition} ORDER BY r.id DESC""",
        values,
    )


def list_results(database: Database, run_id: int) -> list[ResultRow]:
    """Return all answers of a run, in the order they were made."""
    return database.rows(
        ResultRow,
        """SELECT r.id, r.run_id, r.case_key, r.repeat, r.outcome, r.trace_id, r.metrics,
                  (SELECT json_group_array(json_array(
                              json_extract(c.value, '$.type'),
                              json(iif(json_extract(c.value, '$.passed'), 'true', 'false')),
                              json_extract(c.value, '$.reason')))
                   FROM json_each(r.checks) c) AS checks,
                  r.judge, r.latency_ms, r.prompt_tokens, r.completion_tokens, r.reused_trace, r.error,
                  coalesce(t.question, '') AS question, coalesce(t.answer, '') AS answer,
                  v.is_right AS verdict, r.stale
           FROM evaluationresult r LEFT JOIN trace t ON t.id = r.trace_id
           LEFT JOIN resultverdict v ON v.result_id = r.id WHERE r.run_id = ? ORDER BY r.id""",
        (run_id,),
    )


def _set_id(database: Database, name: str) -> int:
    missing = f"There is no evaluation set named “{name}”. Run `ragdeck sets` to see all sets."
    return database.id_of("evaluationset", name, missing)
