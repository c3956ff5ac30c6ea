"""Every text column says what it contains: an erasure finds document texts by these marks."""

from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive
from sqlmodel import SQLModel

from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.storage import tables
from rag.storage.tables.contents import (
    Content,
    blank_of,
    content_of,
    is_text,
    mark,
    marked_columns,
    subjects,
)
from rag.storage.tables.knowledge import Chunk, Document
from rag.storage.tables.review import Feedback
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

TABLES = SQLModel.metadata.sorted_tables


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_every_text_column_says_what_it_contains(table: object) -> None:
    unmarked = [c.name for c in table.columns if is_text(c) and content_of(c) is None]  # type: ignore[attr-defined]
    assert unmarked == [], "mark these columns at the end of the file of this table"


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_only_text_columns_are_marked(table: object) -> None:
    assert [c.name for c in table.columns if content_of(c) and not is_text(c)] == []  # type: ignore[attr-defined]


def test_columns_that_an_erasure_must_find_are_not_called_technical() -> None:
    """Names that always mean free text: a column of such a name that is technical or a name is a mistake."""
    free = {"text", "answer", "passage", "note", "correction", "message", "detail", "prompt", "reason"}
    # A fingerprint and a choice from a list.
    technical = {("alertrule", "prompt"), ("feedback", "reason"), ("review", "reason")}
    wrong = {
        (table.name, column.name)
        for table in TABLES
        for column in table.columns
        if column.name in free and content_of(column) in (Content.TECHNICAL, Content.NAME)
    }
    assert wrong == technical


def test_a_mark_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="no_such_column"):
        mark(Chunk, technical="no_such_column")
    with pytest.raises(ValueError, match="secret"):
        mark(Chunk, secret="text")


def test_columns_are_found_by_what_they_contain() -> None:
    found = {table.name: names for table, names in marked_columns(Content.COPY)}
    assert found["trace"] == ["prompt"]
    assert found["tracehit"] == ["place", "text"]
    assert "document" not in found
    both = {table.name: names for table, names in marked_columns(Content.COPY, Content.DERIVED)}
    assert both["trace"] == ["answer", "thinking", "prompt"]
    assert [table.name for table, _ in marked_columns()] == []


def test_a_blank_column_contains_its_default() -> None:
    columns = SQLModel.metadata.tables
    assert blank_of(columns["feedback"].columns["tags"]) == Feedback.model_fields["tags"].default == "[]"
    assert blank_of(columns["feedback"].columns["note"]) == ""
    assert blank_of(columns["document"].columns["text"]) == ""
    assert Document.model_fields["text"].is_required()
    assert blank_of(columns["trace"].columns["settings"]) == Trace.model_fields["settings"].default


def test_every_table_belongs_to_the_subject_of_its_file() -> None:
    found = subjects()
    assert set(found) == {table.name for table in TABLES}
    assert set(found.values()) == set(tables.__all__)
    assert (found["chunk"], found["draft"], found["erasure"]) == ("knowledge", "evaluation", "governance")


def test_a_deleted_collection_leaves_rows_in_no_table_but_those_of_its_traces(
    workspace: Workspace, documents: Path
) -> None:
    """Ids of collections are given again, so a row that stays would belong to another collection."""
    drive(ingest_files(workspace, "A", [documents]))
    of_collections = [table.name for table in TABLES if "collection_id" in table.columns]
    for number, name in enumerate(of_collections):
        if name not in ("document", "datasetversion"):
            insert(workspace, name, collection_id=1, **({"id": str(number)} if name == "trace" else {}))
    delete_collection(workspace, "A")
    query = "SELECT count(*) FROM {} WHERE collection_id = 1"
    left = {name for name in of_collections if workspace.database.cells(query.format(name))[0][0]}
    assert left == {"trace", "flagopinion"}
