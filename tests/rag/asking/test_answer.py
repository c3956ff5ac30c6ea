"""Asking: every ask leaves a whole trace, whatever its end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import NOTHING_FOUND, answer_question
from rag.asking.packing import citations
from rag.asking.rows import (
    ClaimsChecked,
    Question,
    RetrievalDone,
    TokenStreamed,
    TraceFilter,
    count_traces,
    get_trace,
    list_traces,
)
from rag.errors import RagError
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, read_document_text
from rag.knowledge.search_settings import set_retrieval
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


def model(workspace: Workspace) -> ScriptedModel:
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)
    return loaded


def ask(workspace: Workspace, question: str = QUESTION, **arguments: object) -> object:
    arguments.setdefault("model", None)
    return answer_question(workspace, Question(question, "A", **arguments))  # type: ignore[arg-type]


def test_an_answer_is_streamed_checked_and_traced(filled: Workspace) -> None:
    events = []
    generator = ask(filled)
    try:
        while True:
            events.append(next(generator))  # type: ignore[call-overload]
    except StopIteration as end:
        result = end.value
    assert result.status == "done"
    assert "".join(e.text for e in events if isinstance(e, TokenStreamed)) == result.answer
    done = next(e for e in events if isinstance(e, RetrievalDone))
    assert (done.chunk_count, done.document_count) == (3, 3)
    assert any(isinstance(e, ClaimsChecked) for e in events)
    detail = get_trace(filled.database, result.trace_id)
    assert detail.status == "done"
    assert detail.prompt_tokens > 0
    assert detail.completion_tokens == 5
    assert {span.name for span in detail.spans} >= {
        "embed",
        "dense",
        "lexical",
        "fuse",
        "pack",
        "generate",
        "check",
    }
    assert all(0 <= span.start_ms <= span.end_ms <= detail.total_ms for span in detail.spans)
    assert [claim.verdict for claim in detail.claims] == ["supported"]
    assert json.loads(detail.settings)["retrieval"]["rrf_k"] == 5


def test_citations_are_exactly_the_passages_in_the_prompt(filled: Workspace) -> None:
    result = drive(ask(filled))
    detail = get_trace(filled.database, result.trace_id)
    cited = citations(result.answer, detail.hits)
    prompt = detail.prompt
    assert cited
    for citation in cited:
        assert f"[{citation['marker']}] {citation['text']}" in prompt
    for hit in detail.hits:
        assert (hit.text in prompt) == (hit.marker is not None)
        assert (hit.dropped is None) == (hit.marker is not None)
    document = next(h for h in detail.hits if h.marker == 1)
    text = read_document_text(filled.database, document.document_id)
    assert text[cited[0]["start"] : cited[0]["end"]] == cited[0]["text"]
    assert cited[0]["cited"]


def test_a_marker_that_was_not_in_the_prompt_is_named(filled: Workspace) -> None:
    model(filled).answer = "Rye bread needs sourdough [9]."
    result = drive(ask(filled))
    assert "the answer cites [9], which was not in the prompt" in result.notices


def test_nothing_found_asks_the_model_nothing(filled: Workspace) -> None:
    result = drive(ask(filled, "Quantum chromodynamics lattice?"))
    assert (result.status, result.answer) == ("nothing found", NOTHING_FOUND)
    assert model(filled).prompts == []
    detail = get_trace(filled.database, result.trace_id)
    assert all(hit.dropped for hit in detail.hits)
    told = drive(
        ask(
            filled,
            "Quantum chromodynamics lattice?",
            overrides={"generation": {"ask_without_passages": True}},
        )
    )
    assert told.status == "done"


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_a_cancelled_ask_is_traced_with_what_there_was(filled: Workspace, stop_after: int) -> None:
    generator = ask(filled)
    for _ in range(stop_after):
        next(generator)  # type: ignore[call-overload]
    generator.close()  # type: ignore[attr-defined]
    (trace,) = list_traces(filled.database, TraceFilter())
    assert trace.status == "cancelled"
    assert trace.total_ms is not None


def test_a_failure_is_traced_with_its_sentence(filled: Workspace) -> None:
    model(filled).error = RagError("The model ran out of memory.")
    with pytest.raises(RagError, match="out of memory"):
        drive(ask(filled))
    (trace,) = list_traces(filled.database, TraceFilter())
    assert (trace.status, trace.error) == ("failed", "The model ran out of memory.")
    with pytest.raises(RagError, match="no collection named"):
        drive(answer_question(filled, Question("Anything?", "missing")))
    assert count_traces(filled.database, TraceFilter(status="failed")) == 2


def test_an_ask_whose_process_died_is_interrupted_at_the_next_start(folder: Path, documents: Path) -> None:
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load) as first:
        drive(ingest_files(first, "A", [documents]))
        generator = answer_question(first, Question(QUESTION, "A"))
        next(generator)
        first.store.close()
        # The generator is never closed, as when the process is killed.
        globals()["_kept_alive"] = generator
    with Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load) as second:
        assert second.interrupted_count == 1
        (trace,) = list_traces(second.database, TraceFilter())
        assert trace.status == "interrupted"
        globals().pop("_kept_alive")


def test_a_follow_up_is_searched_with_the_question_before_it(filled: Workspace) -> None:
    first = drive(ask(filled))
    second = drive(ask(filled, "How long does it rest?", session_id=first.session_id))
    assert any(notice.endswith("(follow-up)") for notice in second.notices)
    assert QUESTION in get_trace(filled.database, second.trace_id).prompt
    alone = drive(ask(filled, "When do boats leave Bremen?", session_id=first.session_id))
    assert QUESTION not in get_trace(filled.database, alone.trace_id).prompt


def test_an_older_version_is_asked_without_activating_it(filled: Workspace, documents: Path) -> None:
    (documents / "bread.md").write_text("# Bread\n\nRye bread needs patience.\n", "utf-8")
    drive(ingest_files(filled, "A", [documents]))
    old = drive(ask(filled, version=1))
    detail = get_trace(filled.database, old.trace_id)
    assert detail.version_number == 1
    assert any("sourdough" in hit.text for hit in detail.hits if hit.marker)
    assert get_collection(filled.database, "A").version_number == 2


def test_an_empty_question_is_refused(filled: Workspace) -> None:
    with pytest.raises(RagError, match="question is empty"):
        drive(ask(filled, "  "))


def test_a_small_model_gets_fewer_passages_and_the_trace_says_so(filled: Workspace) -> None:
    used = model(filled)
    used.header = replace(used.header, parameter_count=135_000_000)
    small = {"retrieval": {"small_model_tokens": 32}}
    told = drive(ask(filled, "What do rye bread, the star Sirius and the tide need?", overrides=small))
    detail = get_trace(filled.database, told.trace_id)
    assert f"{used.name} is small: its passages were limited to 32 tokens" in told.notices
    assert any("tokens do not fit" in (hit.dropped or "") for hit in detail.hits)
    for count, tokens in ((135_000_000, 0), (7_000_000_000, 32), (0, 32)):
        used.header = replace(used.header, parameter_count=count)
        told = drive(ask(filled, overrides={"retrieval": {"small_model_tokens": tokens}}))
        assert not any("is small" in notice for notice in told.notices)


def test_a_collection_of_its_own_search_is_asked_like_that(filled: Workspace) -> None:
    set_retrieval(filled, "A", "Classic", {"max_passages": 1})
    told = drive(ask(filled, "What do rye bread, the star Sirius and the tide need?"))
    detail = get_trace(filled.database, told.trace_id)
    assert detail.passage_count == 1
    assert json.loads(detail.settings)["retrieval"]["rrf_k"] == 60
    told = drive(ask(filled, overrides={"retrieval": {"max_passages": 2}}))
    assert json.loads(get_trace(filled.database, told.trace_id).settings)["retrieval"]["max_passages"] == 2


def test_a_question_for_a_list_says_what_the_model_does_not_see(filled: Workspace, tmp_path: Path) -> None:
    rows = "\n\n".join(f"Part number {n} is a cable of kind {n} for the console." for n in range(60))
    (tmp_path / "parts.txt").write_text(rows, "utf-8")
    drive(ingest_files(filled, "A", [tmp_path / "parts.txt"]))
    told = drive(
        ask(filled, "List all parts for the console", overrides={"retrieval": {"context_tokens": 150}})
    )
    assert any("the question asks for a list, and the model sees" in notice for notice in told.notices)
