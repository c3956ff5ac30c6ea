"""Drafts of evaluation cases: the local model writes a question and an answer for passages of a version.

A grammar makes what it writes JSON. A small model still invents, so every draft must pass filters first;
where its own answer is not in the passage, the model is asked once more with the answer bound to the
passage's sentences. A draft is not a case: a person accepts, edits or rejects it.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import col, select

from rag.asking.query import is_self_contained
from rag.asking.retrieval import retrieve
from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.rows import DraftMark, DraftState, GenerationReport
from rag.evaluation.sets import change_set, ensure_set, find_set, set_cases
from rag.grounding.detector import VerdictLimits
from rag.grounding.rows import Verdict
from rag.grounding.sentences import is_checkable, is_refusal, split_sentences
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.knowledge.rows import VersionProgress
from rag.knowledge.search_settings import retrieval_of
from rag.models.catalogue import find_model
from rag.models.chat_model import ChatModel, Token
from rag.prompts.registry import user_name
from rag.prompts.templates import PromptTemplate, load_prompt
from rag.settings import GenerationSettings
from rag.storage import audit_log
from rag.storage.data_folder import RESOURCES
from rag.storage.store import VERSION_CHUNKS, chunk_rows, now_ms
from rag.storage.tables.evaluation import Draft, EvaluationSet
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.text.search_terms import folded, query_words
from rag.text.thinking import without_thinking
from rag.workspace import Workspace

MOST_DRAFTS = 1000
_TRIES = 3  # passages tried for each draft that is wanted
_SHORTEST = 40  # characters of a passage: a heading alone answers nothing
_FOUND_AMONG = 10
_SAME = 0.92  # cosine of two questions that ask the same
_QUESTION = r'"\"question\": \"" first rest{8,160} "?\""'
_ANSWER = r'"\"answer\": \"" first rest{1,200} "\""'
_CHARACTERS = r"""
first ::= [^"\\?\x00-\x20]
rest ::= [^"\\?\x00-\x1F]
"""
_ABOUT_THE_TEXT = re.compile(
    r"\b(?:passages?|texts?|excerpts?|paragraphs?|documents?|articles?|authors?|writers?|mentioned|"
    r"described above|according to (?:the|this)|"
    r"(?:this|the above) (?:section|chapter|page|table|figure|list))\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|should|will|would|"
    r"has|have|had|may|must|in|at|on|to|for|from|under|by|with)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Written:
    """A question and an answer that the model wrote for one passage, and what the filters say."""

    question: str
    answer: str
    marks: tuple[DraftMark, ...] = ()

    @property
    def failed(self) -> str:
        """The first filter that it does not pass; "" when it passes all."""
        return next((mark.name for mark in self.marks if not mark.passed), "")


def generate_drafts(
    workspace: Workspace,
    set_name: str,
    collection: str,
    count: int,
    *,
    version: int | str | None = None,
    model: str | None = None,
    seed: int = 1,
    must_find: bool = False,
) -> Generator[VersionProgress, None, GenerationReport]:
    """Write drafts for a set, which is made if it does not exist.

    A draft is stored as soon as it is written: cancelling keeps those. Passages are taken from all
    documents in turn, at random by the seed, and never one that the set already has a draft of.

    Args:
        workspace: Where the collection is.
        set_name: The set that the drafts are for.
        collection: Where the passages are from.
        count: How many drafts are wanted, 1 to 1,000.
        version: Number or tag of the dataset version; None: the active one.
        model: Which model writes; None: the active one.
        seed: Which passages are taken.
        must_find: Whether a question that does not retrieve its own passage among the first 10 is dropped.

    Raises:
        RagError: The count is wrong, or no passage is left.
    """
    if not 1 <= count <= MOST_DRAFTS:
        raise RagError(f"Choose 1 to {MOST_DRAFTS:,} drafts.")
    began = time.perf_counter()
    yield VersionProgress("choosing passages", 0, count)
    found, chosen = open_version(workspace, collection, version)
    passages = _passages(workspace, chosen, _used_chunks(workspace, set_name.strip()), seed)
    if not passages:
        where = f"“{collection}” version {chosen.number}"
        raise RagError(f"{where} has no passage left that a question could be written for.")
    yield VersionProgress("loading the model", 0, count)
    writer = _Writer(workspace, model, collection)
    set_name = ensure_set(workspace, set_name)
    set_id, vectors = _known_questions(workspace, set_name)
    stored, tried, dropped = 0, 0, Counter[str]()
    for passage in passages[: _TRIES * count]:
        if stored == count:
            break
        yield VersionProgress("writing", stored, count)
        tried += 1
        written = yield from writer.write(passage, stored, count)
        vector = workspace.encode([written.question or " "])[0]
        written = _checked(workspace, found, chosen, passage, written, vectors, vector, must_find)
        if written.failed:
            dropped[written.failed] += 1
            continue
        _save(workspace, _draft(set_id, found, chosen, passage, written, writer.model.name))
        vectors.append(vector)
        stored += 1
    _log(workspace, set_name, f"{stored} drafts of {collection} {chosen.number}")
    reasons = tuple(sorted(dropped.items()))
    return GenerationReport(set_name, count, tried, stored, reasons, time.perf_counter() - began)


def accept_draft(
    workspace: Workspace, draft_id: int, *, question: str = "", answer: str = "", by: str = ""
) -> Case:
    """Make a case of a draft, with another question or answer where the person wrote one. Raises RagError."""
    with workspace.store.session() as session:
        draft = _waiting(session.get(Draft, draft_id), draft_id)
        name = session.connection().exec_driver_sql(
            "SELECT name FROM evaluationset WHERE id = ?", (draft.set_id,)
        )
        set_name = str(name.scalar_one())
        case = Case(
            key=f"generated-{draft_id}",
            question=question.strip() or draft.question,
            references=(answer.strip() or draft.answer,),
            judgements=(
                Judgement(document=draft.document, start=draft.start, end=draft.end, quote=draft.passage),
            ),
            tags=("generated",),
            origin="generated",
            cluster=draft.document,
        )
    change_set(workspace, set_name, put=[case], message=f"Accepted the draft {draft_id}")
    _decide(workspace, draft_id, DraftState.ACCEPTED, by, case.key)
    return case


def reject_draft(workspace: Workspace, draft_id: int, *, by: str = "") -> None:
    """Reject a draft; it stays, so that its passage is not used again. Raises RagError."""
    with workspace.store.session() as session:
        _waiting(session.get(Draft, draft_id), draft_id)
    _decide(workspace, draft_id, DraftState.REJECTED, by, "")


def stands_alone(question: str) -> bool:
    """Return whether somebody who has not seen the passage understands the question."""
    return not _ABOUT_THE_TEXT.search(question) and is_self_contained(question)


def is_in_passage(workspace: Workspace, question: str, answer: str, passage: str) -> bool:
    """Return whether the passage contains the answer: word for word, or each sentence by the detector."""
    wanted, text = (" ".join(re.findall(r"\w+", folded(part).casefold())) for part in (answer, passage))
    if wanted and f" {wanted} " in f" {text} ":
        return True
    claims = workspace.check(question, answer, [passage], VerdictLimits())
    verdicts = {claim.verdict for claim in claims if claim.verdict.is_claim}
    return verdicts == {Verdict.SUPPORTED}


# --- writing ----------------------------------------------------------------------------------------------


class _Writer:
    """The model that writes drafts, with its prompt."""

    def __init__(self, workspace: Workspace, model: str | None, collection: str = "") -> None:
        generation = workspace.settings.generation
        path = (
            find_model(workspace.database, workspace.settings, model)
            if model
            else workspace.active_model_path()
        )
        self._workspace = workspace
        self.model: ChatModel = workspace.chat_model(path, generation, collection=collection)
        self._settings: GenerationSettings = generation.model_copy(
            update={"temperature": 0.0, "max_answer_tokens": 256}
        )
        self._template: PromptTemplate = load_prompt(RESOURCES / "prompts" / "question.toml")

    def write(self, passage: Hit, done: int, total: int) -> Generator[VersionProgress, None, Written]:
        """Write a question and an answer, which is bound to the passage when a free one is not in it."""
        grammar = f'root ::= "{{" {_QUESTION} ", " {_ANSWER} "}}"'
        free = yield from self._ask(passage, grammar, _schema(), done, total)
        if free.answer and is_in_passage(self._workspace, free.question, free.answer, passage.text):
            return free
        sentences = [s.text for s in split_sentences(passage.text) if is_checkable(s) and len(s.text) < 400]
        if not sentences:
            return free
        bound = " | ".join(_literal(json.dumps(text, ensure_ascii=False)) for text in sentences[:12])
        grammar = f'root ::= "{{\\"answer\\": " answer ", " {_QUESTION} "}}"\nanswer ::= {bound}'
        return (yield from self._ask(passage, grammar, _schema(sentences[:12]), done, total))

    def _ask(
        self, passage: Hit, grammar: str, schema: dict[str, Any], done: int, total: int
    ) -> Generator[VersionProgress, None, Written]:
        prompt = self.model.render_chat(self._template.messages("", [passage]))
        text = ""
        for event in self.model.stream(
            without_thinking(prompt), self._settings, grammar=grammar + _CHARACTERS, schema=schema
        ):
            if isinstance(event, Token) and not event.is_thinking:
                text += event.text
            yield VersionProgress("writing", done, total)
        try:
            values: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
            return Written(" ".join(values["question"].split()), " ".join(values["answer"].split()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Written("", "")  # it reached the token limit first, or an endpoint keeps to no form


def _schema(sentences: Sequence[str] = ()) -> dict[str, Any]:
    """Return the form of a draft for models that know no GBNF; sentences: what its answer must be one of."""
    answer: dict[str, Any] = {"type": "string", "enum": list(sentences)} if sentences else {"type": "string"}
    return {
        "type": "object",
        "properties": {"question": {"type": "string"}, "answer": answer},
        "required": ["question", "answer"],
        "additionalProperties": False,
    }


def _literal(text: str) -> str:
    """Return a text as a GBNF literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


# --- filters ----------------------------------------------------------------------------------------------


def _checked(
    workspace: Workspace,
    collection: Collection,
    version: DatasetVersion,
    passage: Hit,
    written: Written,
    known: Sequence[npt.NDArray[np.float32]],
    vector: npt.NDArray[np.float32],
    must_find: bool,
) -> Written:
    question, answer = written.question, written.answer
    words = question.split()
    formed = 4 <= len(words) <= 40 and bool(_OPENING.match(question)) and not is_refusal(answer)
    formed = formed and question.rstrip("?").casefold() != answer.rstrip(".").casefold()
    marks = [DraftMark("not a question", formed, "a question of 4 to 40 words, with an answer")]
    if formed:
        own = set(query_words(passage.text))
        shared = set(query_words(question)) & own
        nearest = max((float(vector @ other) for other in known), default=0.0)
        marks += [
            DraftMark(
                "named the passage",
                stands_alone(question),
                "makes sense without the passage",
            ),
            DraftMark("about something else", bool(shared), "shares words with its passage"),
            DraftMark(
                "answer not in the passage",
                is_in_passage(workspace, question, answer, passage.text),
                "the passage contains the answer",
            ),
            DraftMark("asked before", nearest < _SAME, f"nearest known question: cosine {nearest:.2f}"),
        ]
    if all(mark.passed for mark in marks):
        rank = _rank(workspace, collection, version, question, passage.chunk_id)
        found = rank is not None and rank <= _FOUND_AMONG
        detail = f"its passage is found at rank {rank}" if found else "its passage is not among the first 10"
        # As a mark alone it does not keep the draft out: questions that retrieval misses are useful cases.
        marks.append(DraftMark("passage not found", found or not must_find, detail))
    return replace(written, marks=tuple(marks))


def _rank(
    workspace: Workspace, collection: Collection, version: DatasetVersion, question: str, chunk_id: int
) -> int | None:
    """Return the rank from 1 of a chunk among a question's hits; None where it is dropped or not found."""
    hits = retrieve(workspace, collection, version, question, retrieval_of(workspace, collection)).hits
    kept = [hit.chunk_id for hit in hits if hit.dropped is None]
    return kept.index(chunk_id) + 1 if chunk_id in kept else None


# --- rows -------------------------------------------------------------------------------------------------


def _passages(workspace: Workspace, version: DatasetVersion, used: set[int], seed: int) -> list[Hit]:
    """Return passages with a checkable sentence, of all documents in turn, in an order by the seed."""
    with workspace.store.session() as session:
        rows = session.connection().exec_driver_sql(
            f"SELECT c.id, c.document_id {VERSION_CHUNKS} AND length(c.text) >= {_SHORTEST} ORDER BY c.id",
            (version.id,),
        )
        by_document: dict[int, list[int]] = {}
        for chunk_id, document_id in rows:
            if chunk_id not in used:
                by_document.setdefault(document_id, []).append(chunk_id)
        generator = random.Random(seed)
        documents = list(by_document.values())
        generator.shuffle(documents)
        for chunks in documents:
            generator.shuffle(chunks)
        longest = max(map(len, documents), default=0)
        order = [chunks[n] for n in range(longest) for chunks in documents if n < len(chunks)]
        facts = chunk_rows(session, order)
    hits = (Hit(**facts[chunk_id], marker=1) for chunk_id in order)
    return [hit for hit in hits if any(is_checkable(s) for s in split_sentences(hit.text))]


def _used_chunks(workspace: Workspace, set_name: str) -> set[int]:
    """Return the chunks that a set has drafts of; none when there is no such set yet."""
    with workspace.store.session() as session:
        rows = session.exec(
            select(Draft.chunk_id)
            .join(EvaluationSet, col(EvaluationSet.id) == Draft.set_id)
            .where(EvaluationSet.name == set_name)
        )
        return set(rows.all())


def _known_questions(workspace: Workspace, set_name: str) -> tuple[int, list[npt.NDArray[np.float32]]]:
    """Return a set's id, and the embeddings of the questions of its cases and drafts."""
    known = [case.question for case in set_cases(workspace.database, set_name)]
    with workspace.store.session() as session:
        set_id = find_set(session, set_name).id or 0
        known += session.exec(select(Draft.question).where(Draft.set_id == set_id)).all()
    return set_id, list(workspace.encode(known)) if known else []


def _save(workspace: Workspace, draft: Draft) -> None:
    with workspace.store.session() as session:
        session.add(draft)


def _log(workspace: Workspace, set_name: str, what: str) -> None:
    with workspace.store.session() as session:
        audit_log.record(session, audit_log.Action.CASES_GENERATED, set_name, what)


def _draft(
    set_id: int, collection: Collection, version: DatasetVersion, passage: Hit, written: Written, model: str
) -> Draft:
    return Draft(
        set_id=set_id,
        collection_id=collection.id or 0,
        version_id=version.id or 0,
        document_id=passage.document_id,
        document=passage.path,
        place=passage.place,
        chunk_id=passage.chunk_id,
        start=passage.start,
        end=passage.end,
        passage=passage.text,
        question=written.question,
        answer=written.answer,
        marks=json.dumps([[mark.name, mark.passed, mark.detail] for mark in written.marks]),
        model=model,
        created_ms=now_ms(),
    )


def _waiting(draft: Draft | None, draft_id: int) -> Draft:
    if draft is None:
        raise NotFoundError(f"There is no draft {draft_id}. Run `ragdeck sets drafts SET` to see them all.")
    if draft.state != DraftState.WAITING:
        raise RagError(f"Draft {draft_id} has already been {draft.state}.")
    return draft


def _decide(workspace: Workspace, draft_id: int, state: DraftState, by: str, key: str) -> None:
    with workspace.store.session() as session:
        draft = session.get_one(Draft, draft_id)
        draft.state, draft.decided_ms, draft.decided_by = state, now_ms(), by.strip() or user_name()
        draft.case_key = key
        session.add(draft)
        audit_log.record(session, audit_log.Action(f"draft {state}"), str(draft_id))


def draft_case(workspace: Workspace, draft_id: int, question: str, answer: str, by: str) -> str:
    """Make a case of a draft as the person left it; return its key. Raises RagError."""
    return accept_draft(workspace, draft_id, question=question, answer=answer, by=by).key
