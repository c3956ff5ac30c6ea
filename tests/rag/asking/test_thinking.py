"""A reasoning model's thinking is stored and shown apart: it is no answer, no claim, no citation and no history."""

import json
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive, small_gguf

from rag.asking.answer import answer_question, begin_ask, finish_ask, prepare, take_answer
from rag.asking.consistency import check_consistency
from rag.asking.loaded_model import choose_template, try_model
from rag.asking.packing import citations
from rag.asking.rows import (
    AnswerRestarted,
    Question,
    TokenStreamed,
    TraceDetail,
    TraceFilter,
    get_trace,
    list_traces,
)
from rag.errors import RagError
from rag.evaluation.drafts import _Writer
from rag.knowledge.ingest import ingest_files
from rag.models.chat_template import NO_SYSTEM_ROLE
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"
ANSWER = "Rye bread needs sourdough [1]."
THOUGHT = "The moon is made of 300 tons of butter [7]. Hmm."


def model(workspace: Workspace) -> ScriptedModel:
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)
    return loaded


def asked(workspace: Workspace, question: str = QUESTION, **arguments: object) -> TraceDetail:
    result = drive(answer_question(workspace, Question(question, "A", **arguments)))  # type: ignore[arg-type]
    return get_trace(workspace.database, result.trace_id)


def test_thinking_is_stored_apart_and_never_checked_or_cited(filled: Workspace) -> None:
    plain = asked(filled)
    model(filled).answer = f"<think> {THOUGHT} </think> {ANSWER}"
    trace = asked(filled)
    assert (trace.answer, trace.thinking) == (ANSWER, THOUGHT)
    assert (trace.completion_tokens, trace.thinking_tokens) == (5, 13)
    assert trace.claims == plain.claims
    assert (trace.outcome, trace.flag_count, trace.support_rate) == ("answered", 0, 1.0)
    assert [c["marker"] for c in citations(trace.answer, trace.hits) if c["cited"]] == [1]
    assert not any("[7]" in notice for notice in trace.fallbacks)
    assert (trace.mean_logprob, trace.answer_length) == (-0.5, len(ANSWER))
    spans = {span.name: span for span in trace.spans}
    assert spans["think"].detail == "13 tokens" and spans["generate"].detail == "5 tokens"
    assert spans["think"].end_ms <= spans["generate"].start_ms
    assert list_traces(filled.database, TraceFilter(text="butter")) == []


def test_thinking_is_streamed_as_thinking(filled: Workspace) -> None:
    model(filled).answer = f"<thinking>Hmm, rye.</thinking> {ANSWER}<|im_end|>"
    events = list(answer_question(filled, Question(QUESTION, "A")))
    tokens = [event for event in events if isinstance(event, TokenStreamed)]
    assert "".join(t.text for t in tokens if not t.is_thinking) == ANSWER
    assert "".join(t.text for t in tokens if t.is_thinking) == "Hmm, rye."
    assert [t.token_count for t in tokens if not t.is_thinking] == [1, 2, 3, 4, 5]


def test_a_tag_that_only_closes_restarts_the_stream(filled: Workspace) -> None:
    model(filled).answer = f"Okay, the user asks. </think> {ANSWER}"
    events = list(answer_question(filled, Question(QUESTION, "A")))
    place = next(n for n, event in enumerate(events) if isinstance(event, AnswerRestarted))
    after = "".join(e.text for e in events[place:] if isinstance(e, TokenStreamed) and not e.is_thinking)
    assert after == ANSWER
    (trace,) = list_traces(filled.database, TraceFilter())
    assert get_trace(filled.database, trace.id).thinking == "Okay, the user asks."


def test_thinking_is_never_sent_back(filled: Workspace) -> None:
    model(filled).answer = f"<think> {THOUGHT} </think> {ANSWER}"
    first = asked(filled)
    second = asked(filled, "How long does it rest?", session_id=first.session_id)
    assert ANSWER in second.prompt
    assert "butter" not in second.prompt and "think>" not in second.prompt


def test_an_answer_that_is_empty_is_not_sent_back(filled: Workspace) -> None:
    model(filled).answer = "<think> hmm"
    first = asked(filled)
    assert (first.answer, first.thinking) == ("", "hmm hmm")
    assert "the model thought and answered nothing" in first.fallbacks
    second = asked(filled, "How long does it rest?", session_id=first.session_id)
    assert "assistant:" not in second.prompt


