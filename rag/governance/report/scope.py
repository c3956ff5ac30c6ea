"""What a report is about: a period, and a version of a pipeline or everything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rag.asking.rows import TraceSource
from rag.errors import NotFoundError
from rag.evaluation.rows import PipelineVersionRow, list_pipeline_versions
from rag.governance.report.period import Period
from rag.governance.report.rows import EVERYTHING
from rag.storage.database import Database

# Questions that a version of a pipeline answered: it was named, an arm of a roll-out, or promoted.
_OF_PIPELINE = """(t.pipeline = :name
    OR EXISTS (SELECT 1 FROM rolloutanswer a JOIN rollout r ON r.id = a.rollout_id
               WHERE a.trace_id = t.id AND iif(a.arm = 'staging', r.staging, r.production) = :called)
    OR (t.pipeline = '' AND NOT EXISTS (SELECT 1 FROM rolloutanswer a WHERE a.trace_id = t.id)
        AND EXISTS (SELECT 1 FROM productionpipeline p WHERE p.name = :called AND t.created_ms >= p.moved_ms
                    AND p.collection_id IN (0, t.collection_id))))"""


@dataclass(frozen=True)
class Scope:
    """What a report is about.

    Attributes:
        database: Where everything is read.
        period: When.
        pipeline: The version of a pipeline, or None for everything.
    """

    database: Database
    period: Period
    pipeline: PipelineVersionRow | None = None
    _ids: dict[str, list[str]] = field(default_factory=dict, compare=False)

    @property
    def subject(self) -> str:
        """What the report is about, as the audit log names it."""
        return f"{self.pipeline.name}@{self.pipeline.number}" if self.pipeline else EVERYTHING

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration of the pipeline; empty for everything."""
        return json.loads(self.pipeline.config) if self.pipeline else {}

    def rows(self, statement: str, *values: Any, at: str = "created_ms") -> list[dict[str, Any]]:
        """Return rows of the period.

        Args:
            statement: A query with {period} where a condition stands.
            values: For its question marks, which stand before the period.
            at: The column that says when.
        """
        condition = f"{at} >= ? AND {at} < ?"
        found = self.database.query(statement.format(period=condition), (*values, *self.period.bounds))
        return [dict(row) for row in found]

    def asked(
        self, columns: str, condition: str = "1", order: str = "t.created_ms, t.id", join: str = ""
    ) -> list[Any]:
        """Return columns of the questions of people that this is about, as rows.

        Args:
            columns: Of the query; the table of questions is `t`.
            condition: What they must satisfy besides.
            order: How they are ordered.
            join: A JOIN with another table.
        """
        where, values = "1", dict[str, str | int]()
        if self.pipeline is not None:
            where = _OF_PIPELINE
            values = {"name": self.pipeline.name, "called": f"{self.pipeline.name} {self.pipeline.number}"}
        since, until = self.period.bounds
        values |= {"source": TraceSource.PERSON, "since": since, "until": until}
        return self.database.query(
            f"""SELECT {columns} FROM trace t {join} WHERE t.source = :source AND t.created_ms >= :since
                AND t.created_ms < :until AND ({where}) AND ({condition}) ORDER BY {order}""",
            values,  # type: ignore[arg-type]  # sqlite3 takes names as well
        )

    def question_ids(self, condition: str = "1") -> list[str]:
        """Return the ids of the questions of people that this is about, oldest first."""
        if condition not in self._ids:
            self._ids[condition] = [str(row[0]) for row in self.asked("t.id", condition)]
        return self._ids[condition]

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """The finished evaluation runs, newest first."""
        found = self.rows("SELECT * FROM evaluationrun WHERE status = 'done' AND {period} ORDER BY id DESC")
        return [run for run in found if self.covers_version(int(run["pipeline_version_id"]))]

    def covers_version(self, pipeline_version_id: int) -> bool:
        """Return whether a version of a pipeline is what this is about."""
        return self.pipeline is None or self.pipeline.id == pipeline_version_id


def make_scope(database: Database, pipeline: str, period: Period) -> Scope:
    """Return what a report is about.

    Args:
        database: Where everything is read.
        pipeline: "NAME" for its newest version, "NAME@NUMBER", "NAME@LABEL", or "" for everything.
        period: When.

    Raises:
        NotFoundError: There is no such pipeline or version.
    """
    if not pipeline:
        return Scope(database, period)
    names = {name for (name,) in database.cells("SELECT name FROM pipeline")}
    name, _, which = (pipeline, "", "") if pipeline in names else pipeline.rpartition("@")
    if name not in names:
        raise NotFoundError(
            f"There is no pipeline named “{pipeline}”. Run `ragdeck pipelines list` to see all pipelines."
        )
    versions = list_pipeline_versions(database, name)
    found = [v for v in versions if not which or str(v.number) == which or which in v.labels]
    if not found:
        raise NotFoundError(f"The pipeline “{name}” has no version or label “{which}”.")
    return Scope(database, period, found[0])
