"""Defines the commands on the installation: list model files, and check everything."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.table import Table

from rag.cli.terminal import Data, Json, as_plain, open_database, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.models.trial_run import COMMAND, killed_by
from rag.platform_plugin import window_problem
from rag.storage.data_folder import PROGRAM_FOLDER, data_folder, lock_holder

app = typer.Typer()


@app.command()
def models(
    add: Annotated[Path | None, typer.Option("--add", help="Add a GGUF file to the list.")] = None,
    template: Annotated[
        str,
        typer.Option(
            "--template",
            help="Answer with a built-in chat template; MODEL= goes back to the one of the file.",
            metavar="MODEL=TEMPLATE",
        ),
    ] = "",
    context: Annotated[int, typer.Option(help="Context length for the memory estimate.", min=512)] = 4096,
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
        if header is None or not entry.can_answer:
            kind = header.kind if header is not None else "unusable"
            table.add_row(plain(entry.name), entry.origin, kind, "", "", "", "cannot answer")
            continue
        table.add_row(
            plain(entry.name) + (" (demo model)" if entry.origin == "starter" else ""),
            entry.origin,
            header.architecture,
            header.quantisation,
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
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Check the installation: packages, starter models, Qt's libraries, data folder, full-text search."""
    checks = list(_checks(data))
    well = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": well, "checks": [check._asdict() for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok [/]" if check.ok else "[red]NO [/]"
            screen.print(f"{mark} {check.name}: {plain(check.detail)}")
    if not well:
        raise typer.Exit(1)


class _Check(NamedTuple):
    """A line of the doctor's report: what was looked at, whether it is well, and what was found."""

    name: str
    ok: bool
    detail: str


def _checks(data: str | None) -> Iterator[_Check]:
    yield _Check("Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.system()}")
    for package in ("PySide6-Essentials", "chromadb", "sentence-transformers", "sqlmodel", "torch"):
        yield _package_check(package)
    problem = window_problem()
    yield _Check("Qt platform plugin", not problem, problem or "its libraries load")
    yield _llama_check()
    yield _embedder_check()
    yield _model_check()
    yield _search_check()
    yield _folder_check(data)


def _package_check(package: str) -> _Check:
    try:
        return _Check(package, True, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        how = f"run `python main.py setup` or, without a checkout, `pip install {package}`"
        return _Check(package, False, f"not installed; {how}")


def _llama_check() -> _Check:
    from rag.models.language_model import HOW_TO_GET_LLAMA, gpu_supported, llama_available

    if not llama_available():
        return _Check("llama.cpp", False, HOW_TO_GET_LLAMA)
    version = f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"
    if problem := _trial_problem(sys.executable):
        return _Check("llama.cpp", False, f"{version} {problem}")
    devices = "GPU and CPU" if gpu_supported() else "CPU only"
    return _Check("llama.cpp", True, f"{version}, {devices}; it runs the starter model")


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


def _embedder_check() -> _Check:
    from rag.models.embedding import check_starter_embedder, starter_embedder_folder

    try:
        check_starter_embedder(starter_embedder_folder())
    except RagError as error:
        return _Check("starter embedder", False, str(error))
    return _Check("starter embedder", True, "sha256 as expected")


def _model_check() -> _Check:
    from rag.models.embedding import file_sha256
    from rag.models.language_model import STARTER_SHA256, starter_model_path

    try:
        path = starter_model_path()
        if file_sha256(path) != STARTER_SHA256:
            return _Check("starter model", False, f"{path} is damaged: its sha256 is not the expected one")
    except RagError as error:
        return _Check("starter model", False, str(error))
    return _Check("starter model", True, "sha256 as expected")


def _search_check() -> _Check:
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except sqlite3.OperationalError:
        how = "this Python's SQLite has no FTS5; use another build of Python"
        return _Check("full-text search", False, how)
    return _Check("full-text search", True, f"SQLite {sqlite3.sqlite_version} with FTS5")


def _folder_check(data: str | None) -> _Check:
    try:
        found = data_folder(data)
        holder = lock_holder(found)
    except RagError as error:
        return _Check("data folder", False, str(error))
    return _Check("data folder", True, f"{found}; {holder}" if holder else str(found))
