"""Embeddings of texts, by the embedders that the collections are searched with."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rag.serving.desk import Desk
from rag.serving.openai_api.errors import ApiError
from rag.serving.openai_api.requests import EmbeddingRequest, read_json
from rag.serving.openai_api.streams import noted
from rag.serving.openai_api.targets import find_embedder
from rag.serving.work import READ
from rag.workspace import Workspace

_MOST_TEXTS = 2048


async def embed(desk: Desk, request: Request, application: str) -> Response:
    """Answer POST /v1/embeddings. Raises RagError or ValidationError."""
    asked = EmbeddingRequest.model_validate(await read_json(request))
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    _check(asked, texts)
    call = desk.begin(application, "embeddings")
    call.model = asked.model
    work = desk.audited(call, lambda: _embed(desk.workspace, asked, texts))
    return JSONResponse(await noted(desk, call, request, desk.bench.run(READ, work)))


def _check(asked: EmbeddingRequest, texts: list[Any]) -> None:
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ApiError("The input must be a text or a list of texts, none of them empty.", "input")
    if len(texts) > _MOST_TEXTS:
        raise ApiError(f"At most {_MOST_TEXTS:,} texts are embedded at once.", "input")
    if asked.encoding_format not in (None, "float", "base64"):
        raise ApiError("The encoding format is float or base64.", "encoding_format")


def _embed(workspace: Workspace, asked: EmbeddingRequest, texts: list[str]) -> dict[str, Any]:
    embedder, _ = find_embedder(workspace, asked.model)
    if asked.dimensions not in (None, embedder.dimension):
        raise ApiError(f"This embedder has {embedder.dimension} dimensions, no others.", "dimensions")
    vectors = workspace.encode(texts, embedder).astype("<f4")
    is_binary = asked.encoding_format == "base64"
    tokens = sum(len(embedder.tokenizer.encode(text).ids) for text in texts)
    return {
        "object": "list",
        "model": asked.model,
        "data": [
            {"object": "embedding", "index": number, "embedding": _base64(row) if is_binary else row.tolist()}
            for number, row in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _base64(row: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(row.tobytes()).decode()
