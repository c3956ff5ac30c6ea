"""Queries of feedback, queues and roll-outs: rows by name and type, and sentences about them."""

from pathlib import Path

import pytest
from data_folders import insert
from fakes import ScriptedModel, drive
from stored_traces import add_traces

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
    KINDS,
    SOURCES,
    Arm,
    ArmDifference,
    ArmOf,
    Picked,
    ProductionRow,
    ReviewerAgreement,
    ReviewItemRow,
    ReviewRow,
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
    open_pair,
    production_of,
    progress_sentence,
    running_rollout,
)
from rag.storage.database import Database
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


# --- roll-outs as they are stored -------------------------------------------------------------------------


def add_rollout(workspace: Workspace, number: int, **values: object) -> None:
    texts = dict.fromkeys(("production_config", "staging_config", "note", "outcome", "collection"), "")
    usual = {"kind": "canary", "share": 0.5, "production": "P 1", "staging": "S 1", "state": "running"}
    insert(workspace, "rollout", **{**texts, **usual, "id": number, **values})


def add_arm(workspace: Workspace, trace_id: str, arm: str, rollout: int = 1, **values: object) -> None:
    usual = {"pair": "", "picked": "", "trace_id": trace_id, "rollout_id": rollout, "arm": arm}
    insert(workspace, "rolloutanswer", **{**usual, **values})


def test_a_roll_out_of_a_collection_goes_before_that_of_all(workspace: Workspace) -> None:
    for number, name in ((1, "Notes"), (2, "Other")):
        insert(workspace, "collection", id=number, name=name, key=name)
    add_rollout(workspace, 1)
    add_rollout(workspace, 2, collection_id=1, collection="Notes as it was called")
    add_rollout(workspace, 3, collection_id=2, collection="Other", state="stopped")
    database = workspace.database
    chosen = {name: running_rollout(database, name) for name in ("Notes", "Other", "Nowhere", "")}
    assert {name: row and row.id for name, row in chosen.items()} == {
        "Notes": 2, "Other": 1, "Nowhere": 1, "": 1,
    }  # fmt: skip
    assert [(row.id, row.collection) for row in list_rollouts(database)] == [
        (3, "Other"), (2, "Notes"), (1, ""),
    ]  # fmt: skip


def test_a_roll_out_whose_collection_was_deleted_keeps_its_name(workspace: Workspace) -> None:
    add_rollout(workspace, 1, collection_id=9, collection="Gone", state="promoted", outcome="S 1 answers now")
    row = get_rollout(workspace.database, 1)
    assert (row.collection, row.state, row.outcome) == ("Gone", RolloutState.PROMOTED, "S 1 answers now")


def test_answers_are_counted_by_arm_and_picks_once_a_pair(workspace: Workspace) -> None:
    add_rollout(workspace, 1, kind="blind", share=1.0)
    add_rollout(workspace, 2)
    for pair, (production, staging) in {
        "a": ("this", "other"),
        "b": ("", ""),
        "c": ("no difference",) * 2,
    }.items():
        add_arm(workspace, f"{pair}1", "production", pair=pair, picked=production)
        add_arm(workspace, f"{pair}2", "staging", pair=pair, picked=staging)
    add_arm(workspace, "elsewhere", "staging", 2)
    row = get_rollout(workspace.database, 1)
    assert (row.production_count, row.staging_count, row.picked_count) == (3, 3, 2)
    assert row.sentence() == "Blind comparison of “P 1” with “S 1”: both answer; 2 picked so far"
    other = get_rollout(workspace.database, 2)
    assert other.sentence().endswith("50% of the questions go to “S 1”, the others to “P 1”; 1 of 1 so far")


def test_the_arm_of_an_answer_names_its_pipeline(workspace: Workspace) -> None:
    add_rollout(workspace, 1, kind="blind")
    add_arm(workspace, "one", "production")
    add_arm(workspace, "two", "staging", picked="this")
    assert arm_of(workspace.database, "one") == ArmOf(
        1, RolloutKind.BLIND, Arm.PRODUCTION, "P 1", Picked.NOTHING
    )
    assert arm_of(workspace.database, "two") == ArmOf(1, RolloutKind.BLIND, Arm.STAGING, "S 1", Picked.THIS)


