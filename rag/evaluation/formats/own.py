"""This program's own JSONL: one case a line, as rag.evaluation.cases.Case."""

from __future__ import annotations

import difflib
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
    read_objects,
    write_json_lines,
)

_KEYS = (*Case.model_fields, "documents")


def read_own(path: Path, options: Options) -> Iterator[Entry]:
    """Yield the cases of a file with one object a line, or of a JSON list of them."""
    return convert_each(read_objects(path, "cases"), _own_case)


def _own_case(item: dict[str, Any], _account: Account) -> dict[str, Any]:
    """Return the values of a case, also from the short form {"question": …, "documents": [name, …]}.

    A key that is not known is a mistake: it is likely a misspelt one, and what it says would be lost.
    """
    unknown = next((key for key in item if key not in _KEYS), None)
    if unknown is not None:
        near = difflib.get_close_matches(unknown, _KEYS, 1, 0.75)
        raise ValueError(f"a case has no {unknown}" + (f"; it has {near[0]}" if near else ""))
    if isinstance(item.get("references"), str):
        item = {**item, "references": [item["references"]]}
    if "documents" not in item:
        return item
    names = as_texts(item["documents"], "documents")
    rest = {key: value for key, value in item.items() if key != "documents"}
    more = [{"document": name} for name in names]
    return {**rest, "judgements": [*as_list(item.get("judgements"), "judgements"), *more]}


def write_own(cases: Sequence[Case], path: Path) -> None:
    """Write one case a line, without values that are the default."""
    write_json_lines(path, (case.model_dump(mode="json", exclude_defaults=True) for case in cases))
