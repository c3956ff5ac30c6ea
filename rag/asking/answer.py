"""Answers a question and records how: search, pack, read the prompt, stream the answer, check it, save.

Evaluation calls this same generator: there is no second pipeline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.asking.applications.rows import Caller
from rag.asking.flag_limits import limits_of
from rag.asking.guarding import (
    check_answer_text,
    check_passages,
    check_prompt,
    check_question,
    counting,
    guard_of,
    harmless_note,
    holds_answer,
    notes_of,
    refuse_unconfirmed,
)
from rag.asking.packing import pack
from rag.asking.query import points_back
from rag.asking.retrieval import document_reader, retrieve
from rag.asking.rows import (
    AnswerRestarted,
    AskResult,
    ClaimsChecked,
    PromptProgress,
    Question,
    RetrievalDone,
    Stage,
    StageStarted,
    TokenStreamed,
    TraceStatus,
)
from rag.asking.traces import TraceRecorder
from rag.errors import RagError
from rag.grounding.rows import ClaimResult
from rag.grounding.sentences import is_refusal
from rag.guardrails.policies.acting import Checked, Guard, PolicyRefusedError
from rag.guardrails.policies.rows import Place
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.knowledge.search_settings import settings_for
from rag.models import reasoning
from rag.models.catalogue import find_model
from rag.models.chat_model import ChatModel, PromptRead, Served, Token
from rag.models.endpoints.rows import Usage
from rag.models.reasoning import Written, thinking_room, write
from rag.models.stop_texts import ending_at
from rag.prompts.registry import find_prompt
from rag.prompts.templates import PromptTemplate
from rag.settings import Settings
from rag.storage.tables.traces import Trace
from rag.text.citations import unknown_markers
from rag.text.thinking import opened_in, split_thinking
from rag.workspace import Workspace

NOTHING_FOUND = "Nothing in this collection is close to the question, so the model was not asked."
_HISTORY_TURNS = 3
_SMALL_MODEL = 500_000_000  # parameters

Events = Generator[Any, None, AskResult]


@dataclass(frozen=True)
class Turn:
    """An earlier question of a session with its answer."""

    question: str
    answer: str


@dataclass
class Ask:
    """A question whose trace is open: what is known so far. finish_ask must follow, whatever happens."""

    workspace: Workspace
    recorder: TraceRecorder
    settings: Settings
    question: Question
    status: TraceStatus = TraceStatus.DONE
    found: tuple[Hit, ...] = ()  # as retrieval gave them, before packing
    wants_all: bool = False  # the question asks for everything of a kind
    hits: tuple[Hit, ...] = ()  # with the markers of those in the prompt
    sees_passages: bool = True  # whether the prompt shows the passages to the model
    guard: Guard = field(default_factory=lambda: Guard(()))
    refusal: str = ""  # what a policy has said instead of an answer
    answer_is_guarded: bool = False
    seen: dict[str, Checked] = field(default_factory=dict)  # texts of passages that the policies looked at

    @property
    def trace(self) -> Trace:
        """The trace that is being recorded."""
        return self.recorder.trace


@dataclass
class Prepared:
    """A question whose prompt is ready, with the model that answers it."""

    ask: Ask
    model: ChatModel
    tokens: list[int]  # of the prompt; none when another computer makes them
    logprobs: list[float] = field(default_factory=list)  # of the answer's tokens, in nats


def answer_question(workspace: Workspace, question: Question) -> Events:
    """Answer a question. The trace is saved in every case.

    A RagError is raised after the trace was saved; closing the generator cancels and saves, too.
    """
    return (yield from run_ask(begin_ask(workspace, question)))


Preparing = Generator[StageStarted | RetrievalDone, None, Prepared | None]


# --- the parts of an ask, for those who answer many at once -----------------------------------------------


def begin_ask(workspace: Workspace, question: Question, settings: Settings | None = None) -> Ask:
    """Open the trace of a question. Raises RagError for an empty one.

    settings are those that count instead of the collection's; the question's changes are made to them, too.
    """
    text = question.text.strip()
    if not text:
        raise RagError("The question is empty. Type a question first.")
    caller = question.caller
    used = _with_changes(settings or settings_for(workspace, question.collection), question.overrides)
    if caller is not None:
        used = _with_changes(used, {"generation": caller.generation})
    guard = guard_of(workspace, question.collection, question.guardrails)
    began = time.perf_counter()
    guarded = check_question(guard, text, question.is_confirmed, caller)
    took_ms = (time.perf_counter() - began) * 1000
    recorder = TraceRecorder(
        workspace.store,
        question=guarded.text,
        session_id=question.session_id,
        source=question.source,
        trace_id=question.trace_id,
    )
    recorder.guard = guard
    if guard.acts_at(Place.QUESTION):
        recorder.add_span("guardrail question", "GUARDRAIL", 0.0, took_ms, f"{len(guarded.results)} found")
    recorder.fallbacks.extend(notes_of(guard))
    recorder.trace.collection = question.collection
    recorder.trace.pipeline, recorder.trace.pipeline_version = question.pipeline, question.pipeline_version
    recorder.trace.application = caller.application if caller is not None else ""
    recorder.trace.settings = used.model_dump_json()
    recorder.begin(question.parent_id if question.session_id else "")
    return Ask(workspace, recorder, used, question, guard=guard, refusal=guarded.refusal)


def run_ask(
    ask: Ask,
    recall: Callable[[Prepared], bool] | None = None,
    preparing: Callable[[Ask], Preparing] | None = None,
) -> Events:
    """Run all parts in order, for one question alone.

    recall gives a prepared question an answer by take_answer, if one is known, and says whether it did.
    preparing makes the prompt; None: prepare.
    """
    try:
        prepared = yield from (preparing or prepare)(ask)
        if prepared is not None:
            yield StageStarted(ask.recorder.id, Stage.READ)
            if recall is None or not recall(prepared):
                yield from _generate(prepared)
            yield StageStarted(ask.recorder.id, Stage.CHECK)
            yield check_answer(ask)
    except BaseException as error:
        finish_ask(ask, error)
        raise
    return finish_ask(ask)


def prepare(ask: Ask) -> Preparing:
    """Search, load the model and render the prompt. Return None when nothing is found or a policy refuses."""
    template = _find_template(ask)
    if ask.refusal:
        _refuse(ask)
        return None
    yield StageStarted(ask.recorder.id, Stage.SEARCH)
    # A question that stands alone gets a prompt of its own: history costs tokens and distracts.
    turns = _earlier_turns(ask) if points_back(ask.trace.question) else []
    _search(ask, turns)
    if ask.refusal:
        _refuse(ask)
        yield retrieval_done(ask)
        return None
    if not any(hit.dropped is None for hit in ask.found) and not ask.settings.generation.ask_without_passages:
        ask.trace.answer = NOTHING_FOUND
        ask.status = TraceStatus.NOTHING_FOUND
        yield retrieval_done(ask)
        return None
    yield StageStarted(ask.recorder.id, Stage.LOAD)
    model = load_model(ask)
    try:
        with ask.recorder.span("pack", "PROMPT", f"prompt {template.name} version {template.version}"):
            tokens = _pack_prompt(ask, model, template, turns)
    except PolicyRefusedError as error:
        if error.needs_yes:
            raise
        ask.refusal = str(error)
    yield retrieval_done(ask)
    if ask.refusal:
        _refuse(ask)
        return None
    return Prepared(ask, model, tokens)


def _refuse(ask: Ask) -> None:
    """Answer with what a policy says instead; no model is asked."""
    ask.trace.answer = ask.refusal
    ask.recorder.set_claims([], refused=True)


def search_alone(ask: Ask) -> None:
    """Search and choose the passages, without a model: they are counted in the embedder's tokens."""
    _search(ask, ())
    tokenizer = ask.workspace.embedder.tokenizer
    retrieval = ask.settings.retrieval
    with ask.recorder.span("pack", "CHAIN", "counted in the embedder's tokens"):
        _pack(
            ask,
            lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids),
            retrieval.context_tokens,
        )


