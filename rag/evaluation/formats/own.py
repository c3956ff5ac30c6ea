"""This program's own JSONL: one case a line, as rag.evaluation.cases.Case."""

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
    write_json_lines,
)


def read_own(path: Path, options: Options) -> Iterator[Entry]:
    """Yield the cases of a JSONL file."""
    return convert_each(read_json_lines(path), _own_case)


def _own_case(item: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a case, also from the short form {"question": …, "documents": [name, …]}."""
    if "documents" not in item:
        return item
    names = as_texts(item["documents"], "documents")
    rest = {key: value for key, value in item.items() if key != "documents"}
    more = [{"document": name} for name in names]
    return {**rest, "judgements": [*as_list(item.get("judgements"), "judgements"), *more]}


def write_own(cases: Sequence[Case], path: Path) -> None:
    """Write one case a line, without values that are the default."""
    write_json_lines(path, (case.model_dump(mode="json", exclude_defaults=True) for case in cases))
