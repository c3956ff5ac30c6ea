"""Maps the embeddings of a version's chunks onto the plane."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from rag.errors import RagError
from rag.knowledge.collections import content_of, named_version
from rag.knowledge.rows import EmbeddingMap
from rag.workspace import Workspace

_MOST_MAPPED = 20_000


def embedding_map(workspace: Workspace, collection: str, which: int | str | None = None) -> EmbeddingMap:
    """Project a version's vectors onto their first two principal components (Pearson 1901).

    Above 20,000 chunks an even sample is shown. UMAP and t-SNE are left out: umap-learn brings numba and
    llvm, and either takes minutes at this size. Raises RagError when the version contains no chunks.
    """
    version = named_version(workspace, collection, which)
    content = content_of(workspace, version)
    if len(content.ids) == 0:
        raise RagError("This version contains no chunks: there is nothing to map.")
    with workspace.store.session() as session:
        vectors = content.vectors(session)
        rows = np.linspace(0, len(content.ids) - 1, min(len(content.ids), _MOST_MAPPED)).astype(np.int64)
        ids = content.ids[rows]
        found = (
            session.connection()
            .exec_driver_sql(
                """SELECT c.id, c.document_id, d.name FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value
               JOIN document d ON d.id = c.document_id""",
                (json.dumps(ids.tolist()),),
            )
            .fetchall()
        )
    plane, explained = principal_components(vectors[rows])
    document_of = {row[0]: row[1] for row in found}
    return EmbeddingMap(
        number=version.number,
        x=plane[:, 0].astype(np.float32).tobytes(),
        y=plane[:, 1].astype(np.float32).tobytes(),
        chunk_ids=ids.tobytes(),
        document_ids=np.array([document_of[int(i)] for i in ids], dtype=np.int64).tobytes(),
        documents={row[1]: row[2] for row in found},
        explained=explained,
        total=len(content.ids),
    )


def principal_components(vectors: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], float]:
    """Return the (n, 2) coordinates of (n, d) vectors, and the share of the variance that they explain.

    The largest coefficient of each axis is positive, so that the same vectors always give the same map.
    """
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    two = axes[:, [-1, -2]] if axes.shape[1] > 1 else np.hstack([axes, np.zeros_like(axes)])
    two = two * np.where(two[np.abs(two).argmax(axis=0), range(2)] < 0, -1.0, 1.0)
    total = float(values.sum())
    explained = float(values[-2:].sum()) / total if total > 1e-9 else 1.0
    return (centred @ two).astype(np.float32), min(max(explained, 0.0), 1.0)
