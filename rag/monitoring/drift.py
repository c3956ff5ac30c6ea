"""Finds drift of questions and scores, and similar questions whose answers differ."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence

import numpy as np
from sqlmodel import select

from rag.asking.rows import TraceRow, TraceStatus, read_answers
from rag.grounding.numbers import Quantity, quantities, same
from rag.grounding.rows import Outcome
from rag.knowledge.rows import VersionProgress
from rag.monitoring.control_limits import FEWEST, Vectors, energy_test, ks_test
from rag.monitoring.measuring import NO_REFERENCE, after, period_scope
from rag.monitoring.rows import (
    MEASURES,
    AnswerDifference,
    AnswerDisagreement,
    DriftResult,
    DriftSubject,
    Member,
    NewQuestion,
    Scope,
    find_reference,
    list_measured,
    values_of,
)
from rag.storage.tables.knowledge import Collection
from rag.text.citations import without_listed_markers
from rag.workspace import Workspace

_BATCH = 32
_MOST = 500  # questions on a side, the newest
_SAME_QUESTION = 0.9  # cosine
_OTHER_ANSWER = 0.6
_SHOWN = 20  # questions that are least like the reference

Steps = Generator[VersionProgress, None, Vectors]


def text_hash(text: str) -> str:
    """Return the sha256 of a text, the key of its stored vector."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def drift(
    workspace: Workspace, scope: Scope, window: int = 100, minimum: int = FEWEST
) -> Generator[VersionProgress, None, tuple[DriftResult, ...]]:
    """Compare the newest questions of a scope, and their best scores, with its reference period."""
    questions = yield from drift_of(workspace, DriftSubject.QUESTIONS, scope, window, minimum)
    scores = yield from drift_of(workspace, DriftSubject.SCORES, scope, window, minimum)
    return questions, scores


def drift_of(
    workspace: Workspace, what: DriftSubject, scope: Scope, window: int, minimum: int
) -> Generator[VersionProgress, None, DriftResult]:
    """Run one test: of questions by energy distance of their embeddings, of scores by Kolmogorov-Smirnov."""
    reference = find_reference(workspace.database, scope.collection)
    if reference is None:
        return DriftResult(what, None, None, 0, 0, NO_REFERENCE)
    new = list_measured(workspace.database, after(scope, reference), min(window, _MOST))
    old = list_measured(workspace.database, period_scope(scope.collection, reference), _MOST)
    if what == DriftSubject.SCORES:
        measure = MEASURES["score_drift"]
        scores, before = values_of(measure, new), values_of(measure, old)
        if min(len(scores), len(before)) < minimum:
            return _too_few(what, len(scores), len(before), minimum)
        statistic, p = ks_test(scores, before)
        return DriftResult(
            what, p, statistic, len(scores), len(before), drift_sentence(what, p, len(scores), len(before))
        )
    if min(len(new), len(old)) < minimum:
        return _too_few(what, len(new), len(old), minimum)
    vectors = yield from embed(workspace, scope.collection, [ask.question for ask in (*new, *old)])
    now, then = vectors[: len(new)], vectors[len(new) :]
    statistic, p = energy_test(now, then)
    sentence = drift_sentence(what, p, len(new), len(old))
    return DriftResult(what, p, statistic, len(new), len(old), sentence, _least_alike(new, old, now, then))


def _least_alike(
    new: Sequence[TraceRow], old: Sequence[TraceRow], now: Vectors, then: Vectors
) -> tuple[NewQuestion, ...]:
    """Return the new questions whose nearest old one is farthest, each wording once."""
    cosines = now @ then.T
    nearest, best = cosines.argmax(1), cosines.max(1)
    found: dict[str, NewQuestion] = {}
    for index in np.argsort(best):
        ask = new[int(index)]
        other = old[int(nearest[index])].question
        if ask.question != other:
            made = NewQuestion(ask.id, ask.created_ms, ask.question, other, float(best[index]))
            found.setdefault(ask.question, made)
    return tuple(found.values())[:_SHOWN]


def drift_sentence(what: DriftSubject, p: float, count: int, reference_count: int) -> str:
    """Return the outcome of a test in words, with what its size allows it to say."""
    sign = "no sign of drift" if p >= 0.05 else "a weak sign of drift" if p >= 0.01 else "drift"
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    size = f"{count} against {reference_count} {what}"
    small = p >= 0.05 and min(count, reference_count) < 100
    return f"{sign}: {shown}, {size}" + ("; so few show a large change only" if small else "")


def disagreements(
    workspace: Workspace, scope: Scope, limit: int = _MOST
) -> Generator[VersionProgress, None, tuple[AnswerDisagreement, ...]]:
    """Find groups of similar questions, among the newest answered, whose answers disagree; the largest first.

    Questions are similar when their cosine is 0.9 or more and they contain the same figures. Answers disagree
    when one declines and another does not, when each has a figure that the other lacks, or when their cosine
    is below 0.6.
    """
    asks = [ask for ask in list_measured(workspace.database, scope, limit) if ask.status == TraceStatus.DONE]
    if len(asks) < 2:
        return ()
    vectors = yield from embed(workspace, scope.collection, [ask.question for ask in asks])
    groups = [group for group in _groups(asks, vectors) if len(group) > 1]
    members = [index for group in groups for index in group]
    answers = read_answers(workspace.database, [asks[index].id for index in members])
    answer_vectors = yield from embed(
        workspace,
        scope.collection,
        [without_listed_markers(answers[asks[index].id]).strip() for index in members],
    )
    vector_of = dict(zip(members, answer_vectors, strict=True))
    found = []
    for group in groups:
        texts = [answers[asks[index].id] for index in group]
        reasons = _reasons([asks[i] for i in group], texts, np.array([vector_of[i] for i in group]))
        if reasons:
            chosen = [asks[index] for index in group]
            found.append(
                AnswerDisagreement(
                    chosen[0].question,
                    reasons,
                    _cause(chosen),
                    tuple(
                        Member(
                            a.id,
                            a.created_ms,
                            a.question,
                            text,
                            a.model,
                            a.prompt_fingerprint,
                            a.version_number,
                        )
                        for a, text in zip(chosen, texts, strict=True)
                    ),
                )
            )
    return tuple(sorted(found, key=lambda group: -len(group.members)))


