"""Commands on dataset versions: list, compare, tag, activate, verify, and try other settings."""

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
    Name,
    as_plain,
    clock_time,
    open_database,
    open_workspace,
    plain,
    print_json,
    run_steps,
    screen,
    shortened,
)
from rag.errors import RagError
from rag.knowledge.rows import (
    ActivationReport,
    ChunkChange,
    ChunkChangeKind,
    get_collection,
    list_versions,
    look_up_version,
)
from rag.text.plurals import counted

app = typer.Typer()
versions_app = typer.Typer(help="Dataset versions of a collection.")
trial_app = typer.Typer(
    help="Try another embedder or other chunk settings next to the current version.", no_args_is_help=True
)
app.add_typer(versions_app, name="versions")
app.add_typer(trial_app, name="trial")
app.add_typer(trial_app, name="whatif", hidden=True)  # its name in version 0.1

Which = Annotated[str, typer.Argument(help="Number or tag of a version.", metavar="VERSION")]


@versions_app.callback(invoke_without_command=True)
@with_tables
def versions(
    context: typer.Context,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the versions of a collection, the newest first."""
    if context.invoked_subcommand is not None:
        return
    if not collection:
        raise RagError("Name the collection with -c NAME.")
    database = open_database(data)
    rows = list_versions(database, get_collection(database, collection).id)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Version", "Made", "Message", "Documents", "Chunks", "Came, went", "Tags", "Verified")
    for row in rows:
        state = " (active)" if row.active else " (trial)" if row.trial else ""
        table.add_row(
            f"{row.number}{state}",
            clock_time(row.created_ms),
            plain(row.message),
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            f"+{row.chunks_added:,} -{row.chunks_removed:,}",
            plain(", ".join(row.tags)),
            "" if row.verification_ok is None else "yes" if row.verification_ok else "NO",
        )
    screen.print(table)


@versions_app.command()
@with_tables
def diff(
    old: Which,
    new: Which,
    collection: Name,
    chunks: Annotated[
        str, typer.Option(help="Also compare the chunks of this document (name or path).")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare two versions: documents that came, went and changed; with --chunks, the words of one."""
    from rag.knowledge.version_diff import diff_document, diff_versions

    database = open_database(data)
    a, b = look_up_version(database, collection, old), look_up_version(database, collection, new)
    found = diff_versions(database, a.id, b.id)
    inside = []
    if chunks:
        chosen = [c for c in found.documents if chunks in (c.name, c.source, c.old_source)]
        if not chosen:
            raise RagError(f"“{chunks}” does not differ between versions {a.number} and {b.number}.")
        inside = [
            change
            for change in diff_document(database, a.id, b.id, chosen[0].old_id, chosen[0].new_id)
            if change.kind != ChunkChangeKind.SAME
        ]
    if as_json:
        document = {**as_plain(found), "summary": found.sentence()}
        print_json({**document, "chunks": as_plain(inside)} if chunks else document)
        return
    screen.print(f"Version {a.number} to {b.number}: {found.sentence()}")
    table = Table("What", "Document", "Chunks", "Tokens")
    for change in found.documents:
        table.add_row(
            change.kind,
            plain(change.name),
            f"+{change.chunks_added} -{change.chunks_removed}",
            f"+{change.tokens_added:,} -{change.tokens_removed:,}",
        )
    if found.documents:
        screen.print(table)
    for piece in inside:
        _print_chunk_change(piece)


@versions_app.command()
def tag(
    version: Which,
    tag: Annotated[str, typer.Argument(help="A word, e.g. baseline.", metavar="TAG")],
    collection: Name,
    data: Data = None,
) -> None:
    """Give a version a tag; one that another version of the collection has moves here."""
    from rag.knowledge.collections import tag_version

    with open_workspace(data, "tag") as workspace:
        tag_version(workspace, collection, version, tag)
    screen.print(f"Version {plain(version)} of {plain(collection)} has the tag {plain(tag)}.")


@versions_app.command()
def untag(
    tag: Annotated[str, typer.Argument(help="The tag to remove.", metavar="TAG")],
    collection: Name,
    data: Data = None,
) -> None:
    """Remove a tag from its version."""
    from rag.knowledge.collections import untag_version

    with open_workspace(data, "untag") as workspace:
        untag_version(workspace, collection, tag)
    screen.print(f"The tag {plain(tag)} was removed.")


@versions_app.command()
def verify(
    collection: Name,
    every_vector: Annotated[
        bool, typer.Option("--every-vector", help="Compare all vectors, not a sample of 256.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Verify that the index contains the active version. The exit code is 1 when it does not."""
    from rag.knowledge.index_sync import verify_index

    with open_workspace(data, "verify") as workspace:
        result = run_steps(verify_index(workspace, collection, every_vector), as_json)
    if as_json:
        print_json(as_plain(result))
    else:
        screen.print(f"{'Verified' if result.ok else 'Verification failed'}: {plain(result.sentence())}")
    return 0 if result.ok else 1


@versions_app.command()
def query(
    text: Annotated[str, typer.Argument(help="A question or words.", metavar="Q")],
    collection: Name,
    data: Data = None,
) -> None:
    """Add a query that verifies each activated version: it must find the same passages."""
    from rag.knowledge.verification import add_verification_query

    with open_workspace(data, "add a verification query") as workspace:
        add_verification_query(workspace, collection, text)
    screen.print("Stored, with its hits in every version of this embedder.")


versions_app.command("probe", hidden=True)(query)  # its name in version 0.1


@versions_app.command()
def delete(version: Which, collection: Name, data: Data = None) -> None:
    """Delete a version that is not active, and the documents that no other version contains."""
    from rag.knowledge.trials import discard_version

    with open_workspace(data, "delete version") as workspace:
        count = discard_version(workspace, collection, version)
    screen.print(
        f"Version {plain(version)} was deleted, with {counted(count, 'document')} that only it contained."
    )


@app.command()
def activate(version: Which, collection: Name, data: Data = None, as_json: Json = False) -> int:
    """Make an existing version the active one and verify it. The exit code is 1 when verification fails."""
    from rag.knowledge.versions import activate_version

    with open_workspace(data, "activate") as workspace:
        report = run_steps(activate_version(workspace, collection, version), as_json)
    return _print_activation(report, as_json)


@app.command()
def undo(collection: Name, data: Data = None, as_json: Json = False) -> int:
    """Go back to the version that the active one was made from."""
    from rag.knowledge import versions as engine

    with open_workspace(data, "undo") as workspace:
        report = run_steps(engine.undo(workspace, collection), as_json)
    return _print_activation(report, as_json)


@app.command("serve-index")
def serve_index(
    place: Annotated[
        str, typer.Argument(help="Address of a Chroma server, or “folder”.", metavar="ADDRESS|folder")
    ],
    collection: Name,
    data: Data = None,
) -> None:
    """Serve a collection's index from a Chroma server, or from the data folder again."""
    from rag.knowledge import index_sync

    with open_workspace(data, "serve-index") as workspace:
        events = index_sync.serve_index(workspace, collection, "" if place == "folder" else place)
        result = run_steps(events, False)
    screen.print(f"{plain(collection)} is now served from {plain(place)}: {plain(result.sentence())}")


@trial_app.command()
def build(
    collection: Name,
    embedder: Annotated[str, typer.Option(help="A sentence-transformers folder.", metavar="DIR")] = "",
    max_tokens: Annotated[int | None, typer.Option(help="Longest chunk, in tokens.")] = None,
    overlap_tokens: Annotated[int | None, typer.Option(help="Tokens that neighbouring chunks share.")] = None,
    keep_encoded: Annotated[
        bool | None,
        typer.Option(
            "--keep-encoded/--leave-out-encoded", help="Chunk base64 and minified code too, or not."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Build a trial from the active version's documents.

    `activate` makes it the active version, `versions delete` deletes it.
    """
    from rag.knowledge.trials import build_trial

    with open_workspace(data, "trial build") as workspace:
        steps = build_trial(workspace, collection, embedder, max_tokens, overlap_tokens, keep_encoded)
        version = run_steps(steps, as_json)
        row = look_up_version(workspace.database, collection, str(version.number))
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(
            f"Version {row.number} is a trial: {plain(row.message)}; {counted(row.chunk_count, 'chunk')}."
        )


@trial_app.command()
@with_tables
def compare(
    old: Which,
    new: Which,
    collection: Name,
    query: Annotated[
        list[str] | None, typer.Option("--query", "-q", help="A query; may be repeated.")
    ] = None,
    judged: Annotated[
        Path | None, typer.Option(help='JSONL lines {"question": …, "documents": [name, …]}.')
    ] = None,
    set_name: Annotated[
        str, typer.Option("--set", help="An evaluation set whose questions are asked.", metavar="SET")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask two versions the same questions: shared hits, and metrics where there are judgements."""
    from rag.evaluation.version_comparison import compare_versions

    with open_workspace(data, "trial compare") as workspace:
        found = run_steps(
            compare_versions(
                workspace, collection, old, new, query or (), str(judged or ""), set_name=set_name
            ),
            as_json,
        )
    if as_json:
        print_json(as_plain(found))
        return
    table = Table("Query", f"Version {found.old_number}", f"Version {found.new_number}", "Both")
    for item in found.queries:
        table.add_row(
            plain(shortened(item.query, 70)), str(item.old_count), str(item.new_count), str(item.shared)
        )
    screen.print(table)
    if found.overlap is not None:
        screen.print(f"On average {100 * found.overlap:.0f} % of the first {found.k} hits are in both.")
    for name, (before, after, count) in found.metrics.items():
        screen.print(
            f"{name}: {before:.3f} → {after:.3f}   ({counted(count, 'judged query', 'judged queries')})"
        )
    if found.sentence:
        screen.print(plain(found.sentence), style="bold", highlight=False, soft_wrap=True)


def _print_activation(report: ActivationReport, as_json: bool) -> int:
    if as_json:
        print_json({**as_plain(report), "verification_sentence": report.verification.sentence()})
    else:
        outcome = "Verified" if report.verification.ok else "Verification failed"
        screen.print(
            f"Version {report.number} of {plain(report.collection)} is active after "
            f"{report.milliseconds / 1000:.1f} s. {outcome}: {plain(report.verification.sentence())}"
        )
    return 0 if report.verification.ok else 1


def _print_chunk_change(change: ChunkChange) -> None:
    shown = change.new or change.old
    assert shown is not None
    screen.print(f"\n[bold]{change.kind}[/bold] chunk {shown.position + 1} {plain(shown.place)}")
    if change.words:
        screen.print(marked_changes(change.words), highlight=False)
    else:
        screen.print(plain(shown.text), style="dim")
