"""Opens and closes everything in a data folder, and holds its lock. One workspace per process.

Heavy parts (the embedder's network, the index, a language model, the detector) are loaded when they are first
used and may be asked for from two threads at once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag import audit
from rag.backup import finish_restore
from rag.data_folder import DATABASE, RESOURCES, FolderLock
from rag.embedding import Embedder, starter_embedder_folder
from rag.grounding import Detector
from rag.index import VectorIndex
from rag.llm import LanguageModel, starter_model_path
from rag.moving import finish_move
from rag.prompts import PromptTemplate, load_prompt
from rag.reader import Reader
from rag.settings import GenerationSettings, Settings
from rag.store import Store


class Workspace:
    """An open data folder. Raises DataFolderLockedError when another process has it."""

    def __init__(
        self,
        folder: Path,
        purpose: str = "Ragdeck",
        *,
        embedder: Embedder | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        """embedder and model replace the ones that would be loaded."""
        self.folder = folder
        self._lock = FolderLock(folder)
        self._lock.acquire(purpose)
        try:
            # What was said must reach the person: a restore or move that was finished or cleared away.
            self.notices: list[str] = finish_move(folder) + finish_restore(folder)
            self.settings = Settings.load(folder / "settings.toml")
            self.store = Store(folder / DATABASE)
            self.interrupted_count = self._mark_interrupted()
        except BaseException:
            self._lock.release()
            raise
        self.reader = Reader(folder / DATABASE)
        self.index = VectorIndex(folder / "index")
        self._loading = threading.RLock()
        self._embedder = embedder
        self._model = model
        self._detector: Detector | None = None

    @property
    def embedder(self) -> Embedder:
        with self._loading:
            if self._embedder is None:
                self._embedder = Embedder(starter_embedder_folder())
            return self._embedder

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors (n, dimension), float32, L2-normalised."""
        embedder = self.embedder
        with self._loading:
            embedder.warm_up()
        return embedder.encode(texts)

    @property
    def detector(self) -> Detector:
        with self._loading:
            if self._detector is None:
                self._detector = Detector.load(RESOURCES / "grounding" / "detector.json")
            return self._detector

    @property
    def prompt(self) -> PromptTemplate:
        return load_prompt(RESOURCES / "prompts" / "answer.toml")

    @property
    def loaded_model(self) -> LanguageModel | None:
        return self._model

    def language_model(
        self, path: Path | None = None, settings: GenerationSettings | None = None
    ) -> LanguageModel:
        """The model at path, or the active one, or the starter; loaded now unless it already is.

        Only one model is in memory: loading another unloads it first.
        """
        wanted = path or self.active_model_path()
        generation = settings or self.settings.generation
        with self._loading:
            if self._model is not None and not _fits(self._model, wanted, generation):
                self.unload_model()
            if self._model is None:
                self._model = LanguageModel(wanted, generation)
            return self._model

    def active_model_path(self) -> Path:
        return Path(self.settings.models.active) if self.settings.models.active else starter_model_path()

    def unload_model(self) -> None:
        with self._loading:
            if self._model is not None:
                self._model.close()
                self._model = None

    def save_settings(self, settings: Settings) -> None:
        settings.save(self.folder / "settings.toml")
        self.settings = settings
        with self.store.session() as session:
            audit.record(session, "settings changed", "settings.toml")

    def close(self) -> None:
        self.unload_model()
        self.reader.close()
        self.store.close()
        self._lock.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mark_interrupted(self) -> int:
        """Asks that were running when their process died; nobody else can be running, we hold the lock."""
        with self.store.session() as session:
            changed = session.connection().exec_driver_sql(
                """UPDATE trace SET status = 'interrupted',
                   error = 'The program ended before the answer was complete.' WHERE status = 'running'"""
            )
            return changed.rowcount


def _fits(model: LanguageModel, path: Path, settings: GenerationSettings) -> bool:
    """Whether the loaded model serves: same file, and what is fixed at loading is the same."""
    loaded = model.settings
    return (
        model.path == path
        and loaded.context == settings.context
        and loaded.gpu_layers == settings.gpu_layers
        and loaded.threads == settings.threads
    )
