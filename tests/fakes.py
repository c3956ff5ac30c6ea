"""Stand-ins that come in through constructors."""

from __future__ import annotations

import hashlib
import re
import struct
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.models.chat_template import BUILT_IN
from rag.models.embedding import Embedder, starter_embedder_folder
from rag.models.language_model import GenerationEnd, LanguageModel, PromptRead, Token
from rag.models.rows import ModelHeader
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument
from rag.parsing.worker import Reader
from rag.settings import GenerationSettings

CHATML = BUILT_IN["chatml"]
THINKING_ENDED = re.compile(r"</think>\s*\Z|final<\|message\|>\Z")


class FakeEmbedder(Embedder):
    """Hashes words into 1,024 dimensions: similar texts share words. Counts what it embeds."""

    def __init__(self) -> None:
        super().__init__(starter_embedder_folder())
        self.name = "fake"
        self.embedded_count = 0

    fingerprint = "fake-embedder"  # type: ignore[assignment]
    dimension = 1024  # type: ignore[assignment]

    def warm_up(self) -> None:
        return

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded_count += len(texts)
        vectors = np.zeros((len(texts), 1024), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, int(hashlib.md5(word.encode()).hexdigest(), 16) % 1024] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)

    has_parts = True  # type: ignore[assignment]

    def _read(self, texts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        vectors, counted = self.encode(texts), self.embedded_count
        states = [FakeEmbedder.encode(self, one) for one in self._token_names(texts, [])]
        self.embedded_count = counted  # a token is no text
        return vectors, states

    def _token_names(self, texts: Sequence[str], states: Sequence[np.ndarray]) -> list[list[str]]:
        return [re.findall(r"\w+", text.lower()) or ["?"] for text in texts]


class ScriptedModel(LanguageModel):
    """Answers with the same text, word by word, and keeps the prompts it was given.

    then: what it says instead when it is asked to go on after its thinking was ended for it. ending: what its
    chat template writes at the end of every prompt.
    """

    def __init__(
        self, answer: str = "Rye bread needs sourdough [1].", *, then: str = "", ending: str = ""
    ) -> None:
        self.path = Path("scripted.gguf")
        self.settings = GenerationSettings()
        self.context = self.settings.context
        self.answer, self.then, self.ending = answer, then, ending
        self.tokenized: list[str] = []
        self.prompts: list[str] = []
        self.error: Exception | None = None
        self.pause_after: int | None = None  # after so many pieces it waits for may_go_on
        self.may_go_on = threading.Event()
        self.load_error: Exception | None = None
        self.header = ModelHeader(
            "scripted.gguf", 0, "scripted", "none", "none", 0, 4096, 1, 1, 1, 1, 1, 1, 1, 1, "template", 0
        )

    def load(self, path: Path, settings: GenerationSettings) -> ScriptedModel:
        """What a workspace is given as load_model: this model stands for every file."""
        if self.load_error is not None:
            raise self.load_error
        self.path, self.settings, self.context = path, settings, settings.context
        return self

    sha256 = "0" * 64  # type: ignore[assignment]

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def tokenize_prompt(self, prompt: str) -> list[int]:
        self.tokenized.append(prompt)
        return list(range(len(prompt.split())))

    def render_chat(self, messages: Sequence[dict[str, str]]) -> str:
        prompt = "\n".join(f"{m['role']}: {m['content']}" for m in messages) + self.ending
        self.prompts.append(prompt)
        return prompt

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        yield PromptRead(0, len(tokens), 0)
        yield PromptRead(len(tokens), len(tokens), 0)
        if self.error is not None:
            raise self.error
        goes_on = self.then and self.tokenized and THINKING_ENDED.search(self.tokenized[-1])
        pieces = re.findall(r"\s*\S+\s*", self.then if goes_on else self.answer)
        pieces = pieces[: settings.max_answer_tokens]
        for number, piece in enumerate(pieces):
            if number == self.pause_after:
                self.may_go_on.wait(10)
            yield Token(piece, -0.5)
        yield GenerationEnd("stop", len(pieces))

    def close(self) -> None:
        return


class NamedModel(ScriptedModel):
    """A scripted model that has the name of its file, as models have; it is found again by that."""

    def load(self, path: Path, settings: GenerationSettings) -> ScriptedModel:
        self.header = replace(self.header, path=str(path))
        return super().load(path, settings)


class DirectReader(Reader):
    """Reads files in this process: what is tested is not the reading, and starting a process takes a while."""

    def start(self) -> None:
        return

    def read(self, path: Path) -> Generator[None, None, ParsedDocument]:
        yield from ()
        return parse_file(path)


def drive(generator: Any) -> Any:
    """Run a generator to its end and give what it returns."""
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


class GatedModel(ScriptedModel):
    """A scripted model that waits before it answers, as long as its gate is closed."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.gate = threading.Event()
        self.gate.set()

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        for event in super().generate(tokens, settings, grammar):
            self.gate.wait(10)
            yield event


def small_gguf(
    values: Mapping[str, object] | None = None,
    *,
    architecture: str = "llama",
    tensors: Sequence[str] = ("token_embd.weight",),
    bare: bool = False,
) -> bytes:
    """Return a GGUF file: a header with these entries besides the usual ones, and small tensors with data.

    bare: without the usual entries, as later parts and projectors are.
    """
    usual: dict[str, object] = {
        "general.architecture": architecture,
        "general.name": "Tiny",
        f"{architecture}.block_count": 2,
        f"{architecture}.embedding_length": 64,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.context_length": 512,
        "tokenizer.ggml.tokens": ["a", "b", "c"],
    }
    entries = ({} if bare else usual) | dict(values or {})
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    header += b"".join(_gguf_text(key) + _gguf_value(value) for key, value in entries.items())
    size = 64 * 3 * 4
    for number, name in enumerate(tensors):
        header += _gguf_text(name) + struct.pack("<IQQIQ", 2, 64, 3, 0, number * size)
    return header + bytes(-len(header) % 32) + bytes(len(tensors) * size)


def tiny_gguf() -> bytes:
    """Return a GGUF file: a complete header with one small tensor and its data."""
    return small_gguf()


def split_gguf(part: int, parts: int) -> bytes:
    """Return a part of a model in several files; only the first says what the model is."""
    split = {"split.no": part - 1, "split.count": parts}
    return small_gguf(split, tensors=[f"blk.{part}.weight"], bare=part > 1)


def nested_gguf(depth: int) -> bytes:
    """Return a GGUF file whose tokens are lists in lists."""
    nested = struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * depth + struct.pack("<IQ", 4, 0)
    return small_gguf({"tokenizer.ggml.tokens": nested})


def _gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _gguf_value(value: object) -> bytes:
    """Return a value with its type; bytes are both already."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _gguf_text(value)
    assert isinstance(value, list)
    return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_gguf_text(text) for text in value)
