"""Values of models: a GGUF header, a memory forecast, an entry of the list, and what is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rag.storage.database import Database


@dataclass(frozen=True)
class ModelState:
    """The loaded model; its name is empty while there is none.

    memory_bytes is what loading it added to the process.
    """

    name: str = ""
    path: str = ""
    context: int = 0
    memory_bytes: int = 0
    load_ms: float = 0.0
    gpu: bool = False


@dataclass(frozen=True)
class ModelTest:
    """A short answer of a model, with its speed at reading the prompt and at writing."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    read_tokens_per_s: float
    tokens_per_s: float


@dataclass(frozen=True)
class ModelHeader:
    """What a GGUF file says about itself. Sizes in bytes, lengths in tokens."""

    path: str
    size_bytes: int
    name: str
    architecture: str
    quantisation: str
    parameter_count: int
    context_length: int
    layer_count: int
    embedding_length: int
    feed_forward_length: int
    head_count: int
    kv_head_count: int
    key_length: int
    value_length: int
    vocabulary_size: int
    chat_template: str
    weights_bytes: int


@dataclass(frozen=True)
class MemoryForecast:
    """Bytes of memory that loading a model adds to the process."""

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        """All parts together, in bytes."""
        return self.weights + self.kv_cache + self.compute


def forecast_memory(header: ModelHeader, context: int, batch: int = 512) -> MemoryForecast:
    """Return the memory for weights, KV cache (f16) and compute buffers, in bytes.

    context and batch are in tokens.

    Compute buffers are reserved for a whole batch of logits, but only what one batch really touches becomes
    resident: the activations, a row of logits and llama.cpp's tables over the vocabulary.
    """
    kv_cache = (
        header.layer_count * context * header.kv_head_count * (header.key_length + header.value_length) * 2
    )
    activations = batch * 4 * (4 * header.embedding_length + 2 * header.feed_forward_length)
    vocabulary = header.vocabulary_size * VOCABULARY_ENTRY_BYTES
    return MemoryForecast(header.weights_bytes, kv_cache, activations + vocabulary + RUNTIME_BYTES)


# Measured with the starter model (benchmarks/memory.py): llama.cpp's libraries and thread stacks, and its
# tables for each token of the vocabulary.
RUNTIME_BYTES = 16 << 20

VOCABULARY_ENTRY_BYTES = 100


@dataclass(frozen=True)
class ModelEntry:
    """A known model file: its header, or the sentence that says why it cannot be used."""

    path: str
    name: str
    origin: str  # "starter" | "added" | "folder" | "LM Studio" | "Ollama" | "Hugging Face"
    header: ModelHeader | None
    problem: str = ""
    label: str = ""


def free_memory_bytes() -> int | None:
    """Return the memory that a program can have without swapping; None where the system does not say."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def memory_sentence(header: ModelHeader, context: int) -> str:
    """Return the forecast next to the free memory, as the end of a sentence."""
    forecast = forecast_memory(header, context)
    free = free_memory_bytes()
    needs = f"needs about {_size(forecast.total)}"
    if free is None:
        return f"{needs}."
    if forecast.total > free:
        return f"{needs}, but only {_size(free)} is free: choose a shorter context or a smaller model."
    return f"{needs} of {_size(free)} free."


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"


def list_added_models(database: Database) -> list[str]:
    """Return the paths of the GGUF files that a person added, oldest first."""
    return [row[0] for row in database.query("SELECT path FROM model ORDER BY added_ms")]


def resident_bytes() -> int:
    """Return the memory of this process that is really in use (RSS); 0 where the system does not say."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
