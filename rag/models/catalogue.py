"""Finds the GGUF files on this computer: the starter, those that were added, those of other programs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlmodel import select

from rag.errors import ModelError, NotFoundError
from rag.models.chat_template import check_template, template_problem
from rag.models.embedding import file_sha256
from rag.models.endpoints.rows import Endpoint, endpoint_named_by, find_endpoint, list_endpoints
from rag.models.gguf import part_path, read_header
from rag.models.language_model import starter_model_path
from rag.models.rows import ModelEntry, ModelKind, list_added_models, why_it_cannot_answer
from rag.settings import ModelSettings, Settings
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store, now_ms
from rag.storage.tables.knowledge import Model


def known_models(
    added: Iterable[str], folders: Iterable[str], settings: ModelSettings | None = None
) -> list[ModelEntry]:
    """Return every known GGUF file once; one that cannot answer is listed with its problem.

    The later parts of a model in several files are not listed when their first part is: it stands for all.

    Args:
        added: Paths of the files that a person added.
        folders: Folders that are searched besides those of other programs.
        settings: Which chat templates were chosen.
    """
    entries: dict[str, ModelEntry] = {}
    for origin, path, label in _candidates(added, folders):
        key = os.path.realpath(path)
        if key not in entries:
            entries[key] = describe_model(path, settings or ModelSettings(), origin, label)
    return [entry for entry in entries.values() if not _is_told_by_its_first_part(entry, entries)]


def list_models(database: Database, settings: Settings) -> list[ModelEntry]:
    """Return every GGUF file that a person added or that is in a searched folder, and every endpoint."""
    files = known_models(list_added_models(database), settings.models.folders, settings.models)
    return [*files, *(_as_entry(endpoint) for endpoint in list_endpoints(database))]


def find_model(database: Database, settings: Settings, wanted: str) -> Path:
    """Return the path of a model that is given by path, file name or stem; of an endpoint “endpoint:NAME”.

    Raises NotFoundError, which names the known models.
    """
    if name := endpoint_named_by(wanted):
        return Path(find_endpoint(database, name).reference)
    path = Path(wanted).expanduser()
    if path.is_file():
        return path.absolute()
    entries = list_models(database, settings)
    for entry in entries:
        if wanted in (entry.name, entry.label, Path(entry.path).name, entry.path):
            return Path(entry.path)
    names = ", ".join(entry.name for entry in entries if entry.can_answer) or "none"
    raise NotFoundError(
        f"There is no model “{wanted}”. Known models: {names}. You can also give the path of a GGUF file."
    )


def model_identity(database: Database, path: Path) -> str:
    """Return 64 hex digits that are others for another model: of a file its sha256. Raises NotFoundError."""
    name = endpoint_named_by(path)
    return find_endpoint(database, name).identity if name else file_sha256(path)


def add_model(store: Store, path: str, settings: Settings | None = None) -> ModelEntry:
    """Add a GGUF file to the list, and return it with what a person must know of it.

    Raises ModelError when it is not one, or not a model that answers. One whose chat template cannot be used
    is added: another template can be chosen for it.
    """
    file = Path(path).expanduser().absolute()
    if problem := why_it_cannot_answer(read_header(file)):
        raise ModelError(problem)
    entry = describe_model(file, (settings or Settings()).models, "added")
    stat = file.stat()
    with store.session() as session:
        if session.exec(select(Model).where(Model.path == str(file))).first() is None:
            session.add(
                Model(
                    path=str(file),
                    size_bytes=stat.st_size,
                    modified_ms=stat.st_mtime_ns // 1_000_000,
                    added_ms=now_ms(),
                )
            )
            audit_log.record(session, audit_log.Action.MODEL_ADDED, str(file))
    return entry


def _as_entry(endpoint: Endpoint) -> ModelEntry:
    problem = "" if endpoint.checks.chats else f"“{endpoint.name}” makes vectors and cannot write answers."
    return ModelEntry(
        endpoint.reference, endpoint.name, "endpoint", None, problem, endpoint.model, endpoint=endpoint.name,
        sent_to=endpoint.sent_to,
    )  # fmt: skip


def describe_model(path: Path, settings: ModelSettings, origin: str, label: str = "") -> ModelEntry:
    """Return what is known of a file: its header, why it cannot answer, and what is done for its sake."""
    chosen = settings.chat_template_of(path.stem)
    entry = ModelEntry(str(path), label or path.stem, origin, None, "", label, "", chosen)
    try:
        header = read_header(path)
    except ModelError as error:
        return replace(entry, problem=str(error))
    problem, note = why_it_cannot_answer(header), ""
    if not problem and chosen:
        note = f"It answers by the built-in chat template {chosen}."
    elif not problem and header.chat_template:
        found = check_template(header.chat_template)
        note = found.note and f"{found.note[:1].upper()}{found.note[1:]}."
        problem = found.problem and template_problem(path.name, found.problem)
    return replace(entry, header=header, problem=problem, note=note)


def forget_model(store: Store, path: str) -> None:
    """Take an added file off the list. The file itself stays."""
    with store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM model WHERE path = ?", (path,))
        audit_log.record(session, audit_log.Action.MODEL_REMOVED_FROM_THE_LIST, path)


def model_sha256(store: Store, path: str) -> str:
    """Return a file's sha256, computed once and kept as long as its size and time stay the same.

    Raises NotFoundError when the file is gone.
    """
    file = Path(path)
    if not file.exists():
        raise NotFoundError(f"{path} is gone. Add the file again from where it is now.")
    stat = file.stat()
    modified_ms = stat.st_mtime_ns // 1_000_000
    with store.session() as session:
        known = session.exec(select(Model).where(Model.path == path)).first()
        if (
            known is not None
            and known.sha256
            and (known.size_bytes, known.modified_ms) == (stat.st_size, modified_ms)
        ):
            return known.sha256
    sha256 = file_sha256(file)
    with store.session() as session:
        known = session.exec(select(Model).where(Model.path == path)).first() or Model(
            path=path, size_bytes=0, modified_ms=0, added_ms=now_ms()
        )
        known.sha256, known.size_bytes, known.modified_ms = sha256, stat.st_size, modified_ms
        session.add(known)
    return sha256


def _candidates(added: Iterable[str], folders: Iterable[str]) -> Iterator[tuple[str, Path, str]]:
    with contextlib.suppress(ModelError):  # the doctor command reports it; the list just has no starter
        yield "starter", starter_model_path(), ""
    for name in added:
        yield "added", Path(name), ""
    for given in folders:
        for path in _gguf_files(Path(given).expanduser()):
            yield "folder", path, ""
    home = Path.home()
    for folder in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        for path in _gguf_files(folder):
            yield "LM Studio", path, ""
    for path, label in _ollama_models(Path(os.environ.get("OLLAMA_MODELS") or home / ".ollama" / "models")):
        yield "Ollama", path, label
    hub = Path(
        os.environ.get("HF_HUB_CACHE")
        or Path(os.environ.get("HF_HOME") or home / ".cache/huggingface") / "hub"
    )
    for path in _gguf_files(hub):
        yield "Hugging Face", path, ""


def _gguf_files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return []
    found = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if path.suffix.lower() == ".gguf")


def _is_told_by_its_first_part(entry: ModelEntry, entries: Mapping[str, ModelEntry]) -> bool:
    if entry.header is None or entry.header.kind is not ModelKind.PART:
        return False
    first = part_path(Path(entry.path), 1)
    return first is not None and os.path.realpath(first) in entries


def _ollama_models(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, name): Ollama names files by digest, and its manifests say which of them are models."""
    manifests = folder / "manifests"
    if not manifests.is_dir():
        return
    for manifest in sorted(path for path in manifests.rglob("*") if path.is_file()):
        try:
            layers = json.loads(manifest.read_text("utf-8"))["layers"]
            digests = [x["digest"] for x in layers if x["mediaType"].endswith("image.model")]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a manifest: the folder is not ours
        for digest in digests:
            blob = folder / "blobs" / str(digest).replace(":", "-")
            if blob.exists():
                yield blob, f"{manifest.parent.name}:{manifest.name}"
