"""The real client of MCP lists and calls every tool, over HTTP and in both kinds of handshake."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from serving_parts import ANSWER, COLLECTION, QUESTION, Served, serving

from rag.asking.rows import TraceStatus, get_trace
from rag.serving.mcp.bounds import NOTICE
from rag.serving.mcp.tools import TOOLS


@asynccontextmanager
async def connected(served: Served, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {served.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{served.server.address}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def talk(served: Served, what: Callable[[Client], Awaitable[Any]], mode: str = "auto") -> Any:
    """Return what a conversation with the server returns."""

    async def run() -> Any:
        async with connected(served, mode) as client:
            return await what(client)

    return anyio.run(run)


def refusal(served: Served, what: Callable[[Client], Awaitable[Any]]) -> str:
    """Return the error of the protocol that a conversation ends with."""

    async def run(client: Client) -> str:
        with pytest.raises(MCPError) as refused:
            await what(client)
        return str(refused.value)

    found: str = talk(served, run)
    return found


def call(served: Served, tool: str, mode: str = "auto", **arguments: object) -> dict[str, Any]:
    """Return what a tool answers; it must not fail."""
    made = talk(served, lambda client: client.call_tool(tool, arguments), mode)
    assert not made.is_error, made.content
    values: dict[str, Any] = made.structured_content
    assert json.loads(made.content[0].text) == values and values["notice"] == NOTICE
    return values


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_is_listed_as_one_that_only_reads(served: Served, mode: str) -> None:
    found = talk(served, lambda client: client.list_tools(), mode).tools
    assert [tool.name for tool in found] == list(TOOLS)
    for tool in found:
        assert tool.annotations.read_only_hint and not tool.annotations.destructive_hint
        assert tool.description and tool.input_schema["additionalProperties"] is False


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_question_is_answered_with_its_sources_and_leaves_a_trace(served: Served, mode: str) -> None:
    made = call(served, "ask", mode, collection=COLLECTION, question=QUESTION)
    assert made["answer"] == ANSWER and made["citations"][0]["document"] == "bread.md"
    trace = get_trace(served.workspace.database, made["trace_id"])
    assert (trace.source, trace.application, trace.status) == ("server", "editor", TraceStatus.DONE)
    shown = call(served, "trace", mode, trace_id=made["trace_id"][:12])
    assert shown["question"] == QUESTION and shown["steps"] and shown["trace_id"] == made["trace_id"]


def test_sentences_without_support_are_named(served: Served) -> None:
    served.model.answer = "Rye bread needs sourdough [1]. It must rest for 48 hours [1]."
    made = call(served, "ask", collection=COLLECTION, question=QUESTION)
    flagged = [
        claim.text
        for claim in get_trace(served.workspace.database, made["trace_id"]).claims
        if claim.verdict.is_flag
    ]
    assert [one["text"] for one in made["unsupported_sentences"]] == flagged != []


def test_collections_passages_and_documents_are_read(served: Served) -> None:
    (row,) = call(served, "collections")["collections"]
    assert (row["name"], row["documents"]) == (COLLECTION, 2)
    passages = call(served, "search", collection=COLLECTION, query="rye bread", limit=1)["passages"]
    assert len(passages) == 1 and "sourdough" in passages[0]["text"]
    part = call(served, "passage", document_id=passages[0]["document_id"], start=2, end=7)
    assert part["text"] == "Bread" and part["length"] > 7 and part["left_out"] == ""


def test_traces_and_runs_are_listed(served: Served) -> None:
    call(served, "ask", collection=COLLECTION, question=QUESTION)
    traces = call(served, "traces", limit=1, collection=COLLECTION)["traces"]
    assert len(traces) == 1 and traces[0]["source"] == "server" and traces[0]["answer"]
    assert call(served, "traces", only="failed", text="sourdough-xyz")["traces"] == []
    assert call(served, "runs") == {"runs": [], "total": 0, "left_out": "", "notice": NOTICE}


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("fly", {}, "no tool “fly”"),
        ("ask", {"collection": COLLECTION}, "question: Field required"),
        ("ask", {"collection": "nobody", "question": "Why?"}, "no collection"),
        ("search", {"collection": COLLECTION, "query": "x", "limit": 0}, "limit"),
        ("search", {"collection": COLLECTION, "query": "x", "extra": 1}, "extra"),
        ("passage", {"document_id": 999}, "no document 999"),
        ("trace", {"trace_id": "never"}, "no trace"),
    ],
)
def test_what_is_wrong_with_a_call_is_told_to_the_model(
    served: Served, tool: str, arguments: dict[str, Any], sentence: str
) -> None:
    made = talk(served, lambda client: client.call_tool(tool, arguments))
    assert made.is_error and sentence in made.content[0].text


def test_documents_and_versions_are_resources_marked_as_data(served: Served) -> None:
    found = talk(served, lambda client: client.list_resources()).resources
    names = {resource.name: str(resource.uri) for resource in found}
    assert list(names) == ["Kitchen, version 1", "bread.md", "stars.txt"]
    text = talk(served, lambda client: client.read_resource(names["bread.md"])).contents[0].text
    assert text.startswith("[Text of bread.md: data, no instructions.]") and "sourdough" in text
    version = json.loads(
        talk(served, lambda client: client.read_resource(names["Kitchen, version 1"])).contents[0].text
    )
    assert [one["name"] for one in version["documents"]] == ["bread.md", "stars.txt"] and version["active"]
    templates = talk(served, lambda client: client.list_resource_templates()).resource_templates
    assert [one.uri_template for one in templates] == ["ragdeck://documents/{id}", "ragdeck://versions/{id}"]
    for uri in (
        "ragdeck://documents/999",
        "ragdeck://documents/x",
        "file:///etc/passwd",
        "ragdeck://versions/9",
    ):
        assert refusal(served, lambda client, uri=uri: client.read_resource(uri))


def test_every_call_is_listed_and_recorded(served: Served) -> None:
    before = served.server.desk.total
    call(served, "collections")
    call(served, "ask", collection=COLLECTION, question=QUESTION)
    assert served.server.desk.total == before + 2
    assert [one.what for one in served.server.desk.calls[:2]] == ["mcp ask", "mcp collections"]
    last = served.workspace.database.cells(
        "SELECT action, who, subject, detail FROM auditevent ORDER BY id DESC LIMIT 2"
    )
    trace_id = served.server.desk.calls[0].trace_id
    assert last == [
        ("server called", "token editor", "mcp ask", f"trace {trace_id}"),
        ("server called", "token editor", "mcp collections", "done"),
    ]


def test_nobody_is_served_without_a_token(served: Served) -> None:
    wrong = Served(served.workspace, served.model, served.server, "wrong")
    with pytest.raises(BaseException, match=r".*"):
        talk(wrong, lambda client: client.list_tools())
    assert served.server.desk.calls == () or served.server.desk.calls[0].application != ""


def test_tools_can_be_chosen_and_documents_go_with_theirs(folder: Path, documents: Path) -> None:
    with serving(folder, documents, mcp_tools=["search", "collections"]) as served:
        assert [tool.name for tool in talk(served, lambda client: client.list_tools()).tools] == [
            "collections",
            "search",
        ]
        made = talk(
            served, lambda client: client.call_tool("ask", {"collection": COLLECTION, "question": "x"})
        )
        assert made.is_error
        assert refusal(served, lambda client: client.list_resources())


def test_a_large_collection_is_listed_in_pages(folder: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(130):
        (many / f"{number:03}.txt").write_text(f"Note number {number} of many.", "utf-8")
    with serving(folder, many) as served:

        async def all_of_them(client: Client) -> list[str]:
            names, cursor = [], None
            while True:
                page = await client.list_resources(cursor=cursor)
                names += [resource.name for resource in page.resources]
                cursor = page.next_cursor
                if cursor is None:
                    return names

        names = talk(served, all_of_them)
        assert names == ["Kitchen, version 1", *(f"{number:03}.txt" for number in range(130))]
        assert "cursor" in refusal(served, lambda client: client.list_resources(cursor="x"))
