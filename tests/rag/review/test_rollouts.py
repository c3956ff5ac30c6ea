"""Roll-outs: who answers, and what promotion moves."""

import json
from pathlib import Path

import pytest
from fakes import drive

from rag import routing
from rag.asking.rows import AskResult, TraceDetail, get_trace
from rag.asking.traces import new_trace_id
from rag.errors import RagError
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import find_prompt, move_label, save_prompt
from rag.review import rollout_results
from rag.review import rollouts as rollout
from rag.review import rows as people
from rag.review.rows import BlindResult
from rag.workspace import Workspace

QUESTION = "How long does rye bread rest?"


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def pipeline(workspace: Workspace, name: str = "short", **values: object) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}, **values})
    save_pipeline(workspace, name, config)


def asked(workspace: Workspace, **values: object) -> TraceDetail:
    result = drive(routing.ask(workspace, QUESTION, "Notes", **values))
    assert isinstance(result, AskResult)
    return get_trace(workspace.database, result.trace_id)


def passages(workspace: Workspace, collection: str = "Notes") -> int:
    """The most passages that this collection is answered with now."""
    result = drive(routing.ask(workspace, QUESTION, collection))
    settings = json.loads(get_trace(workspace.database, result.trace_id).settings)
    return int(settings["retrieval"]["max_passages"])


def test_a_canary_takes_its_share_by_the_id_and_says_so(notes: Workspace) -> None:
    ids = [new_trace_id() for _ in range(4000)]
    first = [routing.arm_for(1, i, 0.2) for i in ids]
    assert first == [routing.arm_for(1, i, 0.2) for i in ids]
    assert 0.17 < first.count("staging") / len(ids) < 0.23
    assert {routing.arm_for(1, i, 0.0) for i in ids} == {"production"}
    pipeline(notes)
    row = rollout.start_rollout(notes, "canary", collection="Notes", staging="short", share=0.5)
    for _ in range(8):
        trace = asked(notes)
        arm = people.arm_of(notes.database, trace.id)
        assert arm is not None
        assert arm.arm == routing.arm_for(row.id, trace.id, 0.5)
        most = json.loads(trace.settings)["retrieval"]["max_passages"]
        assert (most == 1) == (arm.arm == "staging")
        assert arm.pipeline == ("short 1" if arm.arm == "staging" else rollout.NOW)
    outside = asked(notes, version=1)
    assert people.arm_of(notes.database, outside.id) is None


def test_a_roll_out_that_cannot_be_is_refused(notes: Workspace, documents: Path) -> None:
    drive(ingest_files(notes, "Other", [documents]))
    pipeline(notes)
    pipeline(notes, "searching", kind="retrieval")
    pipeline(notes, "old", version="1")
    for arguments, sentence in (
        ({"kind": "ramp", "staging": "short"}, "not a kind"),
        ({"kind": "canary", "staging": "short", "share": 1.5}, "between 0 and 1"),
        ({"kind": "canary"}, "Name either the staging pipeline"),
        ({"kind": "canary", "staging": "none"}, "no pipeline named"),
        ({"kind": "canary", "staging": "short", "collection": "Other"}, "answers “Notes”, not “Other”"),
        ({"kind": "canary", "staging": "searching", "collection": "Notes"}, "only searches"),
        ({"kind": "canary", "staging": "old"}, "uses the active version"),
        ({"kind": "canary", "prompt": "default@1", "collection": "Notes"}, "nothing to compare"),
    ):
        with pytest.raises(RagError, match=sentence):
            rollout.start_rollout(notes, **arguments)
    started = rollout.start_rollout(notes, "canary", collection="Notes", staging="short")
    with pytest.raises(RagError, match="already running there"):
        rollout.start_rollout(notes, "blind", staging="short")
    rollout.stop_rollout(notes, started.id)
    with pytest.raises(RagError, match="already been stopped"):
        rollout.promote_rollout(notes, started.id)


def test_both_answer_blind_and_the_pick_is_revealed_afterwards(notes: Workspace) -> None:
    pipeline(notes)
    rollout.start_rollout(notes, "blind", collection="Notes", staging="short")
    firsts = []
    for number in range(8):
        result = drive(routing.ask(notes, QUESTION, "Notes"))
        assert isinstance(result, BlindResult)
        arms = [people.arm_of(notes.database, r.trace_id) for r in (result.first, result.second)]
        assert all(arm is not None and arm.is_open for arm in arms)
        assert sorted(arm.arm for arm in arms if arm) == ["production", "staging"]
        staging_first = arms[0] is not None and arms[0].arm == "staging"
        firsts.append(staging_first)
        choice = "no difference" if number == 7 else "first" if staging_first else "second"
        shown = rollout.pick_answer(notes, result.pair, choice)
        assert shown.first_is_staging == staging_first
        assert shown.first == ("short 1" if staging_first else rollout.NOW)
        with pytest.raises(RagError, match="already been decided"):
            rollout.pick_answer(notes, result.pair, "first")
    assert len(set(firsts)) == 2, "eight comparisons in the same order: one in 128 by chance"
    found = rollout_results.rollout_results(notes, 1)
    assert (found.staging_wins, found.production_wins, found.ties) == (7, 0, 1)
    assert found.pick_p == pytest.approx(2 / 128)
    assert found.summary.startswith("People prefer staging, 7 to 0")
    sessions = {get_trace(notes.database, result.first.trace_id).session_id}
    sessions.add(get_trace(notes.database, result.second.trace_id).session_id)
    assert len(sessions) == 2, "an arm must follow up its own answers alone"
    assert result.session_id in sessions
    half = routing.ask(notes, QUESTION, "Notes")
    next(half)
    half.close()
    pair = notes.database.cells("SELECT pair FROM rolloutanswer ORDER BY rowid DESC LIMIT 1")[0][0]
    with pytest.raises(RagError, match="One of the two answers is missing"):
        rollout.pick_answer(notes, pair, "first")
    assert isinstance(drive(routing.ask(notes, QUESTION, "Notes", alone=True)), AskResult)


