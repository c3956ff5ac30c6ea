"""The tokens of a loaded GGUF model: text to tokens and back.

llama-cpp-python's own ways make room for as many tokens as the model was trained with, whatever the file says
that is, and cut the text of a token at 32 bytes.
"""

from __future__ import annotations

import ctypes
from typing import Any

from rag.errors import ModelError
from rag.text.thinking import SPECIAL_TOKENS


class Vocabulary:
    """The tokens of one model."""

    def __init__(self, model: Any) -> None:
        """Read the vocabulary of a llama_model."""
        import llama_cpp

        self._lib = llama_cpp
        self._handle = llama_cpp.llama_model_get_vocab(model)
        self._texts: dict[int, bytes] = {}

    def tokenize(self, text: str, *, special: bool, add_bos: bool = False) -> list[int]:
        """Return the tokens of a text. Raises ModelError when the model has none for it.

        Args:
            text: Any text.
            special: Whether "<|im_end|>" and the like are single tokens, and not texts.
            add_bos: Whether the token that begins a sequence goes before it.
        """
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 8
        tokens = (self._lib.llama_token * room)()
        count = self._lib.llama_tokenize(self._handle, encoded, len(encoded), tokens, room, add_bos, special)
        if count < 0:
            raise ModelError(f"The model has no tokens for a text of {len(text):,} characters.")
        return list(tokens[:count])

    def text_of(self, token: int) -> bytes:
        """Return the bytes of a token, which may be a part of a character.

        A special token has none, unless it marks the thinking of a model.
        """
        if token not in self._texts:
            written = self._piece(token, special=False)
            if not written and self.special(token) in SPECIAL_TOKENS:
                written = self._piece(token, special=True)
            self._texts[token] = written
        return self._texts[token]

    def special(self, token: int) -> str:
        """Return how a token is written in a prompt; "" for the number of no token."""
        return "" if token < 0 else self._piece(token, special=True).decode("utf-8", "replace")

    def ends(self, token: int) -> bool:
        """Return whether a token ends an answer."""
        return bool(self._lib.llama_vocab_is_eog(self._handle, token))

    @property
    def bos(self) -> str:
        """The token that begins a sequence, as it is written; "" when there is none."""
        return self.special(self._lib.llama_vocab_bos(self._handle))

    @property
    def eos(self) -> str:
        """The token that ends a sequence, as it is written; "" when there is none."""
        return self.special(self._lib.llama_vocab_eos(self._handle))

    def wants_bos(self, prompt: str) -> bool:
        """Return whether the token that begins a sequence has to be put before a prompt."""
        bos = self.bos
        return bool(self._lib.llama_vocab_get_add_bos(self._handle)) and not (bos and prompt.startswith(bos))

    def _piece(self, token: int, special: bool) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._lib.llama_token_to_piece(self._handle, token, buffer, size, 0, special)
            if length >= 0:
                return bytes(buffer.raw[:length])
            size = -length
