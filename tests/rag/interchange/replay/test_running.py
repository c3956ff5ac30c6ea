"""A received model call is answered again on a local model, and checked against the documents of its trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import drive

from rag.asking.replay.rows import Changes, ReplayReport, find_replay
from rag.asking.rows import TraceDetail, TraceSource, get_trace
from rag.costs.budgets.limits import set_budget
from rag.errors import RagError
from rag.interchange.receiving import check_received, receive
from rag.interchange.replay.running import attribute_trace, recorded_call, replay_trace
from rag.interchange.rows import RawSpan
from rag.storage.store import now_ms
from rag.workspace import Workspace

TRACE = "ab" * 16
BREAD = "Rye bread needs sourdough and 12 hours of rest."
TIDE = "The tide at Bremen rises 3.5 metres."


def message(number: int, role: str, content: str) -> dict[str, Any]:
    key = f"llm.input_messages.{number}.message"
    return {f"{key}.role": role, f"{key}.content": content}


def spans(*messages: dict[str, Any]) -> list[RawSpan]:
    """A chain with a retriever of two documents and a model that was sent these messages."""
    begin = now_ms() * 10**6
    documents = {f"retrieval.documents.{n}.document.content": text for n, text in enumerate((BREAD, TIDE))}
    sent: dict[str, Any] = {"openinference.span.kind": "LLM", "llm.model_name": "theirs"}
    for one in messages:
        sent |= one
    made: list[tuple[str, str, dict[str, Any]]] = [
        ("01", "", {"openinference.span.kind": "CHAIN", "input.value": "What does bread need?",
                    "output.value": "It needs sourdough."}),
        ("02", "01", {"openinference.span.kind": "RETRIEVER", **documents}),
        ("03", "01", sent),
    ]  # fmt: skip
    return [
        RawSpan(
            TRACE, key * 8, parent * 8, f"step {key}", begin + n, begin + 10**9 + n, attributes, service="bot"
        )
        for n, (key, parent, attributes) in enumerate(made)
    ]


RECORDED = (
    message(0, "system", "Answer from the passages."),
    message(1, "human", f"{BREAD}\n{TIDE}\nWhat does bread need?"),
)


def replayed(workspace: Workspace, *variants: Changes) -> TraceDetail:
    report: ReplayReport = drive(replay_trace(workspace, TRACE, variants or [Changes()]))
    (variant,) = report.variants
    assert variant.error == ""
    return get_trace(workspace.database, variant.trace_id)


def test_recorded_messages_are_sent_to_the_local_model_and_its_answer_is_checked(
    workspace: Workspace,
) -> None:
    receive(workspace.store, spans(*RECORDED))
    made = replayed(workspace)
    assert made.source is TraceSource.REPLAY and made.model == "scripted"
    assert made.prompt == f"system: Answer from the passages.\nuser: {BREAD}\n{TIDE}\nWhat does bread need?"
    assert [hit.text for hit in made.hits] == [BREAD, TIDE] and made.passage_count == 2
    (claim,) = made.claims
    assert claim.text == "Rye bread needs sourdough [1]." and claim.evidence_marker == 1
    origin = find_replay(workspace.database, made.id)
    assert origin is not None and origin.parent_id == TRACE


def test_a_document_is_left_out_where_it_stands_word_for_word(workspace: Workspace) -> None:
    receive(workspace.store, spans(*RECORDED))
    made = replayed(workspace, Changes(without=(2,)))
    assert TIDE not in made.prompt and BREAD in made.prompt
    assert [hit.marker for hit in made.hits] == [1, None]


def test_a_document_that_was_sent_in_other_words_cannot_be_left_out(workspace: Workspace) -> None:
    receive(workspace.store, spans(message(0, "user", "A summary of the documents. What does bread need?")))
    report = drive(replay_trace(workspace, TRACE, [Changes(without=(1,))]))
    assert report.failed[0].error.startswith("Passage [1] does not stand word for word")


@pytest.mark.parametrize(
    "changes",
    [
        Changes(prompt="default"),
        Changes(order=(2, 1)),
        Changes(version="1"),
        Changes(settings=(("retrieval.candidates", 9),)),
    ],
)
def test_what_a_received_trace_does_not_have_cannot_be_changed(
    workspace: Workspace, changes: Changes
) -> None:
    receive(workspace.store, spans(*RECORDED))
    with pytest.raises(RagError, match="are sent as they were recorded"):
        drive(replay_trace(workspace, TRACE, [changes]))


def test_settings_of_the_model_are_those_of_the_data_folder_with_the_changes(workspace: Workspace) -> None:
    receive(workspace.store, spans(*RECORDED))
    assert (
        '"temperature":0.4'
        in replayed(workspace, Changes(settings=(("generation.temperature", 0.4),))).settings
    )


def test_without_recorded_messages_there_is_nothing_to_answer(workspace: Workspace) -> None:
    receive(workspace.store, spans())
    with pytest.raises(RagError, match="did not send the messages of its model"):
        drive(replay_trace(workspace, TRACE, [Changes()]))


def test_the_last_call_counts_and_messages_of_tools_are_named() -> None:
    first, second = (
        spans(message(0, "user", "Early"))[2],
        spans(message(0, "tool", "42"), message(1, "ai", "So."))[2],
    )
    call = recorded_call([replace(second, end_ns=second.end_ns + 5), first])
    assert call.messages == (("user", "42"), ("assistant", "So."))
    assert call.notes == ("1 message of tools or unknown roles were sent as the user's",)


def test_a_question_that_was_not_recorded_is_that_of_the_messages(workspace: Workspace) -> None:
    bare = [replace(span, attributes={**span.attributes, "input.value": ""}) for span in spans(*RECORDED)]
    receive(workspace.store, bare)
    assert replayed(workspace).question.endswith("What does bread need?")


def test_leave_one_out_of_a_received_answer(workspace: Workspace) -> None:
    receive(workspace.store, spans(*RECORDED))
    check_received(workspace, TRACE)
    found = drive(attribute_trace(workspace, TRACE))
    assert [one.marker for one in found.answers] == [0, 2, 1] and found.untried == ()


def test_a_model_on_this_computer_is_asked_whatever_a_budget_says(workspace: Workspace) -> None:
    set_budget(workspace, "mine", 0.01, scope="source", target="replay", action="stop")
    receive(workspace.store, spans(*RECORDED))
    assert replayed(workspace).answer


@pytest.mark.parametrize(
    ("role", "sent_as", "is_noted"),
    [
        ("system", "system", False),
        ("developer", "system", False),
        ("user", "user", False),
        ("human", "user", False),
        ("HUMAN", "user", False),
        ("", "user", False),
        ("assistant", "assistant", False),
        ("ai", "assistant", False),
        ("Model", "assistant", False),
        ("tool", "user", True),
        ("function", "user", True),
        ("critic", "user", True),
    ],
)
def test_a_role_is_sent_as_one_that_every_model_knows(role: str, sent_as: str, is_noted: bool) -> None:
    call = recorded_call(spans(message(0, role, "Text")))
    assert call.messages == ((sent_as, "Text"),)
    assert bool(call.notes) is is_noted


def test_messages_of_tools_are_counted() -> None:
    call = recorded_call(spans(message(0, "tool", "a"), message(1, "user", "b"), message(2, "critic", "c")))
    assert call.notes == ("2 messages of tools or unknown roles were sent as the user's",)
    assert [content for _, content in call.messages] == ["a", "b", "c"]


def test_the_messages_of_a_model_go_before_those_of_another_step_however_late_that_is() -> None:
    (*_, called) = spans(message(0, "user", "Of the model"))
    (*_, other) = spans(message(0, "user", "Of a chain"))
    chain = replace(other, attributes={**other.attributes, "openinference.span.kind": "CHAIN"},
                    end_ns=called.end_ns + 10**9)  # fmt: skip
    assert recorded_call([called, chain]).messages == (("user", "Of the model"),)
    assert recorded_call([chain]).messages == (("user", "Of a chain"),)


@pytest.mark.parametrize("recorded", [[], spans(), spans()[:1]])
def test_without_a_message_there_is_no_call(recorded: list[RawSpan]) -> None:
    with pytest.raises(RagError, match="so there is nothing to answer again"):
        recorded_call(recorded)
