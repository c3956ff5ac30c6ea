"""Answers the same prompt several times and measures how far the answers mean the same.

A model that knows says the same again; one that makes things up varies. Answers are grouped by meaning: two
belong together when each supports the other (the detector in both directions) and their figures agree. The
score is the discrete semantic entropy of the groups, -sum p log p in nats (Farquhar, Kossen, Kuhn and Gal
2024, Nature 630).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.asking.rows import ConsistencyReport, Sample, SampleProgress, TraceDetail, get_trace
from rag.errors import RagError
from rag.grounding.detector import Detector
from rag.grounding.numbers import quantities, same
from rag.grounding.rows import Verdict
from rag.grounding.sentences import is_checkable, is_refusal, split_sentences
from rag.models.catalogue import find_model
from rag.models.chat_model import Token
from rag.models.endpoints.rows import find_endpoint
from rag.models.reasoning import Written, write
from rag.settings import Settings
from rag.storage.store import now_ms
from rag.storage.tables.traces import ConsistencyCheck, Trace
from rag.text.search_terms import comparable
from rag.workspace import Workspace

SAMPLES = 5
TEMPERATURE = 0.7
MOST_SAMPLES = 50
SAME_COSINE = 0.55  # below it two answers are of different things, whatever words they share
_SAME_TEXT = 0.97

Steps = Generator[SampleProgress, None, ConsistencyReport]


def check_consistency(
    workspace: Workspace, trace_id: str, samples: int = SAMPLES, temperature: float = TEMPERATURE
) -> Steps:
    """Answer the prompt of a trace again, samples times, and store how far the answers agree.

    The model is the trace's own. Closing the generator stores nothing. Raises RagError when the trace has no
    prompt.
    """
    if not 2 <= samples <= MOST_SAMPLES or not 0.0 < temperature <= 2.0:
        raise RagError(
            f"Choose 2 to {MOST_SAMPLES} samples and a temperature above 0 and up to 2. At 0 all "
            "are the same."
        )
    trace = get_trace(workspace.database, trace_id)
    if not trace.prompt:
        raise RagError("The model was not asked in this trace, so there is nothing to ask again.")
    settings = Settings.model_validate_json(trace.settings).changed("generation", "temperature", temperature)
    model = workspace.chat_model(model_of(workspace, trace), settings.generation, collection=trace.collection)
    answers: list[tuple[str, float | None]] = []
    for number in range(samples):
        yield SampleProgress(trace_id, number, samples)
        written = Written()
        seeded = settings.changed("generation", "seed", 1_000 + number).generation
        for event in write(model, trace.prompt, seeded, written):
            if isinstance(event, Token):
                yield SampleProgress(trace_id, number, samples)
        known = [logprob for logprob in written.logprobs if logprob is not None]
        told = len(known) == len(written.logprobs)
        answers.append((written.answer.strip(), sum(known) if told else None))
    texts = [text for text, _ in answers]
    groups = group_by_meaning(texts, trace.question, workspace.encode, judge(workspace.detector, workspace))
    report = _report(trace_id, temperature, answers, groups)
    with workspace.store.session() as session:
        if session.get(Trace, trace_id) is not None:
            session.add(
                ConsistencyCheck(
                    trace_id=trace_id,
                    created_ms=now_ms(),
                    temperature=temperature,
                    samples=json.dumps([sample.__dict__ for sample in report.samples], ensure_ascii=False),
                    clusters=report.clusters,
                    agreement=report.agreement,
                    semantic_entropy=report.semantic_entropy,
                )
            )
    return report


Supports = Callable[[str, str], bool]
Encode = Callable[[list[str]], npt.NDArray[np.float32]]


def group_by_meaning(answers: Sequence[str], question: str, encode: Encode, supports: Supports) -> list[int]:
    """Return the group (n,) of each answer, numbered by first appearance.

    An answer joins the first group whose first member means the same.

    Args:
        answers: The answers (n,).
        question: The question that they answer.
        encode: Returns L2-normalised vectors (n, d).
        supports: supports(premise, answer) returns whether one answer contains the other.
    """
    if not answers:
        return []
    vectors = encode([answer[:1000] or " " for answer in answers])
    groups: list[int] = []
    heads: list[int] = []
    for number, answer in enumerate(answers):
        for group, head in enumerate(heads):
            cosine = float(vectors[number] @ vectors[head])
            if _same_meaning(answer, answers[head], cosine, supports):
                groups.append(group)
                break
        else:
            groups.append(len(heads))
            heads.append(number)
    return groups


def mean_the_same(workspace: Workspace, question: str, one: str, other: str) -> bool:
    """Return whether two answers to a question mean the same."""
    groups = group_by_meaning([one, other], question, workspace.encode, judge(workspace.detector, workspace))
    return groups[0] == groups[1]


def semantic_entropy(groups: Sequence[int]) -> float:
    """Return the discrete semantic entropy in nats: 0 when all mean the same, log n when each differs."""
    counts = np.bincount(np.asarray(groups, dtype=np.int64))
    p = counts[counts > 0] / len(groups)
    return float(abs(-(p * np.log(p)).sum()))


def _same_meaning(one: str, other: str, cosine: float, supports: Supports) -> bool:
    if one.split() == other.split():
        return True
    if is_refusal(one) or is_refusal(other):
        return is_refusal(one) and is_refusal(other)
    if cosine < SAME_COSINE or not same_figures(one, other):
        return False
    return cosine >= _SAME_TEXT or (supports(one, other) and supports(other, one))


def same_figures(one: str, other: str) -> bool:
    """Return whether no figure of the answer with fewer figures is missing in the other."""
    mine, theirs = quantities(one), quantities(other)
    fewer, more = sorted((mine, theirs), key=len)
    return all(any(same(a, b) for b in more) for a in fewer)


def judge(detector: Detector, workspace: Workspace) -> Supports:
    """Return a function that says whether a text contains what an answer claims."""

    def supports(premise: str, answer: str) -> bool:
        claims = detector.check("", answer, [premise], workspace.encode)
        return not any(claim.verdict.is_doubt and claim.verdict is not Verdict.CHECK for claim in claims)

    return supports


def _report(
    trace_id: str, temperature: float, answers: Sequence[tuple[str, float | None]], groups: Sequence[int]
) -> ConsistencyReport:
    sizes = np.bincount(np.asarray(groups))
    largest = int(np.argmax(sizes))
    common = {
        comparable(s.text)
        for (text, _), group in zip(answers, groups, strict=True)
        if group == largest
        for s in split_sentences(text)
    }
    samples = tuple(
        Sample(
            text,
            group,
            None if logprob is None else round(logprob, 3),
            ()
            if group == largest
            else tuple(
                s.text for s in split_sentences(text) if is_checkable(s) and comparable(s.text) not in common
            ),
        )
        for (text, logprob), group in zip(answers, groups, strict=True)
    )
    return ConsistencyReport(
        trace_id, temperature, samples, len(sizes), float(sizes[largest]) / len(answers),
        round(semantic_entropy(groups), 4), round(math.log(len(answers)), 4),
    )  # fmt: skip


def model_of(workspace: Workspace, trace: TraceDetail) -> Path:
    """Return what answered: the endpoint, the loaded file when it is the same, else a file of that name.

    Raises NotFoundError when there is none.
    """
    if trace.endpoint:
        return Path(find_endpoint(workspace.database, trace.endpoint).reference)
    loaded = workspace.loaded_model
    if loaded is not None and loaded.sha256 == trace.model_sha256:
        return loaded.path
    active = workspace.active_model_path()
    if active.stem == trace.model:  # it need not be in a folder that is searched
        return active
    return find_model(workspace.database, workspace.settings, trace.model)
