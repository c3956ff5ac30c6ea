"""Commands on pipelines: versions, labels, and the gates that labels require."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from rag.cli.evaluation.runs import GateFile, Note, read_gate, write_file
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, clock_time, open_database, open_workspace, plain, print_json, screen
from rag.errors import NotFoundError, RagError
from rag.evaluation.rows import (
    PipelineVersionRow,
    list_pipeline_label_moves,
    list_pipeline_versions,
    list_pipelines,
)
from rag.storage.database import Database

app = typer.Typer()
pipelines_app = typer.Typer(help="Pipelines: named ways to answer, in versions.", no_args_is_help=True)
app.add_typer(pipelines_app, name="pipelines")

Name = Annotated[str, typer.Argument(help="Name of the pipeline.", metavar="NAME")]
Version = Annotated[int | None, typer.Option("--version", help="Number; default: the newest.")]


@pipelines_app.command("list")
@with_tables
def pipelines_list(data: Data = None, as_json: Json = False) -> None:
    """List the pipelines with their newest version."""
    rows = list_pipelines(open_database(data))
    if as_json:
        print_json([{**asdict(row), "config": json.loads(row.config)} for row in rows])
        return
    table = Table("Pipeline", "Version", "Changed", "Kind", "Collection", "Prompt", "Labels", "Message")
    for row in rows:
        config = json.loads(row.config)
        table.add_row(
            plain(row.name),
            str(row.number),
            clock_time(row.created_ms),
            config["kind"],
            plain(config["collection"]),
            plain(config["prompt"]),
            plain(", ".join(row.labels)),
            plain(row.message),
        )
    none = "There are no pipelines yet. Run `ragdeck pipelines save NAME -c COLLECTION` to make one."
    screen.print(table if rows else none)


@pipelines_app.command("show")
def pipelines_show(
    name: Name,
    version: Version = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a version of a pipeline as YAML, and list its versions."""
    database = open_database(data)
    row = _version(database, name, version)
    if as_json:
        print_json({**asdict(row), "config": json.loads(row.config)})
        return
    screen.print(plain(_as_yaml(row.config)), highlight=False)
    for one in list_pipeline_versions(database, name):
        labels = f" ({', '.join(one.labels)})" if one.labels else ""
        screen.print(plain(f"version {one.number}{labels}: {one.message}, {clock_time(one.created_ms)}"))


@pipelines_app.command("save")
def pipelines_save(
    name: Name,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    version: Annotated[
        str, typer.Option("--version", help="Of the dataset: a number, a tag or active.")
    ] = "",
    prompt: Annotated[str, typer.Option("--prompt", help="NAME, NAME@LABEL or NAME@NUMBER.")] = "",
    model: Annotated[str, typer.Option("--model", help="Name or path; default: the active one.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="answer, or retrieval without a model.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="retrieval.KEY=VALUE or generation.KEY=VALUE; may be repeated."),
    ] = None,
    guardrail: Annotated[
        list[str] | None,
        typer.Option(
            "--guardrail", help="A policy that acts besides those of the collection; may be repeated."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="YAML or JSON to start from.", metavar="FILE")
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Save a version.

    It starts from a file, else from the newest version, else from the current settings; options change it.
    """
    from rag.evaluation.pipelines import find_pipeline, make_config, present_config, save_pipeline

    with open_workspace(data, "pipelines save") as workspace:
        if file:
            values = _read_mapping(file)
        else:
            try:
                values = find_pipeline(workspace, name).config.model_dump(mode="json")
            except NotFoundError:
                if not collection:
                    sentence = f"There is no pipeline “{name}” yet. Name its collection with -c."
                    raise RagError(sentence) from None
                values = present_config(workspace, collection).model_dump(mode="json")
        if guardrail:
            values["guardrails"] = [one for one in guardrail if one]
        given = {"collection": collection, "version": version, "prompt": prompt, "model": model, "kind": kind}
        values.update({key: value for key, value in given.items() if value})
        for one in option or []:
            _set_option(values, one)
        row = save_pipeline(workspace, name, make_config(values), message)
    if as_json:
        print_json({**asdict(row), "config": row.config.model_dump(mode="json")})
    else:
        screen.print(plain(f"{name} has version {row.number}, fingerprint {row.fingerprint[:12]}."))


@pipelines_app.command("diff")
def pipelines_diff(
    name: Name,
    old: Annotated[int, typer.Argument(metavar="OLD")],
    new: Annotated[int, typer.Argument(metavar="NEW")],
    other: Annotated[str, typer.Option("--with", help="NEW is a version of this pipeline.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions."""
    from rag.evaluation.pipelines import diff_configs, find_pipeline

    with open_workspace(data, "pipelines diff") as workspace:
        first, second = find_pipeline(workspace, name, old), find_pipeline(workspace, other or name, new)
    changes = diff_configs(first.config, second.config)
    if as_json:
        print_json([{"key": key, "old": a, "new": b} for key, a, b in changes])
        return
    for key, a, b in changes:
        screen.print(plain(f"{key}: {a} → {b}"), highlight=False)
    if not changes:
        screen.print("There are no differences.")


@pipelines_app.command("export")
def pipelines_export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="YAML file to write.", metavar="FILE")],
    version: Version = None,
    data: Data = None,
) -> None:
    """Write a version as YAML; `pipelines save NAME --file FILE` reads it."""
    from rag.storage import audit_log

    database = open_database(data)
    row = _version(database, name, version)
    write_file(file, _as_yaml(row.config))
    audit_log.record_apart(
        database.path, audit_log.Action.PIPELINE_EXPORTED, f"{name} {row.number}", str(file),
        after=row.fingerprint,
    )  # fmt: skip
    screen.print(plain(f"Wrote version {row.number} of {name} to {file}."))


