"""What people say of answers: feedback, reviews, drafts of cases, roll-outs. Values, and queries that only read.

Light, as the reader is: the window imports it. What changes these things is in rag.feedback, rag.review,
rag.evaluation.generating and rag.rollout.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.asking.rows import AskResult
from rag.errors import NotFoundError
from rag.storage.database import Database

# Why an answer is not good; "other" asks for a note.
REASONS = (
    "wrong",
    "incomplete",
    "not from the documents",
    "off topic",
    "should have refused",
    "style",
    "other",
)
SHOULD_REFUSE = "should have refused"
VERDICTS = ("correct", "partly", "wrong", "skip")
SOURCES = {
    "flagged": "Answers with a flagged sentence",
    "thumbs-down": "Answers that somebody rated down",
    "low score": "The lowest support or retrieval scores",
    "random": "A random sample",
}
KINDS = {
    "canary": "A share of the questions goes to staging",
    "blind": "Both answer, and the person picks without knowing which is which",
}
LEAST_ARM = 20  # answers of an arm; below, nothing is said about a canary


# --- feedback ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedbackRow:
    trace_id: str
    author: str
    created_ms: int
    is_up: bool
    reason: str
    note: str
    correction: str
    tags: tuple[str, ...]
    set_name: str
    case_key: str
    question: str
    answer: str
    collection: str


def feedback_rows(
    database: Database, *, trace_id: str = "", is_up: bool | None = None, limit: int = 1000
) -> list[FeedbackRow]:
    """Newest first; of one trace, or all."""
    found = database.rows(
        FeedbackRow,
        """SELECT f.trace_id, f.author, f.created_ms, f.is_up, f.reason, f.note, f.correction, f.tags, f.set_name,
                  f.case_key, t.question, t.answer, t.collection
           FROM feedback f JOIN trace t ON t.id = f.trace_id
           WHERE (? = '' OR f.trace_id = ?) AND (? IS NULL OR f.is_up = ?) ORDER BY f.created_ms DESC, f.author LIMIT ?""",
        (trace_id, trace_id, is_up, is_up, limit),
    )
    return [replace(row, is_up=bool(row.is_up), tags=_strings(row.tags)) for row in found]


# --- the review queue -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueueRow:
    name: str
    created_ms: int
    item_count: int
    reviewers: tuple[tuple[str, int], ...]  # who, how many items


@dataclass(frozen=True)
class ReviewRow:
    """One reviewer's verdict on one item."""

    item_id: int
    reviewer: str
    created_ms: int
    verdict: str
    reason: str
    correction: str
    relevant: tuple[int, ...]
    set_name: str
    case_key: str


@dataclass(frozen=True)
class ReviewItemRow:
    """An item as one reviewer sees it. others: what others said, empty until this reviewer has said something."""

    id: int
    trace_id: str
    why: str
    question: str
    own: ReviewRow | None = None
    others: tuple[ReviewRow, ...] = ()


@dataclass(frozen=True)
class Disagreement:
    item_id: int
    trace_id: str
    question: str
    first: str
    second: str


@dataclass(frozen=True)
class Agreement:
    """Two reviewers on the items that both judged, skipped ones left out. kappa: Cohen 1960, None when both always
    say the same one thing."""

    first: str
    second: str
    items: int
    agreed: int
    kappa: float | None
    disagreements: tuple[Disagreement, ...]

    def sentence(self) -> str:
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.2f}"
        return (
            f"{self.first} and {self.second} agree on {self.agreed} of {self.items} items; "
            f"Cohen's kappa {kappa}"
        )


def review_queues(database: Database) -> list[QueueRow]:
    """By name."""
    counts: dict[int, list[tuple[str, int]]] = {}
    for queue_id, reviewer, count in database.cells(
        """SELECT i.queue_id, r.reviewer, count(*) FROM review r JOIN reviewitem i ON i.id = r.item_id
           GROUP BY i.queue_id, r.reviewer ORDER BY r.reviewer"""
    ):
        counts.setdefault(queue_id, []).append((reviewer, count))
    rows = database.cells(
        """SELECT q.id, q.name, q.created_ms, (SELECT count(*) FROM reviewitem i WHERE i.queue_id = q.id)
           FROM reviewqueue q ORDER BY q.name"""
    )
    return [QueueRow(row[1], row[2], row[3], tuple(counts.get(row[0], ()))) for row in rows]


