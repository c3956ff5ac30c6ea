"""The JSON document of an answer."""

import json
from pathlib import Path

import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import AskResult, Question, TraceDetail, get_trace
from rag.cli.printing.answers import ask_document
from rag.cli.terminal import as_plain
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture
def answered(workspace: Workspace, documents: Path) -> tuple[TraceDetail, AskResult]:
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    return get_trace(workspace.database, result.trace_id), result


def test_the_document_has_the_answer_with_its_place_in_a_session(
    answered: tuple[TraceDetail, AskResult],
) -> None:
    detail, result = answered
    document = ask_document(detail, result)
    assert (document["trace_id"], document["session_id"]) == (result.trace_id, result.session_id)
    assert (document["answer"], document["status"]) == (result.answer, "done")
    assert (document["collection"], document["version"], document["model"]) == ("A", 1, detail.model)
    assert document["notices"] == list(result.notices)
    assert json.loads(json.dumps(as_plain(document)))["question"] == "What does rye bread need?"


def test_claims_and_citations_name_their_passages(answered: tuple[TraceDetail, AskResult]) -> None:
    detail, result = answered
    document = ask_document(detail, result)
    packed = [hit for hit in detail.hits if hit.marker is not None]
    assert [found["marker"] for found in document["citations"]] == sorted(hit.marker or 0 for hit in packed)
    assert len(document["claims"]) == len(detail.claims) > 0
    for claim, stored in zip(document["claims"], detail.claims, strict=True):
        assert detail.answer[claim["start"] : claim["end"]] == stored.text == claim["text"]
        evidence = claim["evidence"]
        assert (evidence is None) == (stored.evidence_marker is None)
        if evidence is not None:
            assert evidence["text"] == stored.evidence_text


def test_figures_are_those_of_the_trace(answered: tuple[TraceDetail, AskResult]) -> None:
    detail, result = answered
    document = ask_document(detail, result)
    assert document["tokens"] == {
        "prompt": detail.prompt_tokens,
        "cached": detail.cached_tokens,
        "completion": detail.completion_tokens,
        "thinking": 0,
    }
    assert document["timings_ms"]["total"] == detail.total_ms
    assert document["retrieval"]["passages"] == detail.passage_count


def test_where_an_answer_came_from_is_said(answered: tuple[TraceDetail, AskResult]) -> None:
    document = ask_document(*answered)
    assert (document["endpoint"], document["sent_to"], document["usage"]) == ("", "", "")
