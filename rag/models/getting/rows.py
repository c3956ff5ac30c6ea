"""Values of getting models: what the catalogue offers, how far a download is, and what it gave."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import resources
from rag.models.rows import RUNTIME_BYTES

_MB = 1_000_000
# Of embedders and detectors, which are loaded as they are: the network's states besides its weights.
_WORKING_SPACE = 300 * _MB


class Purpose(StrEnum):
    """What a model is for."""

    ANSWERS = "answers"
    EMBEDS = "embeds"
    RERANKS = "reranks"
    CHECKS = "checks"

    @property
    def noun(self) -> str:
        """What people call such a model."""
        return _NOUNS[self]

    @property
    def next_step(self) -> str:
        """What to do with it when it is there."""
        return _NEXT[self]


_NOUNS = {
    Purpose.ANSWERS: "answer model",
    Purpose.EMBEDS: "embedder",
    Purpose.RERANKS: "reranker",
    Purpose.CHECKS: "detector",
}
_NEXT = {
    Purpose.ANSWERS: "It is in the list of models. Load it to answer with it.",
    Purpose.EMBEDS: "Choose its folder when you try another embedder on a collection.",
    Purpose.RERANKS: "Set retrieval.cross_encoder to its folder and retrieval.rerank to cross-encoder.",
    Purpose.CHECKS: "Choose its folder as the second detector of a collection.",
}


class Fit(StrEnum):
    """Whether a model fits the memory of this computer."""

    FITS = "fits"
    TIGHT = "tight"  # it fits, and leaves little to other programs
    TOO_LARGE = "too large"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Offer:
    """A model of the catalogue.

    Attributes:
        name: What people call it.
        purpose: What it is for.
        maker: Who trained it.
        licence: Under which it may be used.
        repository: "MAKER/NAME" on the hub.
        size_mb: What its files take, in millions of bytes.
        file: The one file that is needed; empty: all files of a folder.
        sha256: Of that file; empty: only the server states it.
        languages: Codes, or "many".
        layers: With the next two the size of the key-value cache; 0: there is none.
        kv_heads: Heads of keys and values.
        head_size: Numbers of each.
        note: What else to know.
    """

    name: str
    purpose: Purpose
    maker: str
    licence: str
    repository: str
    size_mb: int
    file: str = ""
    sha256: str = ""
    languages: tuple[str, ...] = ()
    layers: int = 0
    kv_heads: int = 0
    head_size: int = 0
    note: str = ""

    @property
    def size_bytes(self) -> int:
        """What its files take, in bytes, about."""
        return self.size_mb * _MB

    def memory_bytes(self, context: int) -> int:
        """Return about how much memory it needs with a context of so many tokens, in bytes."""
        if self.purpose is not Purpose.ANSWERS:
            return self.size_bytes + _WORKING_SPACE
        cache = 2 * self.layers * context * self.kv_heads * self.head_size * 2  # keys and values, f16
        return self.size_bytes + cache + RUNTIME_BYTES

    def fit(self, context: int, memory: int | None) -> Fit:
        """Return whether it fits into so many bytes of memory; None: the system does not say."""
        if memory is None:
            return Fit.UNKNOWN
        needed = self.memory_bytes(context)
        if needed > memory:
            return Fit.TOO_LARGE
        return Fit.TIGHT if needed > 0.7 * memory else Fit.FITS


def list_offers(purpose: Purpose | None = None) -> list[Offer]:
    """Return the models of the catalogue, in its order; purpose: those for it alone."""
    text = (Path(resources.__file__).parent / "models.toml").read_text("utf-8")
    offers = [
        Offer(**{**entry, "purpose": Purpose(entry["purpose"]), "languages": tuple(entry["languages"])})
        for entry in tomllib.loads(text)["model"]
    ]
    return [offer for offer in offers if purpose is None or offer.purpose is purpose]


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is.

    Attributes:
        stage: What is being done: "asking", "downloading" or "checking".
        file: The file in work.
        done: Bytes that are there, of all files.
        total: Bytes of all files; 0: not known yet.
    """

    stage: str
    file: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Downloaded:
    """A model that was downloaded and checked.

    Attributes:
        path: The file, or the folder.
        purpose: What it is for.
        size_bytes: What was downloaded for it.
        checked: Against what, as a sentence.
        next_step: What to do with it.
        licence: As the server states it; empty: it does not.
    """

    path: str
    purpose: Purpose
    size_bytes: int
    checked: str
    next_step: str
    licence: str = ""
