"""Many prompts answered at once in one llama.cpp context (continuous batching).

Each prompt is a sequence, and all sequences share the cells of one KV cache. What a new prompt has in common
with one that is or was in the cache is copied, which costs nothing, and only the rest is read: prompts that
are sorted share most. Each step decodes one token of every answer and a piece of one prompt.

Batching helps on a GPU, where reading the weights for one token costs nearly as much as for sixteen. On a
processor it does not: the starter model needs as long for sixteen tokens as for sixteen times one, and matrix
products over several rows round differently, so that near ties fall the other way (6 of 16 greedy answers of
the starter model differed with eight at once, none with one). So a processor writes one answer at a time and
gains by the shared beginnings alone.

Tried on two processor cores with 48 XQuAD questions: flash attention, which skips the masked cells of other
sequences, reads 16 prompts in half the time (15 s instead of 29 s). But a real run, where half of each prompt
is shared, takes 1.14 of the time of one by one, or 1.18 with 16 written at once, and 20 of 48 greedy answers
change.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rag.errors import ModelError, RagError
from rag.models.language_model import LanguageModel
from rag.settings import GenerationSettings

BATCH = 512  # tokens of one step
_LEAST_SHARED = 16  # tokens; below it a copy is not worth its bookkeeping


@dataclass(frozen=True)
class BatchRequest:
    """A tokenised prompt to answer; key is the caller's name for it."""

    key: int
    tokens: tuple[int, ...]
    settings: GenerationSettings


@dataclass(frozen=True)
class BatchStep:
    """A step was computed: a chance to cancel. The counts are of prompts."""

    answering: int
    waiting: int


@dataclass(frozen=True)
class BatchAnswer:
    """A complete answer. logprobs are natural, one for each token.

    finish_reason is "stop", "length" or "timeout"; cached_tokens counts the tokens of the prompt that another
    prompt had already brought into the cache.
    """

    key: int
    text: str
    logprobs: tuple[float, ...]
    finish_reason: str
    cached_tokens: int


@dataclass
class _Slot:
    """A sequence of the cache: in use, or idle and kept for what the next prompt may share with it."""

    number: int
    tokens: list[int] = field(default_factory=list)  # whose keys and values are in the cache
    request: BatchRequest | None = None
    sampler: Any = None
    most: int = 0
    cached: int = 0
    written: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    begin: float = 0.0

    @property
    def reading(self) -> bool:
        return self.request is not None and len(self.tokens) < len(self.request.tokens)


