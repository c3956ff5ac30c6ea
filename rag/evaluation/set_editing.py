"""What a person does to an evaluation set in one step: save a case, import a file, make a case of a trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation import formats, sets
from rag.evaluation.cases import make_case
from rag.evaluation.rows import CaseChange, CasesImported, list_sets
from rag.storage.database import Database
from rag.workspace import Workspace


def save_case(
    workspace: Workspace, set_name: str, values: dict[str, Any], replaced: str = "", message: str = ""
) -> str:
    """Add a case, or put it in the place of another one; returns its key. values: of rag.evaluation.cases.Case."""
    try:
        case = make_case(values)
    except ValueError as error:
        raise RagError(f"{error}.") from error
    if set_name not in {row.name for row in list_sets(workspace.database)}:
        sets.create_set(workspace, set_name)
    if not replaced:
        return sets.add_case(workspace, set_name, case, message).key
    remove = [replaced] if case.key != replaced else []
    sets.change_set(workspace, set_name, put=[case], remove=remove, message=message or f"Changed {replaced}")
    return case.key


def remove_cases(workspace: Workspace, set_name: str, keys: list[str]) -> None:
    noun = f"{len(keys)} cases" if len(keys) > 1 else keys[0]
    sets.change_set(workspace, set_name, remove=keys, message=f"Removed {noun}")


def case_of_trace(workspace: Workspace, set_name: str, trace_id: str) -> str:
    """Make a case of a stored ask; the set is made if there is none of that name. Returns a sentence."""
    if set_name not in {row.name for row in list_sets(workspace.database)}:
        sets.create_set(workspace, set_name)
    case = sets.add_trace(workspace, set_name, trace_id)
    what = "to be refused" if case.should_refuse else f"{len(case.references)} reference answers"
    return f"Added to “{set_name}”: {what}, {len(case.judgements)} relevant passages. Check it on the Evaluation page."


def import_cases(
    workspace: Workspace,
    set_name: str,
    path: str,
    columns: dict[str, str] | None = None,
    skip_bad: bool = False,
) -> CasesImported:
    """With problems nothing is imported unless skip_bad says so; imported is None then."""
    file = Path(path)
    row, problems = sets.import_file(workspace, set_name, file, columns=columns, skip_bad=skip_bad)
    good = len(formats.read_cases(file, columns=columns).cases)
    return CasesImported(good, None if row is None else row.number, tuple(p.sentence() for p in problems))


def diff_set(database: Database, set_name: str, old: int, new: int) -> tuple[str, tuple[CaseChange, ...]]:
    """A sentence, and every case that differs, as JSON of both sides."""
    found = sets.diff_sets(database, set_name, old, new)

    def text(case: Any) -> str:
        return json.dumps(json.loads(case.content), indent=1, ensure_ascii=False)

    changes = [
        *(CaseChange("added", case.key, case.question, "", text(case)) for case in found.added),
        *(CaseChange("removed", case.key, case.question, text(case), "") for case in found.removed),
        *(CaseChange("changed", new.key, new.question, text(old), text(new)) for old, new in found.changed),
    ]
    return found.sentence(), tuple(changes)
