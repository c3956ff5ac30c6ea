"""Saves a replay for later: as a pipeline that answers as it did."""

from __future__ import annotations

from rag.asking.replay.answering import replay_settings
from rag.asking.replay.rows import Changes, changes_of, find_replay
from rag.asking.rows import Question, TraceSource, get_trace
from rag.errors import RagError
from rag.evaluation.pipelines import PipelineConfig, SavedPipeline, save_pipeline
from rag.knowledge.collections import collection_by_id, named_version
from rag.workspace import Workspace


def pipeline_of_trace(workspace: Workspace, trace_id: str, name: str) -> str:
    """Save a pipeline that answers as a trace was answered; return a sentence about it.

    Raises RagError for a trace that no pipeline could repeat.
    """
    saved = save_as_pipeline(workspace, trace_id, name)
    return f"Saved as version {saved.number} of the pipeline “{saved.name}”, which answers as this trace."


def save_as_pipeline(workspace: Workspace, trace_id: str, name: str) -> SavedPipeline:
    """Save a pipeline that answers as a trace was answered, own or replayed; see pipeline_of_trace."""
    trace = get_trace(workspace.database, trace_id)
    if _has_moved_passages(workspace, trace.id):
        raise RagError("Passages that are left out or reordered by hand are no pipeline. Save it as a case.")
    if trace.source is TraceSource.RECEIVED or trace.collection_id is None:
        raise RagError("This trace did not search a collection, so no pipeline can repeat it.")
    with workspace.store.session() as session:
        found = collection_by_id(session, trace.collection_id)
        collection, active_id = found.name, found.active_version_id
    version = named_version(workspace, collection, trace.version_number)
    settings = replay_settings(workspace, trace, Changes())
    own = f"{trace.prompt_name}@{trace.prompt_version}" if trace.prompt_version else trace.prompt_name
    config = PipelineConfig(
        collection=collection,
        version="active" if version.id == active_id else str(version.number),
        prompt=own or Question.prompt,
        model=f"endpoint:{trace.endpoint}" if trace.endpoint else trace.model,
        retrieval=settings.retrieval,
        generation=settings.generation,
    )
    return save_pipeline(workspace, name, config, f"as trace {trace.id[:8]} was answered")


def _has_moved_passages(workspace: Workspace, trace_id: str) -> bool:
    """Return whether passages were moved by hand in a trace, or in what it repeats without another search."""
    while (origin := find_replay(workspace.database, trace_id)) is not None:
        changes = changes_of(origin.changes)
        if changes.moves_passages or changes.searches:
            return changes.moves_passages
        trace_id = origin.parent_id
    return False