def test_an_open_pair_is_named_by_either_answer_the_left_one_first(workspace: Workspace) -> None:
    add_traces(workspace, 4, 0, id=lambda n: f"t{n}")
    add_arm(workspace, "t0", "production", pair="p", position=2)
    add_arm(workspace, "t1", "staging", pair="p", position=1)
    add_arm(workspace, "t2", "production")  # of a canary: no pair
    add_arm(workspace, "t3", "production", pair="half", position=1)
    add_arm(workspace, "erased", "staging", pair="half", position=2)
    database = workspace.database
    assert open_pair(database, "t0") == open_pair(database, "t1") == ("p", "t1", "t0")
    assert [open_pair(database, one) for one in ("t2", "t3", "erased", "none")] == [None] * 4


def test_a_pair_that_was_decided_is_open_no_longer(workspace: Workspace) -> None:
    add_traces(workspace, 2, 0, id=lambda n: f"t{n}")
    for position, picked in ((1, "this"), (2, "other")):
        add_arm(workspace, f"t{position - 1}", "staging", pair="p", position=position, picked=picked)
    assert open_pair(workspace.database, "t0") is None


def test_what_was_promoted_for_a_collection_goes_before_what_was_for_all(workspace: Workspace) -> None:
    insert(workspace, "collection", id=1, name="Notes", key="n")
    insert(workspace, "collection", id=2, name="Other", key="o")
    insert(workspace, "productionpipeline", collection_id=1, name="small", config="{}", moved_ms=5)
    assert production_of(workspace.database, "Notes") == ProductionRow("Notes", "small", 5)
    assert production_of(workspace.database, "Other") is None
    insert(workspace, "productionpipeline", collection_id=0, name="large", config="{}", moved_ms=6)
    assert production_of(workspace.database, "Notes") == ProductionRow("Notes", "small", 5)
    assert production_of(workspace.database, "Other") == ProductionRow("", "large", 6)


def test_before_there_is_a_file_nothing_was_reviewed_or_rolled_out(tmp_path: Path) -> None:
    database = Database(tmp_path / "none.sqlite")
    assert list_feedback(database) == list_queues(database) == list_rollouts(database) == []
    assert list_candidates(database) == []
    assert running_rollout(database, "A") is production_of(database, "A") is arm_of(database, "t") is None
    assert open_pair(database, "t") is None
    with pytest.raises(NotFoundError, match="no review queue named “Q”"):
        list_reviews(database, "Q")


@pytest.mark.parametrize(
    ("measure", "values", "text"),
    [
        ("flagged", (0.0, None, None), "+0"),
        ("flagged", (0.125, 0.0, 0.25), "+12 (+0 to +25)"),
        ("flagged", (-1.0, -1.0, -1.0), "-100 (-100 to -100)"),
        ("flagged", (0.1, 0.05, None), "+10"),  # half an interval is none
        ("latency", (-0.25, -0.5, 0.0), "-0.25 (-0.50 to +0.00)"),
        ("latency", (None, -0.5, 0.5), "–"),
    ],
)
def test_a_difference_is_said_with_its_sign_and_its_interval(
    measure: str, values: tuple[float | None, float | None, float | None], text: str
) -> None:
    difference, low, high = values
    found = ArmDifference(measure, None, None, 0, 0, difference, low, high, None, None, "", "")
    assert found.difference_text() == text


@pytest.mark.parametrize(
    ("own", "sentence"), [((), "0 of 0"), ((True,), "1 of 1"), ((True, False), "1 of 2")]
)
def test_progress_counts_what_the_reviewer_said(own: tuple[bool, ...], sentence: str) -> None:
    said = ReviewRow(1, "Ann", 0, ReviewVerdict.SKIP, "", "", (), "", "")
    items = [ReviewItemRow(1, "t", ReviewSource.RANDOM, None, "q", said if one else None) for one in own]
    assert progress_sentence(items) == f"{sentence} reviewed"


def test_a_score_of_nothing_is_a_score() -> None:
    assert ReviewItemRow(1, "t", ReviewSource.LOW_SCORE, 0.0, "q").why == "low score 0.00"


def test_every_source_and_kind_is_explained_to_people() -> None:
    assert set(SOURCES) == set(ReviewSource) and set(KINDS) == set(RolloutKind)
