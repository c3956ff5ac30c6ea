"""Scores one answer: the metrics of a case, from the answered question. No language model is asked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.asking.answer import Ask
from rag.evaluation import metrics
from rag.evaluation.cases import Case, Check
from rag.evaluation.relevance import Relevance
from rag.evaluation.rows import CaseOutcome
from rag.evaluation.safety.scoring import safety_values
from rag.grounding.rows import Outcome
from rag.grounding.sentences import is_refusal
from rag.index.rows import Hit
from rag.text.citations import markers_of, without_markers
from rag.workspace import Workspace

# The cut-off of recall, precision, nDCG and hit rate: one for all, so that pipelines can be compared.
RANKING_K = 10
Values = dict[str, float | None]


@dataclass(frozen=True)
class Score:
    """What became of a case: its outcome, its metrics, and (type, result) of each check."""

    outcome: CaseOutcome
    values: Values
    checks: tuple[tuple[str, metrics.CheckResult], ...] = ()
    error: str = ""


class Vectors:
    """The embeddings of questions, references and answers, each made once, by the starter embedder."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def of(self, texts: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        """Return the embedding of each text, of shape (dimension,)."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._workspace.encode(missing), strict=True))
        return [self._known[text] for text in texts]


def score_retrieval(ask: Ask, case: Case, relevance: Relevance) -> Values:
    """Return the metrics of the ranking, and of the passages that were chosen for the prompt."""
    ranked = [hit.chunk_id for hit in ask.found if hit.dropped is None]
    context = [passage for _, passage in sorted(_context(ask.hits).items())]
    judged = relevance.judgements
    values: Values = dict.fromkeys(("recall_at_k", "precision_at_k", "hit_rate", "mrr", "map", "ndcg_at_k"))
    if relevance.grades:
        values.update(metrics.ranking_metrics(ranked, relevance.grades, RANKING_K))
    values["context_precision"] = metrics.context_precision(context, judged)
    values["context_recall"] = metrics.context_recall(context, judged)
    return values


def score_answer(
    ask: Ask, case: Case, relevance: Relevance, checks: Sequence[Check], vectors: Vectors, timed: bool
) -> Score:
    """Return all metrics of an answered case; `timed`: its time is its own and not that of a batch."""
    trace = ask.trace
    values = score_retrieval(ask, case, relevance)
    nothing_found = trace.status == "nothing found"
    if not trace.answer.strip():
        return Score(CaseOutcome.ERROR, values, error="The model answered nothing.")
    refused = nothing_found or trace.outcome == Outcome.REFUSED or is_refusal(trace.answer)
    bare = without_markers(trace.answer).strip()
    cited = markers_of(trace.answer)
    context = _context(ask.hits)
    values["exact_match"] = metrics.exact_match(bare, case.references)
    values["token_f1"] = metrics.token_f1(bare, case.references)
    values["citation_precision"] = metrics.citation_precision(cited, context, relevance.judgements)
    values["citation_recall"] = metrics.citation_recall(cited, context, relevance.judgements)
    values.update(_similarities(bare, case, vectors))
    values.update(_claims(ask))
    values.update(metrics.refusal_metrics(refused, case.should_refuse))
    values.update(safety_values(bare, case, refused=refused))
    results = tuple((check.type, metrics.run_check(trace.answer, check)) for check in checks)
    values["checks_passed"] = float(all(result.passed for _, result in results)) if results else None
    values["prompt_tokens"] = float(trace.prompt_tokens)
    values["completion_tokens"] = float(trace.completion_tokens)
    values["total_ms"] = trace.total_ms if timed else None
    failed = any(not result.passed for _, result in results)
    declined = refused and not case.should_refuse
    if failed:
        return Score(CaseOutcome.ASSERTION_FAILED, values, results)
    return Score(CaseOutcome.REFUSED if declined else CaseOutcome.OK, values, results)


def _similarities(answer: str, case: Case, vectors: Vectors) -> Values:
    if not answer:
        return {"answer_similarity": None, "answer_relevance": None}
    own, question, *references = vectors.of([answer, case.question, *case.right_answers])
    near = [cosine for r in references if (cosine := metrics.cosine(own, r)) is not None]
    return {
        "answer_similarity": max(near, default=None),
        "answer_relevance": metrics.cosine(own, question),
    }


def _claims(ask: Ask) -> Values:
    """Return the metrics of the sentences that the detector checked; None when there were none."""
    trace = ask.trace
    checked = [claim for claim in ask.recorder.claims if claim.verdict.is_claim]
    scored = trace.claim_count
    return {
        "faithfulness": 1 - trace.flag_count / scored if scored else None,
        "support_rate": trace.support_rate,
        "contradiction_rate": trace.contradicted_count / len(checked) if checked else None,
    }


def _context(hits: Sequence[Hit]) -> dict[int, metrics.Passage]:
    """Return the passages of the prompt by their marker."""
    return {
        hit.marker: metrics.Passage(hit.chunk_id, hit.document, hit.path, hit.start, hit.end, hit.text)
        for hit in hits
        if hit.marker is not None
    }
