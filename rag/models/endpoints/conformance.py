"""Finds out what the server behind an endpoint does, by asking it a few short questions with fixed texts.

"OpenAI-compatible" means many things: some refuse a parameter, some ignore it, some name things differently.
What is found is stored with the endpoint, so that every later request is one that this server takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rag.errors import ModelError, RagError
from rag.models.endpoints.border import Permit
from rag.models.endpoints.client import Client, RefusedRequestError
from rag.models.endpoints.remote_model import BYTES_PER_TOKEN, json_format
from rag.models.endpoints.rows import Ability, CheckProgress, Conformance, Finding

T = TypeVar("T")
Request = dict[str, Any]

_SHORT = "What is 2 + 2? Answer with one word."
_LONG = (
    _SHORT + " " + "A bicycle is a machine with two wheels that a person moves by turning its pedals. " * 12
)
_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
_LIMITS = ("max_tokens", "max_completion_tokens")
_OPTIONAL = ("stream_options", "logprobs", "seed", "top_p", "temperature")  # the first is missed least
_ROOM = 64  # tokens of an answer; a model that thinks ends inside of its thoughts
# Where servers write the length of the context beside a model's name: vLLM, LM Studio and Mistral,
# OpenRouter, llama.cpp.
_CONTEXT_NAMES = ("max_model_len", "max_context_length", "context_length", "n_ctx", "n_ctx_train")


def model_names(client: Client, permit: Permit) -> list[str]:
    """Return the names of the models that a server offers; some servers write "name" where "id" belongs."""
    return [name for model in client.models(permit) if (name := _name_of(model))]


def check_endpoint(client: Client, permit: Permit) -> Generator[CheckProgress, None, Conformance]:
    """Ask a server what it does. Raises RagError when it cannot be asked, or does not chat at all."""
    asking = _Asking(client, permit)
    yield CheckProgress("chat", 0, 7)
    try:
        chats = asking.chat()
    except ModelError:
        embeds = asking.embeddings()  # an embedder may have no other use
        if embeds.finding is not Finding.YES:
            raise
        asking.table += [Ability("chat", Finding.NO, "it writes no answers", "it cannot be asked"), embeds]
        return asking.result()
    asking.table.append(chats)
    steps: tuple[tuple[str, Callable[[], Ability]], ...] = (
        ("streaming", asking.streaming),
        ("usage in streams", asking.usage),
        ("log-probabilities", asking.logprobs),
        ("JSON schema", asking.json),
        ("context length", asking.context),
        ("embeddings", asking.embeddings),
    )
    for number, (name, step) in enumerate(steps, 1):
        yield CheckProgress(name, number, len(steps) + 1)
        asking.table.append(step())
    return asking.result()


@dataclass
class _Streamed:
    """What a streamed answer brought."""

    pieces: int = 0
    usage: Any = None
    logprobs: bool = False


class _Asking:
    """The state of a check: what is known of the server so far."""

    def __init__(self, client: Client, permit: Permit) -> None:
        self.table: list[Ability] = []
        self._client, self._permit = client, permit
        self._refused: list[str] = []
        self._limit = _LIMITS[0]
        self._short_tokens: int | None = None
        self._streamed = _Streamed()
        self._has_logprobs = self._thinks = False
        self._json_form = ""
        self._context = 0
        self._bytes_per_token = 0.0

    def result(self) -> Conformance:
        """Return all that was found."""
        return Conformance(
            tuple(self.table), tuple(self._refused), self._limit, self._streamed.usage is not None,
            self._has_logprobs, self._json_form, self._thinks, self._context, self._bytes_per_token,
        )  # fmt: skip

    def chat(self) -> Ability:
        """Ask for a whole answer, and leave out what the server refuses until it answers."""
        said = self._accepted(_SHORT, self._complete)
        message = said.choices[0].message if said.choices else None
        if message is None:
            raise ModelError(f"“{self._client.endpoint.name}” answered without a message: it does not chat.")
        self._thinks = any(getattr(message, name, None) for name in ("reasoning_content", "reasoning"))
        self._short_tokens = _tokens_of(said.usage)
        left_out = [name for name in self._refused if name not in ("stream_options", "logprobs")]
        follows = f"{', '.join(left_out)} not sent: its own is used" if left_out else "it answers questions"
        detail = "it thinks before it answers" if self._thinks else "it answers"
        return Ability("chat", Finding.YES, f"{detail}; its limit is {self._limit}", follows)

    def streaming(self) -> Ability:
        """Ask for an answer in pieces."""
        try:
            self._streamed = self._accepted(_LONG, self._stream, stream_options={"include_usage": True})
        except ModelError as error:
            return Ability("streaming", Finding.NO, str(error), "it cannot be used: answers are streamed")
        self._measure_tokens()
        return Ability(
            "streaming", Finding.YES, f"{self._streamed.pieces} pieces", "answers appear as they are written"
        )

    def usage(self) -> Ability:
        """Say whether the stream ended with a count of tokens."""
        if self._streamed.usage is not None:
            return Ability("usage in streams", Finding.YES, "told at the end", "tokens and costs are its own")
        why = "stream_options is refused" if "stream_options" in self._refused else "it is left out"
        return Ability(
            "usage in streams", Finding.NO, why, "usage is shown as unknown, beside an estimate made here"
        )

    def logprobs(self) -> Ability:
        """Ask for log-probabilities in a stream."""
        try:
            self._has_logprobs = self._stream(self._request(_SHORT, logprobs=True)).logprobs
            why = "" if self._has_logprobs else "it is asked, and tells none"
        except ModelError as error:
            why = str(error)
        if self._has_logprobs:
            return Ability("log-probabilities", Finding.YES, "told with each token", "shown on traces")
        return Ability("log-probabilities", Finding.NO, why, "confidence is not shown on traces")

    def json(self) -> Ability:
        """Ask for an answer by a JSON schema, then for any JSON object."""
        for form in ("json_schema", "json_object"):
            question = 'Choose a colour. Reply in JSON: {"colour": "red" or "blue"}.'
            request = self._request(question, response_format=json_format(form, _SCHEMA))
            try:
                text = self._complete(request).choices[0].message.content or ""
                fits = json.loads(text).get("colour") in ("red", "blue")
            except (ModelError, ValueError, TypeError, AttributeError, IndexError):
                continue
            if fits or form == "json_object":
                self._json_form = form
                break
        if self._json_form == "json_schema":
            return Ability("JSON schema", Finding.YES, "followed", "it can judge and draft cases")
        detail = "only any JSON object" if self._json_form else "refused or not followed"
        return Ability(
            "JSON schema", Finding.NO, detail, "as a judge it may fail: what is no verdict is counted apart"
        )

    def context(self) -> Ability:
        """Read the length of the context where servers write it."""
        own = self._client.endpoint.context
        try:
            models = self._client.models(self._permit)
        except ModelError:
            models = []
        for model in models:
            if _name_of(model) == self._client.endpoint.model:
                self._context = _context_of(model)
        if self._context:
            return Ability(
                "context length", Finding.YES, f"{self._context:,} tokens", "prompts are made to fit"
            )
        follows = f"{own:,} tokens, as you said" if own else "generation.context in the settings is taken"
        return Ability("context length", Finding.UNKNOWN, "it does not say", follows)

    def embeddings(self) -> Ability:
        """Ask for a vector."""
        try:
            vectors = self._client.embed(self._permit, ["bicycle"])
        except RagError as error:
            why = getattr(error, "reason", "") or "it has none, or not with this model"
            return Ability("embeddings", Finding.NO, why, "it cannot embed documents")
        size = len(vectors[0]) if vectors else 0
        if not size:
            return Ability("embeddings", Finding.NO, "its vectors are empty", "it cannot embed documents")
        return Ability("embeddings", Finding.YES, f"{size} dimensions", "it can embed documents")

    # --- asking -------------------------------------------------------------------------------------------

    def _accepted(self, text: str, send: Callable[[Request], T], **more: Any) -> T:
        """Send a request, and leave out one parameter after the other until it is not refused."""
        while True:
            request = self._request(text, **more)
            try:
                return send(request)
            except RefusedRequestError as error:
                if not self._leave_out(request, error.reason):
                    raise

    def _leave_out(self, request: Mapping[str, Any], reason: str) -> bool:
        """Leave out what the server names in its reason, or else what is missed least; False: nothing."""
        other = _LIMITS[1 - _LIMITS.index(self._limit)]
        if self._limit == _LIMITS[0] and (self._limit in reason or other in reason):
            self._limit = other
            return True
        candidates = [name for name in _OPTIONAL if name in request]
        named = [name for name in candidates if name in reason]
        if not candidates:
            return False
        self._refused.append((named or candidates)[0])
        return True

    def _request(self, text: str, **more: Any) -> Request:
        wanted = {
            "model": self._client.endpoint.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": 0.0,
            "top_p": 0.95,
            "seed": 1,
            self._limit: _ROOM,
            **more,
        }
        return {name: value for name, value in wanted.items() if name not in self._refused}

    def _complete(self, request: Request) -> Any:
        return self._client.complete(self._permit, request)

    def _stream(self, request: Request) -> _Streamed:
        found = _Streamed()
        for chunk in self._client.chat(self._permit, request):
            if chunk is None:
                continue
            if _tokens_of(chunk.usage):
                found.usage = chunk.usage
            for choice in chunk.choices or []:
                found.pieces += 1
                found.logprobs |= bool(getattr(choice.logprobs, "content", None))
        return found

    def _measure_tokens(self) -> None:
        """Learn how long this model's tokens are, from two prompts of different lengths."""
        long_tokens = _tokens_of(self._streamed.usage)
        if long_tokens and self._short_tokens and long_tokens > self._short_tokens:
            ratio = (len(_LONG) - len(_SHORT)) / (long_tokens - self._short_tokens)
            # Documents are not as plain as this text: never more bytes a token than is usual.
            self._bytes_per_token = round(min(max(ratio, 1.0), BYTES_PER_TOKEN), 2)


def _name_of(model: Mapping[str, Any]) -> str:
    return str(model.get("id") or model.get("name") or "")


def _context_of(model: Mapping[str, Any]) -> int:
    """Return the length of the context that a server writes beside a model's name; 0 when it does not."""
    meta = model.get("meta")
    for values in (model, meta if isinstance(meta, Mapping) else {}):
        for name in _CONTEXT_NAMES:
            found = values.get(name)
            if isinstance(found, int) and not isinstance(found, bool) and found > 0:
                return found
    return 0


def _tokens_of(usage: Any) -> int | None:
    found = getattr(usage, "prompt_tokens", None)
    return found if isinstance(found, int) and found > 0 else None
