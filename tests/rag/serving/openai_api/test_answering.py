"""Answers come by the pipeline that decides; what a cascade may still reject is not streamed."""

from __future__ import annotations

import openai
from serving_parts import ANSWER, COLLECTION, QUESTION, Served

from rag.asking.answer import NOTHING_FOUND
from rag.asking.cascades.rows import list_cascade_steps
from rag.asking.rows import get_trace
from rag.evaluation.pipelines import PipelineConfig, make_config, save_pipeline
from rag.serving.openai_api.answering import Answer, _with_rest
from rag.serving.openai_api.targets import find_target, is_cascade


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
