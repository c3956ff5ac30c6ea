"""What an answer can rest on: outputs of tools, but not what a model wrote."""

import json
from typing import Any

import pytest
from agent_spans import NOW, genai_agents, model, span, tool
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.agents.building import step_rows
from rag.interchange.agents.evidence import LONGEST_OUTPUT, MOST_OUTPUTS, Evidence, evidence_of, output_text
from rag.interchange.rows import RawSpan
from rag.interchange.trees import trace_of


def of(spans: list[RawSpan]) -> Evidence:
    found = trace_of(spans, NOW)
    return evidence_of(found.nodes, step_rows(found.nodes), found.documents)


def test_outputs_of_tools_are_evidence_each_text_once() -> None:
    document = {"retrieval.documents.0.document.content": "It is 3 m tall."}
    found = of([
        span(1),
        span(2, 1, "RETRIEVER", **document),
        tool(3, 1, "find", "a", "It is  3 m tall.", start=1),  # a retriever inside a tool
        tool(4, 1, "weather", "a", "It rains in Bern.", start=2),
        tool(5, 1, "weather", "a", "It rains in Bern.", start=3),
        tool(6, 1, "off", "a", "Error: it is off", start=4),
        tool(7, 1, "quiet", "a", "", start=5),
    ])  # fmt: skip
    assert [(one.name, one.text, one.place) for one in found.outputs] == [
        ("weather", "It rains in Bern.", "step 4")
    ]
    assert found.notes == ()


def test_what_an_agent_wrote_inside_a_tool_is_no_evidence_what_it_found_is() -> None:
    spans = genai_agents()
    assert of(spans).outputs == ()
    assert of(spans).notes == ("1 of the tools' outputs were not used as evidence: a model wrote them",)
    again = {"llm.input_messages.0.message.role": "tool",
             "llm.input_messages.0.message.content": "Tides rise twice a day."}  # fmt: skip
    found = of([*spans, tool(8, 3, "look up", "x", "The moon moves the sea."), model(9, 1, **again)])
    assert [one.text for one in found.outputs] == ["The moon moves the sea."]


def test_tools_without_spans_are_read_from_the_messages_to_models() -> None:
    def message(number: int, role: str, text: str) -> dict[str, str]:
        key = f"llm.input_messages.{number}.message"
        return {f"{key}.role": role, f"{key}.content": text}

    first = message(0, "user", "Rain?") | message(1, "tool", "It rains in Bern.")
    second = first | message(2, "tool", "Basel is dry.")
    found = of([span(1), model(2, 1, **first), model(3, 1, start=2, **second)])
    assert [(one.text, one.place) for one in found.outputs] == [
        ("It rains in Bern.", "message to step 2"), ("Basel is dry.", "message to step 3"),
    ]  # fmt: skip
    beside = of(
        [span(1), tool(4, 1, "weather", "", "It rains in Bern. Basel is dry."), model(3, 1, **second)]
    )
    assert [one.name for one in beside.outputs] == ["weather"], "its span says more"


