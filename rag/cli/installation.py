"""Defines the commands on the installation: list model files, check everything, read and change settings."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rag.cli.models.get import models_catalogue, models_get
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    finish,
    note,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.errors import DataFolderLockedError, RagError
from rag.models.trial_run import COMMAND, killed_by
from rag.platform_plugin import window_problem
from rag.storage.data_folder import PROGRAM_FOLDER, data_folder, lock_holder
from rag.storage.rows import Check

app = typer.Typer()
models_app = typer.Typer(help="The known GGUF files.")
app.add_typer(models_app, name="models")
models_app.command("catalogue")(models_catalogue)
models_app.command("get")(models_get)

Add = Annotated[Path | None, typer.Option("--add", help="Add a GGUF file to the list.")]
Template = Annotated[
    str,
    typer.Option(
        "--template",
        help="Answer with a built-in chat template; MODEL= goes back to the one of the file.",
        metavar="MODEL=TEMPLATE",
    ),
]
Context = Annotated[int, typer.Option("--context", help="Context length for the memory estimate.", min=512)]


@models_app.callback(invoke_without_command=True)
@with_tables
def models(
    command: typer.Context,
    add: Add = None,
    template: Template = "",
    context: Context = 4096,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the known GGUF files with what their headers say."""
    if command.invoked_subcommand is None:
        models_list(add, template, context, data, as_json)


