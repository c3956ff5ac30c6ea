"""Finds the GGUF files on this computer: the starter, those that were added, those of other programs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlmodel import select

from rag.errors import ModelError, NotFoundError
from rag.models.embedding import file_sha256
from rag.models.gguf import read_header
from rag.models.language_model import starter_model_path
from rag.models.rows import ModelEntry, ModelHeader, list_added_models
from rag.settings import Settings
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store, now_ms
from rag.storage.tables.knowledge import Model

_SKIPPED_PARTS = ("mmproj", "-of-")  # projectors and the later parts of a split model


def known_models(added: Iterable[str], folders: Iterable[str]) -> list[ModelEntry]:
    """Return every known GGUF file once; a damaged one is listed with its problem.

    Args:
        added: Paths of the files that a person added.
        folders: Folders that are searched besides those of other programs.
    """
    entries: dict[str, ModelEntry] = {}
    for origin, path, label in _candidates(added, folders):
        key = os.path.realpath(path)
        if key not in entries:
            entries[key] = _entry(path, origin, label)
    return list(entries.values())


def list_models(database: Database, settings: Settings) -> list[ModelEntry]:
    """Return every GGUF file that a person added or that is in a searched folder."""
    return known_models(list_added_models(database), settings.models.folders)


def find_model(database: Database, settings: Settings, wanted: str) -> Path:
    """Return the path of a model that is given by path, file name or stem.

    Raises NotFoundError, which names the known models.
    """
    path = Path(wanted).expanduser()
    if path.is_file():
        return path.absolute()
    entries = list_models(database, settings)
    for entry in entries:
        if wanted in (entry.name, entry.label, Path(entry.path).name, entry.path):
            return Path(entry.path)
    names = ", ".join(entry.name for entry in entries) or "none"
    raise NotFoundError(
        f"There is no model “{wanted}”. Known models: {names}. You can also give the path of a GGUF file."
    )


def add_model(store: Store, path: str) -> ModelHeader:
    """Add a GGUF file to the list. Raises ModelError when it is not one."""
    file = Path(path).expanduser().absolute()
    header = read_header(file)
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
            audit_log.record(session, "model added", str(file))
    return header


def forget_model(store: Store, path: str) -> None:
    """Take an added file off the list. The file itself stays."""
    with store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM model WHERE path = ?", (path,))
        audit_log.record(session, "model removed from the list", path)


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
    return sorted(
        path
        for path in found
        if path.suffix.lower() == ".gguf"
        and not any(part in path.name and "-00001-of-" not in path.name for part in _SKIPPED_PARTS)
    )


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


def _entry(path: Path, origin: str, label: str) -> ModelEntry:
    name = label or path.stem
    try:
        return ModelEntry(str(path), name, origin, read_header(path), "", label)
    except ModelError as error:
        return ModelEntry(str(path), name, origin, None, str(error), label)
