"""The addresses below /v1 that answer as the OpenAI API does."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.errors import RagError
from rag.serving.desk import Desk
from rag.serving.http import application_of
from rag.serving.openai_api.chat import complete_chat
from rag.serving.openai_api.embeddings import embed
from rag.serving.openai_api.errors import ApiError, error_response
from rag.serving.openai_api.responses import create_response
from rag.serving.openai_api.targets import find_target, list_embedders, list_targets, model_object
from rag.serving.work import READ

Endpoint = Callable[[Desk, Request, str], Awaitable[Response]]
_log = logging.getLogger(__name__)


def openai_routes(desk: Desk) -> list[Route]:
    """Return the routes; every error is answered in the form of the API."""
    return [
        Route("/v1/chat/completions", _answering(desk, complete_chat), methods=["POST"]),
        Route("/v1/responses", _answering(desk, create_response), methods=["POST"]),
        Route("/v1/embeddings", _answering(desk, embed), methods=["POST"]),
        Route("/v1/models", _answering(desk, _models)),
        Route("/v1/models/{name:path}", _answering(desk, _model)),
        Route(
            "/v1/{path:path}", _answering(desk, _unknown), methods=["GET", "POST", "PUT", "DELETE", "PATCH"]
        ),
    ]


def _answering(desk: Desk, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(desk, request, application_of(request.scope))
        except (RagError, ValidationError) as error:
            return error_response(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            _log.exception("a request of another program")
            return error_response(error)

    return answer


async def _models(desk: Desk, request: Request, application: str) -> Response:
    targets = await desk.bench.run(READ, lambda: list_targets(desk.workspace))
    embedders = await desk.bench.run(READ, lambda: list_embedders(desk.workspace))
    listed: list[dict[str, Any]] = [model_object(target) for target in targets]
    listed += [
        {"id": name, "object": "model", "created": 0, "owned_by": "ragdeck", "x_ragdeck": {"embeds": True}}
        for name in embedders
    ]
    return JSONResponse({"object": "list", "data": listed})


async def _model(desk: Desk, request: Request, application: str) -> Response:
    name = request.path_params["name"]
    return JSONResponse(model_object(await desk.bench.run(READ, lambda: find_target(desk.workspace, name))))


async def _unknown(desk: Desk, request: Request, application: str) -> Response:
    raise ApiError(f"{request.method} {request.url.path} is not served here.", code="unknown_url", status=404)