def embed(workspace: Workspace, collection: str, texts: Sequence[str]) -> Steps:
    """Return vectors (n, dimension) of texts by the collection's embedder, and store them for the next time.

    Without a collection the starter embeds.
    """
    embedder = workspace.embedder
    if collection:
        with workspace.store.session() as session:
            found = session.exec(select(Collection).where(Collection.name == collection)).first()
        if found is not None:
            embedder = workspace.embedder_of(found.embedder, found.embedder_name, collection)
    hashes = [text_hash(text) for text in texts]
    known = _kept(workspace, embedder.fingerprint, hashes)
    missing = {key: text for key, text in zip(hashes, texts, strict=True) if key not in known}
    keys = list(missing)
    for begin in range(0, len(keys), _BATCH):
        yield VersionProgress("embedding questions", begin, len(keys))
        part = keys[begin : begin + _BATCH]
        made = workspace.encode([missing[key] for key in part], embedder)
        with workspace.store.session() as session:
            session.connection().exec_driver_sql(
                "INSERT OR IGNORE INTO questionvector (text_hash, embedder, vector) VALUES (?, ?, ?)",
                [
                    (key, embedder.fingerprint, vector.astype("<f4").tobytes())
                    for key, vector in zip(part, made, strict=True)
                ],
            )
        known.update(zip(part, made, strict=True))
    return np.array([known[key] for key in hashes], dtype=np.float32)


def _kept(workspace: Workspace, embedder: str, hashes: Sequence[str]) -> dict[str, Vectors]:
    found: dict[str, Vectors] = {}
    wanted = list(dict.fromkeys(hashes))
    with workspace.store.session() as session:
        for begin in range(0, len(wanted), 900):
            part = wanted[begin : begin + 900]
            marks = ",".join("?" * len(part))
            for row in session.connection().exec_driver_sql(
                f"SELECT text_hash, vector FROM questionvector WHERE embedder = ? AND text_hash IN ({marks})",
                (embedder, *part),
            ):
                found[row[0]] = np.frombuffer(row[1], dtype="<f4")
    return found


def _groups(asks: Sequence[TraceRow], vectors: Vectors) -> list[list[int]]:
    """Put each question into the first group whose first question it resembles.

    A chain of similar questions would join what is far apart.
    """
    figures = [quantities(ask.question) for ask in asks]
    leaders: list[int] = []
    groups: list[list[int]] = []
    for index in range(len(asks)):
        near = vectors[leaders] @ vectors[index] if leaders else np.zeros(0)
        for position in np.argsort(-near):
            leader = leaders[int(position)]
            if near[position] < _SAME_QUESTION:
                leaders.append(index)
                groups.append([index])
                break
            if asks[leader].collection == asks[index].collection and _same_figures(
                figures[leader], figures[index]
            ):
                groups[int(position)].append(index)
                break
        else:
            leaders.append(index)
            groups.append([index])
    return groups


def _same_figures(one: Sequence[Quantity], other: Sequence[Quantity]) -> bool:
    return not _lacking(one, other) and not _lacking(other, one)


def _lacking(one: Sequence[Quantity], other: Sequence[Quantity]) -> bool:
    return any(not any(same(quantity, q) for q in other) for quantity in one)


def _reasons(
    asks: Sequence[TraceRow], answers: Sequence[str], vectors: Vectors
) -> tuple[AnswerDifference, ...]:
    reasons = []
    given = [index for index, ask in enumerate(asks) if ask.outcome != Outcome.REFUSED]
    if 0 < len(given) < len(asks):
        reasons.append(AnswerDifference.SOME_REFUSE)
    # To a parser of figures a marker is one, but it states nothing.
    figures = [quantities(without_listed_markers(answers[index])) for index in given]
    pairs = [(a, b) for a in range(len(given)) for b in range(a)]
    if any(_lacking(figures[a], figures[b]) and _lacking(figures[b], figures[a]) for a, b in pairs):
        reasons.append(AnswerDifference.OTHER_FIGURES)
    chosen = vectors[given]
    if len(given) > 1 and float((chosen @ chosen.T).min()) < _OTHER_ANSWER:
        reasons.append(AnswerDifference.OTHER_CONTENT)
    return tuple(reasons)


def _cause(asks: Sequence[TraceRow]) -> str:
    """Return what else differs between the questions and may be the cause."""
    differing = (
        ("another model", {ask.model for ask in asks}),
        ("another prompt", {ask.prompt_fingerprint for ask in asks}),
        ("another version of the documents", {ask.version_number for ask in asks}),
    )
    return ", ".join(name for name, values in differing if len(values) > 1)


def _too_few(what: DriftSubject, count: int, reference_count: int, minimum: int) -> DriftResult:
    sentence = (
        f"not enough {what} ({count} now, {reference_count} in the reference period; {minimum} are needed in "
        "each)"
    )
    return DriftResult(what, None, None, count, reference_count, sentence)
