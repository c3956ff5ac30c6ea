"""The judge: what it is asked, what it says, and how far people agree with it."""

import json
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel

from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Case
from rag.evaluation.llm_judge import GRAMMAR, RUBRIC, Judge, JudgeVerdict, judge_agreement
from rag.evaluation.rows import CaseOutcome, ResultRow
from rag.workspace import Workspace

CASE = Case(key="k", question="What does rye bread need?", references=("sourdough", "rest"))


@pytest.fixture
def model(folder: Path) -> ScriptedModel:
    (folder / "judge.gguf").write_bytes(b"GGUF")
    return ScriptedModel(json.dumps({"reason": " It says the same. ", "verdict": "right"}))


def judge(workspace: Workspace, folder: Path) -> Judge:
    return Judge(workspace, {"model": str(folder / "judge.gguf"), "seed": 7, "rubric": RUBRIC})


def opened(folder: Path, model: ScriptedModel) -> Workspace:
    return Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=model.load)


def test_a_verdict_is_right_or_wrong_with_its_reason(folder: Path, model: ScriptedModel) -> None:
    with opened(folder, model) as workspace:
        found = judge(workspace, folder)
        assert found.verdict(CASE, "Sourdough [1].") == JudgeVerdict(True, "It says the same.")
        prompt = model.prompts[-1]
        assert "Reference: sourdough / rest" in prompt and "Answer: Sourdough [1]." in prompt
        model.answer = json.dumps({"reason": "It says nothing.", "verdict": "wrong"})
        assert found.verdict(CASE, "Water.") == JudgeVerdict(False, "It says nothing.")


def test_a_case_to_decline_is_judged_by_that(folder: Path, model: ScriptedModel) -> None:
    with opened(folder, model) as workspace:
        found = judge(workspace, folder)
        found.verdict(Case(question="Who?", should_refuse=True), "I cannot say.")
        assert "declining is right" in model.prompts[-1]
        with pytest.raises(RagError, match="no reference answer to judge by"):
            found.verdict(Case(question="Who?"), "Ada")


def test_a_judge_that_is_missing_is_named(folder: Path, model: ScriptedModel) -> None:
    with opened(folder, model) as workspace:
        with pytest.raises(RagError, match=r"judge gone\.gguf|gone\.gguf is missing"):
            Judge(workspace, {"model": str(folder / "gone.gguf"), "seed": 1, "rubric": RUBRIC})
        with pytest.raises(NotFoundError):
            Judge.facts(workspace, "nobody.gguf", 1)


def test_the_grammar_asks_for_the_reason_first() -> None:
    assert GRAMMAR.index("reason") < GRAMMAR.index("verdict")


def result(number: int, judged: float | None, verdict: bool | None) -> ResultRow:
    return ResultRow(
        number, 1, f"c{number}", 0, CaseOutcome.OK, "", {"judge": judged}, (), "", None, 0, 0, "", "", "", "", verdict
    )  # fmt: skip


def test_agreement_counts_the_answers_that_both_judged() -> None:
    rows = [
        result(1, 1.0, True),
        result(2, 1.0, False),
        result(3, 0.0, False),
        result(4, 1.0, None),
        result(5, None, True),
    ]
    found = judge_agreement(rows)
    assert (found.judged, found.both, found.agreed) == (4, 3, 2)
    assert found.rate == pytest.approx(3 / 4)
    # Both say right by chance: 1/3 * 2/3, both wrong: 2/3 * 1/3; (2/3 - 4/9) / (1 - 4/9).
    assert found.kappa == pytest.approx(0.4)


def test_without_a_judge_nothing_is_known() -> None:
    found = judge_agreement([result(1, None, True)])
    assert (found.judged, found.rate, found.kappa, found.corrected) == (0, None, None, None)
