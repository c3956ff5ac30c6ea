"""RAGAS data sets as JSONL: single-turn samples with reference contexts (Es et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Entry,
    Options,
    as_list,
    as_texts,
    convert_each,
    read_json_lines,
    required_text,
    write_json_lines,
)


def read_ragas(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each single-turn sample; conversations are problems."""
    return convert_each(read_json_lines(path), _ragas_case)


def _ragas_case(item: dict[str, Any]) -> dict[str, Any]:
    if isinstance(item.get("user_input"), list):
        raise ValueError("user_input is a conversation; only single questions are evaluated")
    quotes = as_texts(item.get("reference_contexts"), "reference_contexts")
    ids = [str(value) for value in as_list(item.get("reference_context_ids"), "reference_context_ids")]
    if quotes and ids and len(quotes) != len(ids):
        raise ValueError("reference_contexts and reference_context_ids differ in length")
    width = max(len(quotes), len(ids))
    pairs = zip(ids or [""] * width, quotes or [""] * width, strict=True)
    return {
        "question": required_text(item, "user_input"),
        "references": as_texts(item.get("reference"), "reference"),
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
