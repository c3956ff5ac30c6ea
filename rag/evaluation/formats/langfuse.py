"""Items of a data set of Langfuse, Opik or LangSmith, as JSON, JSON Lines or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.evaluation.cases import Case
from rag.evaluation.formats.cells import ANSWER_KEYS, QUESTION_KEYS, text_of, texts_of
from rag.evaluation.formats.entries import Account, Entry, Options, convert_each, write_text
from rag.evaluation.formats.records import ANSWERED, read_records

_INPUT = ("input", "inputs")
_OUTPUT = ("expectedOutput", "expected_output", "outputs", "reference_outputs")
_REASONS = {
    "metadata": "a case has no metadata",
    "status": "archived items are read like others",
    "output": ANSWERED,
}


def read_langfuse(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each item; an input that is an object has the question under a usual name."""
    return convert_each(read_records(path, options, "items", "data", "examples"), _langfuse_case)


def _langfuse_case(item: dict[str, Any], account: Account) -> dict[str, Any]:
    asked = next((name for name in _INPUT if item.get(name)), "")
    if not asked:
        raise ValueError("input is missing")
    told = next((name for name in _OUTPUT if item.get(name)), "expectedOutput")
    question, rest = text_of(item[asked], QUESTION_KEYS, asked)
    references, others = texts_of(item.get(told), ANSWER_KEYS, told)
    metadata = item.get("metadata")
    kept = metadata.get("ragdeck") if isinstance(metadata, dict) else None
    kept = kept if isinstance(kept, dict) else {}
    for key in rest:
        account.leave(f"{asked}: {key}", "only the question itself is asked")
    for key in others:
        account.leave(f"{told}: {key}", "it is not an answer")
    is_own = bool(kept) and isinstance(metadata, dict) and set(metadata) == {"ragdeck"}
    account.leave_others(item, ("id", asked, told, *["metadata"] * is_own), _REASONS)
    return {**kept, "key": str(item.get("id") or ""), "question": question, "references": references}


def write_langfuse(cases: Sequence[Case], path: Path) -> None:
    """Write a list of items; what Langfuse has no place for goes into their metadata."""
    items = []
    for case in cases:
        kept = case.model_dump(
            mode="json", exclude_defaults=True, exclude={"key", "question", "references", "origin"}
        )
        answers = list(case.references)
        items.append(
            {
                "id": case.key,
                "input": {"question": case.question},
                "expectedOutput": answers if len(answers) > 1 else "".join(answers),
                "metadata": {"ragdeck": kept} if kept else None,
            }
        )
    write_text(path, json.dumps(items, ensure_ascii=False, indent=1))