def test_the_budget_of_thinking_is_a_setting_and_its_end_is_told(filled: Workspace) -> None:
    model(filled).answer, model(filled).then = "<think>" + " hmm" * 50, ANSWER
    trace = asked(filled, overrides={"generation": {"max_thinking_tokens": 9}})
    assert (trace.answer, trace.thinking_tokens) == (ANSWER, 9)
    assert "the thinking was ended after 9 tokens" in trace.fallbacks
    assert json.loads(trace.settings)["generation"]["max_thinking_tokens"] == 9
    assert trace.finish_reason == "stop"


def test_a_cancelled_ask_keeps_what_was_thought(filled: Workspace) -> None:
    model(filled).answer = "<think> one two three four five six </think> Yes."
    stream = answer_question(filled, Question(QUESTION, "A"))
    for event in stream:
        if isinstance(event, TokenStreamed) and "two" in event.text:
            break
    stream.close()
    (row,) = list_traces(filled.database, TraceFilter())
    trace = get_trace(filled.database, row.id)
    assert (trace.status, trace.answer, trace.thinking) == ("cancelled", "", "one two")


@pytest.mark.parametrize("thinking", ["", "known before"])
def test_an_answer_that_was_made_elsewhere_is_taken_apart(filled: Workspace, thinking: str) -> None:
    ask = begin_ask(filled, Question(QUESTION, "A"))
    prepared = drive(prepare(ask))
    text = ANSWER if thinking else f"<think>one two</think>{ANSWER}"
    take_answer(
        prepared, text, [-1.0, -1.0, -0.5, -0.5], "stop", 0, "in a batch", thinking, 2 if thinking else 0
    )
    finish_ask(ask)
    trace = get_trace(filled.database, ask.trace.id)
    assert (trace.answer, trace.thinking) == (ANSWER, thinking or "one two")
    assert trace.thinking_tokens == 2
    assert trace.fallbacks == ("in a batch",)


def test_agreement_is_of_answers_alone(filled: Workspace) -> None:
    model(filled).answer = f"<think> {THOUGHT} </think> {ANSWER}"
    trace = asked(filled)
    report = drive(check_consistency(filled, trace.id, samples=2))
    assert [sample.answer for sample in report.samples] == [ANSWER, ANSWER]
    assert report.samples[0].logprob == -2.5


def test_trying_a_model_shows_its_thinking_apart(filled: Workspace) -> None:
    model(filled).answer = f"<think> hmm </think> {ANSWER}"
    found = drive(try_model(filled, "Hi"))
    assert (found.text, found.thinking, found.completion_tokens, found.thinking_tokens) == (
        ANSWER,
        "hmm",
        5,
        3,
    )


def test_drafts_and_verdicts_are_written_without_thinking(filled: Workspace) -> None:
    model(filled).ending = "\nassistant: <think>\n"
    model(filled).answer = '{"question": "What?", "answer": "Rye."}'
    trace = asked(filled)
    writer = _Writer(filled, None)
    drive(writer.write(trace.hits[0], 0, 1))
    assert model(filled).tokenized[-1].endswith("assistant: <think>\n\n</think>\n\n")


# --- chat templates ---------------------------------------------------------------------------------------


def test_what_is_done_for_the_sake_of_a_template_is_in_the_trace(filled: Workspace) -> None:
    used = model(filled)
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    used.header = used.header.__class__(
        **{
            **vars(used.header),
            "chat_template": refusing + "{% for m in messages %}{{ m.content }}{% endfor %}",
        }
    )
    assert NO_SYSTEM_ROLE in asked(filled).fallbacks


def test_a_chosen_template_is_used_from_the_next_question_on(filled: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(small_gguf({"tokenizer.chat_template": "{% for %}"}))
    entry = choose_template(filled, str(path), "gemma")
    assert (entry.can_answer, entry.chat_template) == (True, "gemma")
    trace = asked(filled, model=str(path))
    assert "the built-in chat template gemma was used" in trace.fallbacks
    assert not choose_template(filled, str(path), "").can_answer
    assert filled.settings.models.chat_templates == []
    with pytest.raises(RagError, match=r"no chat template “x”\. The built-in ones are chatml"):
        choose_template(filled, str(path), "x")


def test_room_for_thinking_is_kept_where_the_template_thinks(folder: Path, documents: Path) -> None:
    used = ScriptedModel()
    settings = {"generation": {"context": 512, "max_answer_tokens": 8, "max_thinking_tokens": 4000}}
    long = QUESTION + " please" * 300
    with Workspace(folder, embedder=FakeEmbedder(), load_model=used.load) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        assert asked(workspace, long, overrides=settings).passage_count
        used.header = used.header.__class__(
            **{**vars(used.header), "chat_template": "{{ messages }}</think>"}
        )
        with pytest.raises(RagError, match="leaves no room for passages"):
            asked(workspace, long, overrides=settings)
