"""Rows of feedback, review queues and roll-outs, and the queries that read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.asking.rows import AskResult
from rag.errors import NotFoundError
from rag.storage.database import Database

LEAST_ARM = 20  # answers of an arm; with fewer, nothing is said about a canary


class Reason(StrEnum):
    """Why an answer is not good; "other" needs a note."""

    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    NOT_FROM_THE_DOCUMENTS = "not from the documents"
    OFF_TOPIC = "off topic"
    SHOULD_HAVE_REFUSED = "should have refused"
    STYLE = "style"
    OTHER = "other"


class ReviewVerdict(StrEnum):
    """What a reviewer says of an answer."""

    CORRECT = "correct"
    PARTLY = "partly"
    WRONG = "wrong"
    SKIP = "skip"


class ReviewSource(StrEnum):
    """How answers are chosen for a review queue."""

    FLAGGED = "flagged"
    THUMBS_DOWN = "thumbs-down"
    LOW_SCORE = "low score"
    RANDOM = "random"


class RolloutKind(StrEnum):
    """How a roll-out uses its two pipelines."""

    CANARY = "canary"
    BLIND = "blind"


class RolloutState(StrEnum):
    """How far a roll-out is."""

    RUNNING = "running"
    PROMOTED = "promoted"
    STOPPED = "stopped"


class Arm(StrEnum):
    """Which of the two pipelines of a roll-out answered."""

    PRODUCTION = "production"
    STAGING = "staging"


class Picked(StrEnum):
    """What a person decided about an answer of a blind comparison."""

    NOTHING = ""  # not yet
    THIS = "this"
    OTHER = "other"
    NO_DIFFERENCE = "no difference"


class Choice(StrEnum):
    """Which answer of a blind comparison a person picks."""

    FIRST = "first"
    SECOND = "second"
    NO_DIFFERENCE = "no difference"


# What people read about each.
SOURCES = {
    ReviewSource.FLAGGED: "Answers with a flagged sentence",
    ReviewSource.THUMBS_DOWN: "Answers that somebody rated down",
    ReviewSource.LOW_SCORE: "The lowest support or retrieval scores",
    ReviewSource.RANDOM: "A random sample",
}
KINDS = {
    RolloutKind.CANARY: "A share of the questions goes to staging",
    RolloutKind.BLIND: "Both answer, and a person picks without knowing which is which",
}


# --- feedback ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedbackRow:
    """What one person says of an answer, with the question; `reason` is a Reason or ""."""

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


def list_feedback(
    database: Database, *, trace_id: str = "", is_up: bool | None = None, limit: int = 1000
) -> list[FeedbackRow]:
    """Return feedback, newest first, of one trace or of all."""
    return database.rows(
        FeedbackRow,
        """SELECT f.trace_id, f.author, f.created_ms, f.is_up, f.reason, f.note, f.correction, f.tags,
                  f.set_name, f.case_key, t.question, t.answer, t.collection
           FROM feedback f JOIN trace t ON t.id = f.trace_id
           WHERE (?1 = '' OR f.trace_id = ?1) AND (?2 IS NULL OR f.is_up = ?2)
           ORDER BY f.created_ms DESC, f.author LIMIT ?3""",
        (trace_id, is_up, limit),
    )


# --- the review queue -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueueRow:
    """A review queue; `reviewers` are (name, how many items they judged)."""

    name: str
    created_ms: int
    item_count: int
    reviewers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ReviewRow:
    """The verdict of one reviewer on one item.

    Attributes:
        item_id: The item.
        reviewer: Who judged it.
        created_ms: When.
        verdict: What they say.
        reason: A Reason or "".
        correction: The right answer, if they wrote it.
        relevant: Markers of the passages that contain the answer.
        set_name: Where a case was made of it, or "".
        case_key: The key of that case, or "".
    """

    item_id: int
    reviewer: str
    created_ms: int
    verdict: ReviewVerdict
    reason: str
    correction: str
    relevant: tuple[int, ...]
    set_name: str
    case_key: str


@dataclass(frozen=True)
class ReviewItemRow:
    """An item as one reviewer sees it.

    Attributes:
        id: The item.
        trace_id: The answer.
        source: How it was chosen.
        score: Of "low score": the lower of its support and its best similarity, else None.
        question: As it was asked.
        own: What this reviewer says.
        others: What others say; empty until this reviewer has said something.
    """

    id: int
    trace_id: str
    source: ReviewSource
    score: float | None
    question: str
    own: ReviewRow | None = None
    others: tuple[ReviewRow, ...] = ()

    @property
    def why(self) -> str:
        """Why it is in the queue, for people."""
        return self.source if self.score is None else f"{self.source} {self.score:.2f}"


@dataclass(frozen=True)
class ReviewDisagreement:
    """An item that two reviewers judge differently."""

    item_id: int
    trace_id: str
    question: str
    first: ReviewVerdict
    second: ReviewVerdict


@dataclass(frozen=True)
class ReviewerAgreement:
    """The agreement of two reviewers on the items that both judged, without those that either skipped.

    `kappa` is Cohen's (1960), None when both always say the same one thing.
    """

    first: str
    second: str
    items: int
    agreed: int
    kappa: float | None
    disagreements: tuple[ReviewDisagreement, ...]

    def sentence(self) -> str:
        """Return the agreement for people."""
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.2f}"
        return (
            f"{self.first} and {self.second} agree on {self.agreed} of {self.items} items; "
            f"Cohen's kappa {kappa}"
        )


def list_queues(database: Database) -> list[QueueRow]:
    """Return all review queues by name."""
    return database.rows(
        QueueRow,
        """SELECT q.name, q.created_ms,
                  (SELECT count(*) FROM reviewitem i WHERE i.queue_id = q.id) AS item_count,
                  (SELECT json_group_array(json_array(reviewer, items)) FROM
                      (SELECT r.reviewer, count(*) AS items
                       FROM review r JOIN reviewitem i ON i.id = r.item_id WHERE i.queue_id = q.id
                       GROUP BY r.reviewer ORDER BY r.reviewer)) AS reviewers
           FROM reviewqueue q ORDER BY q.name""",
    )


def list_review_items(database: Database, queue: str, reviewer: str) -> list[ReviewItemRow]:
    """Return the items of a queue as one reviewer sees them, in the order they came. Raises NotFoundError."""
    found = []
    for item, said in list_reviews(database, queue):
        own = next((review for review in said if review.reviewer == reviewer), None)
        others = tuple(review for review in said if review.reviewer != reviewer) if own else ()
        found.append(replace(item, own=own, others=others))
    return found


def list_reviews(database: Database, queue: str) -> list[tuple[ReviewItemRow, tuple[ReviewRow, ...]]]:
    """Return every item with all its reviews, which reviewers must not see. Raises NotFoundError."""
    queue_id = _queue_id(database, queue)
    reviews = _reviews(database, queue_id)
    items = database.rows(
        ReviewItemRow,
        """SELECT i.id, i.trace_id, i.source, i.score, t.question FROM reviewitem i
           JOIN trace t ON t.id = i.trace_id WHERE i.queue_id = ? ORDER BY i.id""",
        (queue_id,),
    )
    return [(item, tuple(reviews.get(item.id, ()))) for item in items]


def progress_sentence(items: Sequence[ReviewItemRow]) -> str:
    """Return how many items the reviewer has judged, for people."""
    return f"{sum(item.own is not None for item in items)} of {len(items)} reviewed"


def _queue_id(database: Database, queue: str) -> int:
    missing = f"There is no review queue named “{queue}”. Run `ragdeck review fill` to make one."
    return database.id_of("reviewqueue", queue, missing)


def _reviews(database: Database, queue_id: int) -> dict[int, list[ReviewRow]]:
    found: dict[int, list[ReviewRow]] = {}
    for review in database.rows(
        ReviewRow,
        """SELECT r.* FROM review r JOIN reviewitem i ON i.id = r.item_id WHERE i.queue_id = ?
           ORDER BY r.created_ms, r.reviewer""",
        (queue_id,),
    ):
        found.setdefault(review.item_id, []).append(review)
    return found


# --- roll-outs --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RolloutRow:
    """A roll-out and how many answers it has.

    Attributes:
        id: Its number.
        collection: "": all.
        kind: How both pipelines are used.
        share: Of the questions that go to staging, 0 to 1.
        production: What the pipeline in use is called.
        staging: What the other one is called.
        state: How far it is.
        created_ms: When it began.
        ended_ms: When it ended, or None.
        note: What it is for.
        outcome: What a promotion moved, or "".
        production_count: Answers of the pipeline in use.
        staging_count: Answers of the other one.
        picked_count: Pairs of a blind comparison that a person decided.
    """

    id: int
    collection: str
    kind: RolloutKind
    share: float
    production: str
    staging: str
    state: RolloutState
    created_ms: int
    ended_ms: int | None
    note: str
    outcome: str
    production_count: int
    staging_count: int
    picked_count: int

    def sentence(self) -> str:
        """Return what it does, in one line."""
        if self.kind is RolloutKind.BLIND:
            return (
                f"Blind comparison of “{self.production}” with “{self.staging}”: both answer; "
                f"{self.picked_count} picked so far"
            )
        return (
            f"Canary: {self.share:.0%} of the questions go to “{self.staging}”, the others to "
            f"“{self.production}”; {self.staging_count} of {self.staging_count + self.production_count} "
            "so far"
        )


@dataclass(frozen=True)
class ArmOf:
    """The arm of a roll-out that made a trace."""

    rollout_id: int
    kind: RolloutKind
    arm: Arm
    pipeline: str
    picked: Picked

    @property
    def is_open(self) -> bool:
        """Whether it is an answer of a blind comparison that nobody has decided yet."""
        return self.kind is RolloutKind.BLIND and self.picked is Picked.NOTHING


@dataclass(frozen=True)
class BlindResult:
    """Both answers of a blind comparison, in the order in which they are shown."""

    pair: str
    session_id: str
    first: AskResult
    second: AskResult


@dataclass(frozen=True)
class Revealed:
    """The pipelines behind the answers of a blind comparison, told once a person has picked."""

    first: str
    second: str
    first_is_staging: bool


@dataclass(frozen=True)
class ArmDifference:
    """A measure of both arms.

    Attributes:
        measure: Its name.
        production: Its mean over the answers of the pipeline in use.
        staging: Its mean over those of the other one.
        production_count: Answers with a value.
        staging_count: Answers with a value.
        difference: Staging minus production.
        low: Start of its 95 % interval.
        high: Its end.
        p: Of the test.
        p_holm: p corrected for all measures of the roll-out.
        test: The name of the test.
        sentence: What can be claimed, or that nothing can.
    """

    measure: str
    production: float | None
    staging: float | None
    production_count: int
    staging_count: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    test: str
    sentence: str

    def value_text(self, value: float | None) -> str:
        """Return the value of one arm for people: in seconds, or as a share."""
        if value is None:
            return "–"
        return f"{value:.2f} s" if self.measure == "latency" else f"{value:.0%}"

    def difference_text(self) -> str:
        """Return the difference with its interval for people: in seconds, or in points."""
        if self.difference is None:
            return "–"
        scale, digits = (1, 2) if self.measure == "latency" else (100, 0)
        text = f"{self.difference * scale:+.{digits}f}"
        if self.low is not None and self.high is not None:
            text += f" ({self.low * scale:+.{digits}f} to {self.high * scale:+.{digits}f})"
        return text


@dataclass(frozen=True)
class RolloutResults:
    """What a roll-out has shown so far.

    Attributes:
        rollout: The roll-out.
        differences: A measure each.
        staging_wins: Picks of a blind comparison.
        production_wins: Picks of a blind comparison.
        ties: Pairs without a difference.
        pick_p: Exact sign test of the picks; None: too few.
        summary: What can be claimed, for people.
    """

    rollout: RolloutRow
    differences: tuple[ArmDifference, ...]
    staging_wins: int
    production_wins: int
    ties: int
    pick_p: float | None
    summary: str


@dataclass(frozen=True)
class ProductionRow:
    """A promoted pipeline; `collection` "" means all."""

    collection: str
    name: str
    moved_ms: int


@dataclass(frozen=True)
class Candidate:
    """The newest version of a pipeline, or a version of a prompt ("NAME@NUMBER"), that can be rolled out."""

    title: str
    pipeline: str = ""
    number: int = 0
    prompt: str = ""


def list_candidates(database: Database) -> list[Candidate]:
    """Return the pipelines that answer, by name, then prompt versions, the newest first."""
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
    coalesce((SELECT c.name FROM collection c WHERE c.id = r.collection_id), r.collection) AS collection,
    r.kind, r.share, r.production, r.staging, r.state, r.created_ms, r.ended_ms, r.note, r.outcome,
    (SELECT count(*) FROM rolloutanswer a WHERE a.rollout_id = r.id AND a.arm = 'production')
        AS production_count,
    (SELECT count(*) FROM rolloutanswer a WHERE a.rollout_id = r.id AND a.arm = 'staging') AS staging_count,
    (SELECT count(*) FROM rolloutanswer a WHERE a.rollout_id = r.id AND a.arm = 'staging' AND a.picked != '')
        AS picked_count"""