def review_items(database: Database, queue: str, reviewer: str) -> list[ReviewItemRow]:
    """In the order they were added. Raises NotFoundError."""
    queue_id = _queue_id(database, queue)
    reviews = _reviews(database, queue_id)
    found = []
    for item_id, trace_id, why, question in database.cells(
        """SELECT i.id, i.trace_id, i.why, t.question FROM reviewitem i JOIN trace t ON t.id = i.trace_id
           WHERE i.queue_id = ? ORDER BY i.id""",
        (queue_id,),
    ):
        said = reviews.get(item_id, [])
        own = next((review for review in said if review.reviewer == reviewer), None)
        others = tuple(review for review in said if review.reviewer != reviewer) if own else ()
        found.append(ReviewItemRow(item_id, trace_id, why, question, own, others))
    return found


def queue_reviews(database: Database, queue: str) -> list[tuple[ReviewItemRow, tuple[ReviewRow, ...]]]:
    """Every item with all that was said of it: for exports and cases, not for reviewers."""
    reviews = _reviews(database, _queue_id(database, queue))
    return [(item, tuple(reviews.get(item.id, ()))) for item in review_items(database, queue, "")]


def progress(items: Sequence[ReviewItemRow]) -> str:
    return f"{sum(item.own is not None for item in items)} of {len(items)} reviewed"


def _queue_id(database: Database, queue: str) -> int:
    found = database.cells("SELECT id FROM reviewqueue WHERE name = ?", (queue,))
    if not found:
        raise NotFoundError(f"There is no review queue named “{queue}”; `ragdeck review fill` makes one.")
    return int(found[0][0])


def _reviews(database: Database, queue_id: int) -> dict[int, list[ReviewRow]]:
    found: dict[int, list[ReviewRow]] = {}
    for row in database.rows(
        ReviewRow,
        """SELECT r.* FROM review r JOIN reviewitem i ON i.id = r.item_id WHERE i.queue_id = ?
           ORDER BY r.created_ms, r.reviewer""",
        (queue_id,),
    ):
        review = replace(row, relevant=_markers(row.relevant))
        found.setdefault(review.item_id, []).append(review)
    return found


# --- drafts of cases --------------------------------------------------------------------------------------


# --- roll-outs --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RolloutRow:
    id: int
    collection: str  # "": all
    kind: str
    share: float
    production: str
    staging: str
    state: str
    created_ms: int
    ended_ms: int | None
    note: str
    outcome: str
    production_count: int  # answers
    staging_count: int
    picked_count: int  # pairs of a blind comparison that a person decided on

    def sentence(self) -> str:
        """What runs, in one line."""
        if self.kind == "blind":
            return (
                f"Blind comparison of “{self.production}” with “{self.staging}”: both answer; "
                f"{self.picked_count} picked so far"
            )
        return (
            f"Canary: {self.share:.0%} of the questions go to “{self.staging}”, the others to “{self.production}”; "
            f"{self.staging_count} of {self.staging_count + self.production_count} so far"
        )


@dataclass(frozen=True)
class ArmOf:
    """Which arm of which roll-out made a trace. is_open: a blind pair that nobody decided on yet."""

    rollout_id: int
    kind: str
    arm: str
    pipeline: str
    picked: str

    @property
    def is_open(self) -> bool:
        return self.kind == "blind" and not self.picked


@dataclass(frozen=True)
class BlindResult:
    """Both answers of a blind comparison, in the order in which they were shown."""

    pair: str
    session_id: str
    first: AskResult
    second: AskResult


@dataclass(frozen=True)
class Revealed:
    """Which pipeline gave which answer of a blind comparison, once a person has picked."""

    first: str
    second: str
    first_is_staging: bool


@dataclass(frozen=True)
class Difference:
    """A measure of both arms. difference is staging minus production, with its 95 % interval; p_holm is corrected for
    the measures of the roll-out. sentence says what can be claimed, or that nothing can."""

    measure: str
    production: float | None
    staging: float | None
    production_count: int  # answers with a value
    staging_count: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    test: str
    sentence: str

    def value_text(self, value: float | None) -> str:
        """Of one arm, as a person reads it: seconds, or a share."""
        if value is None:
            return "–"
        return f"{value:.2f} s" if self.measure == "latency" else f"{value:.0%}"

    def difference_text(self) -> str:
        """With its interval: seconds, or points."""
        if self.difference is None:
            return "–"
        scale, digits = (1, 2) if self.measure == "latency" else (100, 0)
        text = f"{self.difference * scale:+.{digits}f}"
        if self.low is not None and self.high is not None:
            text += f" ({self.low * scale:+.{digits}f} to {self.high * scale:+.{digits}f})"
        return text


