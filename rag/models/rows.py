"""Values of GGUF models: header, memory forecast, list entry and state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rag.storage.database import Database


@dataclass(frozen=True)
class ModelState:
    """The loaded model, or an empty name. Memory in bytes: what loading it added to the process."""

    name: str = ""
    path: str = ""
    context: int = 0
    memory_bytes: int = 0
    load_ms: float = 0.0
    gpu: bool = False


@dataclass(frozen=True)
class ModelTest:
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
        return self.weights + self.kv_cache + self.compute


def forecast_memory(header: ModelHeader, context: int, batch: int = 512) -> MemoryForecast:
    """Memory for weights, KV cache (f16) and compute buffers at a context length and batch size.

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
    """A known file: its header, or the sentence that says why it cannot be used."""

    path: str
    name: str
    origin: str  # "starter" | "added" | "folder" | "LM Studio" | "Ollama" | "Hugging Face"
    header: ModelHeader | None
    problem: str = ""
    label: str = ""


def free_memory_bytes() -> int | None:
    """Memory that a new program can have without swapping, or None where the system does not say."""
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
    """Forecast against free memory, in one sentence."""
    forecast = forecast_memory(header, context)
    free = free_memory_bytes()
    needs = f"needs about {_size(forecast.total)}"
    if free is None:
        return f"{needs}."
    if forecast.total > free:
        return f"{needs}, and only {_size(free)} are free: choose a shorter context or a smaller model."
    return f"{needs} of {_size(free)} free."


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"


def list_added_models(database: Database) -> list[str]:
    """Paths of the GGUF files that the person added."""
    return [row[0] for row in database.query("SELECT path FROM model ORDER BY added_ms")]


def resident_bytes() -> int:
    """Memory of this process that is really in use (RSS); 0 where the system does not say."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
