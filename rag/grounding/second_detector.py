"""Runs a second detector: a larger model in a local folder, asked only where the first is uncertain.

The folder's config.json says what it is; no code from it is run. Three kinds are known:
- "nli": a sequence classifier with a label for entailment (cross-encoders for NLI); supported =
  p(entailment).
- "consistency": a sequence classifier with one output, or two labels of which one says supported or
  consistent.
- "tokens": a token classifier (LettuceDetect): a sentence is as unsupported as its worst token.

A long premise is read in chunks. A claim is supported when one chunk supports it, so p(unsupported) is the
minimum over the chunks; the maximum would flag everything that is in another chunk (SummaC, Laban et al.
2022).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

_SUPPORTED = frozenset(
    "entailment entails entail supported support consistent factual faithful grounded yes".split()
)
_UNSUPPORTED = frozenset(
    "contradiction neutral not_entailment unsupported hallucinated hallucination inconsistent no".split()
)
_LONGEST = 512  # tokens of an input, unless the tokenizer says less
_STRIDE = 64  # tokens that two chunks of a premise share
_BATCH = 8


@dataclass(frozen=True)
class _Kind:
    """A kind of model, and which of its outputs speaks for or against support."""

    name: str  # "nli" | "consistency" | "tokens"
    label: int  # the index of the output that is read
    says_supported: bool  # whether that output means supported
    single: bool = False  # one output, a sigmoid instead of a softmax


class SecondDetector:
    """A loaded second detector, made by open()."""

    def __init__(self, folder: Path, kind: _Kind, model: Any, tokenizer: Any) -> None:
        self.folder, self._kind, self._model, self._tokenizer = folder, kind, model, tokenizer
        self._longest = min(int(getattr(tokenizer, "model_max_length", _LONGEST) or _LONGEST), _LONGEST)
        limit = getattr(model.config, "max_position_embeddings", None)
        if limit:
            self._longest = min(
                self._longest, int(limit) - (2 if model.config.model_type == "roberta" else 0)
            )

    @property
    def kind(self) -> str:
        """The kind of model: "nli", "consistency" or "tokens"."""
        return self._kind.name

    @classmethod
    def open(cls, folder: str | Path) -> SecondDetector:
        """Recognise and load a folder. Raises ModelError with a sentence when it is not a detector."""
        path = Path(folder)
        kind, architecture = recognise(path)
        os.environ["HF_HUB_OFFLINE"] = "1"
        import transformers

        auto = (
            "AutoModelForTokenClassification"
            if kind.name == "tokens"
            else "AutoModelForSequenceClassification"
        )
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path), local_files_only=True)
            model = getattr(transformers, auto).from_pretrained(str(path), local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"The detector in {path} ({architecture}) cannot be loaded: {first}") from error
        if not tokenizer.is_fast:
            raise ModelError(f"The detector in {path} has no tokenizer.json; save it with a fast tokenizer.")
        return cls(path, kind, model.eval(), tokenizer)

    def unsupported(
        self, question: str, claims: Sequence[str], passages: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """Return the probability in [0, 1] for each of n claims that no passage supports it, shape (n,)."""
        premise = "\n\n".join(passages)
        if self._kind.name == "tokens" and question:
            premise = f"{premise}\n\n{question}"
        result = np.ones(len(claims))
        for number, claim in enumerate(claims):
            result[number] = float(self._chunked(premise, claim))
        return result

    def _chunked(self, premise: str, claim: str) -> float:
        import torch

        claim_length = len(self._tokenizer(claim, add_special_tokens=False)["input_ids"])
        room = self._longest - min(claim_length, self._longest // 2) - 4
        encoded = self._tokenizer(
            premise,
            claim,
            truncation="only_first" if claim_length < self._longest // 2 else "longest_first",
            max_length=self._longest,
            stride=min(_STRIDE, max(room // 4, 0)) if claim_length < self._longest // 2 else 0,
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        encoded.pop("overflow_to_sample_mapping", None)
        lowest = 1.0
        rows = encoded["input_ids"].shape[0]
        for begin in range(0, rows, _BATCH):
            part = {name: values[begin : begin + _BATCH] for name, values in encoded.items()}
            with torch.inference_mode():
                logits = self._model(**part).logits.float()
            for row in range(logits.shape[0]):
                ids = encoded.sequence_ids(begin + row) if self._kind.name == "tokens" else None
                lowest = min(lowest, self._read(logits[row], ids))
        return lowest

    def _read(self, logits: Any, sequence_ids: Sequence[int | None] | None) -> float:
        """Return p(unsupported) from the logits of one chunk."""
        if sequence_ids is not None:
            p = logits.softmax(-1)[:, self._kind.label]
            own = [float(p[n]) for n, part in enumerate(sequence_ids) if part == 1]
            worst = max(own, default=1.0)
            return 1.0 - min(own, default=0.0) if self._kind.says_supported else worst
        if self._kind.single:
            value = float(logits.reshape(-1)[0].sigmoid())
        else:
            value = float(logits.softmax(-1)[self._kind.label])
        return 1.0 - value if self._kind.says_supported else value


def recognise(folder: Path) -> tuple[_Kind, str]:
    """Return the kind and the architecture that the folder's config.json names.

    Raises ModelError when that is not a detector.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        architecture = str((config.get("architectures") or [""])[0])
        named = config.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}  # what transformers leaves out
        labels = {int(n): str(label).lower() for n, label in named.items()}
    except OSError as error:
        raise ModelError(f"{folder} is not a model folder: it has no readable config.json.") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"The config.json in {folder} is damaged ({error}).") from error
    if "auto_map" in config:
        raise ModelError(
            f"The model in {folder} needs code of its own, which Ragdeck does not run; "
            "use one with an architecture that transformers knows."
        )
    if architecture.endswith("ForTokenClassification"):
        return _token_kind(folder, labels), architecture
    if architecture.endswith("ForSequenceClassification"):
        return _sequence_kind(folder, labels), architecture
    raise ModelError(
        f"{folder} contains {architecture or 'no architecture'}; a second detector is a sequence classifier "
        "(NLI, consistency) or a token classifier."
    )


def _sequence_kind(folder: Path, labels: dict[int, str]) -> _Kind:
    if len(labels) == 1:
        return _Kind(
            "consistency", 0, says_supported=next(iter(labels.values())) not in _UNSUPPORTED, single=True
        )
    for number, label in labels.items():
        if label in _SUPPORTED:
            name = "nli" if label.startswith("entail") else "consistency"
            return _Kind(name, number, says_supported=True)
    if len(labels) == 2:
        for number, label in labels.items():
            if label in _UNSUPPORTED:
                return _Kind("consistency", number, says_supported=False)
    names = ", ".join(labels.values()) or "none"
    raise ModelError(
        f"The labels of the model in {folder} ({names}) do not say which one means supported; "
        "name it “entailment” or “supported” under id2label in its config.json."
    )


def _token_kind(folder: Path, labels: dict[int, str]) -> _Kind:
    for number, label in labels.items():
        if label in _UNSUPPORTED:
            return _Kind("tokens", number, says_supported=False)
    for number, label in labels.items():
        if label in _SUPPORTED:
            return _Kind("tokens", number, says_supported=True)
    if sorted(labels) == [0, 1]:  # LettuceDetect ships LABEL_0 (supported) and LABEL_1 (hallucinated)
        return _Kind("tokens", 1, says_supported=False)
    raise ModelError(
        f"The labels of the token classifier in {folder} do not say which one means unsupported; "
        "name it “hallucinated” under id2label in its config.json."
    )
