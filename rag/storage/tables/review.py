"""Tables of review: feedback, queues, reviews and roll-outs."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Feedback(SQLModel, table=True):
    """Feedback of one person on a whole answer; giving it again replaces the earlier one."""

    trace_id: str = Field(primary_key=True)
    author: str = Field(primary_key=True)
    created_ms: int
    is_up: bool
    reason: str = ""  # rag.review.rows.Reason
    note: str = ""
    correction: str = ""  # the right answer
    tags: str = "[]"  # JSON list
    set_name: str = ""  # where a case was made of it
    case_key: str = ""


class ReviewQueue(SQLModel, table=True):
    """A named list of answers that people judge."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_ms: int


class ReviewItem(SQLModel, table=True):
    """An answer of a queue, and how it was chosen: its score is that of "low score"."""

    __table_args__ = (UniqueConstraint("queue_id", "trace_id"),)
    id: int | None = Field(default=None, primary_key=True)
    queue_id: int
    trace_id: str = Field(index=True)
    source: str  # rag.review.rows.ReviewSource
    score: float | None = None


class Review(SQLModel, table=True):
    """The verdict of one reviewer on one item; giving another replaces it."""

    item_id: int = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    created_ms: int
    verdict: str  # rag.review.rows.ReviewVerdict
    reason: str = ""
    correction: str = ""
    relevant: str = "[]"  # JSON list: markers of the passages that contain the answer
    set_name: str = ""
    case_key: str = ""


class Rollout(SQLModel, table=True):
    """Two pipelines in use side by side; collection_id None: in all collections.

    Both configurations are stored as they were at the start: what is compared must not change on the way.
    """

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int | None = None
    collection: str = ""
    kind: str  # rag.review.rows.RolloutKind
    share: float  # of the questions that go to staging; 1 for blind: both answer
    production: str  # what it is called
    production_config: str  # JSON of rag.evaluation.pipelines.PipelineConfig
    staging: str
    staging_config: str
    state: str = "running"  # rag.review.rows.RolloutState
    created_ms: int
    ended_ms: int | None = None
    note: str = ""
    outcome: str = ""  # what the promotion moved


class RolloutAnswer(SQLModel, table=True):
    """The pipeline of a roll-out that made a trace; two answers of a blind comparison have the same pair."""

    trace_id: str = Field(primary_key=True)
    rollout_id: int = Field(index=True)
    arm: str  # rag.review.rows.Arm
    pair: str = ""
    position: int = 0  # 1 or 2: where it was shown
    picked: str = ""  # rag.review.rows.Picked


class ProductionPipeline(SQLModel, table=True):
    """The promoted pipeline that answers a collection (0: all); without a row the settings do."""

    collection_id: int = Field(primary_key=True)
    name: str
    config: str
    moved_ms: int
    rollout_id: int


mark(Feedback, written="note correction tags", name="author set_name", technical="trace_id reason case_key")
mark(ReviewQueue, name="name")
mark(ReviewItem, technical="trace_id source")
mark(Review, written="correction", name="reviewer set_name", technical="verdict reason relevant case_key")
mark(
    Rollout,
    written="note outcome production_config staging_config",
    name="collection production staging",
    technical="kind state",
)
mark(RolloutAnswer, technical="trace_id arm pair picked")
mark(ProductionPipeline, written="config", name="name")