@models_app.command("list")
@with_tables
def models_list(
    add: Add = None,
    template: Template = "",
    context: Context = 4096,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the known GGUF files with what their headers say."""
    from rag.models.catalogue import list_models
    from rag.models.rows import forecast_memory
    from rag.settings import Settings

    folder = data_folder(data)
    _change_models(data, add, template)
    database = open_database(data)
    settings = Settings.load(folder / "settings.toml")
    entries = list_models(database, settings)
    if as_json:
        print_json(
            [
                {
                    **as_plain(e),
                    "forecast_bytes": forecast_memory(e.header, context).total if e.header else None,
                }
                for e in entries
            ]
        )
        return
    table = Table("Name", "From", "Architecture", "Quantisation", "Parameters", "Context", "Memory")
    for entry in entries:
        header = entry.header
        if entry.endpoint:
            where = f"at {entry.sent_to}" if entry.sent_to else "on this computer"
            table.add_row(plain(entry.name), entry.origin, plain(entry.label), "", "", "", plain(where))
            continue
        if header is None or not entry.can_answer:
            kind = header.kind if header is not None else "unusable"
            table.add_row(plain(entry.name), entry.origin, kind, "", "", "", "cannot answer")
            continue
        table.add_row(
            plain(entry.name) + (" (demo model)" if entry.origin == "starter" else ""),
            entry.origin,
            plain(header.architecture),
            plain(header.quantisation),
            f"{header.parameter_count / 1e6:,.0f} M",
            f"{header.context_length:,}",
            f"{forecast_memory(header, context).total / 2**20:,.0f} MiB",
        )
    screen.print(table)
    for entry in entries:
        if entry.problem or entry.note:
            screen.print(f"{plain(entry.name)}: {plain(entry.problem or entry.note)}", soft_wrap=True)


def _change_models(data: str | None, add: Path | None, template: str) -> None:
    """Add a file to the list, and choose a built-in chat template for a model; MODEL= takes its own again."""
    from rag.asking.loaded_model import choose_template
    from rag.models.catalogue import add_model

    if add is None and not template:
        return
    with open_workspace(data, "models") as workspace:
        if add is not None:
            add_model(workspace.store, str(add), workspace.settings)
        if template:
            model, equals, name = template.rpartition("=")
            if not equals:
                raise RagError("Write --template MODEL=TEMPLATE, such as --template my-model=chatml.")
            choose_template(workspace, model, name)


@app.command()
def shortcut(
    remove: Annotated[bool, typer.Option("--remove", help="Remove the launcher instead.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a launcher with Ragdeck's icon where the desktop expects it; files dropped on it are added."""
    from rag.launcher.making import make_launcher, remove_launcher

    report = remove_launcher() if remove else make_launcher(data_folder(data) if data else None)
    if as_json:
        print_json(as_plain(report))
    else:
        screen.print(plain(report.sentence()), soft_wrap=True)


@app.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair first what can be: the index, and settings.toml.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check the installation and the data folder: packages, models, settings, database, index."""
    if repair:
        _repair(data)
    checks = list(_checks(data))
    well = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": well, "checks": as_plain(checks)})
    else:
        for check in checks:
            mark = "[green]ok [/]" if check.ok else "[red]NO [/]"
            screen.print(f"{mark} {check.name}: {plain(check.detail)}")
    if not well:
        raise typer.Exit(1)


def _repair(data: str | None) -> None:
    """Put settings that cannot be read aside, and open the folder: that finishes and rebuilds what it can."""
    from rag.start_up import put_settings_aside, start_up

    folder = data_folder(data)
    if (holder := lock_holder(folder)) is not None:
        raise DataFolderLockedError(holder)
    if said := put_settings_aside(folder):
        note(said)
    try:
        with open_workspace(data, "doctor") as workspace:
            for sentence in finish(start_up(workspace), None):
                note(sentence)
    except RagError as error:  # the report says what it is, beside everything else
        note(str(error))


def _checks(data: str | None) -> Iterator[Check]:
    yield Check("Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.system()}")
    for package in ("PySide6-Essentials", "chromadb", "sentence-transformers", "sqlmodel", "torch"):
        yield _package_check(package)
    problem = window_problem()
    yield Check("Qt platform plugin", not problem, problem or "its libraries load")
    yield _llama_check()
    yield _embedder_check()
    yield _model_check()
    yield _search_check()
    yield from _folder_checks(data)


def _package_check(package: str) -> Check:
    try:
        return Check(package, True, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        how = f"run `python main.py setup` or, without a checkout, `pip install {package}`"
        return Check(package, False, f"not installed; {how}")


def _llama_check() -> Check:
    from rag.models.language_model import HOW_TO_GET_LLAMA, gpu_supported, llama_available

    if not llama_available():
        return Check("llama.cpp", False, HOW_TO_GET_LLAMA)
    version = f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"
    if problem := _trial_problem(sys.executable):
        return Check("llama.cpp", False, f"{version} {problem}")
    devices = "GPU and CPU" if gpu_supported() else "CPU only"
    return Check("llama.cpp", True, f"{version}, {devices}; it runs the starter model")


def _trial_problem(python: str) -> str:
    """Return what happens when a Python runs the starter model in a process of its own; "" when it runs."""
    done = subprocess.run(
        [python, *COMMAND], cwd=PROGRAM_FOLDER, capture_output=True, text=True, errors="replace", check=False
    )
    if signal := killed_by(done.returncode):
        return (
            f"is killed by {signal} when it reads a prompt: it was built for instructions that this machine "
            "does not execute. Run `python main.py setup` to build it without AMX."
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        return f"does not run the starter model: {last}"
    return ""


def _embedder_check() -> Check:
    from rag.models.embedding import check_starter_embedder, starter_embedder_folder

    try:
        check_starter_embedder(starter_embedder_folder())
    except RagError as error:
        return Check("starter embedder", False, str(error))
    return Check("starter embedder", True, "sha256 as expected")


def _model_check() -> Check:
    from rag.models.embedding import file_sha256
    from rag.models.language_model import STARTER_SHA256, starter_model_path

    try:
        path = starter_model_path()
        if file_sha256(path) != STARTER_SHA256:
            return Check("starter model", False, f"{path} is damaged: its sha256 is not the expected one")
    except RagError as error:
        return Check("starter model", False, str(error))
    return Check("starter model", True, "sha256 as expected")


def _search_check() -> Check:
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except sqlite3.OperationalError:
        how = "this Python's SQLite has no FTS5; use another build of Python"
        return Check("full-text search", False, how)
    return Check("full-text search", True, f"SQLite {sqlite3.sqlite_version} with FTS5")


def _folder_checks(data: str | None) -> Iterator[Check]:
    from rag.start_up import check_folder

    try:
        folder = data_folder(data)
    except RagError as error:
        yield Check("data folder", False, str(error))
        return
    yield from check_folder(folder)


settings_app = typer.Typer(help="The settings of a data folder.", no_args_is_help=True)
app.add_typer(settings_app, name="settings")
Key = Annotated[list[str], typer.Argument(help="A setting, as SECTION.KEY.", metavar="SECTION.KEY")]


@settings_app.command("list")
@with_tables
def list_settings(
    changed: Annotated[bool, typer.Option("--changed", help="Only those that are not the default.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List every setting with its value, and its default where that is another."""
    from rag.settings import Settings

    now = Settings.load(data_folder(data) / "settings.toml").model_dump(mode="json")
    usual = Settings().model_dump(mode="json")
    rows = [
        {"setting": f"{section}.{key}", "value": value, "default": usual[section][key]}
        for section, values in now.items()
        for key, value in values.items()
        if not changed or value != usual[section][key]
    ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        screen.print("Every setting is at its default.")
        return
    table = Table("Setting", "Value", "Default")
    for row in rows:
        default = "" if row["value"] == row["default"] else str(row["default"])
        table.add_row(row["setting"], plain(str(row["value"])), plain(default))
    screen.print(table)


@settings_app.command("set")
def set_settings(
    values: Annotated[
        list[str], typer.Argument(help="A setting, as SECTION.KEY=VALUE.", metavar="SECTION.KEY=VALUE")
    ],
    data: Data = None,
) -> None:
    """Change settings, all of those given or none."""
    changes: dict[str, dict[str, Any]] = {}
    for written in values:
        name, sign, value = written.partition("=")
        if not sign:
            raise RagError(f"“{written}” is not SECTION.KEY=VALUE, such as appearance.text_percent=150.")
        section, key = _section_and_key(name)
        changes.setdefault(section, {})[key] = _list(value) if value.startswith("[") else value
    with open_workspace(data, "settings set") as workspace:
        workspace.change_settings(changes)
    screen.print(f"Saved: {plain(', '.join(values))}.")


@settings_app.command("reset")
def reset_settings(keys: Key, data: Data = None) -> None:
    """Bring settings back to their defaults."""
    from rag.settings import Settings

    usual = Settings().model_dump(mode="json")
    changes: dict[str, dict[str, Any]] = {}
    for name in keys:
        section, key = _section_and_key(name)
        if key not in usual.get(section, {}):
            raise RagError(f"There is no setting {name}. `ragdeck settings list` names them all.")
        changes.setdefault(section, {})[key] = usual[section][key]
    with open_workspace(data, "settings reset") as workspace:
        workspace.change_settings(changes)
    screen.print(f"Back at the default: {plain(', '.join(keys))}.")


def _list(text: str) -> list[Any]:
    try:
        return list(json.loads(text))
    except ValueError as error:
        raise RagError(f'{text} is not a list, such as ["/models"].') from error


def _section_and_key(name: str) -> tuple[str, str]:
    section, _, key = name.strip().partition(".")
    return section, key
