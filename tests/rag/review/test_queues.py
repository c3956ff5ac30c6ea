"""The review queue: how it is filled, how people judge, what becomes of it."""

import csv
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import RagError
from rag.evaluation import sets
from rag.governance.erasure import erase_document
from rag.knowledge.ingest import ingest_files
from rag.review import rows as people
from rag.review.feedback import add_feedback
from rag.review.queues import (
    delete_queue,
    export_reviews,
    fill_queue,
    make_cases,
    make_review_case,
    reviewer_agreement,
    save_verdict,
)
from rag.workspace import Workspace

BREAD = "How long does rye bread rest?"


def asked(workspace: Workspace, answer: str, question: str = BREAD) -> str:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    return str(drive(answer_question(workspace, Question(question, "Notes"))).trace_id)


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def test_the_queue_takes_answers_by_source_and_none_twice(notes: Workspace) -> None:
    good = asked(notes, "Rye bread needs sourdough and 12 hours of rest [1].")
    flagged = asked(notes, "Rye bread needs 90 hours of rest [1].")
    down = asked(notes, "Sirius is the brightest star [1].", "Which is the brightest star?")
    add_feedback(notes, down, False, reason="style")
    assert get_trace(notes.database, flagged).flag_count and not get_trace(notes.database, good).flag_count
    assert fill_queue(notes, "Week 1", {"flagged": 5, "thumbs-down": 5}) == 2
    assert fill_queue(notes, "Week 1", {"flagged": 5, "random": 5}) == 1
    items = people.list_review_items(notes.database, "Week 1", "Ann")
    assert [(item.trace_id, item.why) for item in items] == [
        (flagged, "flagged"),
        (down, "thumbs-down"),
        (good, "random"),
    ]
    assert fill_queue(notes, "Low", {"low score": 1}) == 1
    assert people.list_review_items(notes.database, "Low", "Ann")[0].trace_id == flagged
    assert fill_queue(notes, "Elsewhere", {"random": 5}, collection="Other") == 0


def test_a_reviewer_judges_blind_and_agreement_is_measured(notes: Workspace, tmp_path: Path) -> None:
    for number in range(4):
        asked(notes, f"Rye bread needs {12 + number} hours of rest [1].")
    fill_queue(notes, "Q", {"random": 4})
    items = [item.id for item in people.list_review_items(notes.database, "Q", "Ann")]
    verdicts = {"Ann": ["correct", "wrong", "wrong", "skip"], "Bob": ["correct", "wrong", "partly", "wrong"]}
    for item, verdict in zip(items, verdicts["Ann"], strict=True):
        save_verdict(notes, item, "Ann", verdict, reason="wrong" if verdict == "wrong" else "")
    before = people.list_review_items(notes.database, "Q", "Bob")
    assert all(item.own is None and item.others == () for item in before)
    assert people.progress_sentence(before) == "0 of 4 reviewed"
    for item, verdict in zip(items, verdicts["Bob"], strict=True):
        save_verdict(notes, item, "Bob", verdict, correction="12 hours", relevant=[1])
    after = people.list_review_items(notes.database, "Q", "Bob")
    assert [item.others[0].verdict for item in after] == verdicts["Ann"]
    assert all(item.own is not None for item in after)
    (found,) = reviewer_agreement(notes.database, "Q")
    # Of three items two agree; by chance (1*1 + 2*1 + 0)/9 = 1/3 would: (2/3 - 1/3) / (1 - 1/3).
    assert (found.items, found.agreed) == (3, 2)
    assert found.kappa == pytest.approx(0.5)
    assert [(d.item_id, d.first, d.second) for d in found.disagreements] == [(items[2], "wrong", "partly")]
    assert make_cases(notes, "Q", "reviewed") == (3, 1)
    assert {case.references for case in sets.set_cases(notes.database, "reviewed")} == {("12 hours",)}
    single = make_review_case(notes, items[0], "Ann", "single")
    assert single.references[0].startswith("Rye bread needs")
    assert export_reviews(notes.database, "Q", tmp_path / "q.csv") == 8
    lines = list(csv.DictReader((tmp_path / "q.csv").open(encoding="utf-8-sig")))
    assert {line["reviewer"] for line in lines} == {"Ann", "Bob"}
    save_verdict(notes, items[0], "=Eve()", "correct")
    export_reviews(notes.database, "Q", tmp_path / "q.csv", byte_order_mark=False)
    (line,) = [
        x for x in csv.DictReader((tmp_path / "q.csv").open(encoding="utf-8")) if "Eve" in x["reviewer"]
    ]
    assert line["reviewer"] == "'=Eve()", "no spreadsheet runs what people wrote"
    assert "queue" in line


