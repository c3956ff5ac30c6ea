"""CSV of spreadsheets: the delimiter and the columns are recognised, or the columns are mapped by hand.

A cell with several values contains one value per line, or a list as Python or JSON writes it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.assertions import Expected, read_written, take_assertion
from rag.evaluation.formats.cells import ANSWER_KEYS, QUESTION_KEYS, cell_value, text_of, texts_of
from rag.evaluation.formats.entries import (
    Account,
    Entry,
    Options,
    convert_each,
    has_content,
    write_text,
)
from rag.evaluation.formats.records import ANSWERED, RETRIEVED
from rag.evaluation.formats.tables import csv_headers, read_table
from rag.text.spreadsheets import BYTE_ORDER_MARK, guarded

__all__ = ["CSV_FIELDS", "csv_headers", "read_csv", "write_csv"]

# Fields of a case and the headers that are recognised as such, the surest first.
CSV_FIELDS = {
    "key": ("key", "id"),
    "question": ("question", "query", "user_input", "input", "inputs", "prompt"),
    "references": (
        "references", "reference", "ground_truth", "ground_truths", "expected_output", "expectedoutput",
        "expected_answer", "expected", "reference_answer", "outputs", "answer",
    ),
    "documents": ("documents", "document", "source"),
    "quotes": ("quotes", "reference_contexts", "context", "contexts"),
    "should_refuse": ("should_refuse", "is_impossible", "unanswerable"),
    "tags": ("tags",),
    "weight": ("weight",),
    "cluster": ("cluster",),
}  # fmt: skip
_REASONS = {
    "answer": ANSWERED, "response": ANSWERED, "actual_output": ANSWERED, "actualoutput": ANSWERED,
    "output": ANSWERED, "contexts": RETRIEVED, "retrieved_contexts": RETRIEVED,
    "retrieval_context": RETRIEVED, "retrievalcontext": RETRIEVED, "metadata": "a case has no metadata",
    "status": "archived items are read like others",
}  # fmt: skip
_LOGGED = ("response", "actual_output", "actualoutput", "contexts", "retrieved_contexts", "retrieval_context")
_EXPECTED = re.compile(r"__expected\d*")  # promptfoo's column of an assertion
_PLACE = re.compile(r"(?P<name>.+)#(?P<start>\d+)-(?P<end>\d+)")
_TRUE, _FALSE = ("true", "yes", "1", "y"), ("false", "no", "0", "n", "")


def read_csv(path: Path, options: Options) -> Iterator[Entry]:
    """Yield the cases of a CSV. Raises RagError when a column is unknown or none holds the question."""
    headers = csv_headers(path, options.delimiter)
    columns = _csv_columns(path, headers, options.columns)
    used = set(columns.values())

    def convert(row: dict[str, Any], account: Account) -> dict[str, Any]:
        cells = {field: row.get(header, "") for field, header in columns.items()}
        expected = Expected()
        for header, text in row.items():
            if header in used:
                continue
            if _EXPECTED.fullmatch(header) and has_content(text):
                take_assertion(read_written(text), expected, account)
            elif has_content(text):
                why = _REASONS.get(_folded(header), "no field of a case is called so; map it with --column")
                account.leave(header, why)
        return _csv_case(cells, expected, account)

    return convert_each(read_table(path, options), convert)


def _csv_columns(path: Path, headers: list[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the header of the column of each field: as mapped by hand, else the surest that is there."""
    found: dict[str, str] = {}
    for name, header in wanted.items():
        if name not in CSV_FIELDS:
            raise RagError(f"A case has no field {name}. Choose one of: {', '.join(CSV_FIELDS)}.")
        if header not in headers:
            raise RagError(f"{path.name} has no column “{header}”. Its columns: {', '.join(headers)}.")
        found[name] = header
    folded = {_folded(header): header for header in reversed(headers)}
    no_truth = _logged(set(folded))
    for name, known in CSV_FIELDS.items():
        match = next((folded[one] for one in known if one in folded and one not in no_truth), None)
        if name not in found and match is not None and match not in found.values():
            found[name] = match
    if "question" not in found:
        raise RagError(
            f"Say which column of {path.name} contains the question. Its columns: {', '.join(headers)}."
        )
    return found


def _logged(headers: set[str]) -> set[str]:
    """Return the headers that are the log of a system here: what it answered and retrieved is no truth.

    The contexts of a RAGAS 0.1 log were retrieved; those of its test sets, without an answer, are relevant.
    """
    answered = headers & {"answer", "response", "actual_output", "actualoutput"}
    if not answered or not headers & {*_LOGGED, "ground_truth", "ground_truths"}:
        return set()
    return {"answer", "contexts"}


def _folded(header: str) -> str:
    return header.strip().casefold().replace(" ", "_")


def _csv_case(cells: dict[str, str], expected: Expected, account: Account) -> dict[str, Any]:
    refuse = cells.get("should_refuse", "").strip().lower()
    if refuse not in (*_TRUE, *_FALSE):
        raise ValueError(f"should_refuse is “{refuse}”, neither true nor false")
    try:
        weight = float(cells.get("weight", "").strip() or 1)
    except ValueError:
        raise ValueError(f"weight is “{cells['weight']}”, not a number") from None

    def values(name: str) -> list[str]:
        value = cell_value(cells.get(name, ""), name)
        texts = value.split("\n") if isinstance(value, str) else value
        found, others = texts_of(texts, ANSWER_KEYS, name)
        for key in others:
            account.leave(f"{name}: {key}", "it is neither an answer nor a passage")
        return [text.strip(" ") for text in found]

    question, others = text_of(
        cell_value(cells.get("question", "").strip(), "question"), QUESTION_KEYS, "question"
    )
    for key in others:
        account.leave(f"question: {key}", "only the question itself is asked")
    judgements: list[dict[str, Any]] = [_csv_judgement(text) for text in values("documents")]
    judgements += [{"quote": text} for text in values("quotes")]
    return {
        "key": cells.get("key", "").strip(),
        "question": question,
        "references": [*values("references"), *expected.references],
        "judgements": judgements,
        "checks": expected.checks,
        "should_refuse": refuse in _TRUE or expected.should_refuse,
        "tags": values("tags"),
        "weight": weight,
        "cluster": cells.get("cluster", "").strip(),
    }


def _csv_judgement(text: str) -> dict[str, Any]:
    match = _PLACE.fullmatch(text)
    if match is None:
        return {"document": text}
    return {"document": match["name"], "start": int(match["start"]), "end": int(match["end"])}


def write_csv(cases: Sequence[Case], path: Path) -> None:
    """Write a row a case, for spreadsheets; a quote of a named document, grades and checks have no column."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for case in cases:
        named = [j for j in case.judgements if j.document]
        documents = [f"{j.document}#{j.start}-{j.end}" if j.end else j.document for j in named]
        quotes = [j.quote for j in case.judgements if not j.document]
        cells = [
            case.key,
            case.question,
            "\n".join(case.references),
            "\n".join(documents),
            "\n".join(quotes),
            "true" if case.should_refuse else "",
            "\n".join(case.tags),
            "" if case.weight == 1 else repr(case.weight),
            case.cluster,
        ]
        writer.writerow(map(guarded, cells))
    write_text(path, BYTE_ORDER_MARK + target.getvalue())
