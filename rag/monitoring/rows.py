"""Rows of monitoring: measures, scopes, reference periods, alert rules, drift and regression questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from rag.asking.applications.rows import TRAFFIC, traffic
from rag.asking.rows import TRACE_COLUMNS, TraceRow, TraceStatus
from rag.grounding.rows import Outcome
from rag.models.endpoints.rows import ENDPOINT_CHANGE
from rag.storage.database import Database


class AlertState(StrEnum):
    """Where an alert rule is; in this order where rules are listed."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    NOT_ENOUGH_DATA = "not enough data"
    OK = "ok"


class Condition(StrEnum):
    """What the figures of a rule say, whatever a person has said about it."""

    OK = "ok"
    BEYOND = "beyond"
    NOT_ENOUGH_DATA = "not enough data"


class MeasureKind(StrEnum):
    """How a measure sums up a window of questions."""

    RATE = "rate"  # 0 or 1 a question, shown as a share
    VALUE = "value"  # a number a question; a window has its median
    DRIFT = "drift"  # the p value of a test against the reference period
    CHANGE = "change"  # something else answers under the same name


class Comparison(StrEnum):
    """On which side of its threshold a rule fires."""

    ABOVE = "above"
    BELOW = "below"


class DriftSubject(StrEnum):
    """What a drift test compares."""

    QUESTIONS = "questions"
    SCORES = "scores"


@dataclass(frozen=True)
class Measure:
    """A figure of a question, and how it is shown."""

    key: str
    title: str
    kind: MeasureKind
    unit: str
    of: Callable[[TraceRow], float | None]  # None: the question does not count
    scale: float = 1.0  # from the stored unit to the shown one
    worse: Comparison = Comparison.ABOVE

    def shown(self, value: float | None) -> str:
        """Return a value with its unit, as a person reads it."""
        if value is None:
            return "–"
        if self.kind == MeasureKind.DRIFT:
            return f"p = {value:.3f}"
        number = value * self.scale
        digits = 2 if abs(number) < 1 else 1 if abs(number) < 100 else 0
        text = f"{number:z,.{digits}f}"  # z: no "-0"
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {self.unit}".strip()

    def between(self, low: float | None, high: float | None) -> str:
        """Return two ends with the unit once: "20.8 to 45.8 %"; one end alone: "from 2 s" or "to 28 %"."""
        if low is None or high is None:
            return (
                f"from {self.shown(low)}"
                if low is not None
                else f"to {self.shown(high)}"
                if high is not None
                else "–"
            )
        return f"{self.shown(low).removesuffix(self.unit).strip()} to {self.shown(high)}"


def _answered(value: Callable[[TraceRow], float | None]) -> Callable[[TraceRow], float | None]:
    return lambda ask: value(ask) if ask.status == TraceStatus.DONE else None


def _checked(value: Callable[[TraceRow], float | None]) -> Callable[[TraceRow], float | None]:
    return lambda ask: value(ask) if ask.claim_count else None


def _searched(value: Callable[[TraceRow], float | None]) -> Callable[[TraceRow], float | None]:
    return lambda ask: value(ask) if ask.status.is_complete else None


def _with_tools(value: Callable[[TraceRow], float | None]) -> Callable[[TraceRow], float | None]:
    return lambda ask: value(ask) if ask.tool_calls else None


def _ended(value: Callable[[TraceRow], float | None]) -> Callable[[TraceRow], float | None]:
    return lambda ask: value(ask) if ask.status != TraceStatus.CANCELLED else None


_RATE, _VALUE, _DRIFT, _BELOW = MeasureKind.RATE, MeasureKind.VALUE, MeasureKind.DRIFT, Comparison.BELOW

