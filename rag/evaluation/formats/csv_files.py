"""CSV of spreadsheets: the delimiter and the columns are recognised, or the columns are mapped by hand.

A cell with several values contains one value per line.
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
from rag.evaluation.formats.entries import Entry, Options, Problem, read_text, write_text
from rag.text.spreadsheets import BYTE_ORDER_MARK, guarded, unguarded

# Fields of a case and the headers that are recognised as such.
CSV_FIELDS = {
    "key": ("key", "id"),
    "question": ("question", "query", "user_input", "input", "prompt"),
    "references": ("references", "reference", "answer", "expected_output", "ground_truth"),
    "documents": ("documents", "document", "source"),
    "quotes": ("quotes", "reference_contexts", "contexts", "context"),
    "should_refuse": ("should_refuse", "is_impossible", "unanswerable"),
    "tags": ("tags",),
    "weight": ("weight",),
    "cluster": ("cluster",),
}
_PLACE = re.compile(r"(?P<name>.+)#(?P<start>\d+)-(?P<end>\d+)")
_TRUE, _FALSE = ("true", "yes", "1", "y"), ("false", "no", "0", "n", "")


def csv_headers(path: Path) -> list[str]:
    """Return the headers of a CSV, for a mapping by hand. Raises RagError when it cannot be read."""
    return next(_csv_rows(path), ("", []))[1]


def _csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the cells of each row that is not blank."""
    text = read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise RagError(f"{path.name}, line {begin}: this is not a row of a CSV ({error}).") from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield f"line {begin}", row


def read_csv(path: Path, options: Options) -> Iterator[Entry]:
    """Yield the cases of a CSV. Raises RagError when a column is unknown or none holds the question."""
    rows = _csv_rows(path)
    _, headers = next(rows, ("", []))
    places = _csv_columns(path, [unguarded(header.strip()) for header in headers], options.columns)
    for place, row in rows:
        if len(row) > len(headers):
            yield place, Problem(place, f"{len(row)} cells under {len(headers)} headers; quote the delimiter")
            continue
        cells = {name: unguarded(row[n].strip()) for name, n in places.items() if n < len(row)}
        try:
            yield place, _csv_case(cells)
        except ValueError as error:
            yield place, Problem(place, str(error))


def _csv_columns(path: Path, headers: list[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """Return the number of the column of each field: as mapped by hand, else by its header."""
    found: dict[str, int] = {}
    for name, header in wanted.items():
        if name not in CSV_FIELDS:
            raise RagError(f"A case has no field {name}. Choose one of: {', '.join(CSV_FIELDS)}.")
        if header not in headers:
            raise RagError(f"{path.name} has no column “{header}”. Its columns: {', '.join(headers)}.")
        found[name] = headers.index(header)
    folded = [header.casefold().replace(" ", "_") for header in headers]
    for name, known in CSV_FIELDS.items():
        match = next((folded.index(header) for header in known if header in folded), None)
        if name not in found and match is not None and match not in found.values():
            found[name] = match
    if "question" not in found:
        raise RagError(
            f"Say which column of {path.name} contains the question. Its columns: {', '.join(headers)}."
        )
    return found


def _csv_case(cells: dict[str, str]) -> dict[str, Any]:
    refuse = cells.get("should_refuse", "").lower()
    if refuse not in (*_TRUE, *_FALSE):
        raise ValueError(f"should_refuse is “{refuse}”, neither true nor false")
    try:
        weight = float(cells.get("weight") or 1)
    except ValueError:
        raise ValueError(f"weight is “{cells['weight']}”, not a number") from None

    def values(name: str) -> list[str]:
        return [line.strip(" ") for line in cells.get(name, "").split("\n") if line.strip()]

    judgements: list[dict[str, Any]] = [_csv_judgement(text) for text in values("documents")]
    judgements += [{"quote": text} for text in values("quotes")]
    return {
        "key": cells.get("key", ""),
        "question": cells.get("question", ""),
        "references": values("references"),
        "judgements": judgements,
        "should_refuse": refuse in _TRUE,
        "tags": values("tags"),
        "weight": weight,
        "cluster": cells.get("cluster", ""),
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
