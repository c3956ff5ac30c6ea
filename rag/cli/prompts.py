"""Commands on prompts: versions, labels, and a folder of files for version control."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.changes import marked_changes
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.cli.terminal import log as messages  # log is a command here
from rag.errors import NotFoundError, RagError
from rag.prompts.rows import list_label_moves, list_prompt_versions, list_prompts, unused_passages
from rag.text.plurals import counted

app = typer.Typer()
prompts_app = typer.Typer(help="Prompts as code: versions, labels, files.")
app.add_typer(prompts_app, name="prompts")

Name = Annotated[str, typer.Argument(help="Name of the prompt.", metavar="NAME")]
Number = Annotated[int, typer.Argument(help="Number of a version.", metavar="N")]
Label = Annotated[str, typer.Argument(help="A label, such as production.", metavar="LABEL")]
Note = Annotated[str, typer.Option("--note", help="Why; it is stored in the log.")]
Author = Annotated[str, typer.Option("--author", help="Who; default: the user of this computer.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR")]


@prompts_app.callback(invoke_without_command=True)
@with_tables
def prompts(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the prompts with their labels."""
    if context.invoked_subcommand is None:
        list_(data, as_json)


@prompts_app.command("list")
@with_tables
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the prompts with their labels."""
    open_prepared(data)
    rows = list_prompts(open_database(data))
    if as_json:
        print_json([{**asdict(row), "labels": dict(row.labels)} for row in rows])
        return
    table = Table("Prompt", "Versions", "Labels", "Description")
    for row in rows:
        labels = ", ".join(f"{label} → {number}" for label, number in row.labels)
        table.add_row(plain(row.name), str(row.version_count), plain(labels), plain(row.description))
    screen.print(table)


def open_prepared(data: str | None) -> None:
    """Open a data folder made before there were prompts once, so that it gets its first one."""
    if not list_prompts(open_database(data)):
        with open_workspace(data, "prompts"):
            pass


@prompts_app.command()
@with_tables
def versions(name: Name, data: Data = None, as_json: Json = False) -> None:
    """List the versions of a prompt, newest first."""
    rows = list_prompt_versions(open_database(data), name)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Version", "Made", "By", "Message", "Labels", "Fingerprint")
    for row in rows:
        table.add_row(
            str(row.number),
            clock_time(row.created_ms),
            plain(row.author),
            plain(row.message),
            plain(", ".join(row.labels)),
            row.fingerprint,
        )
    screen.print(table)


@prompts_app.command()
def show(
    name: Name,
    version: Annotated[str, typer.Option("--version", help="Number or label; default: the newest.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a version of a prompt."""
    rows = list_prompt_versions(open_database(data), name)
    row = next((r for r in rows if not version or version == str(r.number) or version in r.labels), None)
    if row is None:
        raise NotFoundError(f"The prompt “{name}” has no version {version}.")
    if as_json:
        print_json(asdict(row))
        return
    for title, text in (("System", row.system), ("User", row.user)):
        screen.print(f"[bold]{title}[/bold]")
        screen.print(plain(text), highlight=False, soft_wrap=True)
    screen.print(plain(f"Version {row.number} · variables: {', '.join(row.variables) or 'none'}"))


