"""Tells what a GGUF file is for from its header, and whether what it says about itself can be true.

A file that llama.cpp would load and then stop at, or that is no language model at all, has to be known before
it is loaded: some of its checks end the process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Any

from rag.models.rows import ModelKind

# Architectures of encoders, by llama.cpp's names (src/llama-arch.cpp): they have no head that writes text.
_EMBEDDERS = frozenset(
    "bert modern-bert nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert gemma-embedding "
    "t5encoder xlm-roberta roberta distilbert mpnet deberta llama-embed".split()
)
_PROJECTORS = frozenset(("clip", "mmproj", "siglip", "whisper"))
# Pictures, sound and translation: other programs run these.
_OTHERS = frozenset(
    "flux sd1 sd2 sd3 sdxl sd stable-diffusion wan qwen_image ltxv hidream cosmos hyvid lumina2 aura pig "
    "wavtokenizer-dec mimi t5 bart marian vae unet dit dream llada llada-moe rnd1".split()
)
_RANK = 4  # llama.cpp's enum llama_pooling_type
_POOLS = (1, 2, 3)  # mean, first, last


def kind_of(values: Mapping[str, Any], tensors: Set[str]) -> ModelKind:
    """Return what a file is for.

    Args:
        values: The entries of its header.
        tensors: The names of its tensors.

    Raises:
        ValueError: The header does not say of which architecture the model is.
    """
    if int(values.get("split.no", 0)) > 0:
        return ModelKind.PART
    architecture = str(values.get("general.architecture", ""))
    declared = str(values.get("general.type", ""))
    if declared == "adapter" or "adapter.type" in values or architecture == "controlvector":
        return ModelKind.ADAPTER
    if declared in ("mmproj", "clip-vision") or architecture in _PROJECTORS or _is_projector(values):
        return ModelKind.PROJECTOR
    if not architecture:
        raise ValueError("it does not name its architecture")
    if declared not in ("", "model") or architecture in _OTHERS:
        return ModelKind.OTHER
    pooling = values.get(f"{architecture}.pooling_type")
    if pooling == _RANK or tensors & {"cls.weight", "cls.output.weight"}:
        return ModelKind.RERANKER
    looks_ahead = values.get(f"{architecture}.attention.causal") is False
    if pooling in _POOLS or architecture in _EMBEDDERS or looks_ahead:
        return ModelKind.EMBEDDER
    return ModelKind.LANGUAGE_MODEL


def _is_projector(values: Mapping[str, Any]) -> bool:
    return bool(values.get("clip.has_vision_encoder") or values.get("clip.has_audio_encoder"))


def check_sound(values: Mapping[str, Any]) -> None:
    """Raise ValueError for entries of a language model's header with which llama.cpp stops or never ends."""
    architecture = str(values["general.architecture"])
    for key, value in values.items():
        if key.startswith(f"{architecture}.") and isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key} is {value}")
        if key.endswith("_epsilon") and isinstance(value, float) and value < 0:
            raise ValueError(f"{key} is {value}")
    # Without merges a byte pair encoder looks for them over and over.
    if values.get("tokenizer.ggml.model") == "gpt2" and not values.get("tokenizer.ggml.merges"):
        raise ValueError("its tokenizer has no merges")
    tokens = values.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list):
        return
    if not all(isinstance(token, str) for token in tokens):
        raise ValueError("its tokens are not texts")
    for name in ("scores", "token_type"):
        more = values.get(f"tokenizer.ggml.{name}")
        if isinstance(more, list) and len(more) != len(tokens):
            raise ValueError(f"{len(tokens)} tokens and {len(more)} {name}")