def finish_ask(ask: Ask, error: BaseException | None = None) -> AskResult:
    """Save the trace, and what ended it when it did not end by itself."""
    if error is None:
        ask.recorder.finish(ask.status)
    elif isinstance(error, (GeneratorExit, KeyboardInterrupt)):
        ask.recorder.finish(TraceStatus.CANCELLED)
    else:
        sentence = str(error) if isinstance(error, RagError) else f"{type(error).__name__}: {error}"
        ask.recorder.finish(TraceStatus.FAILED, sentence)
    return result_of(ask)


def result_of(ask: Ask) -> AskResult:
    """Return the result of a question that is finished."""
    trace = ask.trace
    return AskResult(
        trace.id, trace.session_id, TraceStatus(trace.status), trace.answer, tuple(ask.recorder.fallbacks)
    )


# --- stages -----------------------------------------------------------------------------------------------


def _find_template(ask: Ask) -> PromptTemplate:
    template = find_prompt(ask.workspace.store, ask.question.prompt)
    ask.trace.prompt_name = template.name
    ask.trace.prompt_fingerprint = template.fingerprint
    ask.trace.prompt_version_id = template.version_id
    ask.trace.prompt_version = template.version
    return template


def _search(ask: Ask, turns: Sequence[Turn]) -> None:
    workspace, recorder, trace = ask.workspace, ask.recorder, ask.trace
    collection, version = open_version(workspace, trace.collection, ask.question.version)
    trace.collection_id = collection.id
    trace.version_id = version.id
    trace.version_number = version.number
    trace.version_fingerprint = version.fingerprint
    trace.searched_chunks = version.chunk_count
    trace.searched_documents = version.document_count
    previous = turns[-1].question if turns else ""
    begin = recorder.elapsed_ms()
    found = retrieve(workspace, collection, version, trace.question, ask.settings.retrieval, previous)
    for stage in found.stages:
        recorder.add_span(stage.name, stage.kind, begin + stage.start_ms, begin + stage.end_ms, stage.detail)
    recorder.fallbacks.extend(found.fallbacks)
    trace.retrieve_ms = recorder.elapsed_ms() - begin
    ask.found = ask.hits = _guard_passages(ask, found.hits)
    ask.wants_all = found.query.wants_all
    recorder.set_hits(ask.found)


