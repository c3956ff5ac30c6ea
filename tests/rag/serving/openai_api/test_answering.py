"""Answers come by the pipeline that decides; what a cascade may still reject is not streamed."""

from __future__ import annotations

import json

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_parts import ANSWER, COLLECTION, QUESTION, Served, answered, passage

from rag.asking.answer import NOTHING_FOUND
from rag.asking.cascades.rows import list_cascade_steps
from rag.asking.rows import get_trace
from rag.evaluation.pipelines import PipelineConfig, make_config, save_pipeline
from rag.grounding.rows import ClaimResult, Verdict
from rag.serving.openai_api.answering import (
    Answer,
    _fitting,
    _with_rest,
    cited,
    document_uri,
    finish_reason,
    x_ragdeck,
)
from rag.serving.openai_api.requests import Wish
from rag.serving.openai_api.targets import Target, find_target, is_cascade


def streamed(client: openai.OpenAI, model: str, question: str = QUESTION) -> tuple[str, str]:
    """Return the text of a stream and the id of its trace."""
    found = list(
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": question}], stream=True
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in found if chunk.choices)
    return text, found[-1].x_ragdeck["trace_id"]  # type: ignore[attr-defined]


def test_a_pipeline_answers_and_its_name_is_in_the_trace(served: Served, client: openai.OpenAI) -> None:
    config = PipelineConfig(collection=COLLECTION)
    short = config.model_copy(
        update={"generation": config.generation.model_copy(update={"max_answer_tokens": 1})}
    )
    save_pipeline(served.workspace, "one-word", short)
    text, trace_id = streamed(client, "pipeline/one-word")
    detail = get_trace(served.workspace.database, trace_id)
    assert text == "Rye " and detail.finish_reason == "length"
    kept = served.workspace.database.cells("SELECT pipeline FROM trace WHERE id = ?", (trace_id,))
    assert kept == [("one-word",)]


def test_the_answer_of_a_step_that_is_rejected_is_not_streamed(served: Served, client: openai.OpenAI) -> None:
    save_pipeline(served.workspace, "whole", PipelineConfig(collection=COLLECTION))
    test_a_pipeline_answers_and_its_name_is_in_the_trace(served, client)
    steps = [{"pipeline": "one-word", "accept": {"at_least": {"retrieval": 1.0}}}, {"pipeline": "whole"}]
    save_pipeline(served.workspace, "careful", make_config({"collection": COLLECTION, "steps": steps}))
    assert is_cascade(served.workspace, find_target(served.workspace, "careful"))
    text, trace_id = streamed(client, "careful")
    assert text == ANSWER
    names = [step.name for step in list_cascade_steps(served.workspace.database, trace_id)]
    assert names == ["one-word", "whole"]
    sources = served.workspace.database.cells(
        "SELECT t.source FROM trace t JOIN cascadestep s ON s.trace_id = t.id WHERE s.answer_id = ?",
        (trace_id,),
    )
    assert sorted(source for (source,) in sources) == ["server", "step"]


def test_the_same_question_again_comes_from_the_cache_unless_it_has_a_format(
    served: Served, client: openai.OpenAI
) -> None:
    served.workspace.change_settings({"cache": {"exact": "temperature 0"}})
    question = [{"role": "user", "content": "What does rye bread need, again?"}]
    first, second = (client.chat.completions.create(model=COLLECTION, messages=question) for _ in range(2))  # type: ignore[call-overload]
    assert [one.x_ragdeck["cached"] for one in (first, second)] == [False, True]
    assert second.choices[0].message.content == ANSWER
    cut = client.chat.completions.create(model=COLLECTION, messages=question, stop="needs")  # type: ignore[call-overload]
    assert cut.choices[0].message.content == "Rye bread " and not cut.x_ragdeck["cached"]
    text = list(client.chat.completions.create(model=COLLECTION, messages=question, stream=True))  # type: ignore[call-overload]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in text) == ANSWER


def test_what_was_not_streamed_follows(served: Served, client: openai.OpenAI) -> None:
    _, trace_id = streamed(client, COLLECTION)
    whole = Answer(get_trace(served.workspace.database, trace_id), ANSWER, False, ())
    assert _with_rest(whole, "").rest == ANSWER
    assert _with_rest(whole, ANSWER[:9]).rest == ANSWER[9:]
    assert _with_rest(whole, f"{ANSWER} \n").rest == ""
    other = _with_rest(whole, "Let me think.")
    assert other.rest.strip() == ANSWER and "x_ragdeck" in other.notices[0]


