"""Questions that a model behind an endpoint answers: what the trace says, and what may leave this computer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from endpoint_server import EndpointServer, add_endpoint
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.consistency import check_consistency
from rag.asking.loaded_model import load_model, model_state, try_model
from rag.asking.rows import Question, TokenStreamed, TraceDetail, TraceStatus, get_trace
from rag.costs.prices import read_prices
from rag.costs.rows import Basis, Layer
from rag.costs.usage import cost_rows, record_costs
from rag.errors import ConsentNeededError, ModelError, RagError
from rag.evaluation.cases import Case
from rag.evaluation.drafts import _Writer
from rag.evaluation.llm_judge import Judge
from rag.models.endpoints.rows import KeyPlace, MayLeave, Usage
from rag.storage.backup import back_up
from rag.workspace import Workspace

KEY = "sk-never-in-a-file-0123456789"
QUESTION = "What does rye bread need?"


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def workspace(data: Path) -> Iterator[Workspace]:
    with Workspace(
        data, embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        yield opened


def ask(workspace: Workspace, model: str = "endpoint:far") -> TraceDetail:
    result = drive(answer_question(workspace, Question(QUESTION, "A", model=model)))
    return get_trace(workspace.database, result.trace_id)


def last(workspace: Workspace) -> TraceDetail:
    ((trace_id,),) = workspace.database.cells(
        "SELECT id FROM trace ORDER BY created_ms DESC, rowid DESC LIMIT 1"
    )
    return get_trace(workspace.database, trace_id)


def test_an_endpoint_answers_and_the_trace_says_who_it_was(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url)
    trace = ask(workspace)
    assert trace.answer == "Rye bread needs sourdough [1]." and trace.status is TraceStatus.DONE
    assert (trace.endpoint, trace.model, trace.sent_to) == ("far", "tiny", "")
    assert (trace.served_model, trace.system_fingerprint) == ("served-1", "fp_1")
    assert (trace.usage, trace.prompt_tokens, trace.completion_tokens) == (Usage.TOLD, 120, 4)
    assert any("served-1" in span.detail and "fp_1" in span.detail for span in trace.spans)
    (sent,) = server.chats()
    assert "sourdough and 12 hours" in sent["messages"][-1]["content"]
    assert ask(workspace, "far").endpoint == "far"  # by its bare name, too


def test_usage_that_is_not_told_is_unknown_and_estimated_never_0(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url)
    server.usage = None
    trace = ask(workspace)
    assert trace.usage is Usage.UNKNOWN
    assert trace.prompt_tokens > 50 and trace.completion_tokens == 9  # 30 bytes at 3.5
    assert trace.mean_logprob is None


def test_a_stream_that_breaks_keeps_what_came_and_fails_with_a_sentence(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url)
    server.ends_after = 2
    with pytest.raises(ModelError):
        ask(workspace)
    trace = last(workspace)
    assert (trace.status, trace.answer, trace.usage) == (TraceStatus.FAILED, "Rye bread ", Usage.UNKNOWN)
    assert trace.completion_tokens > 0


def test_cancelling_an_answer_closes_the_stream(workspace: Workspace, server: EndpointServer) -> None:
    add_endpoint(workspace, server.url)
    server.waits_after = 2
    with closing(answer_question(workspace, Question(QUESTION, "A", model="endpoint:far"))) as events:
        for event in events:
            if isinstance(event, TokenStreamed) and event.text == "bread ":
                break
    assert server.was_left.wait(5)
    trace = last(workspace)
    assert (trace.status, trace.answer, trace.usage) == (TraceStatus.CANCELLED, "Rye bread ", Usage.UNKNOWN)


def test_an_answer_can_be_repeated_by_the_endpoint_of_its_trace(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url)
    trace = ask(workspace)
    report = drive(check_consistency(workspace, trace.id, samples=2))
    assert report.clusters == 1 and report.samples[0].logprob is None
    assert [body["messages"] for body in server.chats()[1:]] == [server.chats()[0]["messages"]] * 2


def test_an_endpoint_can_be_the_active_model_and_be_tried(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url)
    load_model(workspace, "endpoint:far")
    assert workspace.settings.models.active == "endpoint:far"
    assert model_state(workspace).name == ""  # nothing is in memory
    assert drive(try_model(workspace, "Hello?")).text == "Rye bread needs sourdough [1]."
    assert ask(workspace, "").endpoint == "far"
    workspace.endpoints.disconnect("far")
    with pytest.raises(RagError, match="There is no endpoint “far”"):
        ask(workspace, "")


def test_an_endpoint_judges_and_what_is_no_verdict_is_a_sentence(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url, checks='{"abilities": [], "refused": [], "json_form": "json_schema"}')
    judge = Judge(workspace, Judge.facts(workspace, "far", 1), "A")
    case = Case(key="1", question=QUESTION, references=("Sourdough.",))
    server.pieces = ['Sure: {"reason": "same", ', '"verdict": "right"}']
    assert judge.verdict(case, "Sourdough [1].").right
    assert server.chats()[-1]["response_format"]["json_schema"]["schema"]["required"] == ["reason", "verdict"]
    server.pieces = ["I like bread."]
    with pytest.raises(RagError, match="did not answer in the form"):
        judge.verdict(case, "Sourdough [1].")


def test_an_endpoint_drafts_cases_of_collections_that_allow_it(
    workspace: Workspace, server: EndpointServer
) -> None:
    passage = ask(workspace, "").hits[0]
    add_endpoint(workspace, server.elsewhere)
    with pytest.raises(RagError, match="may not leave"):
        _Writer(workspace, "far", "A")
    workspace.endpoints.set_border("A", MayLeave.ALWAYS)
    writer = _Writer(workspace, "far", "A")
    server.pieces = ['{"question": "What does it need?", ', f'"answer": {json.dumps(passage.text)}}}']
    written = drive(writer.write(passage, 0, 1))
    assert written.question == "What does it need?" and written.answer
    server.pieces = ["I would rather not."]
    assert drive(writer.write(passage, 0, 1)).question == ""


# --- the border -------------------------------------------------------------------------------------------


def test_nothing_leaves_unless_the_collection_allows_it(workspace: Workspace, server: EndpointServer) -> None:
    add_endpoint(workspace, server.elsewhere)
    with pytest.raises(RagError, match=r"“A” may not leave this computer, and “far” is at 0\.0\.0\.0"):
        ask(workspace)
    with pytest.raises(RagError, match="may not leave"):
        Judge(workspace, Judge.facts(workspace, "far", 1), "A").verdict(
            Case(key="1", question=QUESTION, references=("Sourdough.",)), "Sourdough [1]."
        )
    with pytest.raises(RagError, match="may not leave"):  # whoever forgets to say whose texts they are
        model = workspace.chat_model(Path("endpoint:far"))
        list(
            model.stream(model.render_chat([{"role": "user", "content": "x"}]), workspace.settings.generation)
        )
    workspace.endpoints.set_border("A", MayLeave.ASK)
    with pytest.raises(ConsentNeededError):
        ask(workspace)
    assert server.requests == []
    assert last(workspace).status is TraceStatus.FAILED


def test_what_left_is_on_the_trace_and_consent_is_for_one_endpoint(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.elsewhere)
    add_endpoint(workspace, server.elsewhere, "other")
    workspace.endpoints.set_border("A", MayLeave.ASK)
    workspace.endpoints.border.allow("A", "far")
    assert ask(workspace).sent_to == f"0.0.0.0:{server.port}"
    with pytest.raises(ConsentNeededError):
        ask(workspace, "endpoint:other")
    workspace.endpoints.set_border("A", MayLeave.NEVER)  # wins over what was allowed before
    with pytest.raises(RagError, match="may not leave"):
        ask(workspace)
    workspace.endpoints.set_border("A", MayLeave.ALWAYS)
    assert ask(workspace, "endpoint:other").sent_to
    assert len(server.chats()) == 2


# --- keys -------------------------------------------------------------------------------------------------


def test_a_key_is_in_no_file_after_a_call_that_fails(
    workspace: Workspace,
    server: EndpointServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("RAGDECK_TEST_KEY", KEY)
    add_endpoint(workspace, server.url, key_place=KeyPlace.ENVIRONMENT, key_name="RAGDECK_TEST_KEY")
    server.fails = [400]  # its reason quotes the header with the key
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError) as caught:
        ask(workspace)
    ((_, headers, _),) = server.requests
    assert f"Bearer {KEY}" in headers.values()  # it was really sent
    assert "[key]" in str(caught.value) and KEY not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert KEY not in caplog.text
    drive(back_up(workspace.folder, tmp_path / "backup.zip"))
    for path in (*workspace.folder.rglob("*"), tmp_path / "backup.zip"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in json.dumps(last(workspace).fallbacks) + last(workspace).error


def test_a_key_that_is_missing_is_a_sentence_and_nothing_is_sent(
    workspace: Workspace, server: EndpointServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAGDECK_TEST_KEY", raising=False)
    add_endpoint(workspace, server.url, key_place=KeyPlace.ENVIRONMENT, key_name="RAGDECK_TEST_KEY")
    with pytest.raises(RagError, match="RAGDECK_TEST_KEY is not set"):
        ask(workspace)
    assert server.requests == []


# --- costs ------------------------------------------------------------------------------------------------


def test_an_endpoint_on_this_computer_costs_its_time_and_one_elsewhere_its_tokens(
    workspace: Workspace, server: EndpointServer
) -> None:
    add_endpoint(workspace, server.url, "here")
    ask(workspace, "endpoint:here")
    record_costs(workspace)
    assert {b for (b,) in workspace.database.cells("SELECT basis FROM cost")} == {Basis.ESTIMATE}
    trace = {"id": "t", "created_ms": 1, "model": "gpt-4o-mini", "endpoint": "far", "sent_to": "x",
             "prompt_tokens": 100, "cached_tokens": 0, "completion_tokens": 5}  # fmt: skip
    for usage, basis in ((Usage.TOLD, Basis.PRICE), (Usage.UNKNOWN, Basis.ESTIMATE)):
        rows = cost_rows({**trace, "usage": usage}, {}, read_prices(), workspace.settings.costs)
        assert {row["basis"] for row in rows if row["layer"] in (Layer.READING, Layer.ANSWERING)} == {basis}
    unknown = cost_rows(
        {**trace, "model": "?", "usage": Usage.TOLD}, {}, read_prices(), workspace.settings.costs
    )
    assert {row["basis"] for row in unknown} == {Basis.UNKNOWN}
