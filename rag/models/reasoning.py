"""Answers with a model that may think first: its thinking is kept apart, and has a budget of its own.

Whoever asks a model for an answer to a person goes through `write`. Only the answer is what the model said;
the thinking is for those who want to see it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.models.chat_model import ChatModel, GenerationEnd, PromptRead, Served, Token
from rag.settings import GenerationSettings
from rag.text.plurals import counted
from rag.text.thinking import TAGS, Part, Piece, Tag, ThinkingSplitter, opened_in

_SPARE = 24  # tokens that ending the thinking may take


@dataclass
class Written:
    """What a model has written so far.

    Attributes:
        thinking: Its thinking, without tags.
        answer: Its answer.
        thinking_tokens: How many tokens the thinking took, tags included.
        logprobs: Of the answer's tokens, natural; None where an endpoint does not tell them. An endpoint that
            tells none sends pieces of several tokens: these are not counts then.
        finish_reason: "stop" or "length"; "" until the end.
        notes: What happened otherwise than usual, in sentences.
        served: What an endpoint told of the answer.
    """

    thinking: str = ""
    answer: str = ""
    thinking_tokens: int = 0
    logprobs: list[float | None] = field(default_factory=list)
    finish_reason: str = ""
    notes: list[str] = field(default_factory=list)
    served: Served | None = None


@dataclass(frozen=True)
class AnswerRestarted:
    """What came as the answer so far was thinking: only the tag that ends it was written."""


WriteEvent = PromptRead | Token | AnswerRestarted | Served | GenerationEnd


def thinking_room(model: ChatModel, settings: GenerationSettings) -> int:
    """Return the tokens of context that a model's thinking needs; 0 when it does not think."""
    return settings.max_thinking_tokens if model.thinks else 0


def write(
    model: ChatModel,
    prompt: str,
    settings: GenerationSettings,
    written: Written,
    tokens: Sequence[int] | None = None,
    schema: str = "",
) -> Iterator[WriteEvent]:
    """Answer a prompt and fill in `written`. Stop iterating to cancel: `written` has what there was.

    The thinking may take settings.max_thinking_tokens. When they are used up, or the model ends without an
    answer, its thinking is ended for it, and it goes on with its answer.

    Args:
        model: The model.
        prompt: The rendered prompt.
        settings: How to sample; max_answer_tokens are for the answer alone.
        written: Empty; holds what the model wrote.
        tokens: Those of the prompt, if they are known.
        schema: JSON schema that the answer has to follow, "" for any text. A model on this computer does not
            think then: its thinking would have to follow the schema as well.
    """
    tokens = model.tokenize_prompt(prompt) if tokens is None else tokens
    tag = opened_in(prompt)
    room = model.context - (len(tokens) or model.prompt_size(prompt)) - settings.max_answer_tokens - _SPARE
    budget = max(min(settings.max_thinking_tokens, room), 0)
    if not model.can_continue and not model.thinks:
        budget = 0  # its server has one limit for both, and would let the answer have it
    if schema and model.can_continue:
        budget = 0
    writer = _Writer(settings, written, ThinkingSplitter(tag), budget, not model.can_continue, schema)
    if tag is not None and not writer.budget:
        writer.end_thinking()
        yield from writer.run(model, prompt + tag.ending)
    else:
        yield from writer.run(model, prompt, tokens)
    if writer.splitter.tag is not None and model.can_continue:
        tag = writer.end_thinking()
        yield from writer.run(model, prompt + writer.raw + tag.ending, is_first=False)
    yield from writer.finish()


