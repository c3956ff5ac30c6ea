"""Answers a stored trace again with something changed; the answer is a trace that names its origin."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from rag.asking.answer import (
    Ask,
    Events,
    Prepared,
    Preparing,
    begin_ask,
    load_model,
    prepare,
    retrieval_done,
    run_ask,
)
from rag.asking.consistency import model_of
from rag.asking.replay.prompts import Built, build, build_recorded, changed_hits, check_changes
from rag.asking.replay.rows import (
    SECTIONS,
    Changes,
    RecordedCall,
    ReplayReport,
    Variant,
    VariantStarted,
)
from rag.asking.rows import AskResult, Question, Stage, StageStarted, TraceDetail, TraceSource, get_trace
from rag.asking.traces import new_trace_id
from rag.errors import RagError
from rag.knowledge.collections import collection_by_id, named_version
from rag.models.chat_model import ChatModel
from rag.models.reasoning import thinking_room
from rag.settings import Settings
from rag.storage.tables.traces import Replay
from rag.workspace import Workspace

Replaying = Generator[Any, None, ReplayReport]
# Says before a model is asked whether that is allowed: is given the model's name, returns what is to be said.
Allowed = Callable[[str], Sequence[str]]
_COPIED = (
    "collection_id", "version_id", "version_number", "version_fingerprint", "searched_chunks",
    "searched_documents",
)  # fmt: skip


def replay(
    workspace: Workspace,
    trace_id: str,
    variants: Sequence[Changes],
    recorded: RecordedCall | None = None,
    allowed: Allowed | None = None,
) -> Replaying:
    """Answer a trace again once for each variant. A variant that cannot be answered does not stop the others.

    Args:
        workspace: The open data folder.
        trace_id: The trace.
        variants: What is changed in each.
        recorded: The messages of a received trace.
        allowed: Asked before each model is.

    Closing the generator cancels; what was answered until then is stored. Raises RagError for changes that
    the trace does not allow, before anything is asked.
    """
    parent = get_trace(workspace.database, trace_id)
    for changes in variants:
        check_changes(parent, changes, recorded)
        replay_settings(workspace, parent, changes)
    done: list[Variant] = []
    for number, changes in enumerate(variants, 1):
        yield VariantStarted(number, len(variants), changes)
        key = new_trace_id()
        try:
            yield from answer_again(workspace, parent, changes, key, recorded=recorded, allowed=allowed)
        except RagError as error:
            stored = workspace.database.cells("SELECT 1 FROM trace WHERE id = ?", (key,))
            done.append(Variant(changes, key if stored else "", str(error)))
        else:
            done.append(Variant(changes, key))
    return ReplayReport(parent.id, tuple(done))


def answer_again(
    workspace: Workspace,
    parent: TraceDetail,
    changes: Changes,
    trace_id: str,
    *,
    group_id: str = "",
    recorded: RecordedCall | None = None,
    allowed: Allowed | None = None,
) -> Events:
    """Answer a trace again with some changes, as the trace trace_id. Raises RagError as answer_question does.

    The passages of the trace are used as they are stored, unless the changes ask for another search.
    """
    hits = changed_hits(parent, changes)
    if changes.searches:
        _check_version(workspace, parent, changes)
        built = None
    elif recorded is not None:
        built = build_recorded(parent, changes, recorded)
    else:
        built = build(workspace, parent, changes, hits)
    question = _question(workspace, parent, changes, trace_id, recorded)
    notes = allowed(question.model or "") if allowed is not None else ()
    ask = begin_ask(workspace, question, replay_settings(workspace, parent, changes))
    ask.recorder.fallbacks.extend(notes)
    with workspace.store.session() as session:
        row = Replay(
            trace_id=ask.recorder.id, parent_id=parent.id, group_id=group_id, changes=changes.as_json()
        )
        session.add(row)
    known = parent.model_sha256 if not changes.model and recorded is None else ""
    if built is None:
        preparing = partial(_search_again, identity=known)
    else:
        ask.hits = ask.found = hits
        preparing = partial(_use_stored, parent=parent, built=built, identity=known)
    result: AskResult = yield from run_ask(ask, preparing=preparing)
    return result


def replay_settings(workspace: Workspace, parent: TraceDetail, changes: Changes) -> Settings:
    """Return the settings of a trace with its changes; of a received trace those of the data folder.

    Raises RagError for a setting that there is not, a value that is not allowed, or settings of a trace that
    cannot be read.
    """
    settings = workspace.settings
    if parent.source != TraceSource.RECEIVED:
        try:
            settings = Settings.model_validate_json(parent.settings)
        except ValidationError as error:
            raise RagError(
                "The settings of this trace were written by another release of Ragdeck and cannot be used "
                "again."
            ) from error
    for key, value in changes.settings:
        section, _, name = key.partition(".")
        if section not in SECTIONS:
            raise RagError(
                f"{key} does not decide about an answer. Change a setting of {' or '.join(SECTIONS)}."
            )
        settings = settings.changed(section, name, value)
    return settings


def _question(
    workspace: Workspace, parent: TraceDetail, changes: Changes, trace_id: str, recorded: RecordedCall | None
) -> Question:
    """Return the question of a trace; a session of its own keeps it out of that of the trace."""
    model = changes.model
    if not model and recorded is None:
        model = str(model_of(workspace, parent)) if parent.model else ""
    asked = parent.question.strip()
    if recorded is not None and not asked:
        asked = next((text for role, text in reversed(recorded.messages) if role == "user"), "")
    version = changes.version or parent.version_number
    own = f"{parent.prompt_name}@{parent.prompt_version}" if parent.prompt_version else parent.prompt_name
    return Question(
        asked or "(no question was recorded)",
        _collection(workspace, parent) if changes.searches else parent.collection,
        version,
        model or None,
        new_trace_id(),
        TraceSource.REPLAY,
        prompt=changes.prompt or own or Question.prompt,
        trace_id=trace_id,
        parent_id=parent.parent_id,
        fresh=True,
    )


def _collection(workspace: Workspace, parent: TraceDetail) -> str:
    """Return what the collection of a trace is called now. Raises NotFoundError when it was deleted."""
    with workspace.store.session() as session:
        return collection_by_id(session, parent.collection_id or 0).name


def _check_version(workspace: Workspace, parent: TraceDetail, changes: Changes) -> None:
    """Refuse a search in the version of a trace when that has lost a document since, or is gone."""
    if changes.version:
        return
    found = named_version(workspace, _collection(workspace, parent), parent.version_number)
    if found.fingerprint != parent.version_fingerprint:
        raise RagError(
            f"Version {found.number} of “{parent.collection}” is not what it was: a document was erased. "
            "Choose a version to search."
        )


def _search_again(ask: Ask, identity: str) -> Preparing:
    prepared = yield from prepare(ask)
    if prepared is not None:
        _check_identity(prepared.model, identity)
    return prepared


def _use_stored(ask: Ask, parent: TraceDetail, built: Built, identity: str) -> Preparing:
    """Use the stored passages: load the model, and give it the prompt that was built again."""
    trace = ask.trace
    for name in _COPIED:
        setattr(trace, name, getattr(parent, name))
    ask.recorder.fallbacks.extend(built.notes)
    ask.recorder.set_hits(ask.hits)
    yield StageStarted(ask.recorder.id, Stage.LOAD)
    model = load_model(ask)
    _check_identity(model, identity)
    template = built.template
    if template is not None:
        trace.prompt_name, trace.prompt_fingerprint = template.name, template.fingerprint
        trace.prompt_version_id, trace.prompt_version = template.version_id, template.version
        ask.sees_passages = template.uses_passages
    elif built.text:
        trace.prompt_name, trace.prompt_fingerprint = parent.prompt_name, parent.prompt_fingerprint
    with ask.recorder.span("pack", "PROMPT", "the stored passages"):
        trace.prompt = built.render(model)
        tokens = model.tokenize_prompt(trace.prompt)
    trace.prompt_tokens = len(tokens) or model.prompt_size(trace.prompt)
    _check_room(ask, model)
    yield retrieval_done(ask)
    return Prepared(ask, model, tokens)


def _check_identity(model: ChatModel, identity: str) -> None:
    """Refuse a model that is not the one of the trace. Raises RagError."""
    if identity and model.identity != identity:
        raise RagError(
            f"“{model.name}” is not the model that answered this trace: its file or endpoint has changed "
            "since. Choose a model for the replay."
        )


def _check_room(ask: Ask, model: ChatModel) -> None:
    """Refuse a prompt that leaves no room for the answer: passages are never left out by themselves."""
    generation = ask.settings.generation
    needed = ask.trace.prompt_tokens + generation.max_answer_tokens
    needed += min(thinking_room(model, generation), model.context // 3)
    if needed > model.context:
        raise RagError(
            f"The prompt has {ask.trace.prompt_tokens:,} tokens for “{model.name}”, and with the answer "
            f"that is more than its context of {model.context:,}. Leave passages out, or raise "
            "generation.context."
        )
