"""What operations return to the window: values that cross to its process.

They stand here, and not beside what makes them, because reading one must not bring SQLModel into the window.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from rag.errors import NotFoundError
from rag.prompts.rows import LabelMove
from rag.storage.database import Database
from rag.text.plurals import counted


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


# --- writing prompts and sets -----------------------------------------------------------------------------


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


@dataclass(frozen=True)
class RunProgress:
    """Where an evaluation stands. done and total count answers (cases x repeats) of this run; seconds_left is of
    all runs that were started together, None before the first answer."""

    run_id: int
    pipeline: str  # "NAME NUMBER"
    done: int
    total: int
    seconds_left: float | None
    question: str  # the one in work


@dataclass(frozen=True)
class DraftMark:
    """What a filter found of a draft."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DraftRow:
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
    state: str
    created_ms: int
    decided_by: str
    case_key: str


@dataclass(frozen=True)
class GenerationReport:
    """stored: drafts that wait now; dropped: (filter, how many it kept out)."""

    set_name: str
    asked: int
    tried: int
    stored: int
    dropped: tuple[tuple[str, int], ...]
    seconds: float

    def sentence(self) -> str:
        reasons = ", ".join(f"{count} {name}" for name, count in self.dropped)
        out = f"; left out: {reasons}" if reasons else ""
        waiting = counted(self.stored, "draft waits", "drafts wait")
        return (
            f"{waiting} for a yes in “{self.set_name}”, of {self.tried} written in {self.seconds:.0f} s{out}."
        )


def drafts(database: Database, set_name: str = "", state: str = "waiting") -> list[DraftRow]:
    """Oldest first; set_name "" means all sets, state "" all states."""
    found = database.rows(
        DraftRow,
        """SELECT d.id, s.name AS set_name, coalesce(c.name, '') AS collection, d.document, d.place, d.passage,
                  d.question, d.answer, d.marks, d.model, d.state, d.created_ms, d.decided_by, d.case_key
           FROM draft d JOIN evaluationset s ON s.id = d.set_id LEFT JOIN collection c ON c.id = d.collection_id
           WHERE (? = '' OR s.name = ?) AND (? = '' OR d.state = ?) ORDER BY d.id""",
        (set_name, set_name, state, state),
    )
    return [
        replace(row, marks=tuple(DraftMark(*mark) for mark in json.loads(str(row.marks)))) for row in found
    ]


@dataclass(frozen=True)
class SetRow:
    """A set and its current version; number 0: it has none yet."""

    name: str
    description: str
    created_ms: int
    number: int
    case_count: int
    fingerprint: str
    changed_ms: int


@dataclass(frozen=True)
class SetVersionRow:
    id: int
    number: int
    created_ms: int
    message: str
    fingerprint: str
    case_count: int


def list_sets(database: Database) -> list[SetRow]:
    """All evaluation sets by name, with their current version."""
    return database.rows(
        SetRow,
        """SELECT s.name, s.description, s.created_ms, s.last_number AS number,
                  coalesce(v.case_count, 0) AS case_count, coalesce(v.fingerprint, '') AS fingerprint,
                  coalesce(v.created_ms, s.created_ms) AS changed_ms
           FROM evaluationset s
           LEFT JOIN evaluationsetversion v ON v.set_id = s.id AND v.number = s.last_number ORDER BY s.name""",
    )


def list_set_versions(database: Database, name: str) -> list[SetVersionRow]:
    """Newest first. Raises NotFoundError."""
    return database.rows(
        SetVersionRow,
        """SELECT id, number, created_ms, message, fingerprint, case_count FROM evaluationsetversion
           WHERE set_id = ? ORDER BY number DESC""",
        (_set_id(database, name),),
    )


def list_cases(database: Database, name: str, number: int | None = None) -> list[str]:
    """The cases of a version (None: the current one) in their order, each as JSON. Raises NotFoundError."""
    set_id = _set_id(database, name)
    versions = database.query(
        """SELECT v.id FROM evaluationsetversion v JOIN evaluationset s ON s.id = v.set_id
           WHERE s.id = ? AND v.number = coalesce(?, s.last_number)""",
        (set_id, number),
    )
    if not versions and number is not None:
        raise NotFoundError(f"“{name}” has no version {number}; `ragdeck sets versions` lists them.")
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
    """The newest version of each pipeline, by name."""
    return _pipeline_rows(database, "v.number = p.last_number", ())


def list_pipeline_versions(database: Database, name: str) -> list[PipelineVersionRow]:
    """Newest first. Raises NotFoundError."""
    database.id_of("pipeline", name, f"There is no pipeline named “{name}”.")
    return _pipeline_rows(database, "p.name = ?", (name,))


def list_pipeline_label_moves(database: Database, name: str, label: str = "") -> list[LabelMove]:
    """Newest first. Raises NotFoundError."""
    pipeline_id = database.id_of("pipeline", name, f"There is no pipeline named “{name}”.")
    return database.rows(
        LabelMove,
        """SELECT label, from_number, to_number, moved_ms, author, note FROM pipelinelabelmove
           WHERE pipeline_id = ? AND (? = '' OR label = ?) ORDER BY id DESC""",
        (pipeline_id, label, label),
    )


