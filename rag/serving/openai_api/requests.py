"""Reads the bodies of requests: what is wanted, in our own words, or an error that names the parameter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import Request

from rag.serving.openai_api.errors import ApiError

MOST_BODY_BYTES = 16_000_000
_MOST_STOPS = 4
_Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    role: str
    content: str | list[_Part] | None = None


class _Sampling(BaseModel):
    model: Annotated[str, Field(min_length=1)]
    stream: bool | None = False
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    tools: list[dict[str, Any]] | None = None


class ChatRequest(_Sampling):
    """The body of a chat completion; what is not named here is of no consequence and passed over."""

    messages: Annotated[list[_Message], Field(min_length=1)]
    stream_options: dict[str, Any] | None = None
    stop: str | list[str] | None = None
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    n: int | None = None
    seed: int | None = None
    response_format: dict[str, Any] | None = None
    functions: list[Any] | None = None
    logprobs: bool | None = None
    audio: Any = None
    modalities: list[str] | None = None
    logit_bias: dict[str, Any] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class _Item(BaseModel):
    type: str = "message"
    role: str = ""
    content: str | list[_Part] | None = None


class ResponseRequest(_Sampling):
    """The body of a response; what is not named here is of no consequence and passed over."""

    input: str | Annotated[list[_Item], Field(min_length=1)]
    instructions: str | None = None
    previous_response_id: str | None = None
    max_output_tokens: _Count | None = None
    text: dict[str, Any] | None = None
    background: bool | None = None


class EmbeddingRequest(BaseModel):
    """The body of a request for embeddings."""

    model: Annotated[str, Field(min_length=1)]
    input: str | list[Any]
    encoding_format: str | None = "float"
    dimensions: int | None = None


@dataclass(frozen=True)
class Wish:
    """What a client asks.

    Attributes:
        model: The name of a collection or pipeline.
        question: The last message of the user.
        history: Earlier questions and answers; None: those of the response that this one follows.
        generation: Changes to the settings of sampling; max_answer_tokens is what the client would allow.
        stop: See Caller.
        schema: See Caller.
        streams: Whether the answer is streamed.
        has_usage: Whether the stream says how many tokens there were.
        previous: Id of the response that this one follows.
        notices: What is done in another way than the client may expect, in sentences.
    """

    model: str
    question: str
    history: tuple[tuple[str, str], ...] | None = None
    generation: dict[str, Any] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    schema: str = ""
    streams: bool = False
    has_usage: bool = False
    previous: str = ""
    notices: tuple[str, ...] = ()


async def read_json(request: Request) -> dict[str, Any]:
    """Return the body, read no further than its limit. Raises ApiError."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise ApiError(f"The body is larger than {MOST_BODY_BYTES:,} bytes.", status=413)
        parts.append(part)
    try:
        found = json.loads(b"".join(parts))
        json.dumps(found, ensure_ascii=False).encode()  # half of a character is no text
    except (ValueError, RecursionError) as error:
        raise ApiError("The body is not JSON. Send a JSON object.", code="invalid_json") from error
    if not isinstance(found, dict):
        raise ApiError("The body is not a JSON object.", code="invalid_json")
    return found


def chat_wish(body: dict[str, Any]) -> Wish:
    """Return what a chat completion asks. Raises ApiError or ValidationError."""
    asked = ChatRequest.model_validate(body)
    _refuse_unsupported(asked)
    notices: list[str] = []
    turns = []
    for message in asked.messages:
        if message.role in ("system", "developer"):
            if not notices:
                notices.append("The system message was left out: the prompt of the collection decides.")
        elif message.role in ("user", "assistant"):
            turns.append((message.role, _text(message.content, "messages")))
        else:
            raise ApiError(f"Messages of the role “{message.role}” are not supported.", "messages")
    question, history = _conversation(turns, "messages")
    stop = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    if len(stop) > _MOST_STOPS:
        raise ApiError(f"At most {_MOST_STOPS} stop texts are supported.", "stop")
    return Wish(
        asked.model, question, history,
        _sampling(asked, asked.max_completion_tokens or asked.max_tokens, asked.seed),
        tuple(text for text in stop if text), _schema(asked.response_format, "response_format"),
        bool(asked.stream), bool((asked.stream_options or {}).get("include_usage")), notices=tuple(notices),
    )  # fmt: skip