@pipelines_app.command("delete")
def pipelines_delete(name: Name, data: Data = None) -> None:
    """Delete a pipeline with its versions; its runs stay."""
    from rag.evaluation.pipelines import delete_pipeline

    with open_workspace(data, "pipelines delete") as workspace:
        delete_pipeline(workspace, name)
    screen.print(plain(f"Deleted {name}."))


@pipelines_app.command("label")
def pipelines_label(
    name: Name,
    label: Annotated[str, typer.Argument(help="Such as production or staging.", metavar="LABEL")],
    number: Annotated[
        int | None, typer.Argument(help="Version number; omit to remove the label.", metavar="[N]")
    ] = None,
    note: Note = "",
    force: Annotated[bool, typer.Option("--force", help="Skip the required gate; needs a note.")] = False,
    data: Data = None,
) -> None:
    """Point a label to a version."""
    from rag.evaluation.pipelines import move_pipeline_label

    with open_workspace(data, "pipelines label") as workspace:
        move = move_pipeline_label(workspace, name, label, number, note=note, force=force)
    screen.print(plain(f"{name}@{label}: {move.from_number or 'none'} → {move.to_number or 'none'}."))


@pipelines_app.command("log")
def pipelines_log(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show every move of a pipeline's labels, newest first."""
    moves = list_pipeline_label_moves(open_database(data), name)
    if as_json:
        print_json([asdict(move) for move in moves])
        return
    for move in moves:
        ends = f"{move.from_number or 'none'} → {move.to_number or 'none'}"
        screen.print(plain(f"{clock_time(move.moved_ms)} {move.label}: {ends} by {move.author}. {move.note}"))


@pipelines_app.command("require")
def pipelines_require(
    name: Name,
    set_name: Annotated[str, typer.Option("--set", help="Evaluation set.")] = "",
    gate: GateFile = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="NAME is a prompt.")] = False,
    none: Annotated[bool, typer.Option("--none", help="Remove the requirement.")] = False,
    note: Note = "",
    data: Data = None,
) -> None:
    """Let the label production move only to versions that passed a gate on a set."""
    from rag.evaluation.gates.runs import drop_requirement, require_gate
    from rag.prompts.required_gates import Kind

    kind: Kind = "prompt" if prompt else "pipeline"
    if not none and (gate is None or not set_name):
        raise RagError("Name the gate with --gate and the evaluation set with --set, or use --none.")
    with open_workspace(data, "pipelines require") as workspace:
        if gate is None or none:
            drop_requirement(workspace, kind, name, note)
            screen.print(plain(f"The {kind} {name} no longer requires a gate."))
        else:
            require_gate(workspace, kind, name, set_name, read_gate(gate))
            screen.print(
                plain(f"The label production of the {kind} {name} now requires this gate on {set_name}.")
            )


def _version(database: Database, name: str, number: int | None) -> PipelineVersionRow:
    """Return a version of a pipeline; None: the newest. Raises NotFoundError."""
    for row in list_pipeline_versions(database, name):
        if number in (None, row.number):
            return row
    raise NotFoundError(f"The pipeline “{name}” has no version {number}.")


def _as_yaml(config: str) -> str:
    return yaml.safe_dump(json.loads(config), allow_unicode=True, sort_keys=False)


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RagError(f"{path} cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(values, dict):
        raise RagError(f"{path} is not a pipeline: keys such as collection and prompt are missing.")
    return values


def _set_option(values: dict[str, Any], option: str) -> None:
    key, equals, text = option.partition("=")
    section, _, name = key.partition(".")
    if not equals or section not in ("retrieval", "generation") or not name:
        raise RagError(f"“{option}” is not retrieval.KEY=VALUE or generation.KEY=VALUE.")
    try:
        values.setdefault(section, {})[name] = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise RagError(f"“{text}” is not a value of {key}: {' '.join(str(error).split())}.") from error
