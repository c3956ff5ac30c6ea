"""The book of a report: every stored row that it names, with its fingerprints and where it is shown."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rag.errors import NotFoundError
from rag.finding.rows import Kind, Place, file_name
from rag.governance.report.rows import Block, Gap, Section, Selection, Source, Statement, Value
from rag.storage.database import Database

Row = dict[str, Any]


class Book:
    """The stored rows that a report names."""

    def __init__(self, database: Database) -> None:
        """Begin an empty book; every row that is cited is read from this database."""
        self.database = database
        self.sources: dict[str, Source] = {}

    def cite(self, table: str, **keys: str | int) -> str:
        """Return the id of a stored row as a source. Raises NotFoundError when it is not stored."""
        source_id = f"{table}:{','.join(str(value) for value in keys.values())}"
        if source_id not in self.sources:
            self.sources[source_id] = self._source(source_id, table, keys)
        return source_id

    def cite_all(self, table: str, column: str, values: Iterable[str | int]) -> tuple[str, ...]:
        """Return the ids of rows that one column finds."""
        return tuple(self.cite(table, **{column: value}) for value in values)

    def _source(self, source_id: str, table: str, keys: dict[str, str | int]) -> Source:
        row = stored_row(self.database, table, keys)
        if row is None:
            raise NotFoundError(f"The database has no {table} with {keys}. Make the report again.")
        title, fingerprint, place, command = _describe(self.database, table, row)
        return Source(source_id, title, table, keys, row_sha256(row), fingerprint, place, command)


def stored_row(database: Database, table: str, keys: dict[str, str | int]) -> Row | None:
    """Return a row with all of its columns; None when it is not stored.

    Raises NotFoundError when the file has no such table or column: a report may come from anywhere.
    """
    columns = {name for (name,) in database.cells("SELECT name FROM pragma_table_info(?)", (table,))}
    if not columns or not keys or not keys.keys() <= columns:
        raise NotFoundError(f"This data folder has no table “{table}” with {', '.join(keys) or 'no column'}.")
    where = " AND ".join(f'"{column}" = ?' for column in keys)
    found = database.query(f'SELECT * FROM "{table}" WHERE {where}', tuple(keys.values()))
    return dict(found[0]) if found else None


def row_sha256(row: Row) -> str:
    """Return the sha256 of a row as canonical JSON: sorted columns, no white space, bytes as hex digits."""
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# --- statements -------------------------------------------------------------------------------------------


def section(key: str, title: str, blocks: Sequence[Block], gaps: Sequence[Gap]) -> Section:
    """Return a section with the blocks that say something; rag.governance.report.headings maps it."""
    from rag.governance.report.headings import HEADINGS

    return Section(key, title, HEADINGS[key], tuple(b for b in blocks if b.statements), tuple(gaps))


def table_row(
    key: str,
    columns: Sequence[str],
    cells: Sequence[str],
    sources: Sequence[str],
    text: str = "",
    **values: Value,
) -> Statement:
    """Return a row of a table; without a text of its own, its sentence names its columns."""
    text = text or "; ".join(f"{name}: {cell}" for name, cell in zip(columns, cells, strict=True) if cell)
    return Statement(key, text, tuple(sources), tuple(cells), values)


def counting(
    book: Book, key: str, text: str, table: str, ids: Sequence[str | int], column: str = "id", **values: Value
) -> Statement:
    """Return a sentence about a figure that counts rows: its sources are the first and the last of them.

    Args:
        book: Of the report.
        key: Of the statement.
        text: The sentence.
        table: Where the rows are.
        ids: Of all of them, in their order; at least one.
        column: The one that the ids are in.
        values: The figures of the sentence.
    """
    ends = dict.fromkeys((ids[0], ids[-1]))
    return Statement(key, text, book.cite_all(table, column, ends), (), values, selected(table, ids))


def selected(table: str, ids: Sequence[str | int]) -> Selection:
    """Return the rows of a table that a figure counts."""
    digest = hashlib.sha256("\n".join(sorted(map(str, ids))).encode()).hexdigest()
    return Selection(table, len(ids), digest)


def distinct(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return statements with keys that differ: the second with a key gets #2, so the order must be stable."""
    seen: dict[str, int] = {}
    made = []
    for one in statements:
        seen[one.key] = seen.get(one.key, 0) + 1
        number = seen[one.key]
        key = one.key if number == 1 else f"{one.key}#{number}"
        made.append(Statement(key, one.text, one.sources, one.cells, one.values, one.selection))
    return tuple(made)


# --- what people call a row, and where they find it ---------------------------------------------------------

_Described = tuple[str, str, Place | None, str]


def _describe(database: Database, table: str, row: Row) -> _Described:
    """Return what a row is called, its fingerprint, where the window shows it, and the command that does."""
    make = _OF_TABLE.get(table)
    if make is not None:
        return make(database, row)
    name = str(row.get("name") or row.get("id") or "")
    return (
        f"{_CALLED.get(table, table)} {name}".strip(),
        str(row.get("fingerprint") or row.get("sha256") or ""),
        None,
        "",
    )


