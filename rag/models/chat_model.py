"""Defines what a model that answers can do, wherever it runs, and what it gives while it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.settings import GenerationSettings


@dataclass(frozen=True)
class PromptRead:
    """A step of reading the prompt: tokens_done of tokens_total are in the model's state.

    tokens_cached were there already and cost nothing.
    """

    tokens_done: int
    tokens_total: int
    tokens_cached: int


@dataclass(frozen=True)
class Token:
    """A piece of what the model writes; logprob is natural, None where it is not told.

    text may be empty while a character or a tag is incomplete. is_thinking: it is told apart from the answer.
    """

    text: str
    logprob: float | None
    is_thinking: bool = False


@dataclass(frozen=True)
class Served:
    """What an endpoint told of an answer; None is what it did not tell. A later one replaces an earlier one.

    Attributes:
        model: The model that the endpoint says it used.
        system_fingerprint: What it says of its configuration.
        prompt_tokens: Tokens that it read, cached ones included.
        cached_tokens: How many of them it had read before.
        completion_tokens: Tokens that it wrote, thinking included.
        thinking_tokens: How many of them were thinking.
    """

    model: str = ""
    system_fingerprint: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    thinking_tokens: int | None = None

    @property
    def has_usage(self) -> bool:
        """Whether it told how many tokens it read and wrote."""
        return self.prompt_tokens is not None and self.completion_tokens is not None


@dataclass(frozen=True)
class GenerationEnd:
    """The end of an answer: the model stopped by itself, or the limit on its length was reached."""

    finish_reason: str  # "stop" | "length"; an endpoint may have others
    completion_tokens: int
    thinking_tokens: int = 0  # besides those of the answer


ModelEvent = PromptRead | Token | Served | GenerationEnd


class ChatModel(ABC):
    """A model that answers prompts: a GGUF file that is loaded, or one behind an endpoint."""

    settings: GenerationSettings
    context: int  # in tokens
    endpoint = ""  # name of the endpoint that serves it, "" for a file
    sent_to = ""  # host that prompts leave this computer for, "" when they stay

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that is shown and stored with answers."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """64 hex digits that are others for another model."""

    @property
    def parameter_count(self) -> int:
        """How many parameters it has, 0 when that is not known."""
        return 0

    @property
    def thinks(self) -> bool:
        """Whether it thinks before it answers, as far as that is known."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done in another way than usual when it answers, in sentences."""
        return ()

    @abstractmethod
    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text; an estimate where another computer makes them."""

    def tokenize_prompt(self, prompt: str) -> list[int]:
        """Return the tokens of a rendered prompt; none where another computer makes them."""
        return []

    def prompt_size(self, prompt: str) -> int:
        """Return how many tokens a rendered prompt has; an estimate where another computer makes them."""
        return len(self.tokenize_prompt(prompt))

    @abstractmethod
    def render_chat(self, messages: Sequence[dict[str, str]]) -> str:
        """Return the prompt for a conversation; messages are dicts with "role" and "content"."""

    @abstractmethod
    def stream(
        self,
        prompt: str,
        settings: GenerationSettings,
        *,
        tokens: Sequence[int] | None = None,
        grammar: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Iterator[ModelEvent]:
        """Answer a rendered prompt. Stop iterating to cancel.

        Args:
            prompt: See render_chat.
            settings: How to sample, and how long the answer may be.
            tokens: Those of the prompt, if they are known.
            grammar: GBNF that the answer has to follow, "" for any text.
            schema: The same as JSON schema, for models that know no GBNF; alone it holds for all models.
        """

    @property
    def can_continue(self) -> bool:
        """Whether it goes on with an answer that was begun for it."""
        return True

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; it cannot be used any more."""
