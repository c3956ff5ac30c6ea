"""Judgements that were not found are counted, named and corrected."""

from pathlib import Path

import pytest
from fakes import drive

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.comparison import compare
from rag.evaluation.gates.runs import gate_run
from rag.evaluation.rows import get_run
from rag.evaluation.sets import change_set, set_cases
from rag.evaluation.stale import check_judgements, correct_judgements
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start

RENAMED = Judgement(document="Bread_.md", grade=2)
REWORDED = Judgement(document="tides.txt", quote="The tides at Bremen rises by 3.5 metres.")
LOST = Judgement(document="nothing-like-it.pdf")


@pytest.fixture
def stale(filled: Workspace, documents: Path) -> Workspace:
    """The set with a renamed document, a corrected sentence and a document that never was."""
    text = "Every day the water comes and goes. The tide at Bremen rises 3.5 metres. Boats wait for it."
    (documents / "tides.txt").write_text(text, "utf-8")
    drive(ingest_files(filled, "A", [documents]))
    cases = [
        Case(key="a", question="What does rye bread need?", judgements=(RENAMED,), cluster="Bread_.md"),
        Case(key="b", question="How far does the tide rise?", judgements=(REWORDED,)),
        Case(key="c", question="What is missing?", judgements=(LOST, Judgement(document="bread.md"))),
    ]
    change_set(filled, "S", put=cases, remove=["bread", "tide", "moon"])
    return filled


def test_stale_judgements_are_named_with_what_they_could_be(stale: Workspace) -> None:
    found = check_judgements(stale, "S", "A")
    assert (found.judged, [one.case_key for one in found.stale]) == (4, ["a", "b", "c"])
    assert found.stale[0].proposal == "The document seems to be called bread.md now."
    assert "alike in tides.txt" in found.stale[1].proposal
    assert "The tide at Bremen rises 3.5 metres" in found.stale[1].proposal
    assert (found.stale[2].label, found.stale[2].proposal) == ("nothing-like-it.pdf", "")
    assert found.sentence().startswith("3 of 4 judgements of “S” are not found in version 2 of A; 2 of them")


def test_what_is_corrected_is_found(stale: Workspace) -> None:
    assert correct_judgements(stale, "S", "A").startswith("Corrected 2 judgements for version 2 of A.")
    assert [one.case_key for one in check_judgements(stale, "S", "A").stale] == ["c"]
    first, second, third = set_cases(stale.database, "S")
    assert first.judgements[0].document.endswith("bread.md") and first.judgements[0].grade == 2
    assert first.cluster == first.judgements[0].document, "its document is still what it is resampled with"
    assert "The tide at Bremen rises 3.5 metres" in second.judgements[0].quote
    assert third.judgements[0] == LOST
    with pytest.raises(RagError, match="can be corrected"):
        correct_judgements(stale, "S", "A")


def test_a_document_that_was_renamed_is_found_by_its_content(filled: Workspace, documents: Path) -> None:
    change_set(
        filled, "S", put=[Case(key="a", question="Why?", judgements=(Judgement(document="tides.txt"),))]
    )
    (documents / "tides.txt").rename(documents / "ebb and flow.txt")
    drive(ingest_files(filled, "A", [documents], following=documents))
    (one, *_) = (s for s in check_judgements(filled, "S", "A").stale if s.case_key == "a")
    assert one.proposal == "The document seems to be called ebb and flow.txt now."


def test_stale_judgements_show_in_runs_comparisons_and_gates(stale: Workspace) -> None:
    (run,) = start(stale, "R")
    assert get_run(stale.database, run.id).stale_count == 3
    report = compare(stale.database, [run.id])
    assert [(key, label) for _, key, label in report.stale] == [
        ("a", "Bread_.md"),
        ("b", REWORDED.label),
        ("c", "nothing-like-it.pdf"),
    ]
    (warning,) = (text for text in report.warnings if "judgements" in text)
    assert warning.startswith(f"3 judgements of run {run.id} in 3 cases were not found in version 2 of A")
    recall = next(metric for metric in report.metrics if metric.name == "recall_at_k")
    assert (recall.means[0].count, recall.means[0].missing, recall.means[0].failed) == (1, 2, 2)
    found = gate_run(stale, run.id, "floors: {recall_at_k: 0.1}\n")
    assert not found.passed
    floor, errors, judgements = found.rows
    assert "over 1 of 3 cases; without 2 cases that should have one" in floor[3] and not floor[1]
    assert errors[1] and not judgements[1] and "3 in 3 of 3 cases: a (Bread_.md)" in judgements[3]
    lenient = "floors: {recall_at_k: 0.1}\nstale: {at_most: 3}\nmin_share: 0.3\n"
    assert gate_run(stale, run.id, lenient).passed