def _guard_passages(ask: Ask, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """Return the candidates as the policies leave them. Raises PolicyRefusedError when one asks first."""
    if not ask.guard.acts_at(Place.PASSAGES):
        return hits
    before = len(ask.guard.results)
    with ask.recorder.span("guardrail passages", "GUARDRAIL", f"{len(hits)} passages"):
        hits = check_passages(ask.guard, hits, ask.seen)
    ask.recorder.fallbacks.extend(notes_of(ask.guard, before))
    refuse_unconfirmed(ask.seen.values(), ask.question.is_confirmed)
    ask.refusal = next((one.refusal for one in ask.seen.values() if one.refusal), "")
    return hits


# A chat template may refuse an empty turn. Questions that failed are passed over, a few of them.
_EARLIER_TURNS = """
WITH RECURSIVE earlier (id, steps) AS (
    SELECT ?, 0 UNION ALL
    SELECT t.parent_id, steps + 1 FROM earlier JOIN trace t ON t.id = earlier.id
    WHERE t.parent_id != '' AND steps < 30)
SELECT t.question, t.answer FROM earlier JOIN trace t ON t.id = earlier.id
WHERE t.status = 'done' AND t.answer != '' ORDER BY steps LIMIT ?
"""


def _earlier_turns(ask: Ask) -> list[Turn]:
    """Return the turns that a program sent with its question, else those before it in its branch."""
    caller = ask.question.caller
    if caller is not None and caller.history is not None:
        return [Turn(*turn) for turn in caller.history[-_HISTORY_TURNS:]]
    return earlier_turns(ask.workspace, ask.trace)


def earlier_turns(workspace: Workspace, trace: Trace) -> list[Turn]:
    """Return the last answered questions that this one follows in its branch, oldest first."""
    with workspace.store.session() as session:
        rows = session.connection().exec_driver_sql(_EARLIER_TURNS, (trace.parent_id, _HISTORY_TURNS)).all()
    return [Turn(question, answer) for question, answer in reversed(rows)]


def load_model(ask: Ask) -> ChatModel:
    """Load the model of a question and note it in the trace. Raises RagError when it is not there."""
    workspace, wanted = ask.workspace, ask.question.model
    path = (
        find_model(workspace.database, workspace.settings, wanted)
        if wanted
        else workspace.active_model_path()
    )
    with ask.recorder.span("load", "CHAIN", Path(path).name):
        model = workspace.chat_model(path, ask.settings.generation, collection=ask.trace.collection)
    ask.trace.model, ask.trace.model_sha256 = model.name, model.identity
    ask.trace.endpoint, ask.trace.sent_to = model.endpoint, model.sent_to
    ask.recorder.fallbacks.extend(model.notes)
    return model


def _pack_prompt(ask: Ask, model: ChatModel, template: PromptTemplate, turns: Sequence[Turn]) -> list[int]:
    """Choose the passages and render the prompt so that prompt and answer fit; return the prompt's tokens."""
    recorder, settings = ask.recorder, ask.settings
    history = [(turn.question, turn.answer) for turn in turns]
    room = model.context - settings.generation.max_answer_tokens
    # Thinking is cut short before passages are left out.
    room -= min(thinking_room(model, settings.generation), room // 3)
    question = ask.trace.question
    while True:
        bare = model.prompt_size(model.render_chat(template.messages(question, [], history)))
        if not history or bare + settings.retrieval.context_tokens <= room:
            break
        history = history[1:]
        recorder.fallbacks.append("an earlier question was left out of the prompt: it did not fit")
    budget = min(settings.retrieval.context_tokens, room - bare)
    small = settings.retrieval.small_model_tokens
    if small and small < budget and 0 < model.parameter_count < _SMALL_MODEL:
        # Measured with SmolLM2-135M: with 1,400 tokens it copies passages instead of answering.
        budget = small
        recorder.fallbacks.append(f"{model.name} is small: its passages were limited to {small} tokens")
    if budget < 32:
        raise RagError(
            f"The question takes {bare} of the {model.context} tokens of context and leaves no room for "
            "passages. Shorten it, or load the model with a longer context."
        )
    if template.uses_passages:
        _pack(ask, counting(model.count_tokens), budget)
    else:
        ask.sees_passages = False
        recorder.fallbacks.append(
            f"the prompt “{template.name}” does not use the passages: the answer has no sources"
        )
    passages = [hit for hit in ask.hits if hit.marker is not None]
    passages.sort(key=lambda hit: hit.marker or 0)
    if note := harmless_note(passages):
        recorder.fallbacks.append(note)
    messages, before = template.messages(question, passages, history), len(ask.guard.results)
    try:
        messages = check_prompt(ask.guard, messages, model.sent_to, ask.question.is_confirmed)
    finally:
        recorder.fallbacks.extend(notes_of(ask.guard, before))
    prompt = model.render_chat(messages)
    ask.trace.prompt = prompt
    tokens = model.tokenize_prompt(prompt)
    ask.trace.prompt_tokens = len(tokens) or model.prompt_size(prompt)
    return tokens


def _pack(ask: Ask, count_tokens: Callable[[str], int], budget: int) -> None:
    """Choose the passages and store them with their reasons."""
    chunks_of = document_reader(ask.workspace, ask.trace.version_id or 0)

    def read_document(document_id: int) -> Sequence[Hit]:
        return [hit for hit in _guard_passages(ask, tuple(chunks_of(document_id))) if hit.dropped is None]

    packed = pack(ask.found, ask.settings.retrieval, count_tokens, budget, read_document, ask.wants_all)
    ask.hits = packed.hits
    ask.recorder.fallbacks.extend(packed.notes)
    ask.recorder.set_hits(ask.hits)


def _generate(prepared: Prepared) -> Iterator[PromptProgress | TokenStreamed | AnswerRestarted]:
    """Read the prompt and stream the answer; what was produced is in the trace even when cancelled."""
    ask = prepared.ask
    recorder, trace = ask.recorder, ask.trace
    times = _Times(recorder.elapsed_ms())
    written = Written()
    is_held = holds_answer(ask.guard)
    caller = ask.question.caller or Caller("")
    events = write(
        prepared.model, trace.prompt, ask.settings.generation, written, prepared.tokens, schema=caller.schema
    )
    try:
        for event in ending_at(caller.stop, events, written):
            if isinstance(event, PromptRead):
                trace.cached_tokens = event.tokens_cached
                yield PromptProgress(recorder.id, event.tokens_done, event.tokens_total, event.tokens_cached)
            elif isinstance(event, Token):
                times.note(recorder.elapsed_ms(), event.is_thinking)
                trace.answer, trace.thinking = written.answer, written.thinking
                count = written.thinking_tokens if event.is_thinking else len(written.logprobs)
                if is_held:  # it may be shown and stored once the policies have seen it whole
                    yield TokenStreamed(recorder.id, "", count, event.is_thinking)
                    continue
                recorder.keep_partial_answer(trace.answer, trace.thinking)
                yield TokenStreamed(recorder.id, event.text, count, event.is_thinking)
            elif isinstance(event, reasoning.AnswerRestarted):
                times.answer = None
                yield AnswerRestarted(recorder.id)
    finally:
        _take_written(prepared, written)
        _note_times(ask, times)
        guard_answer(ask)  # also of what was cancelled: it is stored
    _note_end(ask)
    if is_held:
        yield TokenStreamed(recorder.id, trace.answer, trace.completion_tokens)


def guard_answer(ask: Ask) -> None:
    """Apply the policies to the answer, once."""
    if ask.answer_is_guarded or not ask.guard.acts_at(Place.ANSWER) or not ask.trace.answer.strip():
        return
    ask.answer_is_guarded, before = True, len(ask.guard.results)
    trace = ask.trace
    with ask.recorder.span("guardrail answer", "GUARDRAIL"):
        trace.answer, trace.thinking, refusal = check_answer_text(ask.guard, trace.answer, trace.thinking)
    ask.refusal = refusal
    ask.recorder.fallbacks.extend(notes_of(ask.guard, before))


@dataclass
class _Times:
    """When the model began to read, and when its first tokens came, in milliseconds since the question."""

    begin: float
    first: float | None = None
    answer: float | None = None

    def note(self, now: float, is_thinking: bool) -> None:
        self.first = now if self.first is None else self.first
        if not is_thinking and self.answer is None:
            self.answer = now


def _note_times(ask: Ask, times: _Times) -> None:
    """Record how long the prompt, the thinking and the answer took."""
    recorder, trace = ask.recorder, ask.trace
    end, first = recorder.elapsed_ms(), times.first
    told = [f"by {trace.served_model}" if trace.served_model else "", trace.system_fingerprint]
    by = "".join(f", {one}" for one in told if one)
    recorder.add_span(
        "read prompt", "LLM", times.begin, first or end, f"{trace.cached_tokens} tokens cached{by}"
    )
    if first is None:
        return
    trace.first_token_ms = first
    trace.read_ms = first - times.begin
    trace.generate_ms = end - first
    answer = first
    if trace.thinking_tokens:
        answer = times.answer or end
        recorder.add_span("think", "LLM", first, answer, f"{trace.thinking_tokens} tokens{by}")
    recorder.add_span("generate", "LLM", answer, end, f"{trace.completion_tokens} tokens{by}")
    tokens, seconds = trace.completion_tokens + trace.thinking_tokens, (end - first) / 1000
    if tokens > 1 and seconds > 0:
        trace.tokens_per_s = (tokens - 1) / seconds


def _take_written(prepared: Prepared, written: Written) -> None:
    ask = prepared.ask
    ask.trace.answer, ask.trace.thinking = written.answer, written.thinking.strip()
    ask.trace.completion_tokens, ask.trace.thinking_tokens = len(written.logprobs), written.thinking_tokens
    ask.trace.finish_reason = written.finish_reason
    ask.recorder.fallbacks.extend(written.notes)
    known = [logprob for logprob in written.logprobs if logprob is not None]
    prepared.logprobs = known if len(known) == len(written.logprobs) else []
    _keep_logprobs(prepared)
    if prepared.model.endpoint:
        _take_served(prepared, written)


def _take_served(prepared: Prepared, written: Written) -> None:
    """Record what an endpoint told of its answer; what it did not tell is estimated, and called unknown."""
    ask, served, model = prepared.ask, written.served or Served(), prepared.model
    trace = ask.trace
    trace.served_model, trace.system_fingerprint = served.model, served.system_fingerprint
    if served.has_usage:
        trace.usage = Usage.TOLD
        trace.prompt_tokens, trace.cached_tokens = served.prompt_tokens or 0, served.cached_tokens or 0
        thinking = served.thinking_tokens
        if thinking is None:  # told as one number: divided as the texts are
            thinking = min(model.count_tokens(written.thinking), served.completion_tokens or 0)
        trace.thinking_tokens = thinking
        trace.completion_tokens = (served.completion_tokens or 0) - thinking
    else:
        trace.usage = Usage.UNKNOWN
        trace.completion_tokens = model.count_tokens(written.answer)
        trace.thinking_tokens = model.count_tokens(written.thinking)
    ask.workspace.endpoints.note_served(model.endpoint, served, trace.id)


def take_answer(
    prepared: Prepared,
    text: str,
    logprobs: Sequence[float],
    finish_reason: str,
    cached_tokens: int,
    note: str,
    thinking: str = "",
    thinking_tokens: int = 0,
) -> None:
    """Take an answer that was made elsewhere, with others at once or for the same prompt; note says so.

    Args:
        prepared: The question.
        text: What the model wrote. When it thought in it, that is taken apart.
        logprobs: Of the tokens of the text, natural.
        finish_reason: "stop" or "length".
        cached_tokens: How many tokens of the prompt cost nothing.
        note: How the answer came about.
        thinking: What the model thought before, if it is known apart from the text.
        thinking_tokens: Its tokens.
    """
    written = Written(thinking, text, thinking_tokens, list(logprobs), finish_reason, [note])
    if not thinking:
        prompt = prepared.ask.trace.prompt
        written.thinking, written.answer = split_thinking(text, opened_in(prompt))
        if written.thinking:
            count = min(prepared.model.count_tokens(written.thinking), len(logprobs))
            written.thinking_tokens, written.logprobs = count, list(logprobs[count:])
    prepared.ask.trace.cached_tokens = cached_tokens
    _take_written(prepared, written)
    _note_end(prepared.ask)


def _keep_logprobs(prepared: Prepared) -> None:
    if prepared.logprobs:
        prepared.ask.trace.mean_logprob = sum(prepared.logprobs) / len(prepared.logprobs)
        prepared.ask.trace.min_logprob = min(prepared.logprobs)


def _note_end(ask: Ask) -> None:
    if ask.trace.finish_reason == "content_filter":
        ask.recorder.fallbacks.append("the endpoint's content filter cut the answer off")
    if ask.trace.finish_reason == "length":
        ask.recorder.fallbacks.append("the answer was cut off at the token limit")
    if not ask.trace.answer.strip():
        ask.recorder.fallbacks.append(
            "the model thought and answered nothing" if ask.trace.thinking else "the model answered nothing"
        )


def check_answer(ask: Ask) -> ClaimsChecked:
    """Check each sentence of the answer against the passages that were in the prompt."""
    workspace, recorder, trace = ask.workspace, ask.recorder, ask.trace
    guard_answer(ask)
    # What is put in beside a candidate stands before others of a better rank: markers, not ranks, say where.
    packed = sorted((h for h in ask.hits if h.marker is not None), key=lambda h: h.marker or 0)
    passages = [hit.text for hit in packed]
    begin = time.perf_counter()
    with recorder.span("check", "EVALUATOR", "grounding detector"):
        claims: list[ClaimResult]
        if ask.refusal:
            claims, error = [], ""  # a policy's own words are no claim
        elif ask.sees_passages:
            claims, error = checked(workspace, trace.question, trace.answer, passages, trace.collection_id)
        else:
            claims, error = [], "the model saw no passage that it could be checked against"
    if error:
        recorder.fallbacks.append(f"the sentences could not be checked: {error}")
    trace.check_ms = (time.perf_counter() - begin) * 1000
    refused = bool(ask.refusal) or is_refusal(trace.answer)
    recorder.set_claims(claims, refused=refused, error=error)
    if unknown := unknown_markers(trace.answer, len(passages)):
        recorder.fallbacks.append(f"the answer cites {unknown}, which was not in the prompt")
    if refused:
        recorder.fallbacks.append("the model declined to answer")
    return ClaimsChecked(
        recorder.id, tuple(claims), trace.check_ms, trace.outcome, trace.support_rate, trace.check_error
    )


def checked(
    workspace: Workspace, question: str, answer: str, passages: Sequence[str], collection_id: int | None
) -> tuple[list[ClaimResult], str]:
    """Return the verdict on each sentence of an answer, and why it could not be checked, "" where it could.

    The answer counts without its check: unknown is not the same as unsupported.
    """
    try:
        return workspace.check(question, answer, passages, limits_of(workspace, collection_id)), ""
    except (RagError, ValueError, ArithmeticError, OSError, RuntimeError) as failure:
        return [], str(failure) or type(failure).__name__


def retrieval_done(ask: Ask) -> RetrievalDone:
    """Return the event that says what the search has found."""
    trace = ask.trace
    return RetrievalDone(
        ask.recorder.id,
        ask.hits,
        trace.passage_count,
        trace.passage_documents,
        trace.searched_chunks,
        trace.searched_documents,
    )


def _with_changes(settings: Settings, changes: Mapping[str, Mapping[str, Any]]) -> Settings:
    for section, values in changes.items():
        for key, value in values.items():
            settings = settings.changed(section, key, value)
    return settings
