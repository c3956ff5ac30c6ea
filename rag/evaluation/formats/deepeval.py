"""DeepEval goldens as JSON or JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Entry,
    Options,
    as_texts,
    convert_each,
    read_json,
    read_json_lines,
    required_text,
    write_text,
)


def read_deepeval(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each golden of a JSON list, of an object that contains one, or of JSONL.

    Names may be in snake_case or camelCase. Raises RagError when the file has no list.
    """
    if path.suffix.lower() == ".jsonl":
        return convert_each(read_json_lines(path), _deepeval_case)
    data = read_json(path)
    if isinstance(data, dict):
        data = data.get("goldens", data.get("data"))
    if not isinstance(data, list):
        raise RagError(f"{path.name} is not a list of DeepEval goldens.")
    return convert_each(((f"item {number}", item) for number, item in enumerate(data, 1)), _deepeval_case)


def _deepeval_case(item: dict[str, Any]) -> dict[str, Any]:
    if "scenario" in item:
        raise ValueError("this is a conversational golden; only single questions are evaluated")
    source = item.get("source_file", item.get("sourceFile")) or ""
    quotes = as_texts(item.get("context"), "context")
    judgements = [{"document": source, "quote": quote} for quote in quotes]
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