def response_wish(body: dict[str, Any]) -> Wish:
    """Return what a response asks. Raises ApiError or ValidationError."""
    asked = ResponseRequest.model_validate(body)
    if asked.background:
        raise ApiError("Responses in the background are not supported.", "background", "unsupported_value")
    notices = []
    if asked.instructions:
        notices.append("The instructions were left out: the prompt of the collection decides.")
    kinds = sorted({str(tool.get("type", "?")) for tool in asked.tools or []})
    if kinds:
        notices.append(f"The tools were left out: {', '.join(kinds)}.")
    turns, skipped = [], set()
    items = [_Item(role="user", content=asked.input)] if isinstance(asked.input, str) else asked.input
    for item in items:
        if item.type == "message" and item.role in ("user", "assistant"):
            turns.append((item.role, _text(item.content, "input")))
        else:
            skipped.add(item.role if item.type == "message" else item.type)
    if skipped:
        notices.append(f"Items were left out: {', '.join(sorted(skipped))}.")
    question, history = _conversation(turns, "input")
    return Wish(
        asked.model, question, None if asked.previous_response_id and not history else history,
        _sampling(asked, asked.max_output_tokens, None), (),
        _schema((asked.text or {}).get("format"), "text.format"), bool(asked.stream), True,
        asked.previous_response_id or "", tuple(notices),
    )  # fmt: skip


def _refuse_unsupported(asked: ChatRequest) -> None:
    """Raise ApiError for what would change the answer and is not done here."""
    wrong = {
        "n": asked.n not in (None, 1),
        "tools": bool(asked.tools),
        "functions": bool(asked.functions),
        "logprobs": bool(asked.logprobs),
        "audio": bool(asked.audio),
        "modalities": asked.modalities not in (None, [], ["text"]),
        "logit_bias": bool(asked.logit_bias),
        "presence_penalty": bool(asked.presence_penalty),
        "frequency_penalty": bool(asked.frequency_penalty),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            only = " Only n=1 is." if name == "n" else " Leave it out."
            raise ApiError(f"“{name}” is not supported here.{only}", name, "unsupported_parameter")


def _text(content: str | list[_Part] | None, param: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.type not in ("text", "input_text", "output_text", "refusal"):
            raise ApiError(f"Parts of the type “{part.type}” are not supported: only text is.", param)
    return "\n".join(part.text for part in content)


def _conversation(turns: list[tuple[str, str]], param: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the last question and the earlier ones with their answers; what has no answer is joined."""
    if not turns or turns[-1][0] != "user":
        raise ApiError("The last message must be the user's: it is the question.", param)
    history: list[tuple[str, str]] = []
    asked: list[str] = []
    for role, text in turns:
        if role == "user":
            asked.append(text)
        elif asked:
            history.append(("\n".join(asked), text))
            asked = []
    question = "\n".join(asked).strip()
    if not question:
        raise ApiError("The question is empty.", param, "invalid_value")
    return question, tuple(history)


def _sampling(asked: _Sampling, most_tokens: int | None, seed: int | None) -> dict[str, Any]:
    wanted = {
        "temperature": asked.temperature,
        "top_p": asked.top_p or None,
        "max_answer_tokens": most_tokens,
        "seed": seed % 2**31 if seed is not None else None,
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _schema(wanted: dict[str, Any] | None, param: str) -> str:
    """Return the JSON schema of a response format as text, "" for plain text. Raises ApiError."""
    kind = (wanted or {}).get("type", "text")
    if wanted is None or kind == "text":
        return ""
    if kind == "json_object":
        return json.dumps({"type": "object"})
    inner = wanted.get("json_schema", wanted)
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if kind != "json_schema" or not isinstance(schema, dict):
        raise ApiError(f"The format “{kind}” is not supported: text, json_object or json_schema is.", param)
    return json.dumps(schema)
