"""Imports files into evaluation sets: what a file would do is known, and shown, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats import read_cases
from rag.evaluation.formats.entries import Imported, Problem
from rag.evaluation.formats.records import TABLES
from rag.evaluation.formats.tables import csv_headers
from rag.evaluation.rows import CasesImported, ImportPreview, SetVersionRow, list_sets
from rag.evaluation.sets import change_set, ensure_set, set_cases
from rag.storage.database import Database
from rag.text.plurals import counted, named
from rag.workspace import Workspace

_FIRST_ROWS = 5
_SHOWN = 60  # characters of a question


@dataclass(frozen=True)
class ImportPlan:
    """What importing a file would do to a set.

    Attributes:
        path: The file or folder.
        read: Its cases, the problems, and what was not used.
        replaced: (case of the set, case of the file) of each key whose content differs.
        same_count: Cases that the set already has as they are.
    """

    path: Path
    read: Imported
    replaced: tuple[tuple[Case, Case], ...]
    same_count: int

    @property
    def added_count(self) -> int:
        """How many cases the set does not have yet."""
        return len(self.read.cases) - len(self.replaced) - self.same_count

    def replaced_sentence(self, set_name: str) -> str:
        """Return which cases of the set would be replaced, and by what; empty: none."""
        if not self.replaced:
            return ""
        listed = [
            f"{old.key} (“{_short(old.question)}” → “{_short(new.question)}”)" for old, new in self.replaced
        ]
        count = counted(len(self.replaced), "case")
        return f"This replaces {count} of “{set_name}” by their keys: {named(listed)}."


@dataclass(frozen=True)
class FileImport:
    """What importing a file did: the plan, its good cases, the version they made (or None), the problems."""

    plan: ImportPlan
    good: int
    version: SetVersionRow | None
    problems: tuple[Problem, ...]


def plan_import(
    database: Database,
    name: str,
    path: Path,
    format_name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    delimiter: str = "",
    split: str = "",
) -> ImportPlan:
    """Read a file and say what importing it would do; nothing is stored.

    Args:
        database: Where the set is, if there is one of that name.
        name: Of the set.
        path: The file or folder.
        format_name: One of formats.FORMATS; empty: recognised by the file.
        columns: Of a CSV: the header of each field.
        delimiter: Of a CSV: what stands between its cells; empty: recognised.
        split: Of a BEIR folder: which qrels.

    Raises:
        RagError: The file cannot be read.
    """
    read = read_cases(path, format_name, columns=columns, delimiter=delimiter, split=split)
    is_known = name.strip() in {row.name for row in list_sets(database)}
    before = {case.key: case for case in set_cases(database, name.strip())} if is_known else {}
    both = [(before[case.key], case) for case in read.cases if case.key in before]
    replaced = tuple((old, new) for old, new in both if old.content != new.content)
    return ImportPlan(path, read, replaced, len(both) - len(replaced))


def store_import(workspace: Workspace, name: str, plan: ImportPlan, skip_bad: bool = False) -> FileImport:
    """Add the cases of a file that was read to a set, which is made if it does not exist.

    With problems nothing is stored unless `skip_bad`.
    """
    cases, problems = plan.read.cases, plan.read.problems
    if (problems and not skip_bad) or not cases:
        return FileImport(plan, len(cases), None, problems)
    name = ensure_set(workspace, name)
    replaced = f", {len(plan.replaced):,} of them replaced" if plan.replaced else ""
    message = f"Imported {counted(len(cases), 'case')} from {plan.path.name}{replaced}"
    return FileImport(plan, len(cases), change_set(workspace, name, put=cases, message=message), problems)


def import_file(
    workspace: Workspace,
    name: str,
    path: Path,
    format_name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    delimiter: str = "",
    split: str = "",
    skip_bad: bool = False,
) -> FileImport:
    """Add a file's cases to a set; see plan_import and store_import."""
    plan = plan_import(
        workspace.database, name, path, format_name, columns=columns, delimiter=delimiter, split=split
    )
    return store_import(workspace, name, plan, skip_bad)


def preview_import(
    database: Database,
    set_name: str,
    path: str,
    format_name: str = "",
    columns: dict[str, str] | None = None,
    delimiter: str = "",
) -> ImportPreview:
    """Return what importing a file would do, for the window. Raises RagError when it cannot be read."""
    file = Path(path)
    headers: tuple[str, ...] = ()
    if file.suffix.lower() in TABLES:
        headers = tuple(csv_headers(file, delimiter))
    try:
        plan = plan_import(database, set_name, file, format_name, columns=columns, delimiter=delimiter)
    except RagError as error:
        if not headers:  # otherwise the columns can be chosen
            raise
        return ImportPreview(format_name or "csv", 0, 0, 0, "", (str(error),), (), (), headers)
    return ImportPreview(
        plan.read.format_name,
        len(plan.read.cases),
        plan.added_count,
        plan.same_count,
        plan.replaced_sentence(set_name),
        tuple(problem.sentence() for problem in plan.read.problems),
        tuple(one.sentence() for one in plan.read.unused),
        first_rows(plan.read.cases),
        headers,
    )


def first_rows(cases: Sequence[Case]) -> tuple[tuple[str, ...], ...]:
    """Return (key, question, right answer, passages, checks, tags) of the first cases, for people."""
    return tuple(
        (
            case.key,
            case.question,
            "should decline" if case.should_refuse else " | ".join(case.references),
            str(len(case.judgements)),
            str(len(case.checks)),
            ", ".join(case.tags),
        )
        for case in cases[:_FIRST_ROWS]
    )


def import_cases(
    workspace: Workspace,
    set_name: str,
    path: str,
    columns: dict[str, str] | None = None,
    skip_bad: bool = False,
    format_name: str = "",
    delimiter: str = "",
) -> CasesImported:
    """Import a file; one with problems is only imported with `skip_bad`. Raises RagError."""
    done = import_file(
        workspace,
        set_name,
        Path(path),
        format_name,
        columns=columns,
        delimiter=delimiter,
        skip_bad=skip_bad,
    )
    number = None if done.version is None else done.version.number
    return CasesImported(done.good, number, tuple(problem.sentence() for problem in done.problems))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
