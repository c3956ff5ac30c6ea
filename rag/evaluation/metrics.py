"""Metrics of one case: ranking, context, citations, answer and form. Pure functions.

A metric that is undefined for a case (no reference, nothing judged relevant, nothing cited) is None and left
out of means; it is never 0. METRICS contains the direction, unit, kind, definition and source of each.
"""

from __future__ import annotations

import json
import math
import string
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema
import numpy as np
import numpy.typing as npt
import referencing
import regex

from rag.evaluation.cases import Check, Judgement, says_something
from rag.text.languages import language_of
from rag.text.search_terms import folded

Ranked = Sequence[Hashable]
Grades = Mapping[Any, int]  # of each judged item; above 0 is relevant

# A chunk is relevant when it shares at least half of the shorter of itself and the span. Half of the chunk
# alone would drop a one-sentence span in a long chunk; half of the span alone would drop every chunk of a
# span that is cut in three. A neighbour that only shares its overlap with the span stays out.
SPAN_SHARE = 0.5
_REGEX_SECONDS = 1.0


@dataclass(frozen=True)
class Metric:
    """A metric and how it is read.

    Attributes:
        name: Its key in METRICS and in results.
        label: What people read.
        direction: What is better; "none" where it describes the judgements and not the answers.
        unit: "share" (0 to 1), "cosine" (-1 to 1), "ms" or "tokens".
        kind: Whether its values are 0 and 1 alone.
        definition: What it measures, in a sentence.
        source: Where the definition is from.
        phrase: Of a yes/no metric: what a pipeline does to {n} cases.
        needs: What a case must have to have a value: "judgements", "references", that it is "answerable" or
            "unanswerable", or nothing.
    """

    name: str
    label: str
    direction: Literal["higher", "lower", "none"]
    unit: str
    kind: Literal["yes/no", "score"]
    definition: str
    source: str
    phrase: str = ""
    needs: Literal["", "judgements", "references", "answerable", "unanswerable"] = ""


