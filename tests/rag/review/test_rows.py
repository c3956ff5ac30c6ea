"""Queries of feedback, queues and roll-outs: rows by name and type, and sentences about them."""

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.errors import NotFoundError
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import save_prompt
from rag.review.feedback import add_feedback
from rag.review.queues import fill_queue, save_verdict
from rag.review.rollouts import start_rollout
from rag.review.rows import (
    ArmDifference,
    ArmOf,
    Picked,
    ReviewerAgreement,
    ReviewItemRow,
    ReviewSource,
    ReviewVerdict,
    RolloutKind,
    RolloutState,
    arm_of,
    get_rollout,
    list_candidates,
    list_feedback,
    list_queues,
    list_review_items,
    list_reviews,
    list_rollouts,
    production_of,
    progress_sentence,
    running_rollout,
)
from rag.workspace import Workspace


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def asked(workspace: Workspace, answer: str = "Rye bread needs sourdough [1].") -> str:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    return str(drive(answer_question(workspace, Question("What does rye bread need?", "Notes"))).trace_id)


def test_feedback_is_filtered_newest_first(notes: Workspace) -> None:
    one, two = asked(notes), asked(notes)
    add_feedback(notes, one, True, author="Ann", tags=["a, b", "c"])
    add_feedback(notes, two, False, author="Bob", reason="style")
    rows = list_feedback(notes.database)
    assert {(row.author, row.is_up, row.tags) for row in rows} == {
        ("Ann", True, ("a, b", "c")),
        ("Bob", False, ()),
    }
    assert [row.author for row in list_feedback(notes.database, trace_id=one)] == ["Ann"]
    assert [row.reason for row in list_feedback(notes.database, is_up=False)] == ["style"]
    assert len(list_feedback(notes.database, limit=1)) == 1
    assert rows[0].question == "What does rye bread need?"


def test_queues_count_what_each_reviewer_judged(notes: Workspace) -> None:
    asked(notes), asked(notes)
    fill_queue(notes, "B", {"random": 2})
    fill_queue(notes, "A", {"random": 1})
    first, second = (item.id for item in list_review_items(notes.database, "B", ""))
    save_verdict(notes, first, "Bob", "skip")
    save_verdict(notes, first, "Ann", "correct")
    save_verdict(notes, second, "Ann", "partly", relevant=[2, 1, 2])
    empty, full = list_queues(notes.database)
    assert (empty.name, empty.item_count, empty.reviewers) == ("A", 1, ())
    assert (full.name, full.item_count, full.reviewers) == ("B", 2, (("Ann", 2), ("Bob", 1)))
    reviews = {item.id: said for item, said in list_reviews(notes.database, "B")}
    assert {said.verdict for said in reviews[first]} == {ReviewVerdict.SKIP, ReviewVerdict.CORRECT}
    assert reviews[second][0].relevant == (1, 2)


def test_others_are_shown_once_a_reviewer_has_judged(notes: Workspace) -> None:
    asked(notes)
    fill_queue(notes, "Q", {"random": 1})
    (item,) = list_review_items(notes.database, "Q", "Bob")
    save_verdict(notes, item.id, "Ann", "wrong")
    (before,) = list_review_items(notes.database, "Q", "Bob")
    assert (before.own, before.others) == (None, ())
    assert progress_sentence([before]) == "0 of 1 reviewed"
    save_verdict(notes, item.id, "Bob", "correct")
    (after,) = list_review_items(notes.database, "Q", "Bob")
    assert after.own is not None and after.own.verdict is ReviewVerdict.CORRECT
    assert [review.reviewer for review in after.others] == ["Ann"]
    with pytest.raises(NotFoundError, match=r"no review queue named “X”\. Run `ragdeck review fill`"):
        list_review_items(notes.database, "X", "Bob")


def test_why_an_item_is_in_its_queue_is_said_with_its_score() -> None:
    item = ReviewItemRow(1, "t", ReviewSource.LOW_SCORE, 0.214, "q")
    assert item.why == "low score 0.21"
    assert ReviewItemRow(1, "t", ReviewSource.FLAGGED, None, "q").why == "flagged"


def test_agreement_is_one_sentence() -> None:
    found = ReviewerAgreement("Ann", "Bob", 3, 2, 0.5, ())
    assert found.sentence() == "Ann and Bob agree on 2 of 3 items; Cohen's kappa 0.50"
    assert ReviewerAgreement("Ann", "Bob", 3, 3, None, ()).sentence().endswith("kappa not defined")


def test_a_roll_out_is_read_with_its_states(notes: Workspace) -> None:
    save_pipeline(notes, "short", make_config({"collection": "Notes", "retrieval": {"max_passages": 1}}))
    assert running_rollout(notes.database, "Notes") is None
    row = start_rollout(notes, "canary", collection="Notes", staging="short", share=0.25, note=" try ")
    assert row == get_rollout(notes.database, row.id) == running_rollout(notes.database, "Notes")
    assert (row.kind, row.state, row.note) == (RolloutKind.CANARY, RolloutState.RUNNING, "try")
    assert row.sentence() == (
        "Canary: 25% of the questions go to “short 1”, the others to “what answers now”; 0 of 0 so far"
    )
    assert list_rollouts(notes.database) == [row]
    assert running_rollout(notes.database, "Other") is None
    assert production_of(notes.database, "Notes") is None
    assert arm_of(notes.database, "none") is None
    with pytest.raises(NotFoundError, match="no roll-out 9"):
        get_rollout(notes.database, 9)


def test_what_can_be_rolled_out_answers(notes: Workspace) -> None:
    save_pipeline(notes, "short", make_config({"collection": "Notes"}), "Fewer")
    save_pipeline(notes, "search", make_config({"collection": "Notes", "kind": "retrieval"}))
    save_prompt(notes.store, "default", "Be brief.", "{{ question }}", message="Brief")
    found = list_candidates(notes.database)
    assert [(one.pipeline, one.number) for one in found if one.pipeline] == [("short", 1)]
    assert [one.prompt for one in found if one.prompt] == ["default@2", "default@1"]
    assert found[0].title == "short 1: Fewer"


def test_a_blind_answer_is_open_until_somebody_picks() -> None:
    def arm(kind: RolloutKind, picked: Picked) -> ArmOf:
        return ArmOf(1, kind, "staging", "short 1", picked)  # type: ignore[arg-type]

    assert arm(RolloutKind.BLIND, Picked.NOTHING).is_open
    assert not arm(RolloutKind.BLIND, Picked.NO_DIFFERENCE).is_open
    assert not arm(RolloutKind.CANARY, Picked.NOTHING).is_open


def test_differences_are_seconds_or_points() -> None:
    def difference(measure: str, **values: float | None) -> ArmDifference:
        known = {"difference": None, "low": None, "high": None, **values}
        return ArmDifference(measure, 0.5, 0.25, 9, 9, p=None, p_holm=None, test="", sentence="", **known)

    rate = difference("flagged", difference=-0.25, low=-0.4, high=-0.1)
    assert (rate.value_text(0.5), rate.value_text(None)) == ("50%", "–")
    assert rate.difference_text() == "-25 (-40 to -10)"
    time = difference("latency", difference=0.5)
    assert (time.value_text(1.234), time.difference_text()) == ("1.23 s", "+0.50")
    assert difference("flagged").difference_text() == "–"
