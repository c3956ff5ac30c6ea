"""RAGAS data sets as JSON Lines, JSON or CSV: single-turn samples, and logs of version 0.1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Account,
    Entry,
    Options,
    as_list,
    as_texts,
    convert_each,
    has_content,
    required_text,
    write_json_lines,
)
from rag.evaluation.formats.records import ANSWERED, RETRIEVED, read_records

_REASONS = {
    "response": ANSWERED, "multi_responses": ANSWERED, "answer": ANSWERED,
    "retrieved_contexts": RETRIEVED, "retrieved_context_ids": RETRIEVED, "contexts": RETRIEVED,
    "rubrics": "rubrics need a model that grades", "reference_topics": "topics are of conversations",
    "reference_tool_calls": "no tools are called",
}  # fmt: skip
_TRUTHS = ("reference", "ground_truth", "ground_truths")


def read_ragas(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each single-turn sample; conversations are problems."""
    return convert_each(read_records(path, options), _ragas_case)


def _ragas_case(item: dict[str, Any], account: Account) -> dict[str, Any]:
    if isinstance(item.get("user_input"), list):
        raise ValueError("user_input is a conversation; only single questions are evaluated")
    # Version 0.1 had other names, and the answer of the system beside the truth.
    is_old = "user_input" not in item and "question" in item
    question = "question" if is_old else "user_input"
    truth = next((name for name in _TRUTHS if has_content(item.get(name))), "reference")
    contexts = "reference_contexts"
    if is_old and not has_content(item.get(contexts)) and not has_content(item.get("answer")):
        contexts = "contexts"  # of a generated test set they are what a question was made from
    quotes = as_texts(item.get(contexts), contexts)
    ids = [str(value) for value in as_list(item.get("reference_context_ids"), "reference_context_ids")]
    if quotes and ids and len(quotes) != len(ids):
        raise ValueError("reference_contexts and reference_context_ids differ in length")
    width = max(len(quotes), len(ids))
    pairs = zip(ids or [""] * width, quotes or [""] * width, strict=True)
    account.leave_others(item, (question, truth, contexts, "reference_context_ids"), _REASONS)
    return {
        "question": required_text(item, question),
        "references": as_texts(item.get(truth), truth),
        "judgements": [{"document": document, "quote": quote} for document, quote in pairs],
    }


def write_ragas(cases: Sequence[Case], path: Path) -> None:
    """Write a sample a case, with its first reference and its relevant passages."""

    def plain(case: Case) -> dict[str, Any]:
        relevant = [j for j in case.judgements if j.grade > 0]
        item: dict[str, Any] = {"user_input": case.question}
        if case.references:
            item["reference"] = case.references[0]
        if relevant and all(j.quote for j in relevant):
            item["reference_contexts"] = [j.quote for j in relevant]
        if relevant and all(j.document for j in relevant):
            item["reference_context_ids"] = [j.document for j in relevant]
        return item

    write_json_lines(path, map(plain, cases))
