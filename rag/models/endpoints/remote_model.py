"""A model behind an endpoint, which answers like one that is loaded.

A prompt is stored as text, so the messages are written with their lengths: what a document contains can never
be taken for the beginning of another message.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, RagError
from rag.models.chat_model import ChatModel, GenerationEnd, ModelEvent, PromptRead, Served, Token
from rag.models.endpoints.border import Outgoing, Permit, as_it_is
from rag.models.endpoints.client import Client
from rag.settings import GenerationSettings
from rag.text.plurals import counted

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk

BYTES_PER_TOKEN = 3.5  # of a text in UTF-8, where a server does not count: fewer than English has
_TEMPLATE_TOKENS = 2_000  # more than any chat template adds to a prompt
_HEAD = re.compile(r"\[(system|user|assistant), (\d{1,3}(?:,\d{3})*) characters?\]\n")


class RemoteModel(ChatModel):
    """A model behind an endpoint. It is bound to what may be sent: make one for every collection."""

    def __init__(
        self,
        client: Client,
        settings: GenerationSettings,
        permit: Permit,
        outgoing: Outgoing = as_it_is,
    ) -> None:
        self._client, self._permit, self._outgoing = client, permit, outgoing
        self._served = client.endpoint
        self._checks = client.endpoint.checks
        self.settings = settings
        self.endpoint = self._served.name
        self.sent_to = self._served.sent_to
        self.context = self._served.context or self._checks.context or settings.context

    @property
    def name(self) -> str:
        """The model's name at the server: price tables know it by that."""
        return self._served.model

    @property
    def identity(self) -> str:
        """The sha256 of address and model; see Endpoint.identity."""
        return self._served.identity

    @property
    def thinks(self) -> bool:
        """Whether it sent its thoughts when it was checked."""
        return self._checks.thinks

    @property
    def notes(self) -> tuple[str, ...]:
        """Which settings the endpoint is not told."""
        refused: list[str] = [
            name for name in ("temperature", "top_p", "seed") if name in self._checks.refused
        ]
        if self.settings.repeat_penalty != 1.0:
            refused.append("repeat_penalty")
        return (f"{self.endpoint} does not take {', '.join(refused)}: its own is used",) if refused else ()

    @property
    def can_continue(self) -> bool:
        """Never: the conversation is the server's to render."""
        return False

    def count_tokens(self, text: str) -> int:
        """Return an estimate from the length of the text, by what the server counted when it was checked."""
        return math.ceil(
            len(text.encode("utf-8", "replace")) / (self._checks.bytes_per_token or BYTES_PER_TOKEN)
        )

    def prompt_size(self, prompt: str) -> int:
        """Return an estimate of the prompt's tokens."""
        return self.count_tokens(prompt)

    def render_chat(self, messages: Sequence[dict[str, str]]) -> str:
        """Return the conversation as text, each message with its length; see messages_of."""
        return "\n".join(
            f"[{message['role']}, {counted(len(message['content']), 'character')}]\n{message['content']}\n"
            for message in messages
        )

    def stream(
        self,
        prompt: str,
        settings: GenerationSettings,
        *,
        tokens: Sequence[int] | None = None,
        grammar: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Iterator[ModelEvent]:
        """Send a prompt and yield the answer. Closing the iterator closes the stream.

        Raises ModelError when the endpoint cannot be asked, and RagError when it must not be.
        """
        size = self.prompt_size(prompt)
        yield PromptRead(0, size, 0)
        messages = [
            {**message, "content": self._outgoing(message["content"])} for message in messages_of(prompt)
        ]
        chunks = self._client.chat(self._permit, self._request(messages, settings, schema))
        reading = _Reading(size)
        try:
            for chunk in chunks:
                if chunk is None:
                    if not reading.pieces:  # a beat, so that a person can cancel
                        yield PromptRead(0, size, 0)
                else:
                    yield from reading.events(chunk)
        finally:
            chunks.close()
        if not reading.finish_reason:
            raise ModelError(
                f"The connection to “{self.endpoint}” ended before the answer did. What it wrote until then "
                "is in the trace."
            )
        yield GenerationEnd(reading.finish_reason, reading.pieces, reading.thoughts)

    def close(self) -> None:
        """Do nothing: the connections stay open for the next question."""

    def _request(
        self, messages: list[dict[str, str]], settings: GenerationSettings, schema: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        checks = self._checks
        wanted: dict[str, Any] = {
            "model": self._served.model,
            "messages": messages,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "seed": settings.seed,
            checks.limit: settings.max_answer_tokens,
        }
        if checks.usage:
            wanted["stream_options"] = {"include_usage": True}
        if checks.logprobs:
            wanted["logprobs"] = True
        if schema is not None and checks.json_form:
            wanted["response_format"] = json_format(checks.json_form, schema)
        return {name: value for name, value in wanted.items() if name not in checks.refused}


def json_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an answer in JSON is asked for: by its schema, or as any object."""
    if form == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def messages_of(prompt: str) -> list[dict[str, str]]:
    """Return the messages of a rendered prompt. Raises RagError when its text was changed since."""
    found, place = [], 0
    while place < len(prompt):
        head = _HEAD.match(prompt, place)
        end = head.end() + int(head[2].replace(",", "")) if head else 0
        if head is None or prompt[end : end + 1] != "\n":
            raise RagError(
                "This prompt is no longer as it was sent: a part of it was erased. Ask the question again."
            )
        found.append({"role": head[1], "content": prompt[head.end() : end]})
        place = end + 2 if prompt[end + 1 : end + 2] == "\n" else end + 1
    return found


class _Reading:
    """What the pieces of one answer have told so far."""

    def __init__(self, prompt_size: int) -> None:
        self.finish_reason = ""
        self.pieces = 0  # of the answer
        self.thoughts = 0
        self._most_tokens = prompt_size * 8 + _TEMPLATE_TOKENS
        self._served = Served()

    def events(self, chunk: ChatCompletionChunk) -> Iterator[Token | Served]:
        """Yield what a piece brings. Some have no choice: they tell the usage, or nothing at all."""
        served = Served(
            chunk.model or self._served.model,
            chunk.system_fingerprint or self._served.system_fingerprint,
            *(self._usage(chunk.usage) or _counts(self._served)),
        )
        if served != self._served:
            self._served = served
            yield served
        for choice in (chunk.choices or [])[:1]:
            self.finish_reason = choice.finish_reason or self.finish_reason
            delta = choice.delta
            if delta is None:
                continue
            for name in ("reasoning_content", "reasoning"):  # llama.cpp and vLLM, and OpenRouter
                if thought := getattr(delta, name, None):
                    self.thoughts += 1
                    yield Token(str(thought), None, is_thinking=True)
                    break
            if text := delta.content or delta.refusal:
                yield from self._tokens(text, choice.logprobs)

    def _tokens(self, text: str, logprobs: Any) -> Iterator[Token]:
        told = getattr(logprobs, "content", None) or []
        if "".join(one.token for one in told) != text:  # they are of other pieces, or not told
            self.pieces += 1
            yield Token(text, None)
            return
        for one in told:
            self.pieces += 1
            yield Token(one.token, float(one.logprob))

    def _usage(self, usage: Any) -> tuple[int | None, ...] | None:
        """Return what a usage tells, None when it tells nothing that can be true.

        A prompt has more than 0 tokens and no more than its bytes and a template; so 0 is not told either.
        """
        read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        if not read or written is None or read > self._most_tokens or (self.pieces and not written):
            return None
        cached = _count(getattr(usage, "prompt_tokens_details", None), "cached_tokens")
        thinking = _count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens")
        return read, min(cached or 0, read), written, None if thinking is None else min(thinking, written)


def _count(values: Any, name: str) -> int | None:
    found = getattr(values, name, None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _counts(served: Served) -> tuple[int | None, ...]:
    return served.prompt_tokens, served.cached_tokens, served.completion_tokens, served.thinking_tokens