def test_promoting_moves_the_label_of_a_prompt(notes: Workspace) -> None:
    save_prompt(notes.store, "default", "Answer in one word.", "{{ question }}")
    row = rollout.start_rollout(notes, "canary", collection="Notes", prompt="default@2", share=1.0)
    move_label(notes.store, "default", "production", 2)
    assert asked(notes).prompt_version == 2
    move_label(notes.store, "default", "production", 1)
    assert "label production of the prompt “default” moves to version 2" in rollout.preview_promotion(
        notes, row.id
    )
    rollout.promote_rollout(notes, row.id)
    assert find_prompt(notes.store, "default").version == 2
    assert people.list_rollouts(notes.database)[0].state == "promoted"
    assert people.production_of(notes.database, "Notes") is None
    actions = {row[0] for row in notes.database.cells("SELECT action FROM auditevent")}
    assert {"roll-out started", "roll-out promoted", "prompt label moved"} <= actions


def test_promoting_a_pipeline_makes_it_answer_its_collection(notes: Workspace, documents: Path) -> None:
    drive(ingest_files(notes, "Other", [documents]))
    pipeline(notes)
    row = rollout.start_rollout(notes, "canary", collection="Notes", staging="short", share=0.0)
    assert passages(notes) == 50
    rollout.promote_rollout(notes, row.id)
    assert passages(notes) == 1
    assert passages(notes, "Other") == 50
    shown = people.production_of(notes.database, "Notes")
    assert shown is not None and shown.name == "short 1"
    assert people.production_of(notes.database, "Other") is None
    assert rollout.release_production(notes, "Notes")
    assert passages(notes) == 50
    row = rollout.start_rollout(notes, "canary", collection="Notes", staging="short")
    asked(notes)
    delete_collection(notes, "Notes")
    assert people.list_rollouts(notes.database) == []
    assert notes.database.cells("SELECT * FROM rolloutanswer") == []


def test_a_pipeline_of_ones_own_choice_answers(notes: Workspace) -> None:
    pipeline(notes, "one", retrieval={"max_passages": 1, "search": "BM25"})
    result = drive(routing.ask(notes, QUESTION, "Notes", pipeline="one"))
    hits = get_trace(notes.database, result.trace_id).hits
    assert sum(hit.marker is not None for hit in hits) == 1
    assert all(hit.dense_rank is None for hit in hits)
    with pytest.raises(RagError, match="answers “Notes”, not “Other”"):
        drive(routing.ask(notes, QUESTION, "Other", pipeline="one"))


def test_picks_that_cannot_be_are_refused(notes: Workspace) -> None:
    pipeline(notes)
    rollout.start_rollout(notes, "blind", collection="Notes", staging="short")
    result = drive(routing.ask(notes, QUESTION, "Notes"))
    assert isinstance(result, BlindResult)
    with pytest.raises(RagError, match="Pick “first”, “second” or “no difference”"):
        rollout.pick_answer(notes, result.pair, "both")
    for pair in ("", "unknown"):
        with pytest.raises(RagError, match="no blind comparison with this id"):
            rollout.pick_answer(notes, pair, "first")
    arm = people.arm_of(notes.database, result.first.trace_id)
    assert arm is not None and arm.picked is people.Picked.NOTHING
    rollout.pick_answer(notes, result.pair, "second")
    picked = [people.arm_of(notes.database, one.trace_id) for one in (result.first, result.second)]
    assert [arm.picked for arm in picked if arm] == [people.Picked.OTHER, people.Picked.THIS]


def test_a_pipeline_that_was_not_promoted_cannot_be_released(notes: Workspace) -> None:
    assert not rollout.release_production(notes, "Notes")
    assert not rollout.release_production(notes)
    assert rollout.production_config(notes, "Notes") is None
    with pytest.raises(RagError, match=r"no roll-out 7\. Run `ragdeck rollout status`"):
        rollout.preview_promotion(notes, 7)
