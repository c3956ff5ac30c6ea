"""What the window asks the engine for when prompts, evaluation sets and pipelines are written.

Each takes the workspace and plain values, as rag.tasks does; what they do stands in rag.prompts and rag.evaluation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rag.asking.rows import get_trace
from rag.errors import RagError
from rag.evaluation import formats, sets
from rag.evaluation.cases import make_case
from rag.evaluation.pipelines import make_config, move_pipeline_label, present_config, save_pipeline
from rag.evaluation.rows import CaseChange, CasesImported, SetVersionRow, list_sets
from rag.prompts import PromptTemplate, files, registry
from rag.prompts.rows import LabelMove, PromptPreview, PromptVersionRow
from rag.prompts.templates import template_variables
from rag.workspace import Workspace

# --- prompts ----------------------------------------------------------------------------------------------


def save_prompt(
    workspace: Workspace, name: str, system: str, user: str, message: str, notes: str = ""
) -> PromptVersionRow:
    return registry.save_prompt(workspace.store, name, system, user, message=message, notes=notes)


def delete_prompt(workspace: Workspace, name: str) -> int:
    return registry.delete_prompt(workspace.store, name)


def move_label(
    workspace: Workspace, name: str, label: str, number: int | None, note: str, force: bool = False
) -> LabelMove:
    """number None: take the label away."""
    if number is None:
        return registry.remove_label(workspace.store, name, label, note=note)
    return registry.move_label(workspace.store, name, label, number, note=note, force=force)


def roll_back_label(workspace: Workspace, name: str, label: str, note: str = "") -> LabelMove:
    return registry.rollback_label(workspace.store, name, label, note=note)


def export_prompts(workspace: Workspace, folder: str) -> int:
    return len(files.export_prompts(workspace.database, Path(folder)))


def import_prompts(
    workspace: Workspace, folder: str, move_labels: bool = False
) -> tuple[str, tuple[str, ...]]:
    """A sentence of what came in, and the files that were left out, each with its reason."""
    found = files.import_prompts(workspace.store, Path(folder), move_labels=move_labels)
    sentence = f"{found.versions_added:,} versions of {found.prompts:,} prompts came in, {found.versions_same:,} were here."
    if found.moved:
        sentence += f" Labels moved: {', '.join(found.moved)}."
    return sentence, tuple(found.problems)


def preview_prompt(
    workspace: Workspace, system: str, user: str, question: str, trace_id: str
) -> PromptPreview:
    """What a template makes of a question and the passages of a stored ask, and its tokens in the loaded model.

    The trace's own question stands in when question is empty. What is wrong with the template comes as error.
    """
    hits: tuple[Any, ...] = ()
    if trace_id:
        detail = get_trace(workspace.database, trace_id)
        hits = tuple(hit for hit in detail.hits if hit.marker is not None)
        question = question or detail.row["question"]
    variables: tuple[str, ...] = ()
    try:
        variables = tuple(
            sorted({*template_variables(system, "system part"), *template_variables(user, "user part")})
        )
        messages = PromptTemplate("preview", system, user).messages(question or "…", hits)
    except RagError as error:
        return PromptPreview("", None, "", variables, len(hits), str(error))
    model = workspace.loaded_model
    tokens = None if model is None else len(model.tokenize_prompt(model.render_chat(messages)))
    text = "\n\n".join(f"{message['role']}\n{message['content']}" for message in messages)
    return PromptPreview(text, tokens, model.name if model else "", variables, len(hits), "")


# --- evaluation sets --------------------------------------------------------------------------------------


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


def export_cases(workspace: Workspace, set_name: str, path: str, format_name: str) -> tuple[str, ...]:
    """Returns what the format could not hold."""
    return sets.export_set(workspace.database, set_name, Path(path), format_name)


def csv_headers(workspace: Workspace, path: str) -> list[str]:
    return formats.csv_headers(Path(path))


def restore_set(workspace: Workspace, set_name: str, number: int) -> SetVersionRow | None:
    return sets.restore_version(workspace, set_name, number)


def diff_set(workspace: Workspace, set_name: str, old: int, new: int) -> tuple[str, tuple[CaseChange, ...]]:
    """A sentence, and every case that differs, as JSON of both sides."""
    found = sets.diff_sets(workspace.database, set_name, old, new)

    def text(case: Any) -> str:
        return json.dumps(json.loads(case.content), indent=1, ensure_ascii=False)

    changes = [
        *(CaseChange("added", case.key, case.question, "", text(case)) for case in found.added),
        *(CaseChange("removed", case.key, case.question, text(case), "") for case in found.removed),
        *(CaseChange("changed", new.key, new.question, text(old), text(new)) for old, new in found.changed),
    ]
    return found.sentence(), tuple(changes)


# --- pipelines --------------------------------------------------------------------------------------------


def store_pipeline(workspace: Workspace, name: str, values: dict[str, Any], message: str = "") -> int:
    """A new version of a pipeline; returns its number. values: of rag.evaluation.pipelines.PipelineConfig."""
    return save_pipeline(workspace, name, make_config(values), message).number


def present_pipeline(workspace: Workspace, collection: str) -> dict[str, Any]:
    """The configuration that answers a collection's questions now."""
    return present_config(workspace, collection).model_dump(mode="json")


def label_pipeline(
    workspace: Workspace, name: str, label: str, number: int | None, note: str, force: bool = False
) -> LabelMove:
    """number None: take the label away."""
    return move_pipeline_label(workspace, name, label, number, note=note, force=force)