def test_a_question_without_a_passage_is_answered_with_a_sentence(
    served: Served, client: openai.OpenAI
) -> None:
    strict = {"collection": COLLECTION, "retrieval": {"search": "hybrid"}}  # as before presets
    save_pipeline(served.workspace, "strict", make_config(strict))
    text, trace_id = streamed(client, "strict", "Quantum chromodynamics lattice?")
    detail = get_trace(served.workspace.database, trace_id)
    assert (text, detail.status) == (detail.answer, "nothing found") and text == NOTHING_FOUND


# --- an answer as it is handed over, without a server -----------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "seen", "rest"),
    [
        ("", "", ""),
        ("All of it.", "", "All of it."),
        ("All of it.", "All ", "of it."),
        ("All of it.", "All of it.", ""),
        ("All of it.", "All of it.\n\n", ""),
        ("All of it.", " All of it.", ""),
    ],
)
def test_what_was_seen_and_the_rest_are_the_answer(whole: str, seen: str, rest: str) -> None:
    made = _with_rest(answered(answer=whole), seen)
    assert made.rest == rest and made.notices == ()


@given(st.text(), st.integers(0, 40))
def test_a_beginning_is_never_told_twice(whole: str, cut: int) -> None:
    made = _with_rest(answered(answer=whole), whole[:cut])
    assert whole[:cut] + made.rest == whole and made.notices == ()


@given(st.text(), st.text())
def test_the_whole_answer_is_always_told(whole: str, seen: str) -> None:
    made = _with_rest(answered(answer=whole), seen)
    assert whole.strip() in seen + made.rest


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("", "stop"),
        ("tool_calls", "stop"),  # no tools were given, and no client could answer them
    ],
)
def test_an_end_is_said_in_the_words_of_the_api(reason: str, said: str) -> None:
    assert finish_reason(answered(finish_reason=reason)) == said


@pytest.mark.parametrize(
    ("text", "markers", "found"),
    [
        ("", (1,), []),
        ("It is so.", (1,), []),
        ("It is so [1].", (1,), [(9, 12, 1)]),
        ("A [2]. B [1].", (1, 2), [(2, 5, 2), (9, 12, 1)]),
        ("A [1]. B [1].", (1,), [(2, 5, 1), (9, 12, 1)]),
        ("A [3].", (1, 2), []),  # no such passage
        ("A [1, 2].", (1, 2), []),  # no plain marker
        ("A [1].", (None,), []),  # found, and not in the prompt
    ],
)
def test_markers_that_name_a_passage_are_cited_where_they_stand(
    text: str, markers: tuple[int | None, ...], found: list[tuple[int, int, int]]
) -> None:
    answer = answered(answer=text, hits=tuple(passage(marker) for marker in markers))
    made = cited(answer)
    assert [(start, end, hit.marker) for start, end, hit in made] == found
    assert [text[start:end] for start, end, _ in made] == [f"[{marker}]" for _, _, marker in found]


def test_every_sentence_has_its_verdict_and_whether_it_is_flagged() -> None:
    claims = (
        ClaimResult("It is so.", 0, 9, Verdict.SUPPORTED, 0.1),
        ClaimResult("It rises.", 10, 19, Verdict.CONTRADICTED, 0.9),
    )
    more = x_ragdeck(answered(claims=claims, flag_count=1, hits=(passage(1), passage(None))))
    assert [(one["text"], one["start"], one["is_flagged"]) for one in more["sentences"]] == [
        ("It is so.", 0, False),
        ("It rises.", 10, True),
    ]
    assert more["flag_count"] == 1 and [one["marker"] for one in more["citations"]] == [1]
    assert json.loads(json.dumps(more)) == more, "plain values alone"


@pytest.mark.parametrize(
    ("context", "asked", "given", "is_said"),
    [
        (4096, {}, {}, False),
        (4096, {"max_answer_tokens": 2048}, {"max_answer_tokens": 2048}, False),
        (4096, {"max_answer_tokens": 2049}, {"max_answer_tokens": 2048}, True),
        (4096, {"temperature": 0.5}, {"temperature": 0.5}, False),
        (1, {"max_answer_tokens": 5}, {"max_answer_tokens": 1}, True),
        (0, {"max_answer_tokens": 5}, {"max_answer_tokens": 1}, True),  # a pipeline from before contexts
    ],
)
def test_an_answer_leaves_the_prompt_its_half_of_the_context(
    context: int, asked: dict[str, object], given: dict[str, object], is_said: bool
) -> None:
    wish = Wish("m", "Why?", generation=asked)
    wanted, notices = _fitting(Target("collection/A", "A", "", context, 0), wish)
    assert wanted == given and bool(notices) is is_said
    assert wish.generation is asked and (not is_said or asked["max_answer_tokens"] != 1)


@pytest.mark.parametrize("number", [1, 12, 10**9])
def test_a_document_has_the_address_that_mcp_lists(number: int) -> None:
    assert document_uri(number) == f"ragdeck://documents/{number}"
