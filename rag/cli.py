"""The command line: what the window can do, without a window.

With --json, one JSON document goes to stdout and everything else to stderr. Exit codes: 0 done, 1 refused
with a sentence, 2 wrong usage.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from rag.data_folder import data_folder, lock_holder
from rag.errors import RagError
from rag.events import (
    AskResult,
    Hit,
    IngestProgress,
    IngestReport,
    PromptProgress,
    RetrievalDone,
    TokenStreamed,
    as_plain,
)

if TYPE_CHECKING:
    from rag.reader import Reader, TraceDetail
    from rag.workspace import Workspace

R = TypeVar("R")

app = typer.Typer(
    name="ragdeck",
    help="Version the knowledge, ask it through a local model, see how every answer came about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
traces_app = typer.Typer(help="Stored traces of every ask.", no_args_is_help=True)
app.add_typer(traces_app, name="traces")

Data = Annotated[
    str | None, typer.Option("--data", help="Data folder; default: the platform's own.", metavar="DIR")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, logs on stderr.")]
Name = Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")]
Number = Annotated[
    int | None, typer.Option("--version", min=1, help="Dataset version; default: the active one.")
]

_screen = Console()
_log = Console(stderr=True)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        result = app(arguments, standalone_mode=False)
        return int(result) if isinstance(result, int) else 0
    except RagError as error:
        return _refuse(str(error))
    except (typer.Abort, KeyboardInterrupt):
        return _refuse("Cancelled; what was reported as done is kept.")
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        return 0
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a click usage error
            error.show()
            return 2
        raise


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to add.", metavar="PATH...")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files and folders to a collection and make a new version of it."""
    from rag.ingest import ingest_files

    with _workspace(data, "ingest") as workspace:
        report = _with_progress(ingest_files(workspace, collection, paths), as_json)
    if as_json:
        _print_json({**as_plain(report), "counts": _counts(report)})
    else:
        _print_report(report)
    if report.version_number is None:
        raise RagError("Nothing could be added; the reasons are above.")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.", metavar="Q")],
    collection: Name,
    version: Number = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="Most hits shown.")] = 10,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find passages, without asking a model."""
    from rag.retrieval import open_version, retrieve

    with _workspace(data, "search") as workspace:
        found, chosen = open_version(workspace, collection, version)
        result = retrieve(workspace, found, chosen, query, workspace.settings.retrieval)
        hits = [hit for hit in result.hits if hit.dropped is None][:limit]
    if as_json:
        _print_json(
            {"query": query, "collection": collection, "version": chosen.number, "hits": as_plain(hits)}
        )
        return
    if not hits:
        _screen.print("Nothing in this version is close to that.")
    for hit in hits:
        _screen.print(
            f"[bold]{hit.fused_rank}. {_plain(hit.document)}[/bold] {_plain(hit.place)}  {_scores(hit)}"
        )
        _screen.print(_plain(" ".join(hit.text.split())[:300]), style="dim")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question.", metavar="Q")],
    collection: Name,
    version: Number = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model's name or the path of a GGUF file.")
    ] = None,
    session: Annotated[
        str, typer.Option("--session", help="Session id of an earlier ask, to follow it up.")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask a question; the answer is streamed, checked and traced."""
    from rag.answering import answer_question

    with _workspace(data, "ask") as workspace:
        events = answer_question(
            workspace, question, collection, version=version, model=model, session_id=session
        )
        result = _finish(events, None if as_json else _show_answer_event)
        detail = workspace.reader.trace(result.trace_id)
    if as_json:
        _print_json(ask_document(detail, result))
    else:
        _print_answer_end(detail, result)


@app.command()
def collections(data: Data = None, as_json: Json = False) -> None:
    """List the collections."""
    rows = _reader(data).collections()
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    table = Table("Name", "Version", "Documents", "Chunks", "Tokens", "Embedder")
    for row in rows:
        table.add_row(
            _plain(row.name),
            str(row.version_number or "–"),
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            f"{row.token_count:,}",
            row.embedder_name,
        )
    _screen.print(
        table if rows else "There is no collection yet; `ragdeck ingest PATH... -c NAME` makes one."
    )


@app.command()
def versions(collection: Name, data: Data = None, as_json: Json = False) -> None:
    """List the dataset versions of a collection, newest first."""
    reader = _reader(data)
    rows = reader.versions(reader.collection(collection).id)
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    table = Table("Version", "Made", "Message", "Documents", "Chunks", "Fingerprint")
    for row in rows:
        table.add_row(
            f"{row.number}{' (active)' if row.active else ''}",
            _time(row.created_ms),
            row.message,
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            row.fingerprint[:12],
        )
    _screen.print(table)


