"""Commands on sessions: list, show, rename, pin, delete, and bring back what was deleted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.asking.rows import read_answers
from rag.asking.sessions.rows import SessionRow, branch_to, get_session, list_sessions, read_turns
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
    shortened,
)
from rag.text.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer()
sessions_app = typer.Typer(
    help="Sessions: questions that follow each other, and what answers them.", no_args_is_help=True
)
app.add_typer(sessions_app, name="sessions")

SessionId = Annotated[str, typer.Argument(help="Id of a session, or its beginning.", metavar="ID")]


@sessions_app.command("list")
@with_tables
def list_(
    text: Annotated[str, typer.Option(help="Words in the name, a question or an answer.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="List the deleted ones instead.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List sessions: pinned ones first, then those asked last."""
    rows = list_sessions(open_database(data), text, deleted=deleted, limit=limit)
    if as_json:
        print_json([as_plain(row) for row in rows])
        return
    table = Table("Id", "Asked last", "Questions", "Session", "Collection")
    for row in rows:
        table.add_row(
            row.id[:8],
            clock_time(row.asked_ms),
            f"{row.question_count:,}",
            plain(("pinned: " if row.is_pinned else "") + shortened(row.title, 60)),
            plain(row.collection),
        )
    screen.print(table if rows else "No session matches.")


@sessions_app.command("show")
@with_tables
def show(
    session: SessionId,
    branches: Annotated[bool, typer.Option("--branches", help="Show all branches, not one.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a session's questions and answers, and what it is bound to."""
    database = open_database(data)
    row = get_session(database, session)
    turns = read_turns(database, row.id)
    shown = turns if branches else branch_to(turns, row.leaf)
    answers = read_answers(database, [turn.id for turn in shown])
    if as_json:
        questions = [{**as_plain(turn), "answer": answers[turn.id]} for turn in shown]
        print_json({**as_plain(row), "questions": questions})
        return
    screen.print(f"[bold]{plain(row.title)}[/bold]  {row.id}")
    screen.print(plain(bound_to(row)), style="dim")
    for turn in shown:
        after = f", after {turn.parent_id[:8]}" if branches and turn.parent_id else ""
        screen.print(f"\n[bold]{plain(turn.question)}[/bold]  {turn.id[:8]}{after}  {turn.status}")
        screen.print(plain(answers[turn.id]))
    if len(shown) < len(turns):
        other = counted(len(turns) - len(shown), "question is", "questions are")
        screen.print(f"\n{other} in other branches; --branches shows them.", style="dim")


@sessions_app.command()
def rename(
    session: SessionId,
    name: Annotated[str, typer.Argument(help="Its name; empty: its first question.", metavar="NAME")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a session a name."""
    from rag.asking.sessions.changes import rename_session

    _change(data, as_json, session, "rename", lambda store, key: rename_session(store, key, name), "Renamed")


@sessions_app.command()
def pin(
    session: SessionId,
    off: Annotated[bool, typer.Option("--off", help="Put it back among the others.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a session at the top of the list."""
    from rag.asking.sessions.changes import pin_session

    done = "Unpinned" if off else "Pinned"
    _change(data, as_json, session, "pin", lambda store, key: pin_session(store, key, not off), done)


@sessions_app.command()
def delete(session: SessionId, data: Data = None, as_json: Json = False) -> None:
    """Take a session out of the list. Its traces are kept; `undelete` brings it back."""
    from rag.asking.sessions.changes import delete_session

    _change(data, as_json, session, "delete", delete_session, "Deleted")


@sessions_app.command()
def undelete(session: SessionId, data: Data = None, as_json: Json = False) -> None:
    """Bring a deleted session back."""
    from rag.asking.sessions.changes import undelete_session

    _change(data, as_json, session, "undelete", undelete_session, "Restored")


def _change(
    data: str | None,
    as_json: bool,
    session: str,
    command: str,
    change: Callable[[Any, str], None],
    done: str,
) -> None:
    """Change a session and say what it is now."""
    with open_workspace(data, f"sessions {command}") as workspace:
        found = get_session(workspace.database, session)
        change(workspace.store, found.id)
        row = get_session(workspace.database, found.id)
    if as_json:
        print_json(asdict(row))
        return
    screen.print(plain(f"{done} the session “{shortened(row.title, 60)}” ({row.id[:8]})."))


def bound_to(row: SessionRow) -> str:
    """Return what answers a session's questions, in one line."""
    version = f"version {row.version}" if row.version else "the active version"
    if row.pipeline:
        return f"Asks “{row.collection}” with the pipeline “{row.pipeline}”"
    model = row.model or "the active model"
    prompt = f", prompt {row.prompt}" if row.prompt else ""
    return f"Asks {version} of “{row.collection}” with {model}{prompt}"