def _trace_of(database: Database, trace_id: str, what: str = "trace") -> _Described:
    title = f"{what} {trace_id[:8]}" if what == "trace" else f"{what} of trace {trace_id[:8]}"
    found = database.cells("SELECT version_fingerprint FROM trace WHERE id = ?", (trace_id,))
    return (
        title, str(found[0][0]) if found else "", Place(Kind.TRACE, trace_id),
        f"ragdeck traces show {trace_id}",
    )  # fmt: skip


def _run_of(run_id: int, title: str, fingerprint: str) -> _Described:
    return title, fingerprint, Place(Kind.RUN, str(run_id)), f"ragdeck runs show {run_id}"


def _name(database: Database, table: str, row_id: Any) -> str:
    found = database.cells(f"SELECT name FROM {table} WHERE id = ?", (row_id,))
    return str(found[0][0]) if found else ""


def _numbered(table: str, column: str, kind: Kind, command: str) -> Callable[[Database, Row], _Described]:
    """Return what describes a numbered version of something that has a name."""

    def describe(database: Database, row: Row) -> _Described:
        name, number = _name(database, table, row[column]), row["number"]
        made = command.format(name=shlex.quote(name), number=number)
        return f"{name} version {number}", row["fingerprint"], Place(kind, str(number), name), made

    return describe


def _document(database: Database, row: Row) -> _Described:
    collection = _name(database, "collection", row["collection_id"])
    command = f"ragdeck documents show {shlex.quote(row['source'])} -c {shlex.quote(collection)}"
    title = f"document {file_name(row['source'])}"
    return title, row["sha256"], Place(Kind.DOCUMENT, row["source"], collection), command


def _set_version(database: Database, row: Row) -> _Described:
    name = _name(database, "evaluationset", row["set_id"])
    command = f"ragdeck sets show {shlex.quote(name)}"
    return f"set {name} version {row['number']}", row["fingerprint"], Place(Kind.SET, name), command


def _review(database: Database, row: Row) -> _Described:
    found = database.cells("SELECT trace_id FROM reviewitem WHERE id = ?", (row["item_id"],))
    return _trace_of(database, str(found[0][0]), f"review by {row['reviewer']}")


def _result_verdict(database: Database, row: Row) -> _Described:
    found = database.cells("SELECT run_id FROM evaluationresult WHERE id = ?", (row["result_id"],))
    return _run_of(found[0][0] if found else 0, f"verdict on result {row['result_id']}", "")


def _rollout(_database: Database, row: Row) -> _Described:
    place = Place(Kind.ROLLOUT, str(row["id"]))
    return f"roll-out {row['id']}", "", place, f"ragdeck rollout status {row['id']}"


def _audit_event(_database: Database, row: Row) -> _Described:
    return f"audit row {row['id']}", str(row.get("hash") or ""), None, ""


# What people call a row of a table that nothing else is said of.
_CALLED = {
    "gaterequirement": "required gate",
    "pipelinelabelmove": "label move",
    "endpointchange": "change of an endpoint",
    "verification": "check of an index",
    "guardpolicylabel": "label of a policy",
    "guardmeasurement": "measurement",
    "guardrailresult": "guardrail result",
    "guardpolicyversion": "policy version",
}
_OF_TABLE: dict[str, Callable[[Database, Row], _Described]] = {
    "auditevent": _audit_event,
    "trace": lambda database, row: _trace_of(database, row["id"]),
    "feedback": lambda database, row: _trace_of(database, row["trace_id"], "feedback"),
    "cost": lambda database, row: _trace_of(database, row["trace_id"], f"cost of {row['layer']}"),
    "flagopinion": lambda database, row: _trace_of(database, row["trace_id"], "verdict on a flag"),
    "review": _review,
    "evaluationrun": lambda _d, row: _run_of(row["id"], f"run {row['id']}", row["pipeline_fingerprint"]),
    "evaluationgate": lambda _d, row: _run_of(
        row["run_id"], f"gate decision {row['id']}", row["gate_sha256"]
    ),
    "resultverdict": _result_verdict,
    "evaluationsetversion": _set_version,
    "datasetversion": _numbered("collection", "collection_id", Kind.VERSION, "ragdeck versions -c {name}"),
    "promptversion": _numbered(
        "prompt", "prompt_id", Kind.PROMPT_VERSION, "ragdeck prompts show {name} --version {number}"
    ),
    "pipelineversion": _numbered(
        "pipeline", "pipeline_id", Kind.PIPELINE_VERSION, "ragdeck pipelines show {name} --version {number}"
    ),
    "document": _document,
    "rollout": _rollout,
    "alertrule": lambda _d, row: (
        f"alert rule {row['name']}", "", Place(Kind.ALERT, row["name"]), "ragdeck monitor rules list",
    ),
    "model": lambda _d, row: (
        f"model {file_name(row['path'])}", row["sha256"] or "", Place(Kind.MODEL, row["path"]),
        "ragdeck models list",
    ),
    "endpoint": lambda _d, row: (f"endpoint {row['name']}", "", None, "ragdeck models list"),
}  # fmt: skip