class _Writer:
    """The state of one answer over the runs of the model that it takes."""

    def __init__(
        self,
        settings: GenerationSettings,
        written: Written,
        splitter: ThinkingSplitter,
        budget: int,
        is_bounded: bool,
        schema: str = "",
    ) -> None:
        self.splitter = splitter
        self._schema = json.loads(schema) if schema else None
        self._is_bounded = is_bounded  # by its server: stopping it would lose its count of tokens
        self.budget = budget
        self.raw = ""  # what the model wrote, tags included
        self._thinks_apart = False  # and the last token was of it
        self._settings = settings
        self._written = written
        self._waiting: list[float | None] = []  # logprobs of tokens whose text is kept back

    def run(
        self, model: ChatModel, prompt: str, tokens: Sequence[int] | None = None, is_first: bool = True
    ) -> Iterator[WriteEvent]:
        """Let the model write until it ends, its answer is long enough, or its thinking takes too long."""
        most = self._settings.max_answer_tokens + (self.budget if is_first else 0)
        settings = self._settings.model_copy(update={"max_answer_tokens": most})
        stream = model.stream(prompt, settings, tokens=tokens, schema=self._schema)
        try:
            for event in stream:
                if isinstance(event, PromptRead):
                    if is_first:
                        yield event
                elif isinstance(event, Token):
                    yield from self._take(event)
                    if self._is_over():
                        return
                elif isinstance(event, Served):
                    self._written.served = event
                else:
                    self._written.finish_reason = event.finish_reason
        finally:
            if hasattr(stream, "close"):
                stream.close()

    def end_thinking(self) -> Tag:
        """End the thinking from outside; return its tag."""
        tag = self.splitter.tag or TAGS[0]
        self._flush(is_thinking=True)
        self.splitter.close()
        self._written.finish_reason = ""
        if self._written.thinking_tokens < self.budget:
            self._written.notes.append(
                "the model ended inside of its thinking, so it was asked for its answer"
            )
        elif self._settings.max_thinking_tokens:
            tokens = counted(self._written.thinking_tokens, "token")
            self._written.notes.append(f"the thinking was ended after {tokens}")
        return tag

    def finish(self) -> Iterator[WriteEvent]:
        """Take what was kept back, and tell the end."""
        written = self._written
        is_thinking = self.splitter.is_thinking
        yield from self._add(self.splitter.finish(), 0.0)
        self._flush(is_thinking)
        written.thinking = written.thinking.strip()
        if is_thinking or self._thinks_apart:
            written.finish_reason = "length"
        yield GenerationEnd(written.finish_reason, len(written.logprobs), written.thinking_tokens)

    def _take(self, token: Token) -> Iterator[WriteEvent]:
        if token.is_thinking:  # an endpoint tells it apart by itself
            self._written.thinking += token.text
            self._written.thinking_tokens += 1
            self._thinks_apart = True
            yield token
            return
        self._thinks_apart = False
        self.raw += token.text
        self._waiting.append(token.logprob)
        was_thinking, is_first = self.splitter.is_thinking, not self._written.answer
        pieces = self.splitter.feed(token.text)
        written = self._written
        if any(piece.part is Part.RESTART for piece in pieces):
            written.thinking_tokens += len(written.logprobs)
            written.logprobs.clear()
        if any(piece.part is Part.ANSWER for piece in pieces):
            if is_first and written.thinking_tokens:  # blank lines and marks before the answer
                written.thinking_tokens += len(self._waiting) - 1
                del self._waiting[:-1]
            self._flush(is_thinking=False)
        elif self.splitter.is_stopped:
            self._waiting.clear()
        elif pieces or was_thinking or self.splitter.is_thinking:
            self._flush(is_thinking=True)
        yield from self._add(pieces, token.logprob)

    def _add(self, pieces: Sequence[Piece], logprob: float | None) -> Iterator[WriteEvent]:
        written = self._written
        for piece in pieces:
            if piece.part is Part.THINKING:
                written.thinking += piece.text
                yield Token(piece.text, logprob, is_thinking=True)
            elif piece.part is Part.ANSWER:
                written.answer += piece.text
                yield Token(piece.text, logprob)
            elif piece.part is Part.RESTART:
                written.thinking, written.answer = written.thinking + written.answer, ""
                yield AnswerRestarted()
            else:
                written.finish_reason = "stop"
                written.notes.append(f"the answer ends where the model wrote {piece.text}")

    def _flush(self, is_thinking: bool) -> None:
        """Count the tokens whose text is known now."""
        if is_thinking:
            self._written.thinking_tokens += len(self._waiting)
        else:
            self._written.logprobs.extend(self._waiting)
        self._waiting.clear()

    def _is_over(self) -> bool:
        written = self._written
        if self.splitter.is_stopped:
            return True
        if self._is_bounded:
            return False
        if self.splitter.is_thinking:
            return written.thinking_tokens >= self.budget
        if len(written.logprobs) + len(self._waiting) >= self._settings.max_answer_tokens:
            written.finish_reason = "length"
            return True
        return False
