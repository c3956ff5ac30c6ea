"""Commands on collections: add, remove and describe documents, look at chunks, follow folders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

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
    with_progress,
)
from rag.errors import RagError
from rag.knowledge.rows import (
    DocumentRow,
    FileStatus,
    IngestReport,
    attributes_of,
    get_collection,
    list_chunks,
    list_collections,
    list_documents,
    list_watched_folders,
    read_chunk_use,
)
from rag.text.plurals import counted

if TYPE_CHECKING:
    from rag.storage.database import Database
    from rag.workspace import Workspace

app = typer.Typer()
watch_app = typer.Typer(help="Folders that collections follow.", no_args_is_help=True)
app.add_typer(watch_app, name="watch")
collections_app = typer.Typer(help="The collections.")
app.add_typer(collections_app, name="collections")
documents_app = typer.Typer(
    help="The documents of a collection, with what of their files was read and what was not.",
    no_args_is_help=True,
)
app.add_typer(documents_app, name="documents")

Folder = Annotated[Path, typer.Argument(help="A followed folder.", metavar="DIR")]


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to add.", metavar="PATH...")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files and folders to a collection and make a new version of it."""
    from rag.knowledge.ingest import ingest_files

    with open_workspace(data, "ingest") as workspace:
        report = with_progress(ingest_files(workspace, collection, paths), as_json)
    if as_json:
        print_json({**as_plain(report), "counts": _counts(report)})
    else:
        _print_report(report)
    if report.version_number is None:
        raise RagError("Nothing could be added. The reasons are above.")


