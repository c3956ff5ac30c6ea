"""Tables of review: feedback, queues, reviews and roll-outs."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Feedback(SQLModel, table=True):
    """What one person says of a whole answer; saying it again replaces what they said before."""

    trace_id: str = Field(primary_key=True)
    author: str = Field(primary_key=True)
    created_ms: int
    is_up: bool
    reason: str = ""  # one of rag.review.rows.REASONS
    note: str = ""
    correction: str = ""  # the right answer
    tags: str = "[]"  # JSON list
    set_name: str = ""  # where a case was made of it
    case_key: str = ""


class ReviewQueue(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_ms: int


class ReviewItem(SQLModel, table=True):
    """An answer that waits for a verdict; why: "flagged", "thumbs-down", "low score 0.21" or "random"."""

    __table_args__ = (UniqueConstraint("queue_id", "trace_id"),)
    id: int | None = Field(default=None, primary_key=True)
    queue_id: int
    trace_id: str = Field(index=True)
    why: str


class Review(SQLModel, table=True):
    """The verdict of one reviewer on one item; giving another replaces it."""

    item_id: int = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    created_ms: int
    verdict: str  # one of rag.review.rows.VERDICTS
    reason: str = ""
    correction: str = ""
    relevant: str = "[]"  # JSON list: markers of the passages that hold the answer
    set_name: str = ""
    case_key: str = ""


class Rollout(SQLModel, table=True):
    """Two pipelines in use side by side. collection_id None: all collections. Both configurations are kept as they
    were at the start: what is compared must not change on the way."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int | None = None
    collection: str = ""
    kind: str  # canary | blind
    share: float  # of the asks that go to staging; 1 for blind: both answer
    production: str  # what it is called
    production_config: str  # JSON of rag.evaluation.pipelines.PipelineConfig
    staging: str
    staging_config: str
    state: str = "running"  # running | promoted | stopped
    created_ms: int
    ended_ms: int | None = None
    note: str = ""
    outcome: str = ""  # what the promotion moved


class RolloutAsk(SQLModel, table=True):
    """Which pipeline of a roll-out made a trace. Of a blind comparison two have the same pair."""

    trace_id: str = Field(primary_key=True)
    rollout_id: int = Field(index=True)
    arm: str  # production | staging
    pair: str = ""
    position: int = 0  # 1 or 2: where it stood
    picked: str = ""  # "" nobody chose yet | this | other | no difference


class ProductionPipeline(SQLModel, table=True):
    """What answers a collection (0: all) since a roll-out was promoted; no row: the settings do."""

    collection_id: int = Field(primary_key=True)
    name: str
    config: str
    moved_ms: int
    rollout_id: int


mark(Feedback, written="note correction tags", name="author set_name", technical="trace_id reason case_key")
mark(ReviewQueue, name="name")
mark(ReviewItem, technical="trace_id why")
mark(Review, written="correction", name="reviewer set_name", technical="verdict reason relevant case_key")
mark(Rollout, written="note outcome production_config staging_config", name="collection production staging",
     technical="kind state")  # fmt: skip
mark(RolloutAsk, technical="trace_id arm pair picked")
mark(ProductionPipeline, written="config", name="name")
