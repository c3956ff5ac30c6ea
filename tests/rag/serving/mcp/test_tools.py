"""Each tool says what it is for, bounds what it returns, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from serving_parts import COLLECTION, Served

from rag.errors import NotFoundError, RagError
from rag.serving.mcp.bounds import MOST_TOKENS, tokens_of
from rag.serving.mcp.tools import TOOLS, chosen_tools, read_document
from rag.serving.work import MODEL


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


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], list(TOOLS)),
        (["ask"], ["ask"]),
        (["ask", "ask"], ["ask"]),
        (list(reversed(TOOLS)), list(TOOLS)),
    ],
)
def test_a_choice_has_each_tool_once(names: list[str], chosen: list[str]) -> None:
    assert list(chosen_tools(names)) == chosen


@pytest.mark.parametrize("name", ["", "Ask", " ask", "ask,search", "fly"])
def test_a_tool_has_exactly_its_name(name: str) -> None:
    with pytest.raises(RagError) as refused:
        chosen_tools(["search", name])
    assert str(refused.value) == f"There is no tool “{name}”. The tools are {', '.join(TOOLS)}."


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("collections", {"limit": 1}),
        ("search", {"collection": COLLECTION}),
        ("search", {"collection": COLLECTION, "query": ""}),
        ("search", {"collection": COLLECTION, "query": "x", "limit": 51}),
        ("passage", {}),
        ("passage", {"document_id": "one"}),
        ("passage", {"document_id": 1, "start": -1}),
        ("passage", {"document_id": 1, "end": -1}),
        ("ask", {"collection": COLLECTION, "question": ""}),
        ("ask", {"collection": COLLECTION, "question": "x", "model": "other"}),
        ("traces", {"only": "good"}),
        ("traces", {"limit": 201}),
        ("trace", {"trace_id": "abc"}),
        ("runs", {"limit": 0}),
    ],
    ids=str,
)
def test_arguments_out_of_bounds_never_reach_a_tool(tool: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TOOLS[tool].arguments.model_validate(arguments)


@pytest.mark.parametrize(
    ("start", "end", "text", "until"),
    [
        (0, 7, "# Bread", 7),
        (2, 7, "Bread", 7),
        (7, 2, "", 7),  # an end before its beginning
        (500, None, "", 500),
        (50, 10_000, "rest.\n", 56),
        (0, 0, "", 0),
    ],
)
def test_a_part_of_a_document_is_what_lies_between(
    served: Served, start: int, end: int | None, text: str, until: int
) -> None:
    made = run(served, "passage", document_id=1, start=start, end=end)
    whole = read_document(served.workspace, 1)[1]
    assert made["length"] == len(whole) and whole[start : start + len(made["text"])] == made["text"]
    assert (made["text"], made["end"] - made["start"]) == (whole[start:end], len(whole[start:end]))
    assert made["start"] == start and made["left_out"] == ""


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_search_returns_at_most_what_was_asked_for(served: Served, limit: int) -> None:
    made = run(served, "search", collection=COLLECTION, query="rye bread", limit=limit)
    assert 1 <= len(made["passages"]) <= min(limit, 2)
    assert made["passages"][0]["document"] == "bread.md" and made["version"] == 1
    first = made["passages"][0]
    assert (
        read_document(served.workspace, first["document_id"])[1][first["start"] : first["end"]]
        == first["text"]
    )


def test_a_search_in_no_collection_is_a_sentence(served: Served) -> None:
    with pytest.raises(NotFoundError, match="“nobody”"):
        run(served, "search", collection="nobody", query="x")


def test_only_asking_uses_the_lane_of_the_model() -> None:
    assert [tool.name for tool in TOOLS.values() if tool.lane == MODEL] == ["ask"]