class BatchContext:
    """A context for several sequences, next to the model's own. Not thread-safe; close it."""

    def __init__(self, model: LanguageModel, sequences: int, cells: int, at_once: int | None = None) -> None:
        """Make the context. Raises ModelError when there is no memory for it.

        Args:
            model: The loaded model.
            sequences: How many prompts the cache keeps apart.
            cells: How many tokens of all sequences together the cache has room for.
            at_once: How many answers are written at the same time; the other sequences are kept for what
                prompts share. None means 1 on a processor and all of them on a GPU.
        """
        import llama_cpp

        self._lib = llama_cpp
        self._model = model
        self.cells = cells
        self.at_once = at_once or (sequences if model.settings.gpu_layers else 1)
        parameters = model.context_parameters()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max = sequences
        parameters.kv_unified = True
        self._context = llama_cpp.llama_init_from_model(model.handle, parameters)
        if not self._context:
            raise ModelError(
                f"There is not enough memory for {sequences} answers at once; answer fewer at a time."
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self._slots = [_Slot(number) for number in range(sequences)]

    def answer(
        self, requests: Sequence[BatchRequest], timeout_s: float = float("inf")
    ) -> Iterator[BatchStep | BatchAnswer]:
        """Yield answers in the order in which they are complete. Stop iterating to cancel.

        timeout_s limits each answer. Raises RagError when a prompt does not even fit into the cache alone.
        """
        waiting = sorted(requests, key=lambda request: request.tokens)  # neighbours share their beginning
        for request in waiting:
            if len(request.tokens) + 8 > min(self.cells, self._model.context):
                raise RagError(
                    f"A prompt has {len(request.tokens)} tokens and the context {self._model.context}: "
                    "lower the passage budget or load the model with a longer context."
                )
        try:
            while waiting or any(slot.request for slot in self._slots):
                while waiting and self._admit(waiting[0]):
                    waiting.pop(0)
                yield from self._step(timeout_s)
                yield BatchStep(sum(slot.request is not None for slot in self._slots), len(waiting))
        finally:
            for slot in self._slots:
                self._free(slot)

    def close(self) -> None:
        """Free the memory; the context cannot be used any more."""
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self._context)

    # --- taking in ----------------------------------------------------------------------------------------

    def _admit(self, request: BatchRequest) -> bool:
        """Give a request a sequence and return True, or return False when it has to wait.

        One prompt is read at a time, so that the next can share it.
        """
        idle = [slot for slot in self._slots if slot.request is None]
        if len(self._slots) - len(idle) >= min(self.at_once, len(self._slots)) or any(
            slot.reading for slot in self._slots
        ):
            return False
        source = max(self._slots, key=lambda slot: _common(slot.tokens, request.tokens))
        # The last token is read again: its logits are what the answer begins with.
        shared = min(_common(source.tokens, request.tokens), len(request.tokens) - 1)
        target = source if source.request is None else min(idle, key=lambda slot: len(slot.tokens))
        if shared < _LEAST_SHARED:
            shared, target = 0, min(idle, key=lambda slot: len(slot.tokens))
        most = min(request.settings.max_answer_tokens, self._model.context - len(request.tokens))
        if not self._make_room(len(request.tokens) + most, keep=(source, target)):
            return False
        if target is source:
            self._cut(target, shared)
        else:
            self._cut(target, 0)
            if shared:
                self._lib.llama_memory_seq_cp(self._memory, source.number, target.number, 0, shared)
                target.tokens = source.tokens[:shared]
        target.request, target.most, target.cached = request, most, shared
        target.sampler = self._model.sampler(request.settings)
        target.written, target.logprobs, target.begin = [], [], time.perf_counter()
        return True

    def _make_room(self, wanted: int, keep: tuple[_Slot, _Slot]) -> bool:
        """Return whether a prompt and its answer have room, after dropping idle sequences if need be.

        Every sequence counts in full, shared cells too: never too little room, sometimes too much.
        """
        idle = [s for s in self._slots if s.request is None and s.tokens and s not in keep]
        while self._reserved(keep[1]) + wanted > self.cells:
            if not idle:
                if keep[0].request is None and keep[0] is not keep[1] and keep[0].tokens:
                    return False
                return not any(s.request for s in self._slots)
            self._cut(idle.pop(), 0)
        return True

    def _reserved(self, without: _Slot) -> int:
        return sum(
            (len(s.request.tokens) + s.most) if s.request else len(s.tokens)
            for s in self._slots
            if s is not without
        )

    def _cut(self, slot: _Slot, keep: int) -> None:
        """Forget what a sequence has after its first tokens."""
        if len(slot.tokens) > keep:
            self._lib.llama_memory_seq_rm(self._memory, slot.number, keep if keep else -1, -1)
            del slot.tokens[keep:]

    # --- computing ----------------------------------------------------------------------------------------

    def _step(self, timeout_s: float) -> Iterator[BatchAnswer]:
        """Decode one token of every answer and the next piece of the prompt that is being read."""
        asked: list[tuple[_Slot, int]] = []
        count = 0
        for slot in self._slots:
            if slot.written and slot.request:
                self._put(count, slot, slot.written[-1], True)
                asked.append((slot, count))
                count += 1
        for slot in self._slots:
            if slot.request and not slot.written:
                prompt = slot.request.tokens
                piece = prompt[len(slot.tokens) : len(slot.tokens) + BATCH - count]
                for token in piece:
                    self._put(count, slot, token, len(slot.tokens) + 1 == len(prompt))
                    count += 1
                if piece and not slot.reading:
                    asked.append((slot, count - 1))
        if not count:
            return
        self._batch.n_tokens = count
        result = self._lib.llama_decode(self._context, self._batch)
        if result:
            raise ModelError(
                f"llama.cpp could not continue with {len(asked)} answers at once (code {result})."
            )
        for slot, place in asked:
            reason = self._take(slot, place)
            if reason:
                yield self._finished(slot, reason)
        now = time.perf_counter()
        for slot in self._slots:
            if slot.request and now - slot.begin > timeout_s:
                yield self._finished(slot, "timeout")

    def _put(self, place: int, slot: _Slot, token: int, logits: bool) -> None:
        batch = self._batch
        batch.token[place] = token
        batch.pos[place] = len(slot.tokens)
        batch.n_seq_id[place] = 1
        batch.seq_id[place][0] = slot.number
        batch.logits[place] = logits
        slot.tokens.append(token)

    def _take(self, slot: _Slot, place: int) -> str:
        """Sample a sequence's next token; return why it was the last one, or ""."""
        token = int(self._lib.llama_sampler_sample(slot.sampler.sampler, self._context, place))
        if self._model.ends(token):
            return "stop"
        logits = np.ctypeslib.as_array(
            self._lib.llama_get_logits_ith(self._context, place), shape=(self._model.vocabulary_size,)
        )
        top = float(logits.max())
        slot.logprobs.append(float(logits[token]) - top - float(np.log(np.exp(logits - top).sum())))
        slot.written.append(token)
        return "length" if len(slot.written) >= slot.most else ""

    def _finished(self, slot: _Slot, reason: str) -> BatchAnswer:
        assert slot.request is not None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pieces = [decoder.decode(self._model.text_of(token)) for token in slot.written]
        text = "".join(pieces) + decoder.decode(b"", final=True)
        answer = BatchAnswer(slot.request.key, text, tuple(slot.logprobs), reason, slot.cached)
        slot.request = None  # what it read stays for the next prompt to share
        slot.sampler.close()
        slot.written, slot.sampler = [], None
        return answer

    def _free(self, slot: _Slot) -> None:
        if slot.request is not None:
            slot.request = None
            slot.sampler.close()
            slot.written, slot.sampler = [], None


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    count = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        count += 1
    return count