@dataclass(frozen=True)
class RolloutResults:
    """staging_wins, production_wins, ties: picks of a blind comparison; pick_p: exact sign test."""

    rollout: RolloutRow
    differences: tuple[Difference, ...]
    staging_wins: int
    production_wins: int
    ties: int
    pick_p: float | None
    summary: str


@dataclass(frozen=True)
class ProductionRow:
    collection: str  # "": all
    name: str
    moved_ms: int


@dataclass(frozen=True)
class Candidate:
    """What can be rolled out: the newest version of a pipeline, or a version of a prompt."""

    title: str
    pipeline: str = ""
    number: int = 0
    prompt: str = ""  # NAME@NUMBER


def candidates(database: Database) -> list[Candidate]:
    """Pipelines that answer, by name, then prompt versions, the newest first."""
    found = [
        Candidate(f"{name} {number}: {message}", pipeline=name, number=number)
        for name, number, message, content in database.cells(
            """SELECT p.name, v.number, v.message, v.content FROM pipeline p
               JOIN pipelineversion v ON v.pipeline_id = p.id AND v.number = p.last_number ORDER BY p.name"""
        )
        if json.loads(content).get("kind", "answer") == "answer"
    ]
    return found + [
        Candidate(f"prompt {name}@{number}: {message}", prompt=f"{name}@{number}")
        for name, number, message in database.cells(
            """SELECT p.name, v.number, v.message FROM prompt p JOIN promptversion v ON v.prompt_id = p.id
               ORDER BY p.name, v.number DESC"""
        )
    ]


_ROLLOUT_COLUMNS = """r.id,
    coalesce((SELECT c.name FROM collection c WHERE c.id = r.collection_id), r.collection) AS collection, r.kind, r.share, r.production, r.staging, r.state, r.created_ms, r.ended_ms,
    r.note, r.outcome,
    (SELECT count(*) FROM rolloutask a WHERE a.rollout_id = r.id AND a.arm = 'production') AS production_count,
    (SELECT count(*) FROM rolloutask a WHERE a.rollout_id = r.id AND a.arm = 'staging') AS staging_count,
    (SELECT count(*) FROM rolloutask a WHERE a.rollout_id = r.id AND a.arm = 'staging' AND a.picked != '')
        AS picked_count"""


def rollouts(database: Database, state: str = "") -> list[RolloutRow]:
    """Newest first."""
    return database.rows(
        RolloutRow,
        f"SELECT {_ROLLOUT_COLUMNS} FROM rollout r WHERE ? = '' OR r.state = ? ORDER BY r.id DESC",
        (state, state),
    )


def rollout(database: Database, rollout_id: int) -> RolloutRow:
    found = database.rows(
        RolloutRow, f"SELECT {_ROLLOUT_COLUMNS} FROM rollout r WHERE r.id = ?", (rollout_id,)
    )
    if not found:
        raise NotFoundError(f"There is no roll-out {rollout_id}; `ragdeck rollout status` lists them.")
    return found[0]


def running_rollout(database: Database, collection: str) -> RolloutRow | None:
    """The one that a question to this collection takes part in."""
    found = database.rows(
        RolloutRow,
        f"""SELECT {_ROLLOUT_COLUMNS} FROM rollout r WHERE r.state = 'running' AND (r.collection_id IS NULL
            OR r.collection_id = (SELECT id FROM collection WHERE name = ?)) ORDER BY r.collection_id IS NULL LIMIT 1""",
        (collection,),
    )
    return found[0] if found else None


def production_of(database: Database, collection: str) -> ProductionRow | None:
    """The pipeline that was promoted for a collection, or for all; None: its settings answer."""
    found = database.rows(
        ProductionRow,
        """SELECT coalesce(c.name, '') AS collection, p.name, p.moved_ms FROM productionpipeline p
           LEFT JOIN collection c ON c.id = p.collection_id
           WHERE p.collection_id = 0 OR c.name = ? ORDER BY p.collection_id = 0 LIMIT 1""",
        (collection,),
    )
    return found[0] if found else None


def arm_of(database: Database, trace_id: str) -> ArmOf | None:
    found = database.rows(
        ArmOf,
        """SELECT a.rollout_id, r.kind, a.arm, CASE a.arm WHEN 'staging' THEN r.staging ELSE r.production END AS pipeline,
                  a.picked FROM rolloutask a JOIN rollout r ON r.id = a.rollout_id WHERE a.trace_id = ?""",
        (trace_id,),
    )
    return found[0] if found else None


def _strings(text: object) -> tuple[str, ...]:
    return tuple(str(part) for part in json.loads(str(text) or "[]"))


def _markers(text: object) -> tuple[int, ...]:
    return tuple(int(part) for part in json.loads(str(text) or "[]"))
