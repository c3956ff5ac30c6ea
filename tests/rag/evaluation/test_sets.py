"""Evaluation sets: versions never change, cases come by hand, from traces and from files."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from driving import ask_once
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation import sets
from rag.evaluation.cases import Case
from rag.evaluation.rows import list_set_versions, list_sets
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture
def named(workspace: Workspace) -> Workspace:
    sets.create_set(workspace, "gold", "Hand-made")
    return workspace


def case(question: str, **values: object) -> Case:
    return Case(question=question, **values)  # type: ignore[arg-type]


def test_every_change_makes_a_version_and_old_ones_stay(named: Workspace) -> None:
    assert list_sets(named.database)[0].number == 0
    assert sets.set_cases(named.database, "gold") == ()
    one = sets.add_case(named, "gold", case("One?"))
    two = sets.add_case(named, "gold", case("Two?", tags=("x",)))
    edited = one.model_copy(update={"references": ("1",)})
    row = sets.change_set(named, "gold", put=[edited, case("Three?")], remove=[two.key], message="Edited")
    assert row is not None
    assert (row.number, row.message, row.case_count) == (3, "Edited", 2)
    assert [c.question for c in sets.set_cases(named.database, "gold", 2)] == ["One?", "Two?"]
    assert sets.set_cases(named.database, "gold", 1) == (one,)
    assert sets.set_cases(named.database, "gold")[0].references == ("1",)
    found = sets.diff_sets(named.database, "gold", 2, 3)
    assert [c.question for c in found.added] == ["Three?"]
    assert found.removed == (two,)
    assert found.changed == ((one, edited),)
    assert found.sentence() == "1 added, 1 removed, 1 changed, 0 unchanged"


def test_no_difference_is_no_version(named: Workspace) -> None:
    added = sets.add_case(named, "gold", case("One?"))
    same = sets.change_set(named, "gold", put=[added], message="again")
    assert same is not None
    assert same.number == 1
    assert len(list_set_versions(named.database, "gold")) == 1


def test_going_back_is_a_new_version_with_the_same_fingerprint(named: Workspace) -> None:
    sets.add_case(named, "gold", case("One?"))
    sets.add_case(named, "gold", case("Two?"))
    row = sets.restore_version(named, "gold", 1)
    assert row is not None
    assert (row.number, row.message) == (3, "Back to version 1")
    versions = list_set_versions(named.database, "gold")
    assert versions[0].fingerprint == versions[2].fingerprint != versions[1].fingerprint


def test_equal_questions_get_keys_of_their_own(named: Workspace) -> None:
    first = sets.add_case(named, "gold", case("Same?"))
    second = sets.add_case(named, "gold", case("Same?", tags=("b",)))
    assert second.key == f"{first.key}-2"
    with pytest.raises(RagError, match="already has a case"):
        sets.add_case(named, "gold", second)


def test_names_are_found_changed_and_refused(named: Workspace) -> None:
    with pytest.raises(RagError, match="already an evaluation set"):
        sets.create_set(named, " gold ")
    with pytest.raises(RagError, match="needs a name"):
        sets.create_set(named, "  ")
    sets.rename_set(named, "gold", "silver")
    with pytest.raises(NotFoundError, match="no evaluation set named “gold”"):
        sets.set_cases(named.database, "gold")
    with pytest.raises(NotFoundError, match="no version 7"):
        sets.set_cases(named.database, "silver", 7)
    with pytest.raises(NotFoundError, match="no case nope"):
        sets.change_set(named, "silver", remove=["nope"])
    sets.add_case(named, "silver", case("One?"))
    assert sets.delete_set(named, "silver") == 1
    with sqlite3.connect(named.store.database) as raw:
        for table in ("evaluationcase", "evaluationsetversion", "evaluationsetcase", "evaluationset"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
        actions = [row[0] for row in raw.execute("SELECT action FROM auditevent")]
    raw.close()
    assert "evaluation set deleted" in actions


def test_a_failed_change_leaves_nothing_behind(named: Workspace) -> None:
    with pytest.raises(NotFoundError):
        sets.change_set(named, "gold", put=[case("New?")], remove=["nope"])
    assert sets.set_cases(named.database, "gold") == ()
    assert list_sets(named.database)[0].number == 0


def ask(workspace: Workspace, answer: str, monkeypatch: pytest.MonkeyPatch) -> str:
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)
    loaded.answer = answer
    return str(drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id)


def test_a_trace_becomes_a_case_in_one_call(
    named: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(named, "A", [documents]))
    trace_id = ask(named, "Rye bread needs sourdough and 12 hours of rest [1].", monkeypatch)
    made = sets.add_trace(named, "gold", trace_id, tags=["good"])
    assert made.references == ("Rye bread needs sourdough and 12 hours of rest.",)
    (judgement,) = made.judgements
    assert Path(judgement.document).name == "bread.md"
    text = next(hit.text for hit in get_trace(named.database, trace_id).hits if hit.marker == 1)
    assert judgement.quote == text
    assert made.origin == f"trace:{trace_id}"
    assert made.source_cluster == judgement.document
    assert sets.set_cases(named.database, "gold") == (made,)
    corrected = sets.add_trace(named, "gold", trace_id, reference="Sourdough.")
    assert sets.set_cases(named.database, "gold") == (corrected,)


def test_a_trace_that_declined_becomes_a_case_that_should(
    named: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(named, "A", [documents]))
    trace_id = ask(named, "I cannot answer this from the passages.", monkeypatch)
    made = sets.add_trace(named, "gold", trace_id)
    assert made.should_refuse
    assert (made.references, made.judgements) == ((), ())
    wrong = sets.add_trace(named, "gold", trace_id, reference="Sourdough", should_refuse=False)
    assert (wrong.should_refuse, wrong.references) == (False, ("Sourdough",))
    with pytest.raises(NotFoundError, match="no trace"):
        sets.add_trace(named, "gold", "ffffffff")


def test_thousands_of_cases_are_quick(named: Workspace) -> None:
    began = time.perf_counter()
    cases = [case(f"Question {n}?", references=(f"{n}",)) for n in range(3000)]
    sets.change_set(named, "gold", put=cases)
    sets.change_set(named, "gold", put=[case("One more?")])
    assert len(sets.set_cases(named.database, "gold")) == 3001
    with sqlite3.connect(named.store.database) as raw:
        assert raw.execute("SELECT count(*) FROM evaluationcase").fetchone()[0] == 3001
    raw.close()
    taken = time.perf_counter() - began
    print(f"{taken:.2f} s")
    assert taken < 15


def test_a_case_is_stored_as_plain_json(named: Workspace) -> None:
    sets.add_case(named, "gold", case("Ünïcode „?“\n"))
    with sqlite3.connect(named.store.database) as raw:
        content = json.loads(raw.execute("SELECT content FROM evaluationcase").fetchone()[0])
    raw.close()
    assert content["question"] == "Ünïcode „?“\n"


def test_a_case_is_saved_in_a_set_that_is_made(workspace: Workspace) -> None:
    key = sets.save_case(workspace, "new", {"question": "One?", "key": "one"})
    assert key == "one"
    assert sets.save_case(workspace, "new", {"question": "Two?", "key": "two"}, replaced="one") == "two"
    assert [c.key for c in sets.set_cases(workspace.database, "new")] == ["two"]
    sets.save_case(workspace, "new", {"question": "Three?", "key": "two"}, replaced="two", message="Reworded")
    assert list_set_versions(workspace.database, "new")[0].message == "Reworded"
    with pytest.raises(RagError, match=r"weight: .*greater than 0"):
        sets.save_case(workspace, "new", {"question": "q", "weight": 0})
    sets.remove_cases(workspace, "new", ["two"])
    assert sets.set_cases(workspace.database, "new") == ()


def test_a_set_is_made_only_if_there_is_none(named: Workspace) -> None:
    assert sets.ensure_set(named, " gold ") == "gold"
    assert sets.ensure_set(named, "silver") == "silver"
    assert [row.name for row in list_sets(named.database)] == ["gold", "silver"]


def test_the_window_sees_both_sides_of_every_change(named: Workspace) -> None:
    sets.change_set(named, "gold", put=[case("One?", key="1"), case("Two?", key="2")])
    sets.change_set(named, "gold", put=[case("Two!", key="2"), case("Three?", key="3")], remove=["1"])
    sentence, changes = sets.diff_set(named.database, "gold", 1, 2)
    assert sentence == "1 added, 1 removed, 1 changed, 0 unchanged"
    assert [(change.kind, change.key) for change in changes] == [
        ("added", "3"),
        ("removed", "1"),
        ("changed", "2"),
    ]
    assert json.loads(changes[2].old)["question"] == "Two?"
    assert json.loads(changes[2].new)["question"] == "Two!"
    assert changes[0].old == changes[1].new == ""


def test_an_empty_set_is_not_exported(named: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="no cases to export"):
        sets.export_set(named.database, "gold", tmp_path / "out.csv", "csv")


def test_many_questions_become_cases_of_one_version(filled: Workspace) -> None:
    asked = ["What does rye bread need?", "How bright is Sirius?", "what does  rye bread need?"]
    traces = [ask_once(filled, question, "Sourdough [1].", "A") for question in asked]
    found = sets.cases_of_traces(filled, " Asked ", traces, ["people"])
    assert (found.set_name, found.added, found.repeated) == ("Asked", 2, 1)
    cases = sets.set_cases(filled.database, "Asked")
    assert [case.question for case in cases] == asked[:2], "the trace that is given first stays"
    assert all(case.tags == ("people",) and case.origin.startswith("trace:") for case in cases)
    assert found.without_reference == sum(not case.references and not case.should_refuse for case in cases)
    (version,) = list_set_versions(filled.database, "Asked")
    assert version.message == "From 2 questions that people asked"
    assert sets.cases_of_traces(filled, "Asked", traces[:1]).added == 1, "again replaces it"
    assert len(sets.set_cases(filled.database, "Asked")) == 2
    with pytest.raises(RagError, match="No question was chosen"):
        sets.cases_of_traces(filled, "Asked", [])
    with pytest.raises(RagError, match="There is no trace"):
        sets.cases_of_traces(filled, "Other", ["0000"])
    assert "Other" not in {row.name for row in list_sets(filled.database)}, "nothing is left of a refusal"
