"""DeepEval goldens and test cases as JSON, JSON Lines or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Account,
    Entry,
    Options,
    as_texts,
    convert_each,
    read_json,
    required_text,
    write_text,
)
from rag.evaluation.formats.records import ANSWERED, RETRIEVED, TABLES, read_records

_TOOLS = "no tools are called"
_REASONS = {
    "actual_output": ANSWERED, "actualOutput": ANSWERED, "retrieval_context": RETRIEVED,
    "retrievalContext": RETRIEVED, "tools_called": _TOOLS, "toolsCalled": _TOOLS, "expected_tools": _TOOLS,
    "expectedTools": _TOOLS, "additional_metadata": "a case has no metadata",
    "additionalMetadata": "a case has no metadata", "comments": "a case has no comments",
}  # fmt: skip
_USED = ("input", "expected_output", "expectedOutput", "context", "source_file", "sourceFile", "name")
_SEPARATOR = "|"  # between the contexts in a cell of DeepEval's own CSV


def read_deepeval(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each golden of a JSON list, of an object that contains one, of JSON Lines or of a CSV.

    Names may be in snake_case or camelCase. Raises RagError when the file has no list.
    """
    is_table = path.suffix.lower() in TABLES
    if path.suffix.lower() == ".json":
        data = read_json(path)
        lists = (data.get("goldens"), data.get("data")) if isinstance(data, dict) else (data,)
        if not any(isinstance(one, list) for one in lists):
            raise RagError(f"{path.name} is not a list of DeepEval goldens.")

    def convert(item: dict[str, Any], account: Account) -> dict[str, Any]:
        if is_table and isinstance(item.get("context"), str):
            item = {**item, "context": item["context"].split(_SEPARATOR)}
        return _deepeval_case(item, account)

    return convert_each(read_records(path, options, "goldens", "data"), convert)


def _deepeval_case(item: dict[str, Any], account: Account) -> dict[str, Any]:
    if "scenario" in item:
        raise ValueError("this is a conversational golden; only single questions are evaluated")
    source = item.get("source_file", item.get("sourceFile")) or ""
    quotes = as_texts(item.get("context"), "context")
    judgements = [{"document": source, "quote": quote} for quote in quotes]
    account.leave_others(item, _USED, _REASONS)
    return {
        "key": str(item.get("name") or ""),
        "question": required_text(item, "input"),
        "references": as_texts(item.get("expected_output", item.get("expectedOutput")), "expected_output"),
        "judgements": judgements or ([{"document": source}] if source else []),
        "cluster": source,
    }


def write_deepeval(cases: Sequence[Case], path: Path) -> None:
    """Write a list of goldens, each with its first reference and the quotes that are relevant."""
    items = []
    for case in cases:
        quotes = [j.quote for j in case.judgements if j.quote and j.grade > 0]
        document = case.cluster or next((j.document for j in case.judgements if j.document), None)
        items.append(
            {
                "input": case.question,
                "expected_output": case.references[0] if case.references else None,
                "context": quotes or None,
                "source_file": document,
                "name": case.key,
            }
        )
    write_text(path, json.dumps(items, ensure_ascii=False, indent=1))
