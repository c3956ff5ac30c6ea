"""The GGUF files on this computer: the starter, those the person added, and those other programs keep."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError, NotFoundError
from rag.models.gguf import read_header
from rag.models.rows import ModelEntry, ModelHeader, list_added_models

if TYPE_CHECKING:
    from rag.workspace import Workspace

_SKIPPED_PARTS = ("mmproj", "-of-")  # projectors and the later parts of a split model


def known_models(added: Iterable[str], folders: Iterable[str]) -> list[ModelEntry]:
    """Every known GGUF file, each once; a damaged one is listed with its problem."""
    entries: dict[str, ModelEntry] = {}
    for origin, path, label in _candidates(added, folders):
        key = os.path.realpath(path)
        if key not in entries:
            entries[key] = _entry(path, origin, label)
    return list(entries.values())


def find_model(workspace: Workspace, wanted: str) -> Path:
    """A model by path, file name or stem. Raises NotFoundError naming those there are."""
    path = Path(wanted).expanduser()
    if path.is_file():
        return path.absolute()
    entries = known_models(list_added_models(workspace.database), workspace.settings.models.folders)
    for entry in entries:
        if wanted in (entry.name, entry.label, Path(entry.path).name, entry.path):
            return Path(entry.path)
    names = ", ".join(entry.name for entry in entries) or "none"
    raise NotFoundError(
        f"There is no model “{wanted}”; known are: {names}. A path to a GGUF file works, too."
    )


def add_model(workspace: Workspace, path: str) -> ModelHeader:
    """Remember a GGUF file. Raises ModelError when it is none."""
    from sqlmodel import select

    from rag.storage import audit_log
    from rag.storage.store import now_ms
    from rag.storage.tables.knowledge import Model

    file = Path(path).expanduser().absolute()
    header = read_header(file)
    stat = file.stat()
    with workspace.store.session() as session:
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


def forget_model(workspace: Workspace, path: str) -> None:
    """Take an added file off the list. The file itself stays."""
    from rag.storage import audit_log

    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM model WHERE path = ?", (path,))
        audit_log.record(session, "model removed from the list", path)


def _candidates(added: Iterable[str], folders: Iterable[str]) -> Iterator[tuple[str, Path, str]]:
    from rag.models.language_model import starter_model_path

    with contextlib.suppress(ModelError):  # the doctor command says so; the list simply has no starter
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
    """Ollama keeps files by digest; its manifests say which of them is a model and what it is called."""
    manifests = folder / "manifests"
    if not manifests.is_dir():
        return
    for manifest in sorted(path for path in manifests.rglob("*") if path.is_file()):
        try:
            layers = json.loads(manifest.read_text("utf-8"))["layers"]
            digests = [x["digest"] for x in layers if x["mediaType"].endswith("image.model")]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a manifest: the folder belongs to another program
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
