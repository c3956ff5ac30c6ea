"""Answers made at once are those made one by one, on the real starter model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeEmbedder, drive

from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.errors import RagError
from rag.evaluation import pipelines, runs
from rag.evaluation.cases import Case
from rag.evaluation.llm_judge import judge_agreement
from rag.evaluation.rows import list_results, list_runs
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.models.batching import BatchAnswer, BatchContext, BatchRequest, BatchStep
from rag.models.language_model import LanguageModel, PromptRead, Token, starter_model_path
from rag.settings import GenerationSettings
from rag.workspace import Workspace

pytestmark = pytest.mark.models

SHORT = GenerationSettings(context=1024, max_answer_tokens=8, threads=1)
PASSAGE = "The tide at Bremen rises 3.5 metres. Boats leave at noon. " * 2
QUESTIONS = ("How far does the tide rise?", "When do boats leave?", "Where is it?", "What is 2 + 2?")


@pytest.fixture(scope="module")
def model() -> Iterator[LanguageModel]:
    loaded = LanguageModel(starter_model_path(), SHORT)
    yield loaded
    loaded.close()


def prompts(model: LanguageModel) -> list[tuple[int, ...]]:
    return [
        tuple(model.tokenize_prompt(model.render_chat([{"role": "user", "content": f"{PASSAGE}\n{q}"}])))
        for q in QUESTIONS
    ]


def alone(model: LanguageModel, tokens: tuple[int, ...], settings: GenerationSettings) -> str:
    return "".join(e.text for e in model.generate(tokens, settings) if isinstance(e, Token))


def at_once(
    model: LanguageModel, sequences: int, cells: int, settings: list[GenerationSettings], at_once: int = 1
) -> dict[int, BatchAnswer]:
    context = BatchContext(model, sequences, cells, at_once)
    try:
        requests = [
            BatchRequest(n, t, s) for n, (t, s) in enumerate(zip(prompts(model), settings, strict=True))
        ]
        return {a.key: a for a in context.answer(requests) if isinstance(a, BatchAnswer)}
    finally:
        context.close()


@pytest.mark.parametrize(("sequences", "cells"), [(4, 1024), (2, 256), (1, 160)])
def test_greedy_answers_are_the_same_and_prompts_are_shared(
    model: LanguageModel, sequences: int, cells: int
) -> None:
    found = at_once(model, sequences, cells, [SHORT] * 4)
    assert [found[n].text for n in range(4)] == [alone(model, t, SHORT) for t in prompts(model)]
    assert all(len(found[n].logprobs) == 8 or found[n].finish_reason == "stop" for n in range(4))
    assert all(logprob <= 0 for logprob in found[0].logprobs)
    shared = sorted(found[n].cached_tokens for n in range(4))
    assert shared[0] == 0 and shared[1] > 20  # all but the first share the passage


def test_answers_written_together_begin_as_they_do_alone(model: LanguageModel) -> None:
    """Rounding differs over several rows, so only what is no near tie must be the same: the first token here."""
    together, one = at_once(model, 4, 1024, [SHORT] * 4, 4), at_once(model, 4, 1024, [SHORT] * 4)
    for number in range(4):
        assert together[number].text.split()[0] == one[number].text.split()[0]
        assert together[number].logprobs[0] == pytest.approx(one[number].logprobs[0], abs=0.2)


def test_a_seed_gives_the_same_sample_whatever_is_beside_it(model: LanguageModel) -> None:
    warm = [SHORT.model_copy(update={"temperature": 1.0, "seed": n}) for n in range(4)]
    assert at_once(model, 4, 1024, warm) == at_once(model, 4, 1024, warm)
    assert at_once(model, 4, 1024, warm, 4) == at_once(model, 4, 1024, warm, 4)
    others = [warm[0], *[s.model_copy(update={"seed": 99}) for s in warm[1:]]]
    assert at_once(model, 4, 1024, others)[0].text == at_once(model, 4, 1024, warm)[0].text


def test_a_prompt_that_does_not_fit_is_refused_and_a_late_answer_ends(model: LanguageModel) -> None:
    context = BatchContext(model, 2, 256)
    try:
        with pytest.raises(RagError, match="lower the passage budget"):
            list(context.answer([BatchRequest(0, tuple([100] * 300), SHORT)]))
        request = BatchRequest(0, prompts(model)[0], SHORT)
        ended = [e for e in context.answer([request], timeout_s=0) if isinstance(e, BatchAnswer)]
        assert ended[0].finish_reason == "timeout"
        steps = context.answer([request])
        next(steps)
        steps.close()  # cancelled: the context can be used again
        done = [e for e in context.answer([request]) if isinstance(e, BatchAnswer)]
        assert done[0].text == alone(model, request.tokens, SHORT)
    finally:
        context.close()


def test_a_grammar_cannot_be_left(model: LanguageModel) -> None:
    from rag.evaluation.llm_judge import GRAMMAR

    settings = SHORT.model_copy(update={"max_answer_tokens": 128})
    tokens = model.tokenize_prompt(
        model.render_chat([{"role": "user", "content": "Is 3 metres the same as 3.5 metres? Say why."}])
    )
    events = list(model.generate(tokens, settings, GRAMMAR))
    text = "".join(e.text for e in events if isinstance(e, Token))
    assert isinstance(events[0], PromptRead)
    assert text.startswith('{"reason": "') and text.endswith(('"verdict": "right"}', '"verdict": "wrong"}'))


@pytest.fixture
def filled(folder: Path, documents: Path) -> Iterator[Workspace]:
    with Workspace(folder, "a test", embedder=FakeEmbedder()) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        questions = (
            "What does rye bread need?",
            "How far does the tide at Bremen rise?",
            "How bright is Sirius?",
        )
        cases = [Case(key=f"c{n}", question=q, references=("sourdough",)) for n, q in enumerate(questions)]
        cases.append(Case(key="none", question="Quantum chromodynamics lattice?", should_refuse=True))
        cases.append(Case(key="twice", question=questions[0]))
        change_set(workspace, "S", put=cases)
        config = pipelines.make_config({"collection": "A", "generation": SHORT.model_dump()})
        pipelines.save_pipeline(workspace, "P", config)
        yield workspace


def test_a_run_answers_many_at_once_as_it_does_one_by_one(filled: Workspace) -> None:
    (single,) = drive(runs.start_runs(filled, "S", ["P"], parallel=1))
    (batched,) = drive(runs.start_runs(filled, "S", ["P"], parallel=3))
    assert (single.status, batched.status, batched.failed_count) == ("done", "done", 0)
    one, many = ({r.case_key: r for r in list_results(filled.database, r.id)} for r in (single, batched))
    assert {key: r.answer for key, r in one.items()} == {key: r.answer for key, r in many.items()}
    assert all(r.answer for r in one.values())
    for name in ("token_f1", "support_rate", "completion_tokens", "refusal_accuracy"):
        assert {k: r.metrics.get(name) for k, r in one.items()} == {
            k: r.metrics.get(name) for k, r in many.items()
        }
    assert one["c1"].latency_ms and many["c1"].latency_ms is None
    assert "answered in a batch" in " ".join(get_trace(filled.database, many["c1"].trace_id).fallbacks)
    assert many["twice"].reused_trace == many["c0"].trace_id  # the same prompt is asked once
    events = runs.start_runs(filled, "S", ["P"], parallel=3)
    next(events)
    next(events)
    events.close()
    assert list_runs(filled.database)[0].status == "cancelled"
    assert not list_traces(filled.database, TraceFilter(status="running"))
    (resumed,) = drive(runs.resume_run(filled, list_runs(filled.database)[0].id))
    assert (resumed.status, resumed.done_count) == ("done", 5)


def test_a_judge_says_right_or_wrong_and_is_measured_against_people(filled: Workspace) -> None:
    (run,) = drive(runs.start_runs(filled, "S", ["P"], judge=str(starter_model_path())))
    results = list_results(filled.database, run.id)
    judged = [r for r in results if r.metrics.get("judge") is not None]
    assert len(judged) == 4 and all(r.metrics["judge"] in (0.0, 1.0) for r in judged)  # one has no reference
    assert all(json.loads(r.judge)["reason"] for r in judged)
    assert "no reference answer to judge by" in next(r.judge for r in results if r.case_key == "twice")
    assert json.loads(run.judge)["model_sha256"] == run.model_sha256
    for result in judged:
        runs.give_verdict(filled, result.id, result.metrics["judge"] == 1.0)
    known = judge_agreement(list_results(filled.database, run.id))
    assert (known.both, known.agreed, known.judged) == (4, 4, 4)


def answers_of(context: BatchContext, requests: list[BatchRequest]) -> dict[int, BatchAnswer]:
    return {a.key: a for a in context.answer(requests) if isinstance(a, BatchAnswer)}


def test_no_request_gives_no_answer_and_one_context_serves_one_batch_after_the_other(
    model: LanguageModel,
) -> None:
    context = BatchContext(model, 2, 512)
    try:
        assert list(context.answer([])) == []
        request = BatchRequest(7, prompts(model)[0], SHORT)
        first = answers_of(context, [request])[7]
        again = answers_of(context, [request])[7]
    finally:
        context.close()
    assert again.text == first.text == alone(model, request.tokens, SHORT)
    assert first.cached_tokens == 0
    assert again.cached_tokens == len(request.tokens) - 1, "the last token is read again"


def test_a_processor_writes_one_answer_at_a_time_and_each_step_says_how_many_wait(
    model: LanguageModel,
) -> None:
    context = BatchContext(model, 4, 1024)
    try:
        assert context.at_once == 1
        requests = [BatchRequest(n, tokens, SHORT) for n, tokens in enumerate(prompts(model))]
        steps = [event for event in context.answer(requests) if isinstance(event, BatchStep)]
    finally:
        context.close()
    assert {step.answering for step in steps} <= {0, 1}
    waiting = [step.waiting for step in steps]
    assert waiting == sorted(waiting, reverse=True)
    assert (waiting[0], waiting[-1]) == (3, 0)


def test_every_answer_has_its_own_limit(model: LanguageModel) -> None:
    limits = [1, 2, 5, 8]
    found = at_once(model, 4, 1024, [SHORT.model_copy(update={"max_answer_tokens": n}) for n in limits])
    for number, limit in enumerate(limits):
        assert len(found[number].logprobs) <= limit
        if len(found[number].logprobs) == limit:
            assert found[number].finish_reason == "length"
        else:
            assert found[number].finish_reason == "stop"
    assert found[0].finish_reason == "length"
