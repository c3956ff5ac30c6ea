"""What one answer is worth: outcomes, and metrics that are unknown rather than 0."""

from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import Ask, begin_ask, run_ask
from rag.asking.rows import Question
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.relevance import JudgedVersion, Relevance
from rag.evaluation.scoring import Score, Vectors, score_answer, score_retrieval
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

NONE = Relevance({}, (), ())


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


def answered(workspace: Workspace, answer: str, question: str = "What does rye bread need?") -> Ask:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    ask = begin_ask(workspace, Question(question, "A", source="evaluation"))
    drive(run_ask(ask))
    return ask


def score(
    workspace: Workspace, ask: Ask, case: Case, relevance: Relevance = NONE, timed: bool = True
) -> Score:
    return score_answer(ask, case, relevance, case.checks, Vectors(workspace), timed)


def test_a_good_answer_is_ok_and_measured(notes: Workspace) -> None:
    case = Case(
        question="q", references=("Rye bread needs sourdough.",), judgements=(Judgement(document="bread.md"),)
    )
    ask = answered(notes, "Rye bread needs sourdough [1].")
    relevance = JudgedVersion(notes.store, 1).relevance(case.judgements)
    found = score(notes, ask, case, relevance)
    assert (found.outcome, found.error, found.checks) == ("ok", "", ())
    assert found.values["exact_match"] == found.values["token_f1"] == 1.0
    assert found.values["citation_precision"] == found.values["hit_rate"] == 1.0
    assert found.values["checks_passed"] is None, "a case without checks has no value"
    assert found.values["answer_similarity"] == pytest.approx(1.0)
    assert found.values["total_ms"] == ask.trace.total_ms
    assert score(notes, ask, case, relevance, timed=False).values["total_ms"] is None


def test_what_nobody_judged_has_no_value(notes: Workspace) -> None:
    found = score(notes, answered(notes, "Rye bread needs sourdough [1]."), Case(question="q"))
    for name in (
        "recall_at_k",
        "mrr",
        "context_recall",
        "citation_precision",
        "exact_match",
        "answer_similarity",
    ):
        assert found.values[name] is None, name
    assert found.values["answer_relevance"] is not None


def test_a_failed_check_wins_over_a_refusal(notes: Workspace) -> None:
    case = Case(
        question="q",
        checks=(Check(type="contains", value="sourdough"), Check(type="length", value={"min": 1})),
    )
    found = score(notes, answered(notes, "I cannot answer this from the passages."), case)
    assert found.outcome == "assertion failed"
    assert [(kind, result.passed) for kind, result in found.checks] == [("contains", False), ("length", True)]
    assert found.values["checks_passed"] == 0.0


def test_declining_is_right_only_where_it_should_be(notes: Workspace) -> None:
    declined = answered(notes, "I cannot answer this from the passages.")
    wrong, right = Case(question="q"), Case(question="q", should_refuse=True)
    assert score(notes, declined, wrong).outcome == "refused"
    assert score(notes, declined, wrong).values["false_refusal"] == 1.0
    assert score(notes, declined, right).outcome == "ok"
    assert score(notes, declined, right).values["correct_refusal"] == 1.0
    nothing = answered(notes, "-", "Quantum chromodynamics lattice?")
    assert nothing.trace.status == "nothing found"
    assert score(notes, nothing, right).outcome == "ok"


def test_an_empty_answer_is_an_error_with_its_ranking(notes: Workspace) -> None:
    found = score(notes, answered(notes, " "), Case(question="q"))
    assert (found.outcome, found.error) == ("error", "The model answered nothing.")
    assert "mrr" in found.values
    assert "token_f1" not in found.values


def test_a_ranking_is_measured_without_an_answer(notes: Workspace) -> None:
    judgements = (Judgement(document="bread.md"), Judgement(document="stars.txt"))
    relevance = JudgedVersion(notes.store, 1).relevance(judgements)
    values = score_retrieval(answered(notes, "x"), Case(question="q"), relevance)
    assert values["hit_rate"] == values["mrr"] == 1.0
    assert values["context_recall"] in (0.5, 1.0)


def test_each_text_is_embedded_once(notes: Workspace) -> None:
    vectors = Vectors(notes)
    assert isinstance(notes.embedder, FakeEmbedder)
    first = vectors.of(["one", "two", "one"])
    before = notes.embedder.embedded_count
    again = vectors.of(["two", "one"])
    assert notes.embedder.embedded_count == before
    assert (first[0] == first[2]).all() and (first[1] == again[0]).all()
