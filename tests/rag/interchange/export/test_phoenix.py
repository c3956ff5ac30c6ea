"""A real counterpart: arize-phoenix takes our export, and its API gives back spans, documents and scores."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from counterparts import PHOENIX, environment_of, running_phoenix
from exported_traces import PASSAGES, STAGES, add_trace

from rag.interchange.export.queue import send_traces
from rag.interchange.export.spans import span_id
from rag.interchange.import_traces import read_file
from rag.interchange.rows import read_export_queue
from rag.interchange.trees import trace_of
from rag.review.feedback import add_feedback
from rag.workspace import Workspace

pytestmark = pytest.mark.models  # as slow as those
T = TypeVar("T")
ID = "7c" * 16


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_phoenix(environment_of(PHOENIX), tmp_path_factory.mktemp("phoenix")) as address:
        yield address


def get(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]
        return found


def until(read: Callable[[], list[T]], count: int) -> list[T]:
    """Return what is read once it is so much: Phoenix writes what it took a moment later."""
    deadline = time.monotonic() + 60
    while True:
        try:
            found = read()
        except OSError:  # the project is made with its first span
            found = []
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def test_phoenix_gives_back_spans_documents_and_scores(
    workspace: Workspace, phoenix: str, tmp_path: Path
) -> None:
    detail = add_trace(workspace, ID)
    add_feedback(workspace, ID, False, reason="wrong", note="It is 4.", author="ann")
    workspace.change_settings({"export": {"endpoint": f"{phoenix}/v1/traces", "phoenix_annotations": True}})
    assert send_traces(workspace, [ID]).sent == 1, read_export_queue(workspace.database)
    project = f"{phoenix}/v1/projects/Ragdeck"
    spans = until(lambda: get(f"{project}/spans?limit=100"), len(STAGES) + 2)
    by_name = {span["name"]: span for span in spans}
    assert set(by_name) == {"ask", "feedback", *(name for name, *_ in STAGES)}
    assert {span["context"]["trace_id"] for span in spans} == {ID}
    root = by_name["ask"]["context"]["span_id"]
    assert {span["parent_id"] for name, span in by_name.items() if name != "ask"} == {root}
    kinds = {name: kind for name, kind, *_ in STAGES} | {
        "read prompt": "CHAIN",
        "ask": "CHAIN",
        "feedback": "EVALUATOR",
    }
    assert {name: span["span_kind"] for name, span in by_name.items()} == kinds
    found = by_name["rerank"]["attributes"]
    assert [found[f"reranker.output_documents.{n}.document.content"] for n in (0, 1)] == list(PASSAGES)
    call = by_name["generate"]["attributes"]
    assert (call["llm.token_count.prompt"], call["llm.token_count.completion"]) == (120, 13)
    assert by_name["ask"]["attributes"]["output.value"] == detail.answer
    rows = until(lambda: get(f"{project}/span_annotations?span_ids={root}&limit=100"), 4)
    scores = {(row["name"], row["identifier"]): row for row in rows}
    assert scores["support", ""]["result"]["score"] == 0.5
    assert scores["sentence support", "sentence 2"]["result"]["label"] == "unsupported"
    assert (scores["feedback", "ann"]["annotator_kind"], scores["feedback", "ann"]["result"]["score"]) == (
        "HUMAN",
        0.0,
    )
    assert root == span_id(ID, "root")

    file = tmp_path / "phoenix.json"  # and what Phoenix gives back is read as the same trace
    file.write_text(json.dumps(spans), "utf-8")
    again = trace_of(read_file(file).spans, 2_000_000_000 * 10**9)
    assert (again.question, again.answer, again.model) == (detail.question, detail.answer, "qwen")
    assert [document.text for document in again.documents] == list(PASSAGES)


def test_sent_again_nothing_is_there_twice_and_hidden_is_hidden(workspace: Workspace, phoenix: str) -> None:
    other = "8d" * 16
    add_trace(workspace, other)
    workspace.change_settings(
        {"export": {"endpoint": f"{phoenix}/v1/traces", "hide_inputs": True, "hide_outputs": True}}
    )
    assert send_traces(workspace, [other]).sent == send_traces(workspace, [other]).sent == 1

    def read() -> list[dict[str, Any]]:
        found = get(f"{phoenix}/v1/projects/Ragdeck/spans?limit=1000")
        return [span for span in found if span["context"]["trace_id"] == other]

    spans = until(read, len(STAGES) + 1)
    assert len(spans) == len(STAGES) + 1
    assert "tide" not in json.dumps(spans).replace("tides", "") and "qwen" in json.dumps(spans)