def test_what_is_left_out_is_counted() -> None:
    many = [tool(n, 1, "page", str(n), f"Text {n} of the book.", start=n) for n in range(2, MOST_OUTPUTS + 5)]
    found = of([span(1, end=999), *many])
    assert len(found.outputs) == MOST_OUTPUTS and "3 of the tools' outputs were not used" in found.notes[0]
    (long,) = of([tool(1, 0, "x", "", "y" * (LONGEST_OUTPUT + 1))]).outputs
    assert len(long.text) == LONGEST_OUTPUT


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("It rains.", "It rains."),
        ({"kwargs": {"content": "It rains.", "tool_call_id": "c"}}, "It rains."),
        ({"content": [{"type": "text", "text": "It"}, {"type": "text", "text": "rains."}], "isError": False}, "It\nrains."),
        ([{"type": "text", "text": "It rains."}], "It rains."),
        (["It", "rains."], "It\nrains."),
        ({"text": "It rains.", "town": "Bern"}, '{"text": "It rains.", "town": "Bern"}'),
        ({"content": "x", "title": "y"}, '{"content": "x", "title": "y"}'),
        ([1, {"a": 2}], '[1, {"a": 2}]'),
    ],
)  # fmt: skip
def test_the_words_of_an_output_are_unpacked(output: Any, text: str) -> None:
    assert output_text(output if isinstance(output, str) else json.dumps(output)) == text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ('{"type": "text", "text": 5}', '{"type": "text", "text": 5}'),
        (
            '{"type": "tool_result", "content": [{"type": "image"}]}',
            '{"type": "tool_result", "content": [{"type": "image"}]}',
        ),
        ('{"tool_use_id": "u", "content": "It rains."}', "It rains."),
        ('{"type": "tool", "content": ["It", "rains."]}', "It\nrains."),
        ('{"is_error": false, "content": null}', '{"is_error": false, "content": null}'),
        ('[["It"], ["rains."]]', "It\nrains."),
        ('["It", ""]', '["It", ""]'),
        ("[" * 20 + '"x"' + "]" * 20, "[" * 20 + '"x"' + "]" * 20),
        ("[]", "[]"),
        ("{}", "{}"),
        ("{broken", "{broken"),
        ("", ""),
    ],
)
def test_an_output_without_words_of_its_own_is_taken_as_it_is(output: str, text: str) -> None:
    assert output_text(output) == text


@given(st.text(max_size=100))
def test_no_output_loses_its_words(text: str) -> None:
    wrapped = json.dumps({"type": "tool_result", "content": [{"type": "text", "text": text}]})
    assert output_text(wrapped) == (text or wrapped)


def test_a_part_of_a_document_that_was_retrieved_is_no_evidence_of_its_own() -> None:
    document = {"retrieval.documents.0.document.content": "The tower is 3 m tall. It is red."}
    found = of(
        [span(1), span(2, 1, "RETRIEVER", **document), tool(3, 1, "find", "a", "The  tower\nis 3 m tall.")]
    )
    assert found.outputs == ()
    more = of(
        [
            span(1),
            span(2, 1, "RETRIEVER", **document),
            tool(3, 1, "find", "a", "The tower is 3 m tall and old."),
        ]
    )
    assert len(more.outputs) == 1


@pytest.mark.parametrize("output", ["", " ", "x", "\n\n"])
def test_an_output_that_says_nothing_is_none(output: str) -> None:
    assert of([span(1), tool(2, 1, "quiet", "a", output)]) == Evidence((), ())


def test_of_a_call_that_two_spans_are_about_the_output_is_taken_once() -> None:
    found = of([span(1), tool(2, 1, "look", {"at": 1}, "A view."), tool(3, 2, "look", {"at": 1}, "A view!")])
    assert [(one.text, one.place) for one in found.outputs] == [("A view.", "step 2")]


@pytest.mark.parametrize(("role", "count"), [("tool", 1), ("function", 1), ("TOOL", 1), ("user", 0), ("", 0)])
def test_of_the_messages_those_of_tools_are_evidence(role: str, count: int) -> None:
    sent = {"llm.input_messages.0.message.role": role, "llm.input_messages.0.message.content": "It rains."}
    assert len(of([span(1), model(2, 1, **sent)]).outputs) == count


def test_several_things_that_were_left_out_are_each_said() -> None:
    many = [
        tool(n, 1, "page", str(n), f"{n} " + "y" * LONGEST_OUTPUT, start=n)
        for n in range(2, MOST_OUTPUTS + 3)
    ]
    found = of([span(1, end=999), *many])
    assert found.notes == (
        f"{MOST_OUTPUTS} of the tools' outputs were checked up to {LONGEST_OUTPUT:,} characters",
        f"1 of the tools' outputs were not used as evidence: only {MOST_OUTPUTS} are",
    )
