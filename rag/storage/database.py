"""Reads the SQLite file with the standard library alone: what the window and the command line show.

The window's process must stay light, so this imports no SQLModel. It opens the file read-only; the engine
process (or the command line's own workspace) is the only writer. Columns are those of rag.tables.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from rag.asking.rows import (
    AskPoint,
    ConsistencyReport,
    FlagState,
    Overview,
    Sample,
    SpanRow,
    TraceDetail,
    TraceFilter,
    TraceRow,
    _trace_condition,
)
from rag.errors import NotFoundError
from rag.evaluation.rows import PipelineVersionRow, ResultRow, RunRow, SetRow, SetVersionRow
from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit
from rag.knowledge.rows import (
    ChunkRow,
    ChunkUse,
    CollectionRow,
    DocumentRow,
    VersionDocumentRow,
    VersionRow,
    WatchedFolderRow,
)
from rag.monitoring.rows import AlertRow, MeasuredAsk, ReferenceRow, Scope
from rag.prompts.rows import LabelMove, PromptRow, PromptVersionRow, RequiredGate
from rag.storage.data_folder import SCHEMA

R = TypeVar("R")

FLAG_VERDICTS = ("check", "unsupported", "contradicted")


class Reader:
    """Read-only queries. Usable from several threads: each gets its own connection."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._local = threading.local()

    # --- collections --------------------------------------------------------------------------------------

    def collections(self) -> list[CollectionRow]:
        return self._rows(
            CollectionRow,
            """SELECT c.id, c.key, c.name, c.created_ms, c.embedder_name, c.chunking, c.active_version_id,
                      v.number AS version_number, coalesce(v.document_count, 0) AS document_count,
                      coalesce(v.chunk_count, 0) AS chunk_count, coalesce(v.token_count, 0) AS token_count,
                      (SELECT count(*) FROM datasetversion w WHERE w.collection_id = c.id) AS version_count,
                      v.created_ms AS updated_ms, c.index_server
               FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id
               ORDER BY c.name COLLATE NOCASE""",
        )

    def collection(self, name: str) -> CollectionRow:
        for row in self.collections():
            if row.name == name:
                return row
        raise NotFoundError(
            f"There is no collection named “{name}”; `ragdeck collections` lists those there are."
        )

    def versions(self, collection_id: int) -> list[VersionRow]:
        """Newest first."""
        return self._version_rows("v.collection_id = ?", collection_id)

    def version(self, version_id: int) -> VersionRow:
        found = self._version_rows("v.id = ?", version_id)
        if not found:
            raise NotFoundError("This version is gone; look at the list of versions again.")
        return found[0]

    def find_version(self, collection: str, which: str) -> VersionRow:
        """A version by its number or a tag; “active” is the active one."""
        for row in self.versions(self.collection(collection).id):
            named = which in row.tags.split(", ") or (which == "active" and row.active)
            if named or str(row.number) == which:
                return row
        raise NotFoundError(
            f"The collection “{collection}” has no version {which}; `ragdeck versions -c` lists them."
        )

    def _version_rows(self, condition: str, value: int) -> list[VersionRow]:
        rows = self._rows(
            VersionRow,
            f"""SELECT v.id, v.collection_id, c.name AS collection, v.number, v.created_ms, v.message, v.kind,
                      (SELECT p.number FROM datasetversion p WHERE p.id = v.parent_id) AS parent_number,
                      v.embedder, v.embedder_name, v.chunking, v.fingerprint, v.document_count, v.chunk_count,
                      v.token_count, v.added_count, v.replaced_count, v.removed_count, v.chunks_added,
                      v.chunks_removed, v.tokens_added, v.tokens_removed, v.excluded_count,
                      coalesce((SELECT group_concat(t.name, ', ') FROM versiontag t WHERE t.version_id = v.id), '')
                          AS tags,
                      v.trial_key != '' AS trial, v.id IS c.active_version_id AS active,
                      p.created_ms AS proved_ms, p.ok AS proof_ok, p.detail AS proof_detail,
                      p.vectors_checked, p.vectors_same, p.probe_count, p.probes_same
               FROM datasetversion v JOIN collection c ON c.id = v.collection_id
               LEFT JOIN proof p ON p.id = (SELECT max(q.id) FROM proof q WHERE q.version_id = v.id)
               WHERE {condition} ORDER BY v.number DESC""",
            (value,),
        )
        return rows

    def documents(self, version_id: int, limit: int = 1_000_000, offset: int = 0) -> list[DocumentRow]:
        return self._rows(
            DocumentRow,
            """SELECT d.id, d.name, d.source, d.title, d.media_type, d.size_bytes, d.chunk_count, d.token_count,
                      d.created_ms, vd.attributes, coalesce(x.excluded, 0) AS excluded_count
               FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
               LEFT JOIN (SELECT c.document_id, count(*) AS excluded FROM versionexclusion e
                          JOIN chunk c ON c.id = e.chunk_id WHERE e.version_id = ?1 GROUP BY c.document_id) x
                   ON x.document_id = d.id
               WHERE vd.version_id = ?1 ORDER BY d.name COLLATE NOCASE, d.id LIMIT ?2 OFFSET ?3""",
            (version_id, limit, offset),
        )

    def version_documents(self, version_id: int) -> list[VersionDocumentRow]:
        return self._rows(
            VersionDocumentRow,
            """SELECT d.id, d.source, d.name, d.sha256, d.chunking, vd.attributes
               FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
               WHERE vd.version_id = ?""",
            (version_id,),
        )

    def exclusions(self, version_id: int) -> dict[int, str]:
        """Chunk id -> why the version leaves it out."""
        rows = self._query(
            "SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,)
        )
        return {row[0]: row[1] for row in rows}

    def documents_of_chunks(self, chunk_ids: list[int]) -> set[int]:
        rows = self._query(
            "SELECT DISTINCT c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
            (json.dumps(chunk_ids),),
        )
        return {row[0] for row in rows}

    def chunk_texts(self, document_ids: list[int]) -> dict[int, list[tuple[int, str, int]]]:
        """Document id -> (chunk id, text hash, tokens) of each of its chunks."""
        found: dict[int, list[tuple[int, str, int]]] = {}
        for row in self._query(
            """SELECT c.document_id, c.id, c.text_hash, c.token_count FROM json_each(?) j
               CROSS JOIN chunk c ON c.document_id = j.value""",
            (json.dumps(document_ids),),
        ):
            found.setdefault(row[0], []).append((row[1], row[2], row[3]))
        return found

    def chunk_use(self, version_id: int, chunk_id: int, limit: int = 20) -> ChunkUse:
        """How a chunk was used in traces, and where else its text stands in this version."""
        counts = self._query(
            """SELECT count(*), coalesce(sum(h.marker IS NOT NULL), 0) FROM tracehit h
               JOIN trace t ON t.id = h.trace_id AND t.source = 'person' WHERE h.chunk_id = ?""",
            (chunk_id,),
        )
        cited = self._query(
            """SELECT t.id, t.question FROM tracehit h JOIN trace t ON t.id = h.trace_id
               WHERE h.chunk_id = ? AND t.source = 'person' AND h.marker IS NOT NULL AND (instr(t.answer, '[' || h.marker || ']') > 0
                   OR EXISTS (SELECT 1 FROM claim k WHERE k.trace_id = t.id AND k.evidence_marker = h.marker))
               ORDER BY t.created_ms DESC LIMIT ?""",
            (chunk_id, limit),
        )
        twins = self._query(
            """SELECT c.id, d.name, c.place FROM chunk c JOIN document d ON d.id = c.document_id
               JOIN versiondocument vd ON vd.document_id = d.id AND vd.version_id = ?1
               WHERE c.text_hash = (SELECT text_hash FROM chunk WHERE id = ?2) AND c.id != ?2 LIMIT ?3""",
            (version_id, chunk_id, limit),
        )
        reason = self._query(
            "SELECT reason FROM versionexclusion WHERE version_id = ? AND chunk_id = ?",
            (version_id, chunk_id),
        )
        candidates, prompts = (counts[0][0], counts[0][1]) if counts else (0, 0)
        return ChunkUse(
            candidate_count=candidates,
            prompt_count=prompts,
            cited=tuple((row[0], row[1]) for row in cited),
            duplicates=tuple((row[0], row[1], row[2]) for row in twins),
            excluded=reason[0][0] if reason else None,
        )

    def watched_folders(self, collection_id: int | None = None) -> list[WatchedFolderRow]:
        return self._rows(
            WatchedFolderRow,
            """SELECT w.id, c.name AS collection, w.path, w.enabled, w.quiet_s, w.last_check_ms,
                      w.last_change_ms, w.outcome
               FROM watchedfolder w JOIN collection c ON c.id = w.collection_id
               WHERE ?1 IS NULL OR w.collection_id = ?1 ORDER BY c.name COLLATE NOCASE, w.path""",
            (collection_id,),
        )

    def chunks(self, document_id: int) -> list[ChunkRow]:
        return self._rows(
            ChunkRow,
            """SELECT id, position, start, "end", text, token_count, place FROM chunk
               WHERE document_id = ? ORDER BY position""",
            (document_id,),
        )

    def document_text(self, document_id: int) -> str:
        found = self._query("SELECT text FROM document WHERE id = ?", (document_id,))
        return str(found[0][0]) if found else ""

    # --- traces -------------------------------------------------------------------------------------------

    def traces(self, wanted: TraceFilter, limit: int = 200, offset: int = 0) -> list[TraceRow]:
        """Newest first."""
        where, values = _trace_condition(wanted)
        columns = ", ".join(f"t.{f.name}" for f in fields(TraceRow))
        return self._rows(
            TraceRow,
            f"SELECT {columns} FROM trace t WHERE {where} ORDER BY t.created_ms DESC, t.id LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )

    def trace_count(self, wanted: TraceFilter) -> int:
        where, values = _trace_condition(wanted)
        found = self._query(f"SELECT count(*) FROM trace t WHERE {where}", values)
        return int(found[0][0]) if found else 0

    def trace(self, trace_id: str) -> TraceDetail:
        """One trace by its id or by the unambiguous beginning of it. Raises NotFoundError."""
        prefix = trace_id.replace("%", "").replace("_", "")
        found = self._query(
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
                self._rows(
                    Hit, f"SELECT {hit_columns} FROM tracehit WHERE trace_id = ? ORDER BY fused_rank", key
                )
            ),
            claims=tuple(
                self._rows(
                    ClaimResult,
                    f"SELECT {claim_columns} FROM claim WHERE trace_id = ? ORDER BY start, id",
                    key,
                )
            ),
            spans=tuple(
                self._rows(
                    SpanRow,
                    "SELECT name, kind, start_ms, end_ms, detail FROM span WHERE trace_id = ? ORDER BY start_ms, id",
                    key,
                )
            ),
        )

    def flag_opinion(self, trace_id: str, start: int) -> bool | None:
        """Whether a person called the verdict on the sentence at start right; None when nobody said."""
        found = self._query(
            "SELECT is_right FROM flagopinion WHERE trace_id = ? AND start = ?", (trace_id, start)
        )
        return bool(found[0][0]) if found else None

    def flag_state(self, collection_id: int, most: int = 2000) -> FlagState:
        """What is known of a collection's flags: its limits, the last answers' scores, the person's verdicts."""
        limits = self._query("SELECT * FROM flaglimits WHERE collection_id = ?", (collection_id,))
        row = dict(limits[0]) if limits else {}
        answers: dict[str, list[float]] = {}
        flagged = 0
        for trace_id, score, has_flag in self._query(
            """SELECT t.id, c.score, t.flag_count > 0 FROM (SELECT id, flag_count FROM trace WHERE collection_id = ?
               AND source = 'person' AND claim_count > 0 ORDER BY created_ms DESC LIMIT ?) t
               JOIN claim c ON c.trace_id = t.id WHERE c.score IS NOT NULL""",
            (collection_id, most),
        ):
            flagged += bool(has_flag) and trace_id not in answers
            answers.setdefault(trace_id, []).append(float(score))
        said = self._query(
            "SELECT count(*), coalesce(sum(is_right), 0) FROM flagopinion WHERE collection_id = ?",
            (collection_id,),
        )
        return FlagState(
            tuple(tuple(scores) for scores in answers.values()), flagged, row.get("check_from"),
            row.get("unsupported_from"), row.get("second_detector", ""), row.get("fitted_on", 0),
            int(said[0][0]) if said else 0, int(said[0][1]) if said else 0,
        )  # fmt: skip

    def consistency(self, trace_id: str) -> ConsistencyReport | None:
        """The last check of how far a trace's answer repeats; None when there was none."""
        found = self._query(
            "SELECT * FROM consistencycheck WHERE trace_id = ? ORDER BY id DESC LIMIT 1", (trace_id,)
        )
        if not found:
            return None
        row = dict(found[0])
        samples = tuple(
            Sample(s["answer"], s["group"], s["logprob"], tuple(s["differs"]))
            for s in json.loads(row["samples"])
        )
        return ConsistencyReport(
            trace_id, row["temperature"], samples, row["clusters"], row["agreement"], row["semantic_entropy"],
            math.log(max(len(samples), 1)),
        )  # fmt: skip

    def trace_models(self) -> list[str]:
        return [row[0] for row in self._query("SELECT DISTINCT model FROM trace WHERE model != ''")]

    def ask_points(self, since_ms: int, until_ms: int, limit: int = 100_000) -> list[AskPoint]:
        """Asks by persons, oldest first: test traffic stays out of the dashboards."""
        columns = ", ".join(f.name for f in fields(AskPoint))
        return self._rows(
            AskPoint,
            f"""SELECT {columns} FROM trace WHERE source = 'person' AND status != 'running'
                AND created_ms >= ? AND created_ms < ? ORDER BY created_ms LIMIT ?""",
            (since_ms, until_ms, limit),
        )

    def overview(self, since_ms: int) -> Overview:
        totals = self._query(
            """SELECT count(*), coalesce(sum(v.document_count), 0), coalesce(sum(v.chunk_count), 0)
               FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id"""
        )
        asks = self._query(
            """SELECT count(*), coalesce(sum(status IN ('failed', 'interrupted')), 0),
                      coalesce(sum(claim_count), 0), coalesce(sum(flag_count), 0),
                      coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0),
                      coalesce(sum(completion_tokens), 0)
               FROM trace WHERE source = 'person' AND created_ms >= ?""",
            (since_ms,),
        )
        traces = self._query("SELECT count(*) FROM trace WHERE source = 'person'")
        if not (totals and asks and traces):
            return Overview(*[0] * len(fields(Overview)))
        return Overview(*(int(value) for value in (*totals[0], *asks[0], *traces[0])))

    # --- monitors -----------------------------------------------------------------------------------------

    def measured_asks(self, scope: Scope, limit: int = 10_000) -> list[MeasuredAsk]:
        """The newest asks by persons in a scope, newest first; frozen runs and evaluations are not among them."""
        parts, values = ["source = 'person'", "status != 'running'"], []
        for condition, value in (
            ("collection = ?", scope.collection),
            ("model = ?", scope.model),
            ("prompt_fingerprint = ?", scope.prompt),
            ("created_ms >= ?", scope.since_ms),
            ("created_ms < ?", scope.until_ms),
        ):
            if value not in ("", None):
                parts.append(condition)
                values.append(value)
        columns = ", ".join(
            "length(answer) AS answer_length" if f.name == "answer_length" else f.name
            for f in fields(MeasuredAsk)
        )
        return self._rows(
            MeasuredAsk,
            f"SELECT {columns} FROM trace WHERE {' AND '.join(parts)} ORDER BY created_ms DESC, id LIMIT ?",
            (*values, limit),
        )

    def asked_prompts(self) -> list[tuple[str, str]]:
        """(fingerprint, "NAME@NUMBER") of every version of a prompt that an ask by a person used."""
        found = self._query(
            """SELECT prompt_fingerprint, max(prompt_name), max(prompt_version) FROM trace
               WHERE prompt_fingerprint != '' AND source = 'person' GROUP BY 1 ORDER BY 2, 3"""
        )
        return [(row[0], f"{row[1]}@{row[2]}" if row[2] else f"{row[1]} {row[0][:8]}") for row in found]

    def answers(self, trace_ids: Sequence[str]) -> dict[str, str]:
        found = self._query(
            "SELECT id, answer FROM trace WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(trace_ids)),),
        )
        return {row[0]: row[1] for row in found}

    def reference_periods(self) -> list[ReferenceRow]:
        return self._rows(
            ReferenceRow,
            "SELECT collection, start_ms, end_ms, note FROM referenceperiod ORDER BY collection",
        )

    def reference_for(self, collection: str) -> ReferenceRow | None:
        """The collection's own reference period, else the one for all."""
        known = {row.collection: row for row in self.reference_periods()}
        return known.get(collection) or known.get("")

    def alerts(self, firing_only: bool = False) -> list[AlertRow]:
        """Rules by name; firing_only: what a person has to be told."""
        where = "WHERE enabled AND state = 'firing'" if firing_only else ""
        columns = ", ".join(f'"{f.name}"' for f in fields(AlertRow))
        return self._rows(AlertRow, f"SELECT {columns} FROM alertrule {where} ORDER BY name")

    # --- models -------------------------------------------------------------------------------------------

    def prompts(self) -> list[PromptRow]:
        """All prompts by name."""
        rows = self._query(
            """SELECT p.*, (SELECT count(*) FROM promptversion v WHERE v.prompt_id = p.id) AS version_count
               FROM prompt p ORDER BY p.name"""
        )
        return [
            PromptRow(
                row["name"],
                row["description"],
                row["created_ms"],
                row["version_count"],
                row["last_number"],
                tuple(self._labels(row["id"]).items()),
            )
            for row in rows
        ]

    def prompt_versions(self, name: str) -> list[PromptVersionRow]:
        """Newest first. Raises NotFoundError."""
        prompt_id = self._id_of(
            "prompt", name, f"There is no prompt named “{name}”; `ragdeck prompts` lists them."
        )
        labels = self._labels(prompt_id)
        rows = self._query(
            "SELECT * FROM promptversion WHERE prompt_id = ? ORDER BY number DESC", (prompt_id,)
        )
        return [
            PromptVersionRow(
                **{
                    f.name: row[f.name]
                    for f in fields(PromptVersionRow)
                    if f.name not in ("prompt", "variables", "labels")
                },
                prompt=name,
                variables=tuple(json.loads(row["variables"])),
                labels=tuple(label for label, number in labels.items() if number == row["number"]),
            )
            for row in rows
        ]

    def label_moves(self, name: str, label: str = "") -> list[LabelMove]:
        """The moves of a prompt's label, or of all of them, newest first. Raises NotFoundError."""
        prompt_id = self._id_of(
            "prompt", name, f"There is no prompt named “{name}”; `ragdeck prompts` lists them."
        )
        return self._rows(
            LabelMove,
            """SELECT label, from_number, to_number, moved_ms, author, note FROM promptlabelmove
               WHERE prompt_id = ? AND (? = '' OR label = ?) ORDER BY id DESC""",
            (prompt_id, label, label),
        )

    def evaluation_sets(self) -> list[SetRow]:
        """All evaluation sets by name, with their current version."""
        return self._rows(
            SetRow,
            """SELECT s.name, s.description, s.created_ms, s.last_number AS number,
                      coalesce(v.case_count, 0) AS case_count, coalesce(v.fingerprint, '') AS fingerprint,
                      coalesce(v.created_ms, s.created_ms) AS changed_ms
               FROM evaluationset s
               LEFT JOIN evaluationsetversion v ON v.set_id = s.id AND v.number = s.last_number ORDER BY s.name""",
        )

    def evaluation_set_versions(self, name: str) -> list[SetVersionRow]:
        """Newest first. Raises NotFoundError."""
        return self._rows(
            SetVersionRow,
            """SELECT id, number, created_ms, message, fingerprint, case_count FROM evaluationsetversion
               WHERE set_id = ? ORDER BY number DESC""",
            (self._set_id(name),),
        )

    def evaluation_cases(self, name: str, number: int | None = None) -> list[str]:
        """The cases of a version (None: the current one) in their order, each as JSON. Raises NotFoundError."""
        set_id = self._set_id(name)
        versions = self._query(
            """SELECT v.id FROM evaluationsetversion v JOIN evaluationset s ON s.id = v.set_id
               WHERE s.id = ? AND v.number = coalesce(?, s.last_number)""",
            (set_id, number),
        )
        if not versions and number is not None:
            raise NotFoundError(f"“{name}” has no version {number}; `ragdeck sets versions` lists them.")
        return [
            row["content"]
            for version in versions
            for row in self._query(
                """SELECT c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
                   WHERE sc.version_id = ? ORDER BY sc.position""",
                (version["id"],),
            )
        ]

    def pipelines(self) -> list[PipelineVersionRow]:
        """The newest version of each pipeline, by name."""
        return self._pipeline_rows("v.number = p.last_number", ())

    def pipeline_versions(self, name: str) -> list[PipelineVersionRow]:
        """Newest first. Raises NotFoundError."""
        self._id_of("pipeline", name, f"There is no pipeline named “{name}”.")
        return self._pipeline_rows("p.name = ?", (name,))

    def pipeline_label_moves(self, name: str, label: str = "") -> list[LabelMove]:
        """Newest first. Raises NotFoundError."""
        pipeline_id = self._id_of("pipeline", name, f"There is no pipeline named “{name}”.")
        return self._rows(
            LabelMove,
            """SELECT label, from_number, to_number, moved_ms, author, note FROM pipelinelabelmove
               WHERE pipeline_id = ? AND (? = '' OR label = ?) ORDER BY id DESC""",
            (pipeline_id, label, label),
        )

    def required_gate(self, kind: str, name: str) -> RequiredGate | None:
        """What the label production of a prompt or pipeline waits for; None: nothing."""
        table = "prompt" if kind == "prompt" else "pipeline"
        found = self._query(
            f"""SELECT g.* FROM gaterequirement g JOIN {table} s ON s.id = g.subject_id
                WHERE g.kind = ? AND s.name = ?""",
            (table, name),
        )
        if not found:
            return None
        row = found[0]
        return RequiredGate(table, name, row["set_name"], row["gate"], row["author"], row["created_ms"])

    def _pipeline_rows(self, condition: str, values: tuple[Any, ...]) -> list[PipelineVersionRow]:
        rows = self._query(
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

    def evaluation_version_cases(self, set_version_id: int) -> list[str]:
        """The cases of a version in their order, each as JSON; none when the set was deleted."""
        rows = self._query(
            """SELECT c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
               WHERE sc.version_id = ? ORDER BY sc.position""",
            (set_version_id,),
        )
        return [row[0] for row in rows]

    def evaluation_runs(self, set_name: str = "", pipeline: str = "", tag: str = "") -> list[RunRow]:
        """Newest first; empty values do not filter."""
        return self._run_rows(
            """(?1 = '' OR r.set_name = ?1) AND (?2 = '' OR r.pipeline = ?2) AND (?3 = '' OR EXISTS
               (SELECT 1 FROM evaluationruntag t WHERE t.run_id = r.id AND t.name = ?3))""",
            (set_name, pipeline, tag),
        )

    def evaluation_run(self, run_id: int) -> RunRow:
        """Raises NotFoundError."""
        found = self._run_rows("r.id = ?", (run_id,))
        if not found:
            raise NotFoundError(f"There is no run {run_id}; `ragdeck runs list` shows those there are.")
        return found[0]

    def _run_rows(self, condition: str, values: tuple[Any, ...]) -> list[RunRow]:
        rows = self._query(
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

    def evaluation_results(self, run_id: int) -> list[ResultRow]:
        """All answers of a run, in the order they were made."""
        rows = self._query(
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

    def _set_id(self, name: str) -> int:
        missing = f"There is no evaluation set named “{name}”; `ragdeck sets` lists those there are."
        return self._id_of("evaluationset", name, missing)

    def _labels(self, prompt_id: int) -> dict[str, int]:
        """label -> number of the version that it points to."""
        rows = self._query(
            """SELECT l.name, v.number FROM promptlabel l JOIN promptversion v ON v.id = l.version_id
               WHERE l.prompt_id = ? ORDER BY l.name""",
            (prompt_id,),
        )
        return {row["name"]: row["number"] for row in rows}

    def _id_of(self, table: str, name: str, missing: str) -> int:
        found = self._query(f"SELECT id FROM {table} WHERE name = ?", (name,))
        if not found:
            raise NotFoundError(missing)
        return int(found[0]["id"])

    def added_models(self) -> list[str]:
        """Paths of the GGUF files that the person added."""
        return [row[0] for row in self._query("SELECT path FROM model ORDER BY added_ms")]

    # --- plumbing -----------------------------------------------------------------------------------------

    def is_current(self) -> bool:
        """Whether the file is there with the tables that this program reads."""
        return self._has_tables()

    def rows(self, kind: type[R], statement: str, values: tuple[Any, ...] = ()) -> list[R]:
        """A query's rows as values of a dataclass, whose fields are its columns; for modules beside this one.

        None where the file is older than the table: the engine makes it when it opens the folder.
        """
        try:
            return self._rows(kind, statement, values)
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def cells(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """A query's rows as they are; see rows."""
        try:
            return [tuple(row) for row in self._query(statement, values)]
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def close(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _query(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Rows of a query; none before the engine has made the file, or upgraded an older one."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if not self._has_tables():
                return []
            connection = self._connect()
            self._local.connection = connection
        return connection.execute(statement, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        return connection

    def _has_tables(self) -> bool:
        """Whether the file has all tables: making or upgrading it sets user_version last."""
        if not self._database.exists():
            return False
        connection = self._connect()
        try:
            return int(connection.execute("PRAGMA user_version").fetchone()[0]) >= SCHEMA
        finally:
            connection.close()

    def _rows(self, kind: type[R], statement: str, values: tuple[Any, ...] = ()) -> list[R]:
        found = self._query(statement, values)
        if not found:
            return []
        order = [found[0].keys().index(f.name) for f in fields(kind)]  # type: ignore[arg-type]
        if order == list(range(len(order))):  # a third quicker than by name, for ten thousand rows
            return [kind(*row) for row in found]
        return [kind(*(row[place] for place in order)) for row in found]
