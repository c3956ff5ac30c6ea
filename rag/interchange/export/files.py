"""Writes traces into files as OTLP JSON: one request, or a line for each trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.errors import RagError
from rag.interchange.export.hiding import Hiding, hidden, hiding_of
from rag.interchange.export.spans import exported_spans
from rag.interchange.otlp import to_json, write_request
from rag.interchange.rows import RawSpan
from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace

SUFFIXES = (".json", ".jsonl")


def write_file(store: Store, database: Database, trace_ids: Sequence[str], path: Path, hiding: Hiding) -> int:
    """Write traces to a file, which is whole or not there; return the number of their spans.

    Args:
        store: Where the spans of received traces are.
        database: The same data folder, for reading.
        trace_ids: The traces.
        path: Ends with .json (one request) or .jsonl (a line for each trace, as a collector writes them).
        hiding: What is left out.

    Raises:
        RagError: There is no such trace, the name ends in another way, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise RagError(f"{path.name} must end with .json or .jsonl.")
    scratch = path.with_name(f"{path.name}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="\n") as file:
            groups = [trace_ids] if suffix == ".json" else [[trace_id] for trace_id in trace_ids]
            count = 0
            for group in groups:
                spans = [s for trace_id in group for s in _spans(store, database, trace_id, hiding)]
                file.write(to_json(write_request(spans)) + "\n")
                count += len(spans)
        scratch.replace(path)
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        scratch.unlink(missing_ok=True)
    return count


def export_file(workspace: Workspace, trace_ids: Sequence[str], path: Path) -> int:
    """Write traces to a file, without what the settings hide; see write_file."""
    hiding = hiding_of(workspace.settings.export)
    return write_file(workspace.store, workspace.database, trace_ids, path, hiding)


def lines(store: Store, database: Database, trace_ids: Sequence[str], hiding: Hiding) -> Iterator[str]:
    """Yield a line of JSON for each trace. Raises RagError when there is no such trace."""
    for trace_id in trace_ids:
        yield to_json(write_request(_spans(store, database, trace_id, hiding))) + "\n"


def _spans(store: Store, database: Database, trace_id: str, hiding: Hiding) -> list[RawSpan]:
    return [hidden(span, hiding) for span in exported_spans(store, database, trace_id)]