# Rates count questions, not sentences: the sentences of one answer depend on each other, and no test allows
# for that.
MEASURES = {
    measure.key: measure
    for measure in (
        Measure("flag_rate", "Flagged answers", _RATE, "%", _checked(lambda a: a.flag_count > 0), 100),
        Measure(
            "contradiction_rate",
            "Contradicted answers",
            _RATE,
            "%",
            _checked(lambda a: a.contradicted_count > 0),
            100,
        ),
        Measure(
            "refusal_rate", "Refusals", _RATE, "%", _answered(lambda a: a.outcome == Outcome.REFUSED), 100
        ),
        Measure(
            "empty_retrieval_rate",
            "Empty retrievals",
            _RATE,
            "%",
            _searched(lambda a: a.passage_count == 0),
            100,
        ),
        Measure(
            "silent_failure_rate",
            "Silent failures",
            _RATE,
            "%",
            _answered(lambda a: bool(a.silent_failures)),
            100,
        ),
        Measure("guardrail_rate", "Guarded answers", _RATE, "%", _ended(lambda a: bool(a.guard_action)), 100),
        Measure("failure_rate", "Failed questions", _RATE, "%", _ended(lambda a: a.status.is_failure), 100),
        Measure(
            "best_score", "Best retrieval score", _VALUE, "", _searched(lambda a: a.best_score), worse=_BELOW
        ),
        Measure("answer_length", "Answer length", _VALUE, "characters", _answered(lambda a: a.answer_length)),
        Measure("latency", "Latency", _VALUE, "s", _answered(lambda a: a.total_ms), 0.001),
        Measure(
            "first_token", "Time to first token", _VALUE, "s", _answered(lambda a: a.first_token_ms), 0.001
        ),
        Measure("prompt_tokens", "Prompt tokens", _VALUE, "", _answered(lambda a: a.prompt_tokens)),
        Measure(
            "completion_tokens", "Completion tokens", _VALUE, "", _answered(lambda a: a.completion_tokens)
        ),
        Measure(
            "tool_error_rate",
            "Runs with a tool error",
            _RATE,
            "%",
            _with_tools(lambda a: bool(a.tool_errors)),
            100,
        ),
        Measure(
            "loop_rate", "Runs with a tool loop", _RATE, "%", _with_tools(lambda a: bool(a.loop_count)), 100
        ),
        Measure("steps_per_run", "Steps a run", _VALUE, "", _ended(lambda a: a.step_count)),
        Measure(ENDPOINT_CHANGE, "Changes of endpoints", MeasureKind.CHANGE, "", lambda a: None),
        Measure("question_drift", "Drift of questions", _DRIFT, "", lambda a: None, worse=_BELOW),
        Measure(
            "score_drift", "Drift of scores", _DRIFT, "", _searched(lambda a: a.best_score), worse=_BELOW
        ),
    )
}
COUNTED = [m for m in MEASURES.values() if m.kind in (MeasureKind.RATE, MeasureKind.VALUE)]


@dataclass(frozen=True)
class Scope:
    """A choice of questions by people: empty values do not filter."""

    collection: str = ""
    model: str = ""
    prompt: str = ""  # fingerprint
    since_ms: int | None = None  # Unix
    until_ms: int | None = None  # Unix, not included

    def sentence(self) -> str:
        """Return the choice in words, without the times."""
        parts = [self.collection, self.model, f"prompt {self.prompt[:8]}" if self.prompt else ""]
        return ", ".join(part for part in parts if part) or "all questions"


@dataclass(frozen=True)
class ReferenceRow:
    """The period that limits and drift tests compare with."""

    collection: str  # empty: for collections without one of their own
    start_ms: int
    end_ms: int
    note: str

    def sentence(self) -> str:
        """Return its beginning and end, in local time."""
        start, end = (
            datetime.fromtimestamp(ms / 1000).strftime("%d %b %Y %H:%M")
            for ms in (self.start_ms, self.end_ms)
        )
        return f"{start} to {end}"


