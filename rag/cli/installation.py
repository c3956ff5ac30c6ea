"""Commands on the installation: model files and the check of everything."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.terminal import Data, Json, as_plain, open_database, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.storage.data_folder import data_folder, lock_holder

app = typer.Typer()


@app.command()
def models(
    add: Annotated[Path | None, typer.Option("--add", help="Remember a GGUF file.")] = None,
    context: Annotated[int, typer.Option(help="Context length for the memory forecast.", min=512)] = 4096,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the GGUF files known, with what their headers say."""
    from rag.models.catalogue import add_model, list_models
    from rag.models.rows import forecast_memory
    from rag.settings import Settings

    folder = data_folder(data)
    if add is not None:
        with open_workspace(data, "models") as workspace:
            add_model(workspace.store, str(add))
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
        if header is None:
            table.add_row(plain(entry.name), entry.origin, plain(entry.problem), "", "", "", "")
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


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Check the installation: packages, starter models, data folder, full-text search."""
    checks = list(_checks(data))
    if as_json:
        print_json({"ok": all(ok for _, ok, _ in checks), "checks": [
            {"name": name, "ok": ok, "detail": detail} for name, ok, detail in checks
        ]})  # fmt: skip
    else:
        for name, ok, detail in checks:
            screen.print(f"[{'green' if ok else 'red'}]{'ok ' if ok else 'NO '}[/] {name}: {plain(detail)}")
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(1)


def _checks(data: str | None) -> Iterator[tuple[str, bool, str]]:
    from rag.models.embedding import check_starter_embedder, starter_embedder_folder
    from rag.models.language_model import (
        HOW_TO_GET_LLAMA,
        STARTER_SHA256,
        llama_available,
        starter_model_path,
    )

    yield "Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.system()}"
    for package in ("PySide6-Essentials", "chromadb", "sentence-transformers", "sqlmodel", "torch"):
        try:
            yield package, True, importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            yield package, False, "not installed; run `python main.py` with a network connection"
    yield _llama_check(llama_available(), HOW_TO_GET_LLAMA)
    try:
        folder = starter_embedder_folder()
        check_starter_embedder(folder)
        yield "starter embedder", True, "sha256 as expected"
    except RagError as error:
        yield "starter embedder", False, str(error)
    try:
        from rag.models.embedding import file_sha256

        path = starter_model_path()
        same = file_sha256(path) == STARTER_SHA256
        yield (
            "starter model",
            same,
            "sha256 as expected" if same else f"{path} has other contents than expected",
        )
    except RagError as error:
        yield "starter model", False, str(error)
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        yield "full-text search", True, f"SQLite {sqlite3.sqlite_version} with FTS5"
    except sqlite3.OperationalError:
        yield "full-text search", False, "this Python's SQLite has no FTS5; use another build of Python"
    try:
        found = data_folder(data)
        yield "data folder", True, f"{found}" + (f"; {holder}" if (holder := lock_holder(found)) else "")
    except RagError as error:
        yield "data folder", False, str(error)


def _llama_check(available: bool, how: str) -> tuple[str, bool, str]:
    if not available:
        return "llama.cpp", False, how
    from rag.models.language_model import gpu_supported

    version = importlib.metadata.version("llama-cpp-python")
    return (
        "llama.cpp",
        True,
        f"llama-cpp-python {version}, {'GPU and CPU' if gpu_supported() else 'CPU only'}",
    )
