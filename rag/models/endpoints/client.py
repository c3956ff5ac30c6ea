"""Sends requests to an endpoint and brings back what it says. Only rag.models.endpoints imports openai.

Everything that is sent goes through `Client._items`, which asks the border first. The requests run on an
event loop of their own thread, so that closing a generator ends a request at once: while it connects, while
it waits for another try, and while the server is silent.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rag.errors import ModelError, RagError
from rag.models.endpoints.border import Permit
from rag.models.endpoints.keys import read_key
from rag.models.endpoints.rows import Endpoint
from rag.settings import EndpointSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk

T = TypeVar("T")
Work = Callable[["AsyncOpenAI"], AsyncIterator[T]]
_BEAT_S = 0.02  # between two looks at whether a person has cancelled, or another answer goes on
_CONNECT_S = 10.0
_END = object()
_MOST_OF_A_REASON = 300  # characters of what a server gives as a reason


class RefusedRequestError(ModelError):
    """A refusal of what a request asks for (HTTP 400 or 422); `reason` is what the server said."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class BackgroundLoop:
    """An event loop on a thread of its own, which is started when it is first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin some work; cancelling the future cancels it."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="endpoints", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the thread, and what still runs on it."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        if not thread.is_alive():
            loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Client:
    """The way to one endpoint. It keeps connections open, so that the next request need not make one."""

    def __init__(self, endpoint: Endpoint, loop: BackgroundLoop, settings: EndpointSettings) -> None:
        self.endpoint = endpoint
        self._loop = loop
        self._settings = settings
        self._turns: asyncio.Semaphore | None = None  # made on the loop

    @cached_property
    def _key(self) -> str:
        return read_key(self.endpoint)

    @cached_property
    def _api(self) -> AsyncOpenAI:
        import openai

        timeout = openai.Timeout(self._settings.timeout_s, connect=_CONNECT_S)
        # A redirect would send the texts where nobody allowed it, and a proxy takes them off this computer.
        http = openai.DefaultAsyncHttpxClient(
            timeout=timeout, follow_redirects=False, trust_env=not self.endpoint.is_here
        )
        found = openai.AsyncOpenAI(
            base_url=self.endpoint.url,
            api_key=self._key or "none",
            organization="",
            project="",
            webhook_secret="",
            timeout=timeout,
            max_retries=self._settings.retries,
            http_client=http,
            # The library would tell every server which system and Python this is.
            default_headers=cast("Mapping[str, str]", dict.fromkeys(_TELLING_HEADERS, openai.Omit())),
        )
        found.organization = found.project = None  # otherwise those of the environment
        return found

    # --- what can be asked --------------------------------------------------------------------------------

    def chat(
        self, permit: Permit, request: Mapping[str, Any]
    ) -> Generator[ChatCompletionChunk | None, None, None]:
        """Yield the pieces of an answer, and None while there is none. Close the generator to cancel."""

        async def work(api: AsyncOpenAI) -> AsyncIterator[ChatCompletionChunk]:
            stream = await api.chat.completions.create(**{**request, "stream": True})
            async with stream:
                async for chunk in stream:
                    yield chunk

        return self._items(permit, work)

    def complete(self, permit: Permit, request: Mapping[str, Any]) -> Any:
        """Return a whole answer, as the server gives it without streaming."""

        async def work(api: AsyncOpenAI) -> AsyncIterator[Any]:
            yield await api.chat.completions.create(**request)

        return self._one(permit, work)

    def embed(self, permit: Permit, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text, as the server gives it."""

        async def work(api: AsyncOpenAI) -> AsyncIterator[list[list[float]]]:
            found = await api.embeddings.create(
                input=texts, model=self.endpoint.model, encoding_format="float"
            )
            yield [row.embedding for row in sorted(found.data, key=lambda row: row.index or 0)]

        return self._one(permit, work)

    def models(self, permit: Permit) -> list[dict[str, Any]]:
        """Return what the server says of each of its models."""

        async def work(api: AsyncOpenAI) -> AsyncIterator[list[dict[str, Any]]]:
            found = await api.models.list()
            yield [
                model.model_dump() if hasattr(model, "model_dump") else dict(model) for model in found.data
            ]

        return self._one(permit, work)

    def close(self) -> None:
        """Close the connections."""
        if (api := self.__dict__.pop("_api", None)) is not None:
            self._loop.start(api.close()).result(5)

    # --- how it is sent -----------------------------------------------------------------------------------

    def _one(self, permit: Permit, work: Work[T]) -> T:
        for item in self._items(permit, work):
            if item is not None:
                return item
        raise ModelError(f"“{self.endpoint.name}” sent an empty reply.")

    def _items(self, permit: Permit, work: Work[T]) -> Generator[T | None, None, None]:
        """Yield what some work brings, and None every moment in between.

        This is the only place that sends anything to an endpoint.
        """
        permit(self.endpoint)
        api = self._api
        found: queue.SimpleQueue[Any] = queue.SimpleQueue()

        async def deliver() -> None:
            try:
                if self._turns is None:
                    self._turns = asyncio.Semaphore(self.endpoint.at_once)
                async with self._turns:
                    async for item in work(api):
                        found.put(item)
                found.put(_END)
            except Exception as error:
                found.put(_Failure(error))

        task = self._loop.start(deliver())
        try:
            yield from self._taken(found)
        finally:
            task.cancel()

    def _taken(self, found: queue.SimpleQueue[Any]) -> Iterator[Any]:
        has_begun = False
        while True:
            try:
                item = found.get(timeout=_BEAT_S)
            except queue.Empty:
                yield None
                continue
            if item is _END:
                return
            if isinstance(item, _Failure):
                # Without its cause: what a library says may quote the key.
                raise self._in_words(item.error, has_begun) from None
            has_begun = True
            yield item

    def _in_words(self, error: Exception, has_begun: bool) -> Exception:
        """Return what an error means for a person; a bug stays what it is."""
        import openai

        name, host = self.endpoint.name, self.endpoint.host
        if isinstance(error, RagError):
            return error
        if isinstance(error, openai.APITimeoutError):
            seconds = f"{self._settings.timeout_s:g} s"
            return ModelError(
                f"“{name}” said nothing for {seconds}. Try again, or raise endpoints.timeout_s in the "
                "settings."
            )
        if isinstance(error, openai.APIConnectionError) and has_begun:
            return ModelError(
                f"The connection to “{name}” broke off. What it wrote until then is in the trace."
            )
        if isinstance(error, openai.APIConnectionError):
            return ModelError(
                f"“{name}” at {host} cannot be reached. Check that the server runs and that its URL is right."
            )
        if isinstance(error, openai.APIStatusError):
            return self._of_status(error.status_code, self._reason(error))
        if isinstance(error, (openai.OpenAIError, ValueError, TypeError, AttributeError)):
            return ModelError(f"“{name}” sent something that is no answer: {self._reason(error)}")
        return error

    def _of_status(self, status: int, reason: str) -> ModelError:
        name, model = self.endpoint.name, self.endpoint.model
        said = f" It says: {reason}" if reason else ""
        if status in (400, 422):
            return RefusedRequestError(f"“{name}” refuses the request.{said}", reason)
        if status == 401:
            return ModelError(f"“{name}” refuses the key. Connect it again with a key that is valid.")
        if status == 403:
            return ModelError(f"The key of “{name}” does not allow this.{said}")
        if status == 404:
            return ModelError(
                f"“{name}” has no model “{model}”, or its URL is not the base of an API (most end with "
                f"/v1).{said}"
            )
        if status == 429:
            return ModelError(
                f"“{name}” takes no more requests now. Wait a while, or check your limits there.{said}"
            )
        if 300 <= status < 400:
            return ModelError(
                f"“{name}” points to another address, which is not followed. Connect it by that address."
            )
        return ModelError(f"“{name}” has a problem of its own (HTTP {status}). Try again later.{said}")

    def _reason(self, error: Exception) -> str:
        """Return what a server gives as a reason in one line, without the key."""
        body = getattr(error, "body", None)
        said = body.get("message", body) if isinstance(body, dict) else body
        text = " ".join(str(said or error).split())
        if self._key:
            text = text.replace(self._key, "[key]")
        return text if len(text) <= _MOST_OF_A_REASON else text[:_MOST_OF_A_REASON] + "…"


class _Failure:
    """An error on its way from the loop to the thread that waits."""

    def __init__(self, error: Exception) -> None:
        self.error = error


_TELLING_HEADERS = tuple(
    f"X-Stainless-{name}"
    for name in ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
)