@dataclass(frozen=True)
class AlertRow:
    """An alert rule and its state."""

    id: int
    name: str
    measure: str
    collection: str
    model: str
    prompt: str
    comparison: Comparison
    threshold: float | None  # None: the control limit of the reference period
    window: int
    minimum: int
    enabled: bool
    note: str
    state: AlertState
    since_ms: int
    checked_ms: int
    value: float | None
    count: int
    limit: float | None
    sentence: str
    acknowledged: str

    @property
    def scope(self) -> Scope:
        """The questions that the rule looks at."""
        return Scope(self.collection, self.model, self.prompt)

    @property
    def condition(self) -> str:
        """When the rule fires, in words: “above 5 %, last 50”."""
        measure = MEASURES.get(self.measure)
        if measure is not None and measure.kind is MeasureKind.CHANGE:
            return "another model or configuration answers"
        limit = "the control limit"
        if self.threshold is not None:
            limit = measure.shown(self.threshold) if measure else f"{self.threshold:g}"
        return f"{self.comparison} {limit}, last {self.window}"


@dataclass(frozen=True)
class ChartPoint:
    """Consecutive questions drawn as one point: their figure, and whether it is beyond a limit."""

    start_ms: int
    end_ms: int
    value: float
    count: int
    outside: bool
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MeasureSummary:
    """A measure over the newest questions of a scope, with its reference period and control chart."""

    key: str
    value: float | None
    count: int  # questions that have the measure
    interval: tuple[float, float] | None  # 95 %, of a rate
    reference: float | None
    reference_count: int
    low: float | None
    high: float | None
    sentence: str
    points: tuple[ChartPoint, ...]

    @property
    def outside(self) -> bool:
        """Whether the value is beyond a limit."""
        return self.value is not None and beyond(self.value, self.low, self.high)


@dataclass(frozen=True)
class DriftResult:
    """The outcome of a two-sample test. p is None when there was too little to test."""

    what: DriftSubject
    p: float | None
    statistic: float | None
    count: int
    reference_count: int
    sentence: str
    least_alike: tuple[NewQuestion, ...] = ()


@dataclass(frozen=True)
class NewQuestion:
    """A question that is unlike those of the reference period."""

    trace_id: str
    created_ms: int
    question: str
    nearest: str  # the question of the reference period that is most like it
    cosine: float


@dataclass(frozen=True)
class Member:
    """A question of a group of similar ones, with its answer."""

    trace_id: str
    created_ms: int
    question: str
    answer: str
    model: str
    prompt_fingerprint: str
    version_number: int | None


@dataclass(frozen=True)
class AnswerDisagreement:
    """Similar questions whose answers do not agree, newest first."""

    question: str
    reasons: tuple[AnswerDifference, ...]
    cause: str  # what else differs: "another model"; empty: nothing that is known
    members: tuple[Member, ...]


class AnswerDifference(StrEnum):
    """In what the answers to similar questions differ."""

    SOME_REFUSE = "some refuse"
    OTHER_FIGURES = "other figures"
    OTHER_CONTENT = "other content"


class AnswerChange(StrEnum):
    """What is different about the answer to a regression question."""

    FINDS_NOTHING = "finds nothing now"
    FINDS_PASSAGES = "finds passages now"
    REFUSES = "refuses now"
    ANSWERS = "answers now"
    OTHER_FIGURES = "other figures"
    OTHER_CONTENT = "other content"
    FLAGGED = "flagged now"
    OTHER_PASSAGES = "other passages"


@dataclass(frozen=True)
class RegressionRow:
    """A regression question, and how its last run compares with the reference."""

    id: int
    question: str
    created_ms: int
    run_ms: int | None
    trace_id: str | None
    reference_trace_id: str
    passage_overlap: float | None
    answer_similarity: float | None
    changes: tuple[str, ...] | None  # AnswerChange and silent failures; None: never run; empty: the same

    @property
    def change(self) -> str | None:
        """The changes in one line; None: never run; empty: the same."""
        return None if self.changes is None else ", ".join(self.changes)


