"""Each tool says what it is for, bounds what it returns, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from serving_parts import COLLECTION, Served

from rag.errors import NotFoundError, RagError
from rag.serving.mcp.bounds import MOST_TOKENS, tokens_of
from rag.serving.mcp.tools import TOOLS, chosen_tools, read_document


def run(served: Served, name: str, **arguments: object) -> dict[str, Any]:
    tool = TOOLS[name]
    made = tool.run(served.workspace, "editor", tool.arguments.model_validate(arguments))
    assert isinstance(made, dict)
    return made


def test_tools_are_chosen_by_name_in_their_own_order() -> None:
    assert list(chosen_tools([])) == list(TOOLS)
    assert list(chosen_tools(["runs", "ask"])) == ["ask", "runs"]
    with pytest.raises(RagError, match="no tool “fly”"):
        chosen_tools(["ask", "fly"])


def test_every_argument_is_described() -> None:
    for tool in TOOLS.values():
        for name, field in tool.arguments.model_fields.items():
            assert field.description, f"{tool.name}: {name}"


def test_a_long_document_is_cut_with_a_sentence(served: Served) -> None:
    with served.workspace.store.session() as session:
        raw = session.connection()
        raw.exec_driver_sql("CREATE TEMP TABLE kept AS SELECT id, text FROM document WHERE id = 1")
        raw.exec_driver_sql("UPDATE document SET text = ? WHERE id = 1", ("word " * 20_000,))
    try:
        made = run(served, "passage", document_id=1)
        assert (
            tokens_of(made) < MOST_TOKENS + 200 and "of 100,000 characters were left out" in made["left_out"]
        )
        again = run(served, "passage", document_id=1, start=made["end"], end=made["end"] + 10)
        assert len(again["text"]) == 10 and again["left_out"] == ""
    finally:
        with served.workspace.store.session() as session:
            session.connection().exec_driver_sql(
                "UPDATE document SET text = ? WHERE id = 1",
                ("# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n",),
            )


def test_reading_changes_nothing(served: Served) -> None:
    def rows() -> list[Any]:
        tables = ("trace", "collection", "datasetversion", "document", "asksession", "auditevent")
        return [served.workspace.database.cells(f"SELECT count(*) FROM {table}") for table in tables]

    before = rows()
    run(served, "collections")
    run(served, "search", collection=COLLECTION, query="stars")
    run(served, "passage", document_id=1)
    run(served, "traces")
    run(served, "runs")
    assert rows() == before


def test_a_document_that_is_gone_is_a_sentence(served: Served) -> None:
    assert read_document(served.workspace, 1)[0] == "bread.md"
    with pytest.raises(NotFoundError, match="no document 77"):
        read_document(served.workspace, 77)