@app.command()
def activate(
    number: Annotated[int, typer.Argument(min=1, help="The version to activate.")],
    collection: Name,
    data: Data = None,
) -> None:
    """Make an existing version the active one."""
    from rag.datasets import activate_version

    with _workspace(data, "activate") as workspace:
        for _ in activate_version(workspace, collection, number):
            pass
    _screen.print(f"Version {number} of {_plain(collection)} is active.")


@app.command()
def remove(
    documents: Annotated[
        list[str], typer.Argument(help="Names or paths of documents.", metavar="DOCUMENT...")
    ],
    collection: Name,
    data: Data = None,
) -> None:
    """Make a version without these documents; older versions keep them."""
    from rag.datasets import remove_documents

    with _workspace(data, "remove") as workspace:
        row = workspace.reader.collection(collection)
        wanted = set(documents)
        present = workspace.reader.documents(row.active_version_id) if row.active_version_id else []
        ids = [d.id for d in present if d.name in wanted or d.source in wanted]
        for _ in remove_documents(workspace, collection, ids):
            pass
    _screen.print(f"Removed {len(ids)} of {len(present)} documents.")


@app.command()
def models(
    add: Annotated[Path | None, typer.Option("--add", help="Remember a GGUF file.")] = None,
    context: Annotated[int, typer.Option(help="Context length for the memory forecast.", min=512)] = 4096,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the GGUF files known, with what their headers say."""
    from rag.gguf import forecast_memory
    from rag.models import add_model, known_models
    from rag.settings import Settings

    folder = data_folder(data)
    if add is not None:
        with _workspace(data, "models") as workspace:
            add_model(workspace, str(add))
    reader = _reader(data)
    settings = Settings.load(folder / "settings.toml")
    entries = known_models(reader.added_models(), settings.models.folders)
    if as_json:
        _print_json(
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
            table.add_row(_plain(entry.name), entry.origin, _plain(entry.problem), "", "", "", "")
            continue
        table.add_row(
            _plain(entry.name) + (" (demo model)" if entry.origin == "starter" else ""),
            entry.origin,
            header.architecture,
            header.quantisation,
            f"{header.parameter_count / 1e6:,.0f} M",
            f"{header.context_length:,}",
            f"{forecast_memory(header, context).total / 2**20:,.0f} MiB",
        )
    _screen.print(table)


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Check the installation: packages, starter models, data folder, full-text search."""
    checks = list(_checks(data))
    if as_json:
        _print_json({"ok": all(ok for _, ok, _ in checks), "checks": [
            {"name": name, "ok": ok, "detail": detail} for name, ok, detail in checks
        ]})  # fmt: skip
    else:
        for name, ok, detail in checks:
            _screen.print(f"[{'green' if ok else 'red'}]{'ok ' if ok else 'NO '}[/] {name}: {_plain(detail)}")
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(1)


@traces_app.command("list")
def traces_list(
    text: Annotated[str, typer.Option(help="Words in the question or answer.")] = "",
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    model: Annotated[str, typer.Option(help="Name of the model.")] = "",
    verdict: Annotated[str, typer.Option(help="Worst verdict, or “flagged”.")] = "",
    status: Annotated[str, typer.Option(help="done, nothing found, cancelled, failed, interrupted.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Earliest time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Latest time.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List traces, newest first."""
    from rag.reader import TraceFilter

    wanted = TraceFilter(
        text=text,
        collection=collection,
        model=model,
        verdict=verdict,
        status=status,
        since_ms=int(since.timestamp() * 1000) if since else None,
        until_ms=int(until.timestamp() * 1000) if until else None,
    )
    rows = _reader(data).traces(wanted, limit)
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    table = Table("Id", "Time", "Status", "Question", "Flags", "Tokens", "ms")
    for row in rows:
        table.add_row(
            row.id[:8],
            _time(row.created_ms),
            row.status,
            _plain(row.question[:60]),
            f"{row.flag_count} of {row.claim_count}",
            f"{row.prompt_tokens} + {row.completion_tokens}",
            f"{row.total_ms or 0:,.0f}",
        )
    _screen.print(table if rows else "No trace matches.")


@traces_app.command("show")
def traces_show(
    trace_id: Annotated[str, typer.Argument(help="The id, or its beginning.", metavar="ID")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one trace: answer, flags, candidates with their ranks and why they were dropped, the exact prompt."""
    detail = _reader(data).trace(trace_id)
    if as_json:
        row = {**detail.row, "settings": json.loads(detail.row["settings"])}
        row["fallbacks"] = json.loads(detail.row["fallbacks"])
        _print_json({**row, "hits": as_plain(detail.hits), "claims": as_plain(detail.claims),
                     "spans": as_plain(detail.spans)})  # fmt: skip
        return
    _print_trace(detail)


def ask_document(detail: TraceDetail, result: AskResult) -> dict[str, Any]:
    """The JSON document of `ask --json`."""
    from rag.answering import citations

    row = detail.row
    return {
        "trace_id": result.trace_id,
        "session_id": result.session_id,
        "status": result.status,
        "question": row["question"],
        "answer": row["answer"],
        "collection": row["collection"],
        "version": row["version_number"],
        "model": row["model"],
        "citations": citations(row["answer"], detail.hits),
        "claims": [
            {
                "text": claim.text,
                "start": claim.start,
                "end": claim.end,
                "verdict": claim.verdict,
                "score": claim.score,
                "reason": claim.reason,
                "evidence": None
                if claim.evidence_marker is None
                else {
                    "marker": claim.evidence_marker,
                    "start": claim.evidence_start,
                    "end": claim.evidence_end,
                    "text": claim.evidence_text,
                },
            }
            for claim in detail.claims
        ],
        "tokens": {
            "prompt": row["prompt_tokens"],
            "cached": row["cached_tokens"],
            "completion": row["completion_tokens"],
        },
        "timings_ms": {
            "retrieve": row["retrieve_ms"],
            "first_token": row["first_token_ms"],
            "read": row["read_ms"],
            "generate": row["generate_ms"],
            "check": row["check_ms"],
            "total": row["total_ms"],
        },
        "tokens_per_s": row["tokens_per_s"],
        "retrieval": {
            "passages": row["passage_count"],
            "passage_documents": row["passage_documents"],
            "chunks": row["searched_chunks"],
            "documents": row["searched_documents"],
        },
        "notices": list(result.notices),
    }


# --- opening ----------------------------------------------------------------------------------------------


@contextmanager
def _workspace(data: str | None, purpose: str) -> Iterator[Workspace]:
    from rag.workspace import Workspace

    with Workspace(data_folder(data), f"ragdeck {purpose}") as workspace:
        yield workspace


def _reader(data: str | None) -> Reader:
    """Reading needs no lock: listings work while the window is open."""
    from rag.reader import Reader

    database = data_folder(data) / "ragdeck.sqlite"
    if not database.exists():
        with _workspace(data, "first start"):
            pass  # makes the file
    return Reader(database)


# --- running ----------------------------------------------------------------------------------------------


def _finish(events: Generator[Any, None, R], show: Callable[[Any], None] | None) -> R:
    try:
        while True:
            event = next(events)
            if show is not None:
                show(event)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        events.close()


def _with_progress(events: Generator[IngestProgress, None, IngestReport], quiet: bool) -> IngestReport:
    if quiet or not _log.is_terminal:
        return _finish(events, None)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_log, transient=True) as progress:
        task = progress.add_task("starting", total=None, rate="")

        def show(event: IngestProgress) -> None:
            rate = f"{event.chunks_per_s:.0f} chunks/s" if event.chunks_per_s else ""
            name = Path(event.file).name if event.file else ""
            progress.update(
                task,
                description=f"{event.stage} {name[:32]} {event.files_done}/{event.files_total}",
                total=max(event.bytes_total, 1),
                completed=event.bytes_done,
                rate=rate,
            )

        return _finish(events, show)


# --- printing ---------------------------------------------------------------------------------------------


def _refuse(sentence: str) -> int:
    _log.print(_plain(sentence), style="red" if _log.is_terminal else None, highlight=False, soft_wrap=True)
    return 1


def _print_json(document: Any) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def _plain(text: str) -> str:
    """Text of others must not be read as rich's markup, nor steer the terminal."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c in "\n\t" else "�" for c in text))


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M")


def _counts(report: IngestReport) -> dict[str, int]:
    return {name: report.count(name) for name in ("added", "replaced", "unchanged", "skipped", "failed")}


def _print_report(report: IngestReport) -> None:
    for outcome in report.outcomes:
        if outcome.outcome in ("failed", "skipped"):
            _screen.print(
                f"{outcome.outcome}: {_plain(outcome.path)}: {_plain(outcome.detail)}", soft_wrap=True
            )
    counts = (
        ", ".join(f"{count} {name}" for name, count in _counts(report).items() if count) or "nothing to do"
    )
    _screen.print(f"{counts} in {report.seconds:.1f} s")
    if report.version_number is not None:
        _screen.print(
            f"{_plain(report.collection)}: version {report.version_number}, "
            f"{report.document_count:,} documents, {report.chunk_count:,} chunks"
        )


def _show_answer_event(event: Any) -> None:
    if isinstance(event, RetrievalDone):
        _log.print(_packed_sentence(event), style="dim")
    elif isinstance(event, PromptProgress) and _log.is_terminal:
        _log.print(f"reading {event.tokens_done}/{event.tokens_total} tokens", end="\r", style="dim")
    elif isinstance(event, TokenStreamed):
        sys.stdout.write(event.text)
        sys.stdout.flush()


def _packed_sentence(event: RetrievalDone) -> str:
    return (
        f"{event.packed_count} of {event.chunk_count} chunks from "
        f"{event.packed_documents} of {event.document_count} documents"
    )


def _print_answer_end(detail: TraceDetail, result: AskResult) -> None:
    if result.status == "nothing found":
        _screen.print(detail.row["answer"])
    sys.stdout.write("\n\n")
    for claim in detail.claims:
        if claim.verdict not in ("supported", "not checkable"):
            score = "" if claim.score is None else f" ({claim.score:.2f})"
            reason = f": {claim.reason}" if claim.reason else ""
            _screen.print(f"{claim.verdict}{score}: {_plain(claim.text)}{_plain(reason)}", style="yellow")
    for hit in detail.hits:
        if hit.marker is not None:
            _screen.print(f"[dim]\\[{hit.marker}] {_plain(hit.document)} {_plain(hit.place)}[/dim]")
    for notice in result.notices:
        _screen.print(f"[dim]note: {_plain(notice)}[/dim]")
    _screen.print(f"[dim]trace {result.trace_id[:8]}[/dim]")


def _print_trace(detail: TraceDetail) -> None:
    row = detail.row
    _screen.print(f"[bold]{_plain(row['question'])}[/bold]")
    _screen.print(_plain(row["answer"] or row["error"]))
    _screen.print(
        f"\n{row['status']}  {_plain(row['collection'])} version {row['version_number']}  {_plain(row['model'])}  "
        f"{row['prompt_tokens']} prompt ({row['cached_tokens']} cached) + {row['completion_tokens']} tokens"
    )
    for span in detail.spans:
        _screen.print(
            f"  {span.start_ms:8.1f} ms  {span.end_ms - span.start_ms:8.1f} ms  {span.name} {_plain(span.detail)}"
        )
    for claim in detail.claims:
        _screen.print(
            f"  {claim.verdict:14} {claim.score if claim.score is not None else '':<6.4} {_plain(claim.text)}"
        )
    table = Table("Rank", "Document", "Place", "Dense", "BM25", "Fused", "In the prompt")
    for hit in detail.hits:
        table.add_row(
            str(hit.fused_rank),
            _plain(hit.document),
            _plain(hit.place),
            _rank(hit.dense_rank, hit.dense_score),
            _rank(hit.bm25_rank, hit.bm25_score),
            f"{hit.fused_score:.4f}",
            f"[bold]\\[{hit.marker}][/bold]" if hit.marker else _plain(hit.dropped or "not packed"),
        )
    _screen.print(table)
    _screen.print("Prompt as sent:", style="bold")
    _screen.print(_plain(row["prompt"]), style="dim")


def _rank(rank: int | None, score: float | None) -> str:
    shown = "–" if rank is None else f"#{rank}"
    return shown if score is None else f"{shown} {score:.3f}"


def _scores(hit: Hit) -> str:
    return f"dense {_rank(hit.dense_rank, hit.dense_score)}  BM25 {_rank(hit.bm25_rank, hit.bm25_score)}"


# --- doctor -----------------------------------------------------------------------------------------------


def _checks(data: str | None) -> Iterator[tuple[str, bool, str]]:
    from rag.embedding import check_starter_embedder, starter_embedder_folder
    from rag.llm import HOW_TO_GET_LLAMA, STARTER_SHA256, llama_available, starter_model_path

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
        from rag.embedding import file_sha256

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
    from rag.llm import gpu_supported

    version = importlib.metadata.version("llama-cpp-python")
    return (
        "llama.cpp",
        True,
        f"llama-cpp-python {version}, {'GPU and CPU' if gpu_supported() else 'CPU only'}",
    )
