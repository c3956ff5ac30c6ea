"""Computes fingerprints of what a dataset version contains and of what an index should contain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def content_fingerprint(
    embedder: str, documents: Iterable[tuple[str, ...]], exclusions: Iterable[tuple[str, ...]] = ()
) -> str:
    """Return the sha256 over the embedder, the sorted facts of all documents and of all excluded chunks.

    Args:
        embedder: The fingerprint of the embedder.
        documents: (name, file sha256, chunking fingerprint[, attributes]) of each.
        exclusions: (file sha256, chunking fingerprint, position, reason) of each.
    """
    digest = hashlib.sha256(embedder.encode())
    for parts in sorted(documents):
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass") + b"\n")
    for parts in sorted(exclusions):
        digest.update(b"-" + "\0".join(parts).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def texts_fingerprint(embedder: str, text_hashes: Iterable[str]) -> str:
    """Return the sha256 over the embedder and the sorted, distinct text hashes that an index contains."""
    digest = hashlib.sha256(embedder.encode())
    for text_hash in sorted(set(text_hashes)):
        digest.update(text_hash.encode())
    return digest.hexdigest()