def list_rollouts(database: Database) -> list[RolloutRow]:
    """Return all roll-outs, newest first."""
    return database.rows(RolloutRow, f"SELECT {_ROLLOUT_COLUMNS} FROM rollout r ORDER BY r.id DESC")


def get_rollout(database: Database, rollout_id: int) -> RolloutRow:
    """Return a roll-out. Raises NotFoundError."""
    found = database.rows(
        RolloutRow, f"SELECT {_ROLLOUT_COLUMNS} FROM rollout r WHERE r.id = ?", (rollout_id,)
    )
    if not found:
        raise NotFoundError(
            f"There is no roll-out {rollout_id}. Run `ragdeck rollout status` to see them all."
        )
    return found[0]


def running_rollout(database: Database, collection: str) -> RolloutRow | None:
    """Return the roll-out that a question to this collection takes part in; None: there is none."""
    found = database.rows(
        RolloutRow,
        f"""SELECT {_ROLLOUT_COLUMNS} FROM rollout r WHERE r.state = 'running' AND (r.collection_id IS NULL
            OR r.collection_id = (SELECT id FROM collection WHERE name = ?))
            ORDER BY r.collection_id IS NULL LIMIT 1""",
        (collection,),
    )
    return found[0] if found else None


def production_of(database: Database, collection: str) -> ProductionRow | None:
    """Return the pipeline that was promoted for a collection, or for all; None: its settings answer."""
    found = database.rows(
        ProductionRow,
        """SELECT coalesce(c.name, '') AS collection, p.name, p.moved_ms FROM productionpipeline p
           LEFT JOIN collection c ON c.id = p.collection_id
           WHERE p.collection_id = 0 OR c.name = ? ORDER BY p.collection_id = 0 LIMIT 1""",
        (collection,),
    )
    return found[0] if found else None


def arm_of(database: Database, trace_id: str) -> ArmOf | None:
    """Return the arm of a roll-out that made a trace; None: it is of no roll-out."""
    found = database.rows(
        ArmOf,
        """SELECT a.rollout_id, r.kind, a.arm, a.picked,
                  CASE a.arm WHEN 'staging' THEN r.staging ELSE r.production END AS pipeline
           FROM rolloutanswer a JOIN rollout r ON r.id = a.rollout_id WHERE a.trace_id = ?""",
        (trace_id,),
    )
    return found[0] if found else None


def open_pair(database: Database, trace_id: str) -> tuple[str, str, str] | None:
    """Return the pair and both traces, the left one first, of a comparison that nobody has decided yet."""
    found = database.cells(
        """SELECT a.pair, a.trace_id FROM rolloutanswer mine JOIN rolloutanswer a ON a.pair = mine.pair
           WHERE mine.trace_id = ? AND mine.pair != '' AND mine.picked = ''
           AND EXISTS (SELECT 1 FROM trace t WHERE t.id = a.trace_id) ORDER BY a.position""",
        (trace_id,),
    )
    return (found[0][0], found[0][1], found[1][1]) if len(found) == 2 else None
