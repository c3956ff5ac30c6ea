"""An embedder behind an endpoint. Its vectors are compared with stored ones, so it must stay what it was.

Nobody can hash the weights of another computer's model. So a fixed text is embedded when it is chosen;
whoever embeds later embeds that text first, and is refused when its vector is another one than it was.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError
from rag.models.embedding import Embedder, starter_embedder_folder
from rag.models.endpoints.border import Outgoing, Permit, as_it_is
from rag.models.endpoints.client import Client
from rag.models.endpoints.rows import Endpoint
from rag.text.search_terms import folded

SAMPLE_TEXT = "The quick brown fox jumps over the lazy dog while 12 ships leave the harbour of Bremen."
_SAME = 0.999  # cosine of two vectors of the sample by one model: batches change the last digits
_AT_ONCE = 64  # texts in a request


@dataclass(frozen=True)
class RemoteIdentity:
    """What an embedder behind an endpoint was when it was chosen.

    Attributes:
        fingerprint: 32 hex digits over address, model, dimension and sample.
        name: As people read it.
        dimension: The length of its vectors.
        sample: Its vector of SAMPLE_TEXT (dimension,), L2-normalised.
    """

    fingerprint: str
    name: str
    dimension: int
    sample: npt.NDArray[np.float32]


def identify(client: Client, permit: Permit) -> RemoteIdentity:
    """Embed the sample text and return what the embedder is now. Raises RagError when it does not embed."""
    (sample,) = _normalised(client.embed(permit, [SAMPLE_TEXT]), 1, client.endpoint.name)
    digest = hashlib.sha256(f"endpoint\0{client.endpoint.identity}\0{len(sample)}\0".encode())
    digest.update(np.round(sample, 2).astype("<f4").tobytes())
    name = f"{client.endpoint.model} ({client.endpoint.name})"
    return RemoteIdentity(digest.hexdigest()[:32], name, len(sample), sample)


class RemoteEmbedder(Embedder):
    """An embedder behind an endpoint. `bound` says whose texts it is given: unbound, it may be sent none.

    Chunks are counted in the starter's tokens: those of the other computer are not known here.
    """

    has_parts = False  # type: ignore[assignment]
    dimension = 0  # type: ignore[assignment]
    fingerprint = ""  # type: ignore[assignment]

    def __init__(self, client: Client, identity: RemoteIdentity, permit: Permit) -> None:
        super().__init__(starter_embedder_folder())
        self._client, self._identity, self._permit = client, identity, permit
        self.name, self.dimension, self.fingerprint = identity.name, identity.dimension, identity.fingerprint
        self._outgoing: Outgoing = as_it_is
        self._is_checked = [False]  # shared by all that are bound to a collection

    @property
    def endpoint(self) -> Endpoint:
        """Where texts are sent."""
        return self._client.endpoint

    def bound(self, permit: Permit, outgoing: Outgoing = as_it_is) -> RemoteEmbedder:
        """Return the same embedder for the texts that a permit lets through, as `outgoing` lets them be."""
        other = copy.copy(self)
        other._permit, other._outgoing = permit, outgoing
        return other

    def warm_up(self) -> None:
        """Embed the sample text once. Raises ModelError when its vector is no longer what it was."""
        if self._is_checked[0]:
            return
        now = identify(self._client, self._permit)
        if now.dimension != self.dimension or float(now.sample @ self._identity.sample) < _SAME:
            raise ModelError(
                f"The embedder {self.name} is no longer the one that made these vectors: it embeds a fixed "
                "text otherwise now. Embed the documents again in a trial with it, or choose another version."
            )
        self._is_checked[0] = True

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return vectors (n, dimension), float32, L2-normalised."""
        self.warm_up()
        parts = [np.zeros((0, self.dimension), dtype=np.float32)]
        for begin in range(0, len(texts), _AT_ONCE):
            sent = [folded(self._outgoing(text)) or " " for text in texts[begin : begin + _AT_ONCE]]
            found = _normalised(self._client.embed(self._permit, sent), len(sent), self.name)
            if found.shape[1] != self.dimension:
                raise ModelError(f"The embedder {self.name} sent vectors of another length. Try again.")
            parts.append(found)
        return np.concatenate(parts)

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """Refuse: an endpoint sends no vectors of tokens."""
        raise ModelError(f"The embedder {self.name} has no vectors of tokens for late interaction.")


def _normalised(vectors: list[list[float]], count: int, name: str) -> npt.NDArray[np.float32]:
    """Return vectors (n, dimension) of length 1. Raises ModelError when they are none."""
    try:
        found = np.asarray(vectors, dtype=np.float32)
    except (ValueError, TypeError):
        found = np.zeros((0,), dtype=np.float32)
    if found.ndim != 2 or len(found) != count or not found.shape[1] or not np.isfinite(found).all():
        raise ModelError(f"“{name}” sent something that are no vectors of {count} texts. Try again.")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not lengths.all():
        raise ModelError(f"“{name}” sent a vector without direction. Choose another embedder.")
    return np.asarray(found / lengths, dtype=np.float32)