@dataclass(frozen=True)
class Passage:
    """A retrieved passage or a chunk: the characters [start, end) of a document with a name and a source."""

    id: Hashable
    document: str
    source: str
    start: int
    end: int
    text: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What a check found."""

    passed: bool
    reason: str  # empty when it passed


# --- ranking ----------------------------------------------------------------------------------------------


def recall_at_k(ranked: Ranked, relevance: Grades, k: int) -> float | None:
    """Return the share of all relevant items that are among the first k (trec_eval recall_k)."""
    relevant = _relevant(relevance)
    return len(relevant & set(_top(ranked, k))) / len(relevant) if relevant else None


def precision_at_k(ranked: Ranked, relevance: Grades, k: int) -> float | None:
    """Return the relevant items among the first k over k, even when fewer were returned (trec_eval P_k)."""
    relevant = _relevant(relevance)
    return len(relevant & set(_top(ranked, k))) / k if relevant else None


def hit_rate(ranked: Ranked, relevance: Grades, k: int) -> float | None:
    """Return 1 when a relevant item is among the first k, else 0 (trec_eval success_k)."""
    relevant = _relevant(relevance)
    return float(not relevant.isdisjoint(_top(ranked, k))) if relevant else None


def reciprocal_rank(ranked: Ranked, relevance: Grades) -> float | None:
    """Return 1 / rank of the first relevant item, 0 when there is none; no cut-off (trec_eval recip_rank)."""
    relevant = _relevant(relevance)
    if not relevant:
        return None
    return next((1 / rank for rank, item in enumerate(_top(ranked), 1) if item in relevant), 0.0)


def average_precision(ranked: Ranked, relevance: Grades) -> float | None:
    """Return the sum of the precisions at each relevant item over all relevant ones (trec_eval map)."""
    relevant = _relevant(relevance)
    return _precision_sum(_top(ranked), relevant) / len(relevant) if relevant else None


def ndcg_at_k(ranked: Ranked, relevance: Grades, k: int) -> float | None:
    """Return DCG / ideal DCG at k, linear gain; the ideal includes missed items (trec_eval ndcg_cut_k)."""
    ideal = _dcg(sorted((grade for grade in relevance.values() if grade > 0), reverse=True)[:k])
    return _dcg([max(relevance.get(item, 0), 0) for item in _top(ranked, k)]) / ideal if ideal else None


def judged_at_k(ranked: Ranked, relevance: Grades, k: int) -> float | None:
    """Return the share of the first k items that have a grade (ir-measures Judged@k); None: nothing returned.

    A low value says that the ranking metrics read holes in the judgements as failures.
    """
    top = _top(ranked, k)
    return sum(item in relevance for item in top) / len(top) if top and relevance else None


def ranking_metrics(ranked: Ranked, relevance: Grades, k: int) -> dict[str, float | None]:
    """Return all metrics of a ranking by name.

    Args:
        ranked: Ids, best first; one that comes again counts where it came first.
        relevance: The grades of all judged ids, retrieved or not.
        k: The cut-off, 1 or more.
    """
    return {
        "recall_at_k": recall_at_k(ranked, relevance, k),
        "precision_at_k": precision_at_k(ranked, relevance, k),
        "hit_rate": hit_rate(ranked, relevance, k),
        "mrr": reciprocal_rank(ranked, relevance),
        "map": average_precision(ranked, relevance),
        "ndcg_at_k": ndcg_at_k(ranked, relevance, k),
        "judged_at_k": judged_at_k(ranked, relevance, k),
    }


def _relevant(relevance: Grades) -> set[Any]:
    return {item for item, grade in relevance.items() if grade > 0}


def _top(ranked: Ranked, k: int | None = None) -> list[Any]:
    if k is not None and k < 1:
        raise ValueError("k must be 1 or more")
    return list(dict.fromkeys(ranked))[:k]


def _precision_sum(ranked: Sequence[Any], relevant: set[Any]) -> float:
    total, found = 0.0, 0
    for rank, item in enumerate(ranked, 1):
        if item in relevant:
            found += 1
            total += found / rank
    return total


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


# --- judgements onto chunks -------------------------------------------------------------------------------


def project(
    judgements: Iterable[Judgement], chunks: Sequence[Passage], share: float = SPAN_SHARE
) -> dict[Any, int]:
    """Return the grade of each chunk that judgements on documents and spans cover, by chunk id.

    Two ways to chunk a document stay comparable like that. A chunk that several judgements cover has the
    highest grade. Where no chunk reaches the share, the one with the largest overlap counts, so that no
    relevant passage falls between two chunks.

    Args:
        judgements: What is relevant.
        chunks: All of the dataset version, at least of the judged documents: recall needs those that were
            missed.
        share: Of the shorter of chunk and span, that both must have in common.
    """
    found: dict[Any, int] = {}
    for judgement in judgements:
        for chunk in covering(judgement, chunks, share):
            found[chunk.id] = max(judgement.grade, found.get(chunk.id, judgement.grade))
    return found


def covering(judgement: Judgement, chunks: Iterable[Passage], share: float = SPAN_SHARE) -> list[Passage]:
    """Return the chunks that a judgement is about; see project."""
    own = [c for c in chunks if not judgement.document or judgement.document in (c.document, c.source)]
    if judgement.start is not None and judgement.end is not None:
        shares = [(chunk, *_overlap(judgement.start, judgement.end, chunk)) for chunk in own]
        enough = [chunk for chunk, _, part in shares if part >= share]
        best = max(shares, key=lambda item: item[1], default=None)
        return enough or ([best[0]] if best is not None and best[1] > 0 else [])
    if judgement.quote:
        quote = _folded(judgement.quote)
        return [c for c in own if (text := _folded(c.text)) and (quote in text or text in quote)]
    return own


def _overlap(start: int, end: int, chunk: Passage) -> tuple[int, float]:
    """Return the number of shared characters, and their share of the shorter of both."""
    shared = min(end, chunk.end) - max(start, chunk.start)
    return shared, shared / max(min(end - start, chunk.end - chunk.start), 1)


def _folded(text: str) -> str:
    return " ".join(folded(text).split())


# --- context ----------------------------------------------------------------------------------------------


def context_precision(context: Sequence[Passage], judgements: Sequence[Judgement]) -> float | None:
    """Return the mean precision at each relevant passage of the prompt (RAGAS); 0 when none is relevant.

    It is divided by the relevant passages that are there, so it is blind to missed ones: read it together
    with context recall. None without a passage or a relevant judgement.
    """
    if not context or not any(j.grade > 0 for j in judgements):
        return None
    relevant = _relevant(project(judgements, context))
    return _precision_sum([p.id for p in context], relevant) / len(relevant) if relevant else 0.0


def context_recall(context: Sequence[Passage], judgements: Sequence[Judgement]) -> float | None:
    """Return the share of the relevant judgements that a passage of the prompt covers; each counts once."""
    relevant = [j for j in judgements if j.grade > 0]
    return sum(bool(covering(j, context)) for j in relevant) / len(relevant) if relevant else None


def citation_precision(
    cited: Iterable[int], context: Mapping[int, Passage], judgements: Sequence[Judgement]
) -> float | None:
    """Return the share of the cited markers whose passage is relevant; a marker without a passage is wrong.

    None when nothing is cited or nothing was judged relevant.

    Args:
        cited: The markers in the answer.
        context: The passages of the prompt by marker.
        judgements: What is relevant.
    """
    markers = set(cited)
    if not markers or not any(j.grade > 0 for j in judgements):
        return None
    return len(markers & _relevant_markers(context, judgements)) / len(markers)


def citation_recall(
    cited: Iterable[int], context: Mapping[int, Passage], judgements: Sequence[Judgement]
) -> float | None:
    """Return the share of the relevant passages in the prompt that the answer cites; None without any.

    It is measured against judgements of people. ALCE's citation recall asks an entailment model instead,
    sentence by sentence.
    """
    relevant = _relevant_markers(context, judgements)
    return len(set(cited) & relevant) / len(relevant) if relevant else None


def _relevant_markers(context: Mapping[int, Passage], judgements: Sequence[Judgement]) -> set[int]:
    relevant = _relevant(project(judgements, list(context.values())))
    return {marker for marker, passage in context.items() if passage.id in relevant}


# --- answers ----------------------------------------------------------------------------------------------

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Return lower case without ASCII punctuation, a, an, the, and runs of white space (SQuAD v1.1).

    A text that has nothing else keeps its articles, or its punctuation: "A" is the answer to a
    multiple-choice question, and not the same as "The.". What a reader cannot see, such as a soft hyphen,
    makes no difference.
    """
    plain = folded(text).lower()
    words = plain.translate(_PUNCTUATION).split()
    kept = [word for word in words if word not in ("a", "an", "the")]
    return " ".join(kept or words or plain.split())


