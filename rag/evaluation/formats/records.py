"""Records of other programs, whether they are JSON, JSON Lines or the rows of a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.evaluation.formats.cells import cell_value
from rag.evaluation.formats.entries import Options, Problem, read_objects
from rag.evaluation.formats.tables import read_table

TABLES = (".csv", ".tsv")
# Why what a system did is no truth about a question.
ANSWERED = "it is what a system answered, not what is right"
RETRIEVED = "it is what a system retrieved, not what is relevant"


def read_records(path: Path, options: Options, *lists: str) -> Iterator[tuple[str, Any]]:
    """Yield the place and the object of each record, or what is wrong with it.

    Lists and objects in the cells of a table are read as such. `lists` names where an object may have them.
    """
    if path.suffix.lower() not in TABLES:
        yield from read_objects(path, *lists)
        return
    for place, row in read_table(path, options):
        if isinstance(row, Problem):
            yield place, row
            continue
        try:
            yield place, {header: cell_value(text, header) for header, text in row.items()}
        except ValueError as error:
            yield place, Problem(place, str(error))
