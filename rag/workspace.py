"""Opens and closes everything in a data folder, and holds its lock. One workspace per process.

Heavy parts (the embedder's network, the index, a language model, the detector) are loaded when they are first
used and may be asked for from two threads at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError, RagError
from rag.grounding.detector import Detector, VerdictLimits
from rag.grounding.rows import ClaimResult
from rag.grounding.second_detector import SecondDetector
from rag.guardrails.policies.outgoing import guard_outgoing
from rag.index.vector_index import VectorIndex
from rag.models.chat_model import ChatModel
from rag.models.embedding import CrossEncoder, Embedder, FineVectors, starter_embedder_folder
from rag.models.endpoints.connections import Endpoints
from rag.models.endpoints.remote_embedder import RemoteEmbedder
from rag.models.endpoints.rows import endpoint_named_by
from rag.models.language_model import LanguageModel, starter_model_path
from rag.parsing.formats import PARSER
from rag.parsing.worker import Reader
from rag.prompts.registry import ensure_default
from rag.prompts.templates import load_prompt
from rag.settings import GenerationSettings, Settings, classic_retrieval
from rag.storage import audit_log
from rag.storage.backup import finish_restore
from rag.storage.data_folder import DATABASE, RESOURCES, FolderLock
from rag.storage.database import Database
from rag.storage.privacy import make_private
from rag.storage.relocation import finish_move
from rag.storage.stopped_files import FILE, StoppedFiles
from rag.storage.store import Store, now_ms
from rag.storage.tables.knowledge import EmbedderFolder
from rag.storage.version_content import ContentCache, VersionContent


class Stoppable(Protocol):
    """Something that runs beside a workspace and has to end before it closes."""

    def stop(self) -> None:
        """End."""


INDEX = "index"  # the Chroma folder in the data folder
_MOST_SENTENCES = 8192  # vectors kept for the checks of answers, about 12 MB


class Receiver(Protocol):
    """What receives traces beside a workspace, and has to end before it closes."""

    def stop(self) -> None:
        """Write what waits, and end."""


class Workspace:
    """A data folder that is open. Raises DataFolderLockedError when another process has it."""

    def __init__(
        self,
        folder: Path,
        purpose: str = "Ragdeck",
        *,
        embedder: Embedder | None = None,
        load_model: Callable[[Path, GenerationSettings], LanguageModel] = LanguageModel,
        reader: Reader | None = None,
    ) -> None:
        """Open a data folder.

        Args:
            folder: The data folder; it need not exist.
            purpose: What opens it, for the message that another process gets.
            embedder: Replaces the starter embedder.
            load_model: Opens a GGUF file.
            reader: Replaces the process that reads files.
        """
        self.folder = folder
        self._lock = FolderLock(folder)
        self._lock.acquire(purpose)
        try:
            # A person must be told of a restore or move that was finished or cleared away.
            moved, restored = finish_move(folder), finish_restore(folder)
            self.notices: list[str] = moved + restored + make_private(folder)
            self.settings = Settings.load(folder / "settings.toml")
            self.store = Store(folder / DATABASE)
            self._record_opening(moved, restored)
            self._keep_classic_search()
            self.interrupted_count = self._mark_interrupted()
            ensure_default(self.store, load_prompt(RESOURCES / "prompts" / "answer.toml"))
        except BaseException:
            self._lock.release()
            raise
        self.database = Database(folder / DATABASE)
        self.endpoints = Endpoints(self.store, self.database, lambda: self.settings.endpoints)
        self.endpoints.border.guard = partial(guard_outgoing, self.store, self.database)
        self.receiver: Receiver | None = None  # of traces: see rag.serving.receiver_switch
        self.index = VectorIndex(folder / INDEX)
        self.reader = reader or Reader()
        self.stopped_files = StoppedFiles(folder / FILE, PARSER)
        self.server: Stoppable | None = None  # of other programs, while it runs: see rag.serving.running
        self._loading = threading.RLock()
        self._settings_lock = threading.Lock()
        self._contents = ContentCache(self.store)
        self._embedder = embedder
        self._embedders: dict[str, Embedder] = {}  # others than the one above, by fingerprint
        self._load_model = load_model
        self._model: LanguageModel | None = None
        self._detector: Detector | None = None
        self._second: SecondDetector | None = None
        self._reranker: CrossEncoder | None = None
        self._sentences: dict[str, npt.NDArray[np.float32]] = {}

    @property
    def embedder(self) -> Embedder:
        """The embedder of new collections: the starter, or the one that was given."""
        with self._loading:
            if self._embedder is None:
                self._embedder = Embedder(starter_embedder_folder())
            return self._embedder

    def embedder_of(self, fingerprint: str, name: str = "", collection: str = "") -> Embedder:
        """Return the embedder that made some vectors. Raises RagError when it is missing or has changed.

        Args:
            fingerprint: Of the embedder.
            name: What people know it by.
            collection: Whose texts it will be given: one behind an endpoint refuses those of "".
        """
        if fingerprint == self.embedder.fingerprint:
            return self.embedder
        with self._loading:
            if fingerprint not in self._embedders:
                self._embedders[fingerprint] = self._find_embedder(fingerprint, name)
            found = self._embedders[fingerprint]
        if isinstance(found, RemoteEmbedder):
            border = self.endpoints.border
            return found.bound(border.permit(collection), border.outgoing(collection, found.endpoint))
        return found

    def add_remote_embedder(self, endpoint: str, collection: str) -> Embedder:
        """Remember the embedder behind an endpoint as it is now, for the texts of a collection.

        Raises RagError when it does not embed, or the collection's texts must not be sent there.
        """
        made = self.endpoints.add_embedder(endpoint, collection)
        return self.embedder_of(made, collection=collection)

    def add_embedder(self, embedder: Embedder) -> Embedder:
        """Remember an embedder's folder, so that its versions can be asked from now on."""
        if embedder.fingerprint != self.embedder.fingerprint:
            with self.store.session() as session:
                session.merge(
                    EmbedderFolder(
                        fingerprint=embedder.fingerprint,
                        name=embedder.name,
                        path=str(embedder.folder),
                        added_ms=now_ms(),
                    )
                )
            with self._loading:
                self._embedders[embedder.fingerprint] = embedder
        return self.embedder_of(embedder.fingerprint)

    def encode(self, texts: Sequence[str], embedder: Embedder | None = None) -> npt.NDArray[np.float32]:
        """Return vectors (n, dimension), float32, L2-normalised; by the starter unless another is given."""
        chosen = embedder or self.embedder
        with self._loading:
            chosen.warm_up()
        return chosen.encode(texts)

    def encode_finely(
        self, texts: Sequence[str], embedder: Embedder
    ) -> tuple[npt.NDArray[np.float32], list[FineVectors]]:
        """Return vectors (n, dimension) and those of each text's parts; see Embedder.encode_finely."""
        with self._loading:
            embedder.warm_up()
        return embedder.encode_finely(texts)

    def encode_with_tokens(
        self, texts: Sequence[str], embedder: Embedder
    ) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Return vectors (n, dimension) and those of each text's tokens; see Embedder.encode_with_tokens."""
        with self._loading:
            embedder.warm_up()
        return embedder.encode_with_tokens(texts)

    def cross_encoder(self, folder: str) -> CrossEncoder:
        """Return the cross-encoder in a folder, loaded once. Raises ModelError when it is none."""
        if not folder:
            raise ModelError("No cross-encoder is chosen. Set retrieval.cross_encoder to its folder.")
        with self._loading:
            if self._reranker is None or self._reranker.folder != Path(folder):
                self._reranker = CrossEncoder(Path(folder))
            return self._reranker

    def content(self, version_id: int, embedder: str) -> VersionContent:
        """Return the chunks of a version and their vectors, loaded once."""
        return self._contents.get(version_id, embedder)

    def forget_contents(self) -> None:
        """Free the loaded versions and the vectors of sentences."""
        self._contents.clear()
        self._sentences = {}

    def _find_embedder(self, fingerprint: str, name: str) -> Embedder:
        with self.store.session() as session:
            known = session.get(EmbedderFolder, fingerprint)
        if known is None and (remote := self.endpoints.embedder(fingerprint)) is not None:
            return remote
        if known is None:
            raise RagError(
                f"This was made with the embedder {name or fingerprint[:12]}, which is not installed here. "
                "Vectors of different embedders cannot be compared: choose a version of another embedder."
            )
        folder = Path(known.path)
        if not (folder / "modules.json").exists():
            raise RagError(
                f"This was made with the embedder {known.name}, and its folder {folder} is gone. Put it "
                "back, or choose a version made with another embedder."
            )
        found = Embedder(folder)
        if found.fingerprint != fingerprint:
            raise RagError(
                f"The embedder in {folder} is no longer the one that made these vectors. Put the old files "
                "back, or choose a version made with another embedder."
            )
        return found

    @property
    def detector(self) -> Detector:
        """The detector of unsupported sentences."""
        with self._loading:
            if self._detector is None:
                self._detector = Detector.load(RESOURCES / "grounding" / "detector.json")
            return self._detector

    def check(
        self, question: str, answer: str, passages: Sequence[str], limits: VerdictLimits
    ) -> list[ClaimResult]:
        """Return a verdict for every sentence of an answer; see Detector.check."""
        second = self._second_detector(limits.second_detector) if limits.second_detector else None
        return self.detector.check(question, answer, passages, self._encode_known, limits, second)

    def _encode_known(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Encode with the starter, and remember: a passage brings its sentences with every question."""
        known = self._sentences  # another lane may begin a new one in the meantime
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if len(known) + len(missing) > _MOST_SENTENCES:
            known = self._sentences = {}
            missing = list(dict.fromkeys(texts))
        if missing:
            known.update(zip(missing, self.encode(missing), strict=True))
        return np.stack([known[text] for text in texts]) if texts else self.encode([])

    def _second_detector(self, folder: str) -> SecondDetector:
        with self._loading:
            if self._second is None or str(self._second.folder) != folder:
                self._second = SecondDetector.open(folder)
            return self._second

    @property
    def loaded_model(self) -> LanguageModel | None:
        """The language model in memory, if there is one."""
        return self._model

    def chat_model(
        self,
        path: Path | None = None,
        settings: GenerationSettings | None = None,
        *,
        collection: str | None = "",
    ) -> ChatModel:
        """Return the model at path, or the active one, or the starter; path may name an endpoint.

        Args:
            path: See find_model.
            settings: How to load it and sample; None: as in the settings.
            collection: Whose texts it will be given. Unless it allows that, a model elsewhere is not asked,
                and "" is never allowed; TYPED_HERE: a person typed all of the text.
        """
        wanted = path or self.active_model_path()
        if name := endpoint_named_by(wanted):
            return self.endpoints.model(name, settings or self.settings.generation, collection)
        return self.language_model(wanted, settings)

    def language_model(
        self, path: Path | None = None, settings: GenerationSettings | None = None
    ) -> LanguageModel:
        """Return the model file at path, or the active one, or the starter, and load it.

        Only one model is in memory: loading another unloads it first. Raises ModelError for an endpoint.
        """
        wanted = path or self.active_model_path()
        if endpoint_named_by(wanted):
            raise ModelError(f"{wanted} is an endpoint, and this needs a model on this computer.")
        generation = settings or self.settings.generation
        with self._loading:
            if self._model is not None and not _fits(self._model, wanted, generation):
                self.unload_model()
            if self._model is None:
                self._model = self._load_model(wanted, generation)
            self._model.choose_template(self.settings.models.chat_template_of(wanted.stem))
            return self._model

    def active_model_path(self) -> Path:
        """Return the file of the model that answers, or the endpoint as find_model names it."""
        return Path(self.settings.models.active) if self.settings.models.active else starter_model_path()

    def unload_model(self) -> None:
        """Free the memory of the language model."""
        with self._loading:
            if self._model is not None:
                self._model.close()
                self._model = None

    def change_settings(self, values: Mapping[str, Mapping[str, Any]]) -> Settings:
        """Change settings by section and key, all or none, and save them. Raises RagError for a wrong value.

        Under one lock from reading to writing: two lanes of the engine may change settings at the same time.
        """
        with self._settings_lock:
            before = settings = self.settings
            for section, pairs in values.items():
                for key, value in pairs.items():
                    settings = settings.changed(section, key, value)
            settings.save(self.folder / "settings.toml")
            self.settings = settings
            with self.store.session() as session:
                audit_log.record(
                    session,
                    audit_log.Action.SETTINGS_CHANGED,
                    "settings.toml",
                    ", ".join(f"{section}.{key}" for section, pairs in values.items() for key in pairs),
                    before=before.fingerprint(),
                    after=settings.fingerprint(),
                )
            return settings

    def stop_server(self) -> None:
        """Stop the server of other programs, if it runs, and what they are asking."""
        server, self.server = self.server, None
        if server is not None:
            server.stop()

    def stop_receiver(self) -> None:
        """Stop to receive traces of other applications, if that is on."""
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.stop()

    def close(self) -> None:
        """Free everything and release the data folder."""
        self.stop_server()
        self.unload_model()
        self.stop_receiver()
        self.endpoints.close()
        self.reader.close()
        self.database.close()
        self.index.close()
        self.store.close()
        self._lock.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record_opening(self, moved: list[str], restored: list[str]) -> None:
        """Log that the data are not those of before, or elsewhere: what did that could not yet write here."""
        with self.store.session() as session:
            for sentence in moved:
                audit_log.record(session, audit_log.Action.DATA_MOVED, "the data folder", sentence)
            for sentence in restored:
                audit_log.record(session, audit_log.Action.DATA_RESTORED, "the data folder", sentence)

    def _keep_classic_search(self) -> None:
        """Write down how an older program searched its collections: they go on answering like that."""
        with self.store.session() as session:
            session.connection().exec_driver_sql(
                "UPDATE collection SET retrieval = ? WHERE retrieval = 'classic'",
                (classic_retrieval(self.folder / "settings.toml").model_dump_json(),),
            )

    def _mark_interrupted(self) -> int:
        """Mark what was running when its process died, and return how many questions. We hold the lock."""
        with self.store.session() as session:
            changed = session.connection().exec_driver_sql(
                """UPDATE trace SET status = 'interrupted',
                   error = 'The program ended before the answer was complete.' WHERE status = 'running'"""
            )
            session.connection().exec_driver_sql(
                "UPDATE evaluationrun SET status = 'interrupted' WHERE status IN ('running', 'waiting')"
            )
            return changed.rowcount


def _fits(model: LanguageModel, path: Path, settings: GenerationSettings) -> bool:
    """Return whether the loaded model will do: the same file, with the same settings of loading."""
    loaded = model.settings
    return (
        model.path == path
        and loaded.context == settings.context
        and loaded.gpu_layers == settings.gpu_layers
        and loaded.threads == settings.threads
    )


def change_settings(workspace: Workspace, values: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Change settings by section and key; return them as they are now, as plain values."""
    return workspace.change_settings(values).model_dump(mode="json")


def read_settings(workspace: Workspace) -> dict[str, Any]:
    """Return the settings as they are now, as plain values."""
    return workspace.settings.model_dump(mode="json")