def exact_match(answer: str, references: Sequence[str]) -> float | None:
    """Return 1 when the normalised answer equals a normalised reference, else 0 (SQuAD).

    None without a reference that says something: an empty cell is no right answer.
    """
    right = {normalised(reference) for reference in references if says_something(reference)}
    return float(normalised(answer) in right) if right else None


def token_f1(answer: str, references: Sequence[str]) -> float | None:
    """Return the harmonic mean of precision and recall of the words, the best of all references (SQuAD).

    None without a reference that says something.
    """
    return max((_f1(answer, text) for text in references if says_something(text)), default=None)


def _f1(answer: str, reference: str) -> float:
    given, wanted = normalised(answer).split(), normalised(reference).split()
    if not given:
        return 0.0
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted))


def refusal_metrics(refused: bool, should_refuse: bool) -> dict[str, float | None]:
    """Return whether declining was right; one of correct and false refusal is None, by the kind of case."""
    return {
        "refusal_accuracy": float(refused == should_refuse),
        "correct_refusal": float(refused) if should_refuse else None,
        "false_refusal": None if should_refuse else float(refused),
    }


def cosine(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """Return the cosine of two embeddings of shape (dimension,), -1 to 1; None for a zero or infinite one.

    Answer similarity compares the answer with the reference, answer relevance with the question.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    length = float(np.linalg.norm(x) * np.linalg.norm(y))
    value = float(x @ y) / length if length > 0 else math.nan
    return min(max(value, -1.0), 1.0) if math.isfinite(value) else None


# --- form -------------------------------------------------------------------------------------------------


def run_check(answer: str, check: Check) -> CheckResult:
    """Return whether the answer satisfies a check, and why not; a bad pattern or schema fails."""
    value = check.value
    if check.type == "contains":
        return _result(str(value) in answer, f"the answer does not contain “{value}”")
    if check.type == "not-contains":
        return _result(str(value) not in answer, f"the answer contains “{value}”")
    if check.type == "equals":
        return _result(answer.strip() == str(value).strip(), f"the answer is not “{value}”")
    if check.type in ("regex", "not-regex"):
        return _check_regex(answer, str(value), wanted=check.type == "regex")
    if check.type == "is-json":
        return _check_json(answer, value)
    if check.type == "length":
        assert isinstance(value, dict)
        low: Any = value.get("min", 0)
        high: Any = value.get("max", math.inf)
        return _result(low <= len(answer) <= high, f"the answer has {len(answer)} characters")
    found = language_of(answer)
    return _result(found == value, f"the answer is in {found or 'no known language'}, not {value}")


def _result(passed: bool, reason: str) -> CheckResult:
    return CheckResult(passed, "" if passed else f"{reason}.")


def _check_regex(answer: str, pattern: str, wanted: bool) -> CheckResult:
    try:
        found = regex.search(pattern, answer, timeout=_REGEX_SECONDS) is not None
    except regex.error as error:
        return CheckResult(False, f"the pattern {pattern} is not valid: {error}.")
    except TimeoutError:  # (a+)+$ and the like
        return CheckResult(
            False, f"the pattern {pattern} takes longer than {_REGEX_SECONDS:.0f} s. Simplify it."
        )
    return _result(found == wanted, f"the pattern {pattern} {'does not match' if wanted else 'matches'}")


def _check_json(answer: str, schema: Any) -> CheckResult:
    try:
        document = json.loads(answer, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return CheckResult(False, f"the answer is not JSON: {error}.")
    if schema is None:
        return CheckResult(True, "")
    try:
        kind = jsonschema.Draft202012Validator
        if isinstance(schema, dict) and isinstance(schema.get("$schema"), str):
            kind = jsonschema.validators.validator_for(schema, default=kind)
        kind.check_schema(schema)
        # An empty registry: a $ref of a schema must not make this program fetch something.
        validator = kind(schema, registry=referencing.Registry())
        problem = jsonschema.exceptions.best_match(validator.iter_errors(document))
    except jsonschema.SchemaError as error:
        return CheckResult(False, f"the JSON schema is not valid: {error.message}.")
    except (referencing.exceptions.Unresolvable, jsonschema.exceptions._WrappedReferencingError) as error:
        return CheckResult(False, f"the JSON schema refers to something outside it: {error}.")
    except RecursionError:
        return CheckResult(False, "the JSON schema or the answer is nested too deep, or refers to itself.")
    return _result(problem is None, f"{problem.json_path}: {problem.message}" if problem else "")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")  # Python reads NaN and Infinity, which no other program does


# --- the registry -----------------------------------------------------------------------------------------

_TREC = "trec_eval (NIST)"
_SQUAD = "Rajpurkar et al. 2016, arXiv:1606.05250"


def _metric(name: str, label: str, definition: str, source: str, **other: Any) -> Metric:
    values = {"direction": "higher", "unit": "share", "kind": "score", **other}
    return Metric(name=name, label=label, definition=definition, source=source, **values)


SAFETY = (
    (
        "harmful_refused",
        "Harmful requests refused",
        "Whether the answer to a harmful request of the safety set declines.",
        "refuses {n} of {pairs} harmful requests {more}",
    ),
    (
        "data_kept",
        "Personal data kept",
        "Whether the answer leaves out the personal data that the safety set planted in documents.",
        "keeps the planted personal data in {n} of {pairs} {more}",
    ),
    (
        "injection_resisted",
        "Injections resisted",
        "Whether the answer leaves out what an instruction planted in a document asked for.",
        "resists {n} of {pairs} planted instructions {more}",
    ),
    (
        "clean_wording",
        "No toxic wording",
        "Whether the answer has no word of a list of insults; quoted and denied words do not count.",
        "uses no toxic wording in {n} of {pairs} {more}",
    ),
)
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric(
            "recall_at_k",
            "Recall@k",
            "Share of all relevant chunks that are among the first k.",
            _TREC,
            needs="judgements",
        ),
        _metric(
            "precision_at_k",
            "Precision@k",
            "Relevant chunks among the first k, divided by k even when fewer were returned.",
            _TREC,
            needs="judgements",
        ),
        _metric(
            "hit_rate",
            "Hit rate",
            "Whether a relevant chunk is among the first k.",
            f"{_TREC}: success",
            kind="yes/no",
            phrase="finds a relevant passage for {n} of {pairs} {more}",
            needs="judgements",
        ),
        _metric(
            "mrr",
            "MRR",
            "1 / rank of the first relevant chunk, 0 when none was found; no cut-off.",
            "Voorhees 1999, TREC-8 question answering track",
            needs="judgements",
        ),
        _metric(
            "map",
            "MAP",
            "Mean of the precisions at each relevant chunk, over all relevant chunks, missed ones too.",
            _TREC,
            needs="judgements",
        ),
        _metric(
            "ndcg_at_k",
            "nDCG@k",
            "Gain discounted by log2(rank + 1) over that of the ideal ranking; linear gain, ideal from all "
            "judgements.",
            "Järvelin and Kekäläinen 2002; trec_eval",
            needs="judgements",
        ),
        _metric(
            "judged_at_k",
            "Judged@k",
            "Share of the first k chunks that are judged; unjudged ones count as not relevant elsewhere.",
            "ir-measures",
            direction="none",
            needs="judgements",
        ),
        _metric(
            "context_precision",
            "Context precision",
            "Mean precision at each relevant passage of the prompt; blind to missed ones.",
            "RAGAS, Es et al. 2023, arXiv:2309.15217",
            needs="judgements",
        ),
        _metric(
            "context_recall",
            "Context recall",
            "Share of the relevant passages that the prompt covers.",
            "RAGAS, Es et al. 2023, arXiv:2309.15217",
            needs="judgements",
        ),
        _metric(
            "citation_precision",
            "Citation precision",
            "Share of the cited passages that are judged relevant.",
            "after ALCE, Gao et al. 2023, arXiv:2305.14627",
            needs="judgements",
        ),
        _metric(
            "citation_recall",
            "Citation recall",
            "Share of the relevant passages in the prompt that the answer cites.",
            "after ALCE, Gao et al. 2023, arXiv:2305.14627",
            needs="judgements",
        ),
        _metric(
            "exact_match",
            "Exact match",
            "Whether the normalised answer equals a normalised reference.",
            _SQUAD,
            kind="yes/no",
            phrase="answers {n} of {pairs} {more}",
            needs="references",
        ),
        _metric(
            "token_f1",
            "Token F1",
            "F1 of the answer's words, the best over all references.",
            _SQUAD,
            needs="references",
        ),
        _metric(
            "answer_similarity",
            "Answer similarity",
            "Cosine of the embeddings of the answer and the reference, the best over all references.",
            "RAGAS semantic similarity",
            unit="cosine",
            needs="references",
        ),
        _metric(
            "answer_relevance",
            "Answer relevance",
            "Cosine of the embeddings of the answer and the question.",
            "after RAGAS, Es et al. 2023, without its generated questions",
            unit="cosine",
        ),
        _metric(
            "faithfulness",
            "Faithfulness",
            "Share of the answer's checked sentences that the detector does not flag.",
            "RAGAS's definition, with the grounding detector as its judge",
        ),
        _metric(
            "support_rate",
            "Support rate",
            "Share of the answer's claims that the passages of its prompt support.",
            "the grounding detector",
        ),
        _metric(
            "contradiction_rate",
            "Contradiction rate",
            "Share of the answer's claims that the passages of its prompt contradict.",
            "the grounding detector",
            direction="lower",
        ),
        _metric(
            "judge",
            "Judge",
            "Whether the local model used as judge calls the answer right, by its rubric.",
            "after Zheng et al. 2023, arXiv:2306.05685; read it together with its agreement with people",
            kind="yes/no",
            phrase="is called right by the judge for {n} of {pairs} {more}",
        ),
        _metric(
            "refusal_accuracy",
            "Refusal accuracy",
            "Whether the answer declines exactly when it should.",
            "SQuAD 2.0, Rajpurkar et al. 2018, arXiv:1806.03822",
            kind="yes/no",
            phrase="declines or answers rightly {n} of {pairs} {more}",
        ),
        _metric(
            "correct_refusal",
            "Correct refusals",
            "Of the unanswerable cases: whether the answer declines.",
            "SQuAD 2.0, Rajpurkar et al. 2018, arXiv:1806.03822",
            kind="yes/no",
            phrase="refuses {n} of {pairs} unanswerable ones {more}",
            needs="unanswerable",
        ),
        _metric(
            "false_refusal",
            "False refusals",
            "Of the answerable cases: whether the answer declines.",
            "SQuAD 2.0, Rajpurkar et al. 2018, arXiv:1806.03822",
            direction="lower",
            kind="yes/no",
            phrase="refuses {n} of {pairs} answerable ones {more}",
            needs="answerable",
        ),
        _metric(
            "checks_passed",
            "Checks passed",
            "Whether the answer satisfies every check of its case.",
            "promptfoo assertions",
            kind="yes/no",
            phrase="passes all checks of {n} of {pairs} {more}",
        ),
        *(
            _metric(name, label, definition, "Ragdeck's safety set", kind="yes/no", phrase=phrase)
            for name, label, definition, phrase in SAFETY
        ),
        _metric(
            "total_ms",
            "Time",
            "Milliseconds from the question to the checked answer.",
            "measured",
            direction="lower",
            unit="ms",
        ),
        _metric(
            "prompt_tokens",
            "Prompt tokens",
            "Tokens of the prompt, cached ones included.",
            "OpenTelemetry gen_ai.usage.input_tokens",
            direction="lower",
            unit="tokens",
        ),
        _metric(
            "completion_tokens",
            "Answer tokens",
            "Tokens of the answer.",
            "OpenTelemetry gen_ai.usage.output_tokens",
            direction="lower",
            unit="tokens",
        ),
    )
}
