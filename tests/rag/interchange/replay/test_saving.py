"""A replay is saved as a pipeline that answers as it did, where a pipeline can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import NamedModel, drive

from rag.asking.answer import answer_question
from rag.asking.replay.rows import Changes
from rag.asking.rows import Question, get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation.pipelines import find_pipeline
from rag.interchange.replay.running import replay_trace
from rag.interchange.replay.saving import pipeline_of_trace
from rag.knowledge.edits import remove_documents
from rag.knowledge.ingest import ingest_files
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace


@pytest.fixture
def parent(workspace: Workspace, documents: Path) -> str:
    workspace._load_model = NamedModel().load
    workspace.unload_model()
    drive(ingest_files(workspace, "A", [documents]))
    return str(drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id)


def replayed(workspace: Workspace, trace_id: str, changes: Changes) -> str:
    (variant,) = drive(replay_trace(workspace, trace_id, [changes])).variants
    assert variant.error == ""
    return str(variant.trace_id)


def test_a_pipeline_answers_as_the_replay_did(workspace: Workspace, parent: str) -> None:
    made = replayed(
        workspace, parent, Changes(settings=(("retrieval.max_passages", 2), ("generation.seed", 5)))
    )
    sentence = pipeline_of_trace(workspace, made, "tried")
    assert sentence == "Saved as version 1 of the pipeline “tried”, which answers as this trace."
    config = find_pipeline(workspace, "tried").config
    assert (config.retrieval.max_passages, config.generation.seed) == (2, 5)
    assert (config.collection, config.version, config.prompt) == ("A", "active", "default@1")
    asked = get_trace(
        workspace.database,
        drive(answer_question(workspace, config.question("What does rye bread need?"))).trace_id,
    )
    stored = get_trace(workspace.database, made)
    assert (asked.prompt, asked.answer) == (stored.prompt, stored.answer)
    own = json.loads(asked.settings)
    assert own["retrieval"] == json.loads(stored.settings)["retrieval"]


def test_an_older_version_is_named_by_its_number(workspace: Workspace, parent: str) -> None:
    first = get_trace(workspace.database, parent).hits[0].document_id
    drive(remove_documents(workspace, "A", [first]))
    pipeline_of_trace(workspace, parent, "old")
    assert find_pipeline(workspace, "old").config.version == "1"


def test_passages_that_were_moved_by_hand_are_no_pipeline(workspace: Workspace, parent: str) -> None:
    made = replayed(workspace, parent, Changes(without=(1,)))
    warmer = replayed(workspace, made, Changes(settings=(("generation.temperature", 0.5),)))
    for trace_id in (made, warmer):
        with pytest.raises(RagError, match="by hand are no pipeline"):
            pipeline_of_trace(workspace, trace_id, "moved")
    searched = replayed(workspace, made, Changes(version="1"))
    assert "version 1" in pipeline_of_trace(workspace, searched, "searched")


def test_what_searched_no_collection_is_no_pipeline(workspace: Workspace, parent: str) -> None:
    with workspace.store.session() as session:
        trace = session.get_one(Trace, parent)
        trace.collection_id = None
        session.add(trace)
    with pytest.raises(RagError, match="did not search a collection"):
        pipeline_of_trace(workspace, parent, "none")
    with pytest.raises(NotFoundError):
        find_pipeline(workspace, "none")
