"""Received spans become one trace, whenever they arrive; its answer is checked against its own documents."""

import random
from dataclasses import replace

from agent_spans import span as step
from agent_spans import tool

from rag.asking.flag_limits import set_opinion
from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.asking.traces import delete_traces
from rag.grounding.rows import SilentFailure
from rag.interchange.agents.rows import list_steps
from rag.interchange.receiving import (
    behind,
    check_received,
    receive,
    received_spans,
    renew_traces,
    unchecked,
    without_steps,
)
from rag.interchange.rows import RawEvent, RawSpan
from rag.storage.store import now_ms
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

TRACE = "ab" * 16


def spans(answer: str = "The tide rises 3.5 metres.") -> list[RawSpan]:
    begin = now_ms() * 10**6
    made = [
        ("01", "", {"openinference.span.kind": "CHAIN", "input.value": "How high?", "output.value": answer}),
        ("02", "01", {"openinference.span.kind": "RETRIEVER",
                      "retrieval.documents.0.document.content": "The tide at Bremen rises 3.5 metres.",
                      "retrieval.documents.0.document.metadata": '{"source": "tides.txt"}'}),
        ("03", "01", {"openinference.span.kind": "LLM", "llm.model_name": "theirs", "llm.token_count.prompt": 9}),
    ]  # fmt: skip
    return [
        RawSpan(
            TRACE, key * 8, parent * 8, f"step {key}", begin + n, begin + 10**9, attributes,
            (RawEvent("note", 2**63, {"x": [1]}),), service="harbour bot",
        )
        for n, (key, parent, attributes) in enumerate(made)
    ]  # fmt: skip


def test_spans_that_arrive_one_by_one_in_any_order_are_one_trace(workspace: Workspace) -> None:
    arriving = spans()
    random.Random(3).shuffle(arriving)
    for number, span in enumerate(arriving):
        arrival = receive(workspace.store, [span, span])
        assert (len(arrival.added), len(arrival.changed)) == ((1, 0) if number == 0 else (0, 1))
    database = workspace.database
    (row,) = list_traces(database, TraceFilter(source="received", application="harbour bot"))
    detail = get_trace(database, row.id)
    assert (detail.question, detail.answer, detail.model) == (
        "How high?",
        "The tide rises 3.5 metres.",
        "theirs",
    )
    assert detail.prompt_tokens == 9 and [hit.document for hit in detail.hits] == ["tides.txt"]
    assert [span.kind for span in detail.spans] == ["CHAIN", "RETRIEVER", "LLM"]
    with workspace.store.session() as session:
        assert sorted(received_spans(session, TRACE), key=repr) == sorted(arriving, key=repr)


def test_it_is_found_by_its_words_once_and_not_after_it_was_deleted(workspace: Workspace) -> None:
    receive(workspace.store, spans("The heron rises."))
    receive(workspace.store, spans("The tide rises."))
    database = workspace.database
    assert list_traces(database, TraceFilter(text="heron")) == []
    assert [row.id for row in list_traces(database, TraceFilter(text="tide"))] == [TRACE]
    with workspace.store.session() as session:
        delete_traces(session, [TRACE])
        assert received_spans(session, TRACE) == []
    assert list_traces(database, TraceFilter(text="tide")) == []


def test_an_answer_is_checked_once_and_again_when_it_changed(workspace: Workspace) -> None:
    receive(workspace.store, spans())
    assert unchecked(workspace.store) == [TRACE]
    assert check_received(workspace, TRACE)
    assert unchecked(workspace.store) == []
    database = workspace.database
    (claim,) = get_trace(database, TRACE).claims
    assert claim.text == "The tide rises 3.5 metres."
    receive(workspace.store, spans()[2:])
    assert get_trace(database, TRACE).claims == (claim,), "the answer is the same"
    receive(workspace.store, spans("It is 9 metres."))
    assert get_trace(database, TRACE).claims == () and unchecked(workspace.store) == [TRACE]


def test_what_a_person_said_of_an_answer_stays_while_spans_still_arrive(workspace: Workspace) -> None:
    receive(workspace.store, spans()[:2])
    check_received(workspace, TRACE)
    set_opinion(workspace, TRACE, 0, is_right=True)
    receive(workspace.store, spans()[2:])
    said = "SELECT is_right FROM flagopinion WHERE trace_id = ?"
    assert workspace.database.cells(said, (TRACE,)) == [(1,)]
    receive(workspace.store, spans("It is 9 metres."))
    assert workspace.database.cells(said, (TRACE,)) == [], "it was said of another answer"


def test_an_answer_without_documents_is_not_checked(workspace: Workspace) -> None:
    receive(workspace.store, spans()[:1])
    assert unchecked(workspace.store) == [] and not check_received(workspace, TRACE)
    assert not check_received(workspace, "00" * 16)


def test_what_is_odd_is_said_on_the_trace(workspace: Workspace) -> None:
    late = [replace(span, end_ns=0) for span in spans("So [1] and [7].")[1:]]
    receive(workspace.store, late)
    notes = get_trace(workspace.database, TRACE).fallbacks
    assert notes == ("the trace's first span has not arrived", "the times of 2 steps could not be right")
    receive(workspace.store, spans("So [1] and [7].")[:1])
    notes = get_trace(workspace.database, TRACE).fallbacks
    assert "the answer cites [7], which was not among the documents" in notes


