"""Reads a sentence and its evidence together: MiniLM trained to say which words the evidence does not hold.

The network is resources/grounding/pairs.onnx (int8), made by rag.grounding.train; it runs on onnxruntime, without
torch. Input is [CLS] sentence [SEP] evidence [SEP]; output is one logit a token and one for the whole. Training with
labels on tokens, and not only on sentences, is what makes contradictions visible to so small a network.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import RagError

LONGEST = 112  # tokens of a pair
_LEAST_EVIDENCE = 20  # tokens that are left to the evidence beside a long sentence
_BATCH = 16
_DOUBTFUL = 0.5  # probability from which a word is marked


@dataclass(frozen=True)
class PairJudgement:
    """logit: of the sentence not being supported. doubtful: (start, end) in the sentence of the words that the
    evidence does not hold, in order."""

    logit: float
    doubtful: tuple[tuple[int, int], ...]


class PairModel:
    """The network with its tokenizer, loaded when first used. Safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loading = threading.Lock()

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        """A judgement for each (sentence, evidence), in order. Raises RagError when the files are damaged."""
        with self._loading:
            session, tokenizer = self._session, self._tokenizer
        encodings = [encode_pair(tokenizer, *pair) for pair in pairs]
        order = sorted(range(len(pairs)), key=lambda number: len(encodings[number].ids))
        found: dict[int, PairJudgement] = {}
        for begin in range(0, len(order), _BATCH):
            part = order[begin : begin + _BATCH]
            inputs = as_batch([encodings[number] for number in part])
            tokens, whole = session.run(None, inputs)
            for row, number in enumerate(part):
                found[number] = _judgement(
                    encodings[number], pairs[number][0], tokens[row], float(whole[row])
                )
        return [found[number] for number in range(len(pairs))]

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self._folder / "tokenizer.json")

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(
                str(self._folder / "pairs.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no common base class for its errors
            raise RagError(
                f"The network of the detector cannot be used ({error}); install Ragdeck again."
            ) from error


def load_tokenizer(path: Path) -> Any:
    """A tokenizer that neither truncates nor pads. Raises RagError when the file is damaged."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(json.dumps(json.loads(path.read_text("utf-8"))))
    except (OSError, ValueError) as error:
        raise RagError(
            f"The tokenizer of the detector cannot be used ({error}); install Ragdeck again."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@dataclass(frozen=True)
class PairEncoding:
    """A pair as token ids: sentence tokens count `sentence` behind [CLS]; offsets are theirs, into the sentence."""

    ids: tuple[int, ...]
    sentence: int
    offsets: tuple[tuple[int, int], ...]


def encode_pair(tokenizer: Any, sentence: str, evidence: str) -> PairEncoding:
    """[CLS] sentence [SEP] evidence [SEP], cut to LONGEST tokens: first the evidence, then the sentence."""
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    claim = tokenizer.encode(sentence, add_special_tokens=False)
    source = tokenizer.encode(evidence, add_special_tokens=False)
    room = LONGEST - 3
    kept = min(len(claim.ids), room - min(len(source.ids), _LEAST_EVIDENCE))
    ids = (start, *claim.ids[:kept], end, *source.ids[: room - kept], end)
    return PairEncoding(ids, kept, tuple(claim.offsets[:kept]))


def as_batch(encodings: Sequence[PairEncoding]) -> dict[str, npt.NDArray[np.int64]]:
    """The network's inputs (n, longest): padded ids, which of them count, and which belong to the evidence."""
    shape = (len(encodings), max(len(encoding.ids) for encoding in encodings))
    ids, mask, kinds = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        ids[row, :length] = encoding.ids
        mask[row, :length] = 1
        kinds[row, encoding.sentence + 2 : length] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


def pooled(tokens: npt.NDArray[np.float32], whole: float, sentence: int) -> float:
    """The sentence's logit: log-sum-exp over its tokens' logits, plus the whole's."""
    own = tokens[1 : sentence + 1].astype(np.float64)
    return float(np.logaddexp.reduce(own) + whole) if len(own) else whole


def _judgement(
    encoding: PairEncoding, text: str, tokens: npt.NDArray[np.float32], whole: float
) -> PairJudgement:
    limit = np.log(_DOUBTFUL / (1 - _DOUBTFUL))
    spans: list[tuple[int, int]] = []
    for (start, end), logit in zip(encoding.offsets, tokens[1:], strict=False):
        if logit < limit or end <= start:
            continue
        start, end = _whole_word(text, start, end)
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return PairJudgement(round(pooled(tokens, whole, encoding.sentence), 4), tuple(spans))


def _whole_word(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end