@dataclass(frozen=True)
class RegressionState:
    """The regression questions of a collection."""

    collection: str
    questions: tuple[RegressionRow, ...]
    run_ms: int | None  # Unix; None: never run
    stale: str  # what has changed since the last run, in a sentence; empty: nothing

    def sentence(self) -> str:
        """Return what the last run found."""
        if not self.questions:
            return "No regression questions yet: add one whose answer you know to be right."
        if self.run_ms is None:
            return "The regression questions have not been run yet."
        changed = sum(1 for row in self.questions if row.change)
        run = sum(1 for row in self.questions if row.change is not None)
        return (
            f"{changed} of {run} changed in the last run."
            if changed
            else f"All {run} the same in the last run."
        )


def beyond(value: float, low: float | None, high: float | None) -> bool:
    """Return whether a value is outside its limits; on a limit is inside, and None is no limit."""
    slack = 1e-9 * max(abs(value), 1.0)
    return (low is not None and value < low - slack) or (high is not None and value > high + slack)


def values_of(measure: Measure, asks: Sequence[TraceRow]) -> list[float]:
    """Return the values of the questions that have the measure, in their order."""
    return [float(value) for ask in asks if (value := measure.of(ask)) is not None]


def list_measured(database: Database, scope: Scope, limit: int = 10_000) -> list[TraceRow]:
    """Return the newest questions by people in a scope, newest first; test traffic is left out."""
    asked, of_whom = traffic(scope.collection)
    parts: list[str] = [asked, "status != 'running'"]
    values: list[str | int | None] = [*of_whom]
    for condition, value in (
        ("model = ?", scope.model),
        ("prompt_fingerprint = ?", scope.prompt),
        ("created_ms >= ?", scope.since_ms),
        ("created_ms < ?", scope.until_ms),
    ):
        if value not in ("", None):
            parts.append(condition)
            values.append(value)
    return database.rows(
        TraceRow,
        f"SELECT {TRACE_COLUMNS} FROM trace t WHERE {' AND '.join(parts)} "
        "ORDER BY created_ms DESC, id LIMIT ?",
        (*values, limit),
    )


def list_asked_prompts(database: Database) -> list[tuple[str, str]]:
    """Return (fingerprint, "NAME@NUMBER") of every prompt version that answered a person."""
    found = database.query(
        f"""SELECT prompt_fingerprint, max(prompt_name), max(prompt_version) FROM trace
           WHERE prompt_fingerprint != '' AND source IN {TRAFFIC} GROUP BY 1 ORDER BY 2, 3"""
    )
    return [(row[0], f"{row[1]}@{row[2]}" if row[2] else f"{row[1]} {row[0][:8]}") for row in found]


def list_reference_periods(database: Database) -> list[ReferenceRow]:
    """Return the reference periods by collection; the one for all others comes first."""
    return database.rows(
        ReferenceRow,
        "SELECT collection, start_ms, end_ms, note FROM referenceperiod ORDER BY collection",
    )


def find_reference(database: Database, collection: str) -> ReferenceRow | None:
    """Return the collection's own reference period, or else the one for all collections."""
    known = {row.collection: row for row in list_reference_periods(database)}
    return known.get(collection) or known.get("")


def list_alerts(database: Database, firing_only: bool = False) -> list[AlertRow]:
    """Return the alert rules by name; firing_only: those that a person must be told about."""
    where = "WHERE enabled AND state = 'firing'" if firing_only else ""
    columns = ", ".join(f'"{f.name}"' for f in fields(AlertRow))
    return database.rows(AlertRow, f"SELECT {columns} FROM alertrule {where} ORDER BY name")


def list_regression_questions(database: Database, collection_id: int) -> list[RegressionRow]:
    """Return the regression questions of a collection, each with its result of the last run that had it."""
    return database.rows(
        RegressionRow,
        """SELECT q.id, q.question, q.created_ms, u.created_ms AS run_ms, r.trace_id, q.reference_trace_id,
                  r.passage_overlap, r.answer_similarity, r.changes
           FROM regressionquestion q
           LEFT JOIN regressionresult r ON r.question_id = q.id AND r.run_id =
               (SELECT max(run_id) FROM regressionresult WHERE question_id = q.id)
           LEFT JOIN regressionrun u ON u.id = r.run_id
           WHERE q.collection_id = ? ORDER BY q.id""",
        (collection_id,),
    )