def test_a_trace_of_our_own_is_not_overwritten(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        session.add(Trace(id=TRACE, session_id="s", created_ms=1, status="done", question="Ours?"))
    arrival = receive(workspace.store, [*spans(), replace(spans()[0], trace_id="cd" * 16)])
    assert (arrival.own, arrival.added, arrival.spans) == ((TRACE,), ("cd" * 16,), 1)
    assert get_trace(workspace.database, TRACE).question == "Ours?"


def agent_trace(answer: str) -> list[RawSpan]:
    """Return an agent that searches the same three times, and whose other tool fails."""
    found = "The tide at Bremen rises 3.5 metres."
    return [
        step(1, 0, "AGENT", "guide", end=30, input__value="How high?", output__value=answer),
        *(tool(n, 1, "search", {"q": "tide"}, found, start=n) for n in (2, 3, 4)),
        tool(5, 1, "weather", {}, "Error: off", start=9),
    ]


def test_outputs_of_tools_are_what_an_answer_is_checked_against(workspace: Workspace) -> None:
    receive(workspace.store, agent_trace("The tide rises 3.5 metres."))
    detail = get_trace(workspace.database, TRACE)
    assert [(hit.document, hit.place, hit.marker) for hit in detail.hits] == [("search", "step 2", 1)]
    assert detail.passage_count == 1 and "without sources" not in detail.states
    assert unchecked(workspace.store) == [TRACE] and check_received(workspace, TRACE)
    (claim,) = get_trace(workspace.database, TRACE).claims
    assert claim.evidence_marker == 1
    receive(workspace.store, [tool(8, 1, "weather", {"at": "x"}, "It rains in Bern.", start=12)])
    assert get_trace(workspace.database, TRACE).claims == (), "there is more to check it against"


def test_loops_and_hidden_errors_are_silent_failures(workspace: Workspace) -> None:
    database = workspace.database
    receive(workspace.store, agent_trace("The tide rises 3.5 metres."))
    detail = get_trace(database, TRACE)
    assert detail.silent_failures == (SilentFailure.LOOP, SilentFailure.HIDDEN_ERROR)
    assert detail.fallbacks[-1] == "search was called 3 times with the same arguments"
    assert (detail.step_count, detail.tool_calls, detail.tool_errors, detail.loop_count) == (5, 4, 1, 1)
    for failure in detail.silent_failures:
        assert [row.id for row in list_traces(database, TraceFilter(silent=failure))] == [TRACE]
    receive(workspace.store, agent_trace("The weather service failed, the tide rises 3.5 metres."))
    assert get_trace(database, TRACE).silent_failures == (SilentFailure.LOOP,)
    receive(workspace.store, [replace(agent_trace("So.")[0], error="it broke")])
    assert get_trace(database, TRACE).silent_failures == (), "it failed, and said so"


def test_markers_of_an_agent_without_documents_are_not_judged(workspace: Workspace) -> None:
    receive(workspace.store, agent_trace("The tide rises 3.5 metres [4]. The weather is unavailable."))
    assert SilentFailure.CITES_NOTHING not in get_trace(workspace.database, TRACE).silent_failures


def test_steps_of_an_older_file_are_read_once(workspace: Workspace) -> None:
    receive(workspace.store, agent_trace("So."))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE trace SET step_count = NULL")
        session.connection().exec_driver_sql("DELETE FROM receivedstep")
        session.add(
            Trace(id="ee" * 16, session_id="s", created_ms=1, status="done", question="?", source="received")
        )
    assert without_steps(workspace.database) == [TRACE], "nothing can be read of one without spans"
    renew_traces(workspace.store, [TRACE, "ee" * 16])
    assert without_steps(workspace.database) == [] and len(list_steps(workspace.database, TRACE)) == 5


def test_a_trace_that_rests_is_stored_and_its_rows_follow_later(workspace: Workspace) -> None:
    first, *others = spans()
    receive(workspace.store, [first])
    arrival = receive(workspace.store, others, is_postponed=lambda trace_id: trace_id == TRACE)
    assert (arrival.changed, arrival.postponed, arrival.spans) == ((), (TRACE,), 2)
    assert [span.kind for span in get_trace(workspace.database, TRACE).spans] == ["CHAIN"]
    assert behind(workspace.store) == [TRACE], "as a kill would leave it"
    renew_traces(workspace.store, [TRACE, "ff" * 16])
    assert [span.kind for span in get_trace(workspace.database, TRACE).spans] == ["CHAIN", "RETRIEVER", "LLM"]
    assert behind(workspace.store) == []
    with workspace.store.session() as session:
        delete_traces(session, [TRACE])
    renew_traces(workspace.store, [TRACE])
    assert list_traces(workspace.database, TraceFilter(source="received")) == []


def test_a_new_trace_never_rests(workspace: Workspace) -> None:
    assert receive(workspace.store, spans(), is_postponed=lambda _id: True).added == (TRACE,)