def _pipeline_rows(database: Database, condition: str, values: tuple[Any, ...]) -> list[PipelineVersionRow]:
    rows = database.query(
        f"""SELECT v.id, p.name, v.number, p.last_number AS latest, v.created_ms, v.message, v.fingerprint,
                   v.content AS config,
                   (SELECT group_concat(l.name) FROM pipelinelabel l WHERE l.version_id = v.id) AS labels
            FROM pipeline p JOIN pipelineversion v ON v.pipeline_id = p.id
            WHERE {condition} ORDER BY p.name, v.number DESC""",
        values,
    )
    return [
        PipelineVersionRow(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            row[7],
            tuple(sorted(row["labels"].split(","))) if row["labels"] else (),
        )
        for row in rows
    ]


def list_version_cases(database: Database, set_version_id: int) -> list[str]:
    """The cases of a version in their order, each as JSON; none when the set was deleted."""
    rows = database.query(
        """SELECT c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
           WHERE sc.version_id = ? ORDER BY sc.position""",
        (set_version_id,),
    )
    return [row[0] for row in rows]


def list_runs(database: Database, set_name: str = "", pipeline: str = "", tag: str = "") -> list[RunRow]:
    """Newest first; empty values do not filter."""
    return _run_rows(
        database,
        """(?1 = '' OR r.set_name = ?1) AND (?2 = '' OR r.pipeline = ?2) AND (?3 = '' OR EXISTS
           (SELECT 1 FROM evaluationruntag t WHERE t.run_id = r.id AND t.name = ?3))""",
        (set_name, pipeline, tag),
    )


def get_run(database: Database, run_id: int) -> RunRow:
    """Raises NotFoundError."""
    found = _run_rows(database, "r.id = ?", (run_id,))
    if not found:
        raise NotFoundError(f"There is no run {run_id}; `ragdeck runs list` shows those there are.")
    return found[0]


def _run_rows(database: Database, condition: str, values: tuple[Any, ...]) -> list[RunRow]:
    rows = database.query(
        f"""SELECT r.*, coalesce(x.done, 0) AS done_count, coalesce(x.failed, 0) AS failed_count,
                   g.passed AS gate_passed, coalesce(g.sentence, '') AS gate_sentence,
                   (SELECT group_concat(name, char(10)) FROM
                       (SELECT name FROM evaluationruntag t WHERE t.run_id = r.id ORDER BY name)) AS tags
            FROM evaluationrun r
            LEFT JOIN (SELECT run_id, count(*) AS done, sum(outcome IN ('error', 'timeout')) AS failed
                       FROM evaluationresult GROUP BY run_id) x ON x.run_id = r.id
            LEFT JOIN evaluationgate g
                ON g.id = (SELECT max(h.id) FROM evaluationgate h WHERE h.run_id = r.id)
            WHERE {condition} ORDER BY r.id DESC""",
        values,
    )
    special = {"tags", "gate_passed"}
    return [
        RunRow(
            **{f.name: row[f.name] for f in fields(RunRow) if f.name not in special},
            tags=tuple((row["tags"] or "").split("\n")) if row["tags"] else (),
            gate_passed=None if row["gate_passed"] is None else bool(row["gate_passed"]),
        )
        for row in rows
    ]


def list_results(database: Database, run_id: int) -> list[ResultRow]:
    """All answers of a run, in the order they were made."""
    rows = database.query(
        """SELECT r.id, r.run_id, r.case_key, r.repeat, r.outcome, r.trace_id, r.metrics, r.checks, r.judge,
                  r.latency_ms, r.prompt_tokens, r.completion_tokens, r.reused_trace, r.error,
                  coalesce(t.question, '') AS question, coalesce(t.answer, '') AS answer, v.is_right
           FROM evaluationresult r LEFT JOIN trace t ON t.id = r.trace_id
           LEFT JOIN resultverdict v ON v.result_id = r.id WHERE r.run_id = ? ORDER BY r.id""",
        (run_id,),
    )
    return [
        ResultRow(
            id=row[0],
            run_id=row[1],
            case_key=row[2],
            repeat=row[3],
            outcome=row[4],
            trace_id=row[5],
            metrics=json.loads(row[6]),
            checks=tuple((c["type"], c["passed"], c["reason"]) for c in json.loads(row[7])),
            judge=row[8],
            latency_ms=row[9],
            prompt_tokens=row[10],
            completion_tokens=row[11],
            reused_trace=row[12],
            error=row[13],
            question=row[14],
            answer=row[15],
            verdict=None if row[16] is None else bool(row[16]),
        )
        for row in rows
    ]


def _set_id(database: Database, name: str) -> int:
    missing = f"There is no evaluation set named “{name}”; `ragdeck sets` lists those there are."
    return database.id_of("evaluationset", name, missing)