@prompts_app.command()
def save(
    name: Name,
    user: Annotated[Path, typer.Option("--user", help="File with the user part (Jinja2).", metavar="FILE")],
    system: Annotated[
        Path | None, typer.Option("--system", help="File with the system part.", metavar="FILE")
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed.")] = "",
    author: Author = "",
    notes: Annotated[str, typer.Option("--notes", help="Anything to remember.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Save a new version of a prompt; labels stay where they are."""
    from rag.prompts.registry import save_prompt

    texts = [_file_text(path) if path else "" for path in (system, user)]
    with open_workspace(data, "prompts save") as workspace:
        row = save_prompt(workspace.store, name, *texts, message=message, author=author, notes=notes)
    if notice := unused_passages(row.variables):
        messages.print(notice, soft_wrap=True)
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(f"{plain(name)} has version {row.number}, fingerprint {row.fingerprint}.")


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"{path} cannot be read as UTF-8 text ({error}). Choose another file.") from error


@prompts_app.command()
def diff(name: Name, old: Number, new: Number, data: Data = None, as_json: Json = False) -> None:
    """Show the words that changed between two versions."""
    from rag.prompts.registry import diff_prompts

    found = diff_prompts(open_database(data), name, old, new)
    if as_json:
        print_json(asdict(found))
        return
    for title, words in (("System", found.system), ("User", found.user)):
        screen.print(f"[bold]{title}[/bold]")
        screen.print(marked_changes(words), highlight=False, soft_wrap=True)


@prompts_app.command()
def label(
    name: Name,
    label: Label,
    number: Number,
    note: Note = "",
    force: Annotated[
        bool, typer.Option("--force", help="Skip the gate that production requires; needs a note.")
    ] = False,
    author: Author = "",
    data: Data = None,
) -> None:
    """Point a label to a version; the `production` version of `default` answers questions."""
    from rag.prompts.registry import move_label

    with open_workspace(data, "prompts label") as workspace:
        move = move_label(workspace.store, name, label, number, author=author, note=note, force=force)
    screen.print(f"{plain(name)}@{plain(label)}: {move.from_number or 'none'} → {move.to_number}.")


@prompts_app.command()
def unlabel(name: Name, label: Label, note: Note = "", author: Author = "", data: Data = None) -> None:
    """Remove a label."""
    from rag.prompts.registry import remove_label

    with open_workspace(data, "prompts unlabel") as workspace:
        remove_label(workspace.store, name, label, author=author, note=note)
    screen.print(f"Removed the label {plain(label)} from {plain(name)}.")


@prompts_app.command()
def rollback(
    name: Name,
    label: Annotated[str, typer.Argument(metavar="[LABEL]")] = "production",
    note: Note = "",
    author: Author = "",
    data: Data = None,
) -> None:
    """Move a label back to where it was before its last move."""
    from rag.prompts.registry import rollback_label

    with open_workspace(data, "prompts rollback") as workspace:
        move = rollback_label(workspace.store, name, label, author=author, note=note)
    screen.print(f"{plain(name)}@{plain(label)}: {move.from_number or 'none'} → {move.to_number}.")


@prompts_app.command()
@with_tables
def log(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show every move of a prompt's labels, newest first."""
    moves = list_label_moves(open_database(data), name)
    if as_json:
        print_json([asdict(move) for move in moves])
        return
    table = Table("When", "Label", "From", "To", "By", "Note")
    for move in moves:
        ends = [str(number) if number else "–" for number in (move.from_number, move.to_number)]
        table.add_row(
            clock_time(move.moved_ms), plain(move.label), *ends, plain(move.author), plain(move.note)
        )
    screen.print(table)


@prompts_app.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete a prompt with all its versions; traces still contain the text that was sent."""
    from rag.prompts.registry import delete_prompt

    with open_workspace(data, "prompts delete") as workspace:
        count = delete_prompt(workspace.store, name)
    screen.print(f"Deleted {plain(name)} with {counted(count, 'version')}.")


@prompts_app.command("export")
def export(folder: Folder, data: Data = None) -> None:
    """Write every prompt with its versions and labels to NAME.yaml in a folder."""
    from rag.prompts.files import export_prompts

    open_prepared(data)
    written = export_prompts(open_database(data), folder)
    screen.print(f"Wrote {counted(len(written), 'prompt')} to {plain(str(folder))}.")


@prompts_app.command("import")
def import_(
    folder: Folder,
    move_labels: Annotated[
        bool, typer.Option("--move-labels", help="Also move labels that are here already.")
    ] = False,
    author: Author = "",
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Import the *.yaml files of a folder; the exit code is 1 when a file was left out."""
    from rag.prompts.files import import_prompts

    with open_workspace(data, "prompts import") as workspace:
        report = import_prompts(workspace.store, folder, author=author, move_labels=move_labels)
    if as_json:
        print_json(as_plain(report))
    else:
        moved = f"; moved {', '.join(report.moved)}" if report.moved else ""
        screen.print(
            plain(
                f"Imported {counted(report.versions_added, 'version')}; "
                f"{report.versions_same} were already here{moved}."
            )
        )
        for problem in report.problems:
            screen.print(plain(problem))
    return 1 if report.problems else 0
