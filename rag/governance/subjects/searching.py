"""Searches every text column of every table for a person or identifier, and exports what was found.

The columns are those that are marked as text in rag.storage.tables: a test holds that none is without a mark.
Spelling of case, accents and spaces does not matter; in JSON, escaped letters are found as well.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from sqlalchemy import Table

from rag.errors import RagError
from rag.governance.audit.exporting import write_whole
from rag.governance.subjects.rows import SubjectHit, SubjectReport
from rag.knowledge.rows import VersionProgress
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.contents import Content, content_of, marked_columns
from rag.text.plurals import counted
from rag.text.spreadsheets import guarded
from rag.workspace import Workspace

SHORTEST = 3  # letters of a term: fewer are found everywhere
MOST_SHOWN = 2_000
_AROUND = 80  # letters of an excerpt before and after
_PAGE = 500
_KEYS = ("trace_id", "id", "name", "run_id", "case_key", "number")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def search_subject(
    workspace: Workspace, terms: Sequence[str]
) -> Generator[VersionProgress, None, SubjectReport]:
    """Find every text that mentions one of the terms. That somebody searched is logged, not for what.

    Args:
        workspace: The open data folder.
        terms: Names, addresses, numbers: other spellings of the same person count as one search.

    Raises:
        RagError: There is no term, or one has fewer than three letters.
    """
    report = yield from _search(workspace, terms, whole=False)
    _log(workspace, audit_log.Action.SUBJECT_SEARCHED, report)
    shown = report.hits[:MOST_SHOWN]
    return replace(report, hits=shown, left_out=len(report.hits) - len(shown))


def export_subject(
    workspace: Workspace, terms: Sequence[str], file: str
) -> Generator[VersionProgress, None, SubjectReport]:
    """Write every text that mentions one of the terms, whole, to a .json or .csv file.

    Raises:
        RagError: As search_subject does, or the file has another ending or cannot be written.
    """
    path = Path(file).expanduser().absolute()
    if path.suffix.lower() not in (".json", ".csv"):
        raise RagError(f"{path.name} says no format. End the name of the file with .json or .csv.")
    report = yield from _search(workspace, terms, whole=True)
    text = _json(terms, report) if path.suffix.lower() == ".json" else _csv(report.hits)
    write_whole(path, text)
    _log(workspace, audit_log.Action.SUBJECT_EXPORTED, report, audit_log.fingerprint(text))
    shown = tuple(replace(hit, text="") for hit in report.hits[:MOST_SHOWN])
    return replace(report, hits=shown, left_out=len(report.hits) - len(shown), path=str(path))


def _search(
    workspace: Workspace, terms: Sequence[str], whole: bool
) -> Generator[VersionProgress, None, SubjectReport]:
    wanted = {folded(term): term.strip() for term in terms if term.strip()}
    if not wanted:
        raise RagError("Name the person or the identifier to search for.")
    if short := [term for key, term in wanted.items() if len(key) < SHORTEST]:
        raise RagError(f"“{short[0]}” would be found everywhere. Give at least {SHORTEST} letters.")
    tables = list(marked_columns(*Content))
    hits: list[SubjectHit] = []
    cells = 0
    for number, (table, columns) in enumerate(tables):
        yield VersionProgress(f"searching {table.name}", number, len(tables))
        last = -1
        while True:
            rows, last = _read(workspace, table, columns, last)
            if not rows:
                break
            for row in rows:
                cells += sum(1 for value in row[2:] if value)
                hits.extend(_hits(table, columns, row, wanted, whole))
            yield VersionProgress(f"searching {table.name}", number, len(tables))
    return SubjectReport(tuple(hits), cells, sum(len(columns) for _, columns in tables))


def _read(
    workspace: Workspace, table: Table, columns: Sequence[str], after: int
) -> tuple[list[tuple[object, ...]], int]:
    """Return the next rows of a table, as (rowid, key, columns…), and the last rowid."""
    key = next((f'"{name}"' for name in _KEYS if name in table.columns), "rowid")
    names = ", ".join(f'"{name}"' for name in columns)
    rows = workspace.database.cells(
        f'SELECT rowid, {key}, {names} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid LIMIT {_PAGE}',
        (after,),
    )
    return rows, int(rows[-1][0]) if rows else after


def _hits(
    table: Table, columns: Sequence[str], row: tuple[object, ...], wanted: dict[str, str], whole: bool
) -> Iterable[SubjectHit]:
    for column, value in zip(columns, row[2:], strict=True):
        if not isinstance(value, str) or not value:
            continue
        text = _unescaped(value) if "\\u" in value else value
        plain = folded(text)
        for key, term in wanted.items():
            place = plain.find(key)
            if place < 0:
                continue
            content = content_of(table.columns[column])
            excerpt = _excerpt(text, plain, place, len(key))
            yield SubjectHit(
                table.name, column, int(str(row[0])), str(row[1]), str(content), term, excerpt,
                value if whole else "",
            )  # fmt: skip
            break


def _unescaped(text: str) -> str:
    """Return a text with the letters that JSON escapes; halves of a pair that stand alone become a sign."""
    halves = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def folded(text: str) -> str:
    """Return a text without its case and accents, and with one space for any number of them."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())  # bold letters too
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def _excerpt(text: str, plain: str, place: int, length: int) -> str:
    """Return the text around a place of its folded form, whose letters are nearly where the text's are."""
    flat = " ".join(text.split())
    source = flat if len(flat) == len(plain) else plain
    begin, end = max(place - _AROUND, 0), place + length + _AROUND
    return f"{'…' if begin else ''}{source[begin:end]}{'…' if end < len(source) else ''}"


def _log(workspace: Workspace, action: audit_log.Action, report: SubjectReport, after: str = "") -> None:
    """Log the access without the terms: the log would then mention the person for ever."""
    with workspace.store.session() as session:
        audit_log.record(session, action, counted(len(report.hits), "text"), after=after)


def _json(terms: Sequence[str], report: SubjectReport) -> str:
    content = {
        "kind": "ragdeck subject search",
        "terms": list(terms),
        "made_ms": now_ms(),
        "columns": report.columns,
        "texts_searched": report.cells,
        "found": [asdict(hit) for hit in report.hits],
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def _csv(hits: Sequence[SubjectHit]) -> str:
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow([field.name for field in fields(SubjectHit)])
    for hit in hits:
        writer.writerow([guarded(str(value)) for value in asdict(hit).values()])
    return made.getvalue()