def test_an_erased_document_leaves_what_people_wrote(notes: Workspace) -> None:
    bread = asked(notes, "Rye bread needs 90 hours [1].")
    secret = "The dough from Bremen sleeps half a day before it is baked."
    add_feedback(notes, bread, False, correction=secret, note=secret, tags=["dough"])
    fill_queue(notes, "Q", {"random": 5})
    item = people.list_review_items(notes.database, "Q", "Ann")[0]
    save_verdict(notes, item.id, "Ann", "wrong", correction=secret)
    make_review_case(notes, item.id, "Ann", "gold")
    drive(erase_document(notes, "Notes", "bread.md"))
    (row,) = people.list_feedback(notes.database)
    assert (row.is_up, row.correction, row.note, row.tags) == (False, "", "", ())
    own = people.list_review_items(notes.database, "Q", "Ann")[0].own
    assert own is not None and (own.verdict, own.correction) == ("wrong", "")
    notes.database.close()
    for path in notes.folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_what_cannot_fill_a_queue_is_refused(notes: Workspace) -> None:
    for queue, counts, message in (
        (" ", {"random": 1}, "needs a name of at most 200"),
        ("x" * 201, {"random": 1}, "needs a name of at most 200"),
        ("Q", {"worst": 1}, "“worst” is not a source. Choose one of: flagged, thumbs-down"),
        ("Q", {"random": -1}, "0 to 10,000 answers"),
    ):
        with pytest.raises(RagError, match=message):
            fill_queue(notes, queue, counts)
    assert people.list_queues(notes.database) == []


def test_a_random_sample_is_the_same_for_a_seed(notes: Workspace) -> None:
    for number in range(6):
        asked(notes, f"Rye bread needs {number} hours of rest [1].")
    for queue, seed in (("A", 1), ("B", 1), ("C", 2)):
        fill_queue(notes, queue, {"random": 3}, seed=seed)

    def traces(queue: str) -> list[str]:
        return [item.trace_id for item in people.list_review_items(notes.database, queue, "")]

    assert traces("A") == traces("B")
    assert len(set(traces("C"))) == 3


def test_a_low_score_is_stored_as_a_number(notes: Workspace) -> None:
    asked(notes, "Rye bread needs 90 hours of rest [1].")
    fill_queue(notes, "Low", {"low score": 1})
    (item,) = people.list_review_items(notes.database, "Low", "")
    assert item.source is people.ReviewSource.LOW_SCORE
    assert item.score is not None and 0 <= item.score < 1


def test_verdicts_that_cannot_be_are_refused(notes: Workspace) -> None:
    asked(notes, "Rye bread needs 12 hours of rest [1].")
    fill_queue(notes, "Q", {"random": 1})
    (item,) = people.list_review_items(notes.database, "Q", "Ann")
    for arguments, message in (
        ((item.id, "  ", "correct"), "Enter the reviewer's name"),
        ((item.id, "Ann", "great"), "“great” is not a verdict. Choose one of: correct, partly, wrong, skip."),
        ((99, "Ann", "correct"), "no review item 99. Run `ragdeck review list QUEUE`"),
    ):
        with pytest.raises(RagError, match=message):
            save_verdict(notes, *arguments)
    with pytest.raises(RagError, match="“bad” is not a reason"):
        save_verdict(notes, item.id, "Ann", "wrong", reason="bad")
    with pytest.raises(RagError, match="Give a verdict first"):
        make_review_case(notes, item.id, "Ann", "gold")
    with pytest.raises(RagError, match="Nobody has reviewed anything"):
        export_reviews(notes.database, "Q", Path("q.csv"))


def test_an_answer_that_should_have_refused_becomes_a_case_to_decline(notes: Workspace) -> None:
    asked(notes, "Rye bread needs 12 hours of rest [1].")
    fill_queue(notes, "Q", {"random": 1})
    (item,) = people.list_review_items(notes.database, "Q", "Ann")
    save_verdict(notes, item.id, "Ann", "wrong", reason="should have refused")
    case = make_review_case(notes, item.id, "Ann", "gold")
    assert (case.should_refuse, case.references) == (True, ())
    (after,) = people.list_review_items(notes.database, "Q", "Ann")
    assert after.own is not None and (after.own.set_name, after.own.case_key) == ("gold", case.key)
    save_verdict(notes, item.id, "Ann", "skip")
    assert make_cases(notes, "Q", "other") == (0, 1), "a skipped item makes no case"


def test_a_deleted_queue_takes_its_verdicts_along(notes: Workspace) -> None:
    asked(notes, "Rye bread needs 12 hours of rest [1].")
    fill_queue(notes, "Q", {"random": 1})
    (item,) = people.list_review_items(notes.database, "Q", "Ann")
    save_verdict(notes, item.id, "Ann", "correct")
    make_review_case(notes, item.id, "Ann", "gold")
    delete_queue(notes, "Q")
    for table in ("reviewqueue", "reviewitem", "review"):
        assert notes.database.cells(f"SELECT count(*) FROM {table}") == [(0,)]
    assert len(sets.set_cases(notes.database, "gold")) == 1
    with pytest.raises(RagError, match="no review queue named “Q”"):
        delete_queue(notes, "Q")