@app.command()
@with_tables
def sample(
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Also run and compare both pipelines.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make the sample collection, its evaluation set and two pipelines to compare."""
    from rag.cli.evaluation.runs import follow, print_comparison
    from rag.evaluation.comparison import compare
    from rag.sample.making import evaluate_sample, ingest_sample

    with open_workspace(data, "sample") as workspace:
        report = with_progress(ingest_sample(workspace), as_json)
        if evaluate:
            runs = follow(evaluate_sample(workspace), workspace.database, data)
            found = compare(workspace.database, [run.id for run in runs])
    if as_json:
        print_json(
            {**as_plain(report), "counts": _counts(report), "comparison": asdict(found) if evaluate else None}
        )
        return
    _print_report(report)
    if evaluate:
        print_comparison(found)


@collections_app.callback(invoke_without_command=True)
@with_tables
def collections(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the collections."""
    if context.invoked_subcommand is None:
        collections_list(data, as_json)


@collections_app.command("list")
@with_tables
def collections_list(data: Data = None, as_json: Json = False) -> None:
    """List the collections."""
    rows = list_collections(open_database(data))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Name", "Version", "Documents", "Chunks", "Tokens", "Embedder")
    for row in rows:
        table.add_row(
            plain(row.name),
            str(row.version_number or "–"),
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            f"{row.token_count:,}",
            plain(row.embedder_name),
        )
    screen.print(
        table if rows else "There are no collections yet. Make one with `ragdeck ingest PATH... -c NAME`."
    )


MaxTokens = Annotated[int | None, typer.Option("--max-tokens", help="Longest chunk, in tokens.")]
OverlapTokens = Annotated[
    int | None, typer.Option("--overlap-tokens", help="Tokens that neighbouring chunks share.")
]
KeepEncoded = Annotated[
    bool | None, typer.Option("--keep-encoded/--leave-encoded", help="Chunk base64 and minified code too.")
]
EmbedderFolder = Annotated[
    str, typer.Option("--embedder", help="A sentence-transformers folder.", metavar="DIR")
]


@collections_app.command("create")
def collections_create(
    name: Annotated[str, typer.Argument(help="Name of the new collection.", metavar="NAME")],
    max_tokens: MaxTokens = None,
    overlap_tokens: OverlapTokens = None,
    keep_encoded: KeepEncoded = None,
    embedder: EmbedderFolder = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an empty collection with an embedder and chunk settings of its own."""
    from rag.knowledge.preview.chunks import create_collection

    with open_workspace(data, "collections create") as workspace:
        made = create_collection(workspace, name, max_tokens, overlap_tokens, keep_encoded, embedder)
        row = get_collection(workspace.database, made)
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(plain(f"Made the collection {made} with the embedder {row.embedder_name}."))


@collections_app.command("preview")
@with_tables
def collections_preview(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...")],
    max_tokens: MaxTokens = None,
    overlap_tokens: OverlapTokens = None,
    keep_encoded: KeepEncoded = None,
    embedder: EmbedderFolder = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show the first chunks that files would make; nothing is stored."""
    from rag.knowledge.preview.chunks import preview_chunks

    with open_workspace(data, "collections preview") as workspace:
        steps = preview_chunks(workspace, paths, max_tokens, overlap_tokens, keep_encoded, embedder)
        found = run_steps(steps, as_json)
    if as_json:
        print_json(as_plain(found))
        return
    table = Table("File", "Place", "Tokens", "Text")
    for chunk in found.chunks:
        table.add_row(
            plain(Path(chunk.path).name),
            plain(chunk.place),
            str(chunk.token_count),
            plain(shortened(" ".join(chunk.text.split()), 160)),
        )
    screen.print(table)
    for outcome in found.left_out:
        screen.print(plain(f"{outcome.path}: {outcome.detail}"), highlight=False, soft_wrap=True)
    screen.print(plain(found.sentence()), highlight=False, soft_wrap=True)


@documents_app.command("list")
@with_tables
def documents_list(
    collection: Name,
    left_out: Annotated[bool, typer.Option("--left-out", help="Only those with something left out.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the documents of the active version with the number of things of each that were not read."""
    database = open_database(data)
    version_id = get_collection(database, collection).active_version_id or 0
    found = list_documents(database, version_id, left_out=left_out)
    if as_json:
        print_json([_document_facts(document) for document in found])
        return
    table = Table("Name", "Kind", "Chunks", "Left out", "Account")
    for document in found:
        table.add_row(
            plain(document.name),
            plain(document.media_type),
            f"{document.chunk_count:,}",
            f"{document.left_out:,}" if document.account else "–",
            plain("; ".join(document.account_lines)),
        )
    nothing = (
        "Nothing was left out of any document." if left_out else "This collection contains no documents."
    )
    screen.print(table if found else nothing)


@documents_app.command("show")
def documents_show(
    document: Annotated[str, typer.Argument(help="Name or path of a document.", metavar="DOCUMENT")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a document of the active version: what of its file was read, and what was not and why."""
    found = _documents(open_database(data), collection, document)
    if as_json:
        print_json([_document_facts(one) for one in found])
        return
    for one in found:
        screen.print(f"{plain(one.title)}\n{plain(one.source)}", soft_wrap=True, highlight=False)
        size = f"{counted(one.size_bytes, 'byte')}, {counted(one.chunk_count, 'chunk')}"
        screen.print(f"{plain(one.media_type)}, {size}, added {clock_time(one.created_ms)}", style="dim")
        for line in one.account_lines:
            screen.print(f"- {plain(line)}", soft_wrap=True, highlight=False)


@app.command()
def remove(
    documents: Annotated[
        list[str], typer.Argument(help="Names or paths of documents.", metavar="DOCUMENT...")
    ],
    collection: Name,
    data: Data = None,
) -> None:
    """Make a version without these documents; older versions still contain them."""
    from rag.knowledge.edits import remove_documents

    with open_workspace(data, "remove") as workspace:
        row = get_collection(workspace.database, collection)
        wanted = set(documents)
        present = list_documents(workspace.database, row.active_version_id) if row.active_version_id else []
        ids = [d.id for d in present if d.name in wanted or d.source in wanted]
        version = run_steps(remove_documents(workspace, collection, ids), False)
    screen.print(f"Version {version.number}: removed {len(ids)} of {len(present)} documents.")


@app.command()
def describe(
    document: Annotated[str, typer.Argument(help="Name or path of a document.", metavar="DOCUMENT")],
    attributes: Annotated[
        list[str] | None,
        typer.Argument(help="Metadata that replaces the current one.", metavar="NAME=VALUE..."),
    ] = None,
    collection: Name = "",
    data: Data = None,
) -> None:
    """Make a version in which a document has this metadata; without any, all of it is removed."""
    from rag.knowledge.edits import edit_document

    pairs = [pair.partition("=") for pair in attributes or []]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise RagError("Metadata must be given as NAME=VALUE.")
    with open_workspace(data, "describe") as workspace:
        found = _document(workspace, collection, document)
        values = {name: value for name, _, value in pairs}
        version = run_steps(edit_document(workspace, collection, found, values), False)
    screen.print(f"Version {version.number}: {plain(version.message)}")


@app.command()
@with_tables
def chunks(
    document: Annotated[str, typer.Argument(help="Name or path of a document.", metavar="DOCUMENT")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List a document's chunks in the active version, with their ids and how they were used."""
    database = open_database(data)
    version_id = get_collection(database, collection).active_version_id or 0
    listed = [
        {**asdict(chunk), **as_plain(read_chunk_use(database, version_id, chunk.id))}
        for one in _documents(database, collection, document)
        for chunk in list_chunks(database, one.id)
    ]
    if as_json:
        print_json(listed)
        return
    table = Table("Chunk", "Place", "Tokens", "Candidate", "In prompts", "Excluded", "Text")
    for item in listed:
        table.add_row(
            str(item["id"]),
            plain(item["place"]),
            str(item["token_count"]),
            str(item["candidate_count"]),
            str(item["prompt_count"]),
            plain(item["excluded"] or ""),
            plain(shortened(" ".join(item["text"].split()), 60)),
        )
    screen.print(table)


@app.command()
def exclude(
    chunk_ids: Annotated[list[int], typer.Argument(help="Ids of chunks.", metavar="CHUNK...")],
    collection: Name,
    reason: Annotated[str, typer.Option(help="Why; the reason is stored with the version.")],
    data: Data = None,
) -> None:
    """Make a version that leaves chunks out of search and answers."""
    from rag.knowledge.edits import exclude_chunks

    with open_workspace(data, "exclude") as workspace:
        version = run_steps(exclude_chunks(workspace, collection, chunk_ids, reason), False)
    screen.print(f"Version {version.number}: {plain(version.message)}")


@app.command()
def include(
    chunk_ids: Annotated[list[int], typer.Argument(help="Ids of chunks.", metavar="CHUNK...")],
    collection: Name,
    data: Data = None,
) -> None:
    """Make a version that includes excluded chunks again."""
    from rag.knowledge.edits import include_chunks

    with open_workspace(data, "include") as workspace:
        version = run_steps(include_chunks(workspace, collection, chunk_ids), False)
    screen.print(f"Version {version.number}: {plain(version.message)}")


@app.command()
def inspect(
    collection: Name,
    near: Annotated[bool, typer.Option("--near", help="Look for near-duplicates instead.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List chunks with garbled, hardly any or repeated text; with --near, nearly identical chunks."""
    from rag.knowledge.chunk_quality import near_duplicates, suspicious_chunks

    with open_workspace(data, "inspect") as workspace:
        if near:
            pairs = run_steps(near_duplicates(workspace, collection), as_json)
        else:
            suspects = run_steps(suspicious_chunks(workspace, collection), as_json)
    if as_json:
        print_json(as_plain(pairs if near else suspects))
    elif near:
        for pair in pairs:
            screen.print(
                f"{pair.similarity:.3f}  {pair.chunk_id} {plain(pair.document)} {plain(pair.place)}  =  "
                f"{pair.other_id} {plain(pair.other_document)} {plain(pair.other_place)}"
            )
        screen.print(counted(len(pairs), "pair"))
    else:
        for item in suspects:
            text = plain(shortened(" ".join(item.text.split()), 60))
            screen.print(f"{item.chunk_id}  {item.kind}: {plain(item.document)} {plain(item.place)}  {text}")
        screen.print(f"{counted(len(suspects), 'chunk')} to look at")


@app.command()
def erase(
    document: Annotated[str, typer.Argument(help="Name or path of a document.", metavar="DOCUMENT")],
    collection: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Erase a document for good, from every version, index and trace; then search all files for it.

    The exit code is 1 when a sentence was found afterwards.
    """
    from rag.governance.erasure import erase_document

    if not yes:
        typer.confirm(
            f"Erase “{document}” from every version of “{collection}”? This cannot be undone.", abort=True
        )
    with open_workspace(data, "erase") as workspace:
        report = run_steps(erase_document(workspace, collection, document), as_json)
    if as_json:
        print_json({**as_plain(report), "clean": report.clean, "summary": report.sentence()})
    else:
        screen.print(plain(report.sentence()))
        for note in report.notes:
            screen.print(plain(note), style="dim")
        for file, sentence in report.found[:20]:
            screen.print(f"found in {plain(file)}: {plain(sentence[:100])}", style="red")
    return 0 if report.clean else 1


@app.command()
def compact(data: Data = None, as_json: Json = False) -> None:
    """Remove what no version needs, and rewrite the files without it."""
    from rag.governance.compaction import compact as compact_folder

    with open_workspace(data, "compact") as workspace:
        report = run_steps(compact_folder(workspace), as_json)
    if as_json:
        print_json(as_plain(report))
    else:
        screen.print(
            f"{counted(report.documents, 'document')} and {counted(report.embeddings, 'vector')} removed; "
            f"{report.bytes_before / 2**20:,.1f} → {report.bytes_after / 2**20:,.1f} MB"
        )


@watch_app.command("add")
def watch_add(
    folder: Annotated[Path, typer.Argument(help="The folder to follow.", metavar="DIR")],
    collection: Name,
    quiet: Annotated[int, typer.Option(help="Seconds without a change before files are added.")] = 10,
    data: Data = None,
) -> None:
    """Let a collection follow a folder."""
    from rag.knowledge.watched_folders import watch_folder

    with open_workspace(data, "watch") as workspace:
        watch_folder(workspace, collection, str(folder), quiet)
    screen.print(
        f"{plain(collection)} now follows {plain(str(folder))}, while the window is open and "
        "with `ragdeck watch check`."
    )


@watch_app.command("list")
@with_tables
def watch_list(data: Data = None, as_json: Json = False) -> None:
    """List followed folders with the outcome of the last check."""
    rows = list_watched_folders(open_database(data))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Collection", "Folder", "State", "Last check", "Outcome")
    for row in rows:
        checked = clock_time(row.last_check_ms) if row.last_check_ms else "–"
        state = "on" if row.enabled else "paused"
        table.add_row(plain(row.collection), plain(row.path), state, checked, plain(row.outcome))
    screen.print(
        table if rows else "No folders are followed. Follow one with `ragdeck watch add DIR -c NAME`."
    )


@watch_app.command("pause")
def watch_pause(folder: Folder, collection: Name, data: Data = None) -> None:
    """Pause following a folder."""
    _set_watching(folder, collection, data, False)


@watch_app.command("resume")
def watch_resume(folder: Folder, collection: Name, data: Data = None) -> None:
    """Resume following a paused folder."""
    _set_watching(folder, collection, data, True)


@watch_app.command("remove")
def watch_remove(folder: Folder, collection: Name, data: Data = None) -> None:
    """Stop following a folder; its documents stay."""
    from rag.knowledge.watched_folders import find_watch, unwatch_folder

    with open_workspace(data, "watch") as workspace:
        unwatch_folder(workspace, find_watch(workspace, collection, str(folder)))
    screen.print(f"{plain(str(folder))} is no longer followed.")


@watch_app.command("check")
def watch_check(data: Data = None, as_json: Json = False) -> None:
    """Check all followed folders now, without waiting for quiet."""
    from rag.knowledge.watched_folders import check_folders

    with open_workspace(data, "watch") as workspace:
        reports = run_steps(check_folders(workspace, at_once=True), as_json)
        rows = list_watched_folders(workspace.database)
    if as_json:
        print_json({"folders": [asdict(row) for row in rows], "ingests": as_plain(reports)})
        return
    for row in rows:
        screen.print(f"{plain(row.collection)}: {plain(row.path)}: {plain(row.outcome)}")


def _set_watching(folder: Path, collection: str, data: str | None, enabled: bool) -> None:
    from rag.knowledge.watched_folders import find_watch, set_watching

    with open_workspace(data, "watch") as workspace:
        set_watching(workspace, find_watch(workspace, collection, str(folder)), enabled)
    screen.print(f"{plain(str(folder))} is {'followed again' if enabled else 'paused'}.")


def _document(workspace: Workspace, collection: str, wanted: str) -> int:
    """Return the id of the one document of the active version with this name or path. Raises RagError."""
    row = get_collection(workspace.database, collection)
    present = list_documents(workspace.database, row.active_version_id) if row.active_version_id else []
    found = [d.id for d in present if wanted in (d.name, d.source)]
    if len(found) != 1:
        raise RagError(
            f"“{wanted}” is the name of {counted(len(found), 'document')} in “{collection}”. "
            "Give the path of one."
        )
    return found[0]


def _documents(database: Database, collection: str, wanted: str) -> list[DocumentRow]:
    """Return the documents of the active version with this name or path. Raises RagError for none."""
    version_id = get_collection(database, collection).active_version_id or 0
    found = [d for d in list_documents(database, version_id) if wanted in (d.name, d.source)]
    if not found:
        raise RagError(f"The active version of “{collection}” has no document “{wanted}”.")
    return found


def _document_facts(document: DocumentRow) -> dict[str, object]:
    return {
        **asdict(document),
        "attributes": attributes_of(document.attributes),
        "account": list(document.account_lines),
    }


def _counts(report: IngestReport) -> dict[str, int]:
    return {str(status): report.count(status) for status in FileStatus}


def _print_report(report: IngestReport) -> None:
    for outcome in report.outcomes:
        if outcome.outcome in (FileStatus.FAILED, FileStatus.SKIPPED) or outcome in report.incomplete:
            screen.print(f"{outcome.outcome}: {plain(outcome.path)}: {plain(outcome.detail)}", soft_wrap=True)
    counts = (
        ", ".join(f"{count} {name}" for name, count in _counts(report).items() if count) or "nothing to do"
    )
    screen.print(f"{counts} in {report.seconds:.1f} s")
    if report.version_number is not None:
        screen.print(
            f"{plain(report.collection)}: version {report.version_number}, "
            f"{counted(report.document_count, 'document')}, {counted(report.chunk_count, 'chunk')}"
        )
