"""Values of models: a GGUF header, a memory forecast, an entry of the list, and what is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
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
    thinking: str = ""
    thinking_tokens: int = 0  # besides completion_tokens


class ModelKind(StrEnum):
    """What a GGUF file is for, by its header. Only a language model answers."""

    LANGUAGE_MODEL = "language model"
    EMBEDDER = "embedder"
    RERANKER = "reranker"
    PROJECTOR = "projector"  # of a model that sees or hears: turns pictures or sound into tokens
    ADAPTER = "adapter"  # LoRA or control vector: changes another model
    PART = "part"  # a later part of a model that was split into several files
    OTHER = "other"


@dataclass(frozen=True)
class ModelHeader:
    """What a GGUF file says about itself. Sizes in bytes, lengths in tokens.

    Of a model in several files, the sizes are of all parts that are there. missing says which are not.
    """

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
    kind: ModelKind = ModelKind.LANGUAGE_MODEL
    part: int = 1
    parts: int = 1
    missing: str = ""  # a sentence on parts that are not beside this one; "" when all are there


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
    """A known model file.

    Attributes:
        path: Where it is.
        name: What people call it.
        origin: "starter", "added", "folder", "LM Studio", "Ollama" or "Hugging Face".
        header: What it says about itself; None when that cannot be read.
        problem: Why it cannot answer, and what to do; "" when it can.
        label: Its name in another program.
        note: What is done in another way than usual when it answers.
        chat_template: The built-in chat template that was chosen for it; "" for its own.
        endpoint: The name of the endpoint that it is behind; "" for a file.
        sent_to: The host that questions to it leave this computer for; "" when they stay.
    """

    path: str
    name: str
    origin: str
    header: ModelHeader | None
    problem: str = ""
    label: str = ""
    note: str = ""
    chat_template: str = ""
    endpoint: str = ""
    sent_to: str = ""

    @property
    def can_answer(self) -> bool:
        """Whether it can be asked questions: a file is loaded then."""
        return (self.header is not None or bool(self.endpoint)) and not self.problem


def why_it_cannot_answer(header: ModelHeader) -> str:
    """Return why a model file cannot answer questions, and what to do; "" when it can."""
    name = Path(header.path).name
    if header.missing:
        return header.missing
    if header.kind is ModelKind.LANGUAGE_MODEL:
        return ""
    return f"{name} {_WHY_NOT[header.kind].format(architecture=header.architecture)}"


_WHY_NOT = {
    ModelKind.EMBEDDER: "is an embedding model ({architecture}): it makes vectors and cannot write answers. "
    "Choose a language model. To search with this embedder, get it as a sentence-transformers folder; "
    "embedding from GGUF files is not supported.",
    ModelKind.RERANKER: "is a reranker ({architecture}): it scores passages and cannot write answers. Choose "
    "a language model. To rerank with it, get it as a folder and set retrieval.cross_encoder.",
    ModelKind.PROJECTOR: "is the projector (mmproj) of a model that sees or hears, not a model of its own. "
    "Choose the language model that it came with.",
    ModelKind.ADAPTER: "is an adapter (LoRA or control vector) that changes another model, not a model "
    "of its own. Merge it into its base model with llama.cpp's llama-export-lora, and add the merged file.",
    ModelKind.PART: "is a later part of a model in several files. Choose the first part.",
    ModelKind.OTHER: "is not a model that writes text ({architecture}). Choose a language model.",
}


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
