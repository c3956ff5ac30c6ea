"""Tells the thinking of a reasoning model from its answer, in the text that it writes.

Models mark their thinking with tags of many kinds, some templates write the opening tag themselves, and
tokens tear tags apart. So a splitter is fed with what comes, keeps back what may become a tag, and gives out
pieces. It also ends the answer at a stop token that was written as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What a piece of a model's text is."""

    THINKING = "thinking"
    ANSWER = "answer"
    RESTART = "restart"  # what came as the answer so far was thinking: only its closing tag was written
    STOP = "stop"  # the answer ends here; the text is the stop token that was written


@dataclass(frozen=True)
class Piece:
    """A piece of a model's text without the tags."""

    part: Part
    text: str


@dataclass(frozen=True)
class Tag:
    """A pair of tags around thinking. ending is what is written to end the thinking and begin the answer."""

    open: str
    close: str
    ending: str


def _tag(open_tag: str, close: str) -> Tag:
    return Tag(open_tag, close, f"\n{close}\n\n")


_HARMONY_FINAL = "<|start|>assistant<|channel|>final<|message|>"
_ANGLES = tuple(_tag(f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "reasoning"))
TAGS = (
    *_ANGLES,
    _tag("<seed:think>", "</seed:think>"),
    _tag("[THINK]", "[/THINK]"),
    _tag("◁think▷", "◁/think▷"),
    _tag("<|START_THINKING|>", "<|END_THINKING|>"),
    _tag("<|begin_of_thought|>", "<|end_of_thought|>"),
    _tag("<|channel>thought", "<channel|>"),
    Tag("<|channel|>analysis<|message|>", "<|end|>", f"<|end|>{_HARMONY_FINAL}"),
    Tag("<|channel|>commentary<|message|>", "<|end|>", f"<|end|>{_HARMONY_FINAL}"),
)
# What may stand before an answer and is no part of it.
_LEADS = (
    _HARMONY_FINAL,
    "<|channel|>final<|message|>",
    "<|start|>assistant",
    "<|begin_of_solution|>",
    "<|START_RESPONSE|>",
    "<answer>",
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|assistant|>",
    "<start_of_turn>model\n",
    "<｜Assistant｜>",
)
_STOPS = (
    "<|im_end|>", "<|im_start|>", "<|im_sep|>", "<|eot_id|>", "<|eom_id|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<|end|>", "<|start|>",
    "<|return|>", "<|call|>", "<|eot|>", "<|eos|>", "<|eod|>", "<|user|>", "<|assistant|>", "<|system|>",
    "<|observation|>", "<|endofturn|>", "[|endofturn|]", "<|end_of_role|>", "<|start_of_role|>",
    "<|END_OF_TURN_TOKEN|>", "<|START_OF_TURN_TOKEN|>", "<|END_RESPONSE|>", "<|end_of_solution|>",
    "<end_of_turn>", "<start_of_turn>", "<turn|>", "<|turn>", "<eos>", "</s>", "</answer>", "[/INST]",
    "[INST]", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>",
)  # fmt: skip
# As a part of ordinary text these are what they look like; their other half tells.
_PAIRED = {"</s>": "<s>", "</answer>": "<answer>", "[/INST]": "[INST]"}
_QUOTES = "`'\"“‘«„"
_FENCE = "```"

SPECIAL_TOKENS = frozenset(
    {tag.open for tag in TAGS}
    | {tag.close for tag in TAGS}
    | {"<|channel|>", "<|message|>", "<|start|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"}
)
"""Control tokens of a model that must be written out, because they mark its thinking."""


def thinks(template: str) -> bool:
    """Return whether a chat template knows of thinking."""
    return any(tag.open in template or tag.close in template for tag in TAGS if tag.close != "<|end|>") or (
        "<|channel|>analysis" in template
    )


def opened_in(prompt: str) -> Tag | None:
    """Return the tag that a prompt ends with: the model goes on inside of its thinking; None: it does not."""
    end = prompt.rstrip()
    return next((tag for tag in TAGS if end.endswith(tag.open)), None)


def without_thinking(prompt: str) -> str:
    """Return a prompt whose answer begins at once: thinking that it opened is closed."""
    tag = opened_in(prompt)
    return prompt + tag.ending if tag else prompt


def split_thinking(text: str, opened: Tag | None = None) -> tuple[str, str]:
    """Return the thinking and the answer in a whole text.

    Args:
        text: What a model wrote.
        opened: The tag that its prompt ended with, see opened_in.
    """
    splitter = ThinkingSplitter(opened)
    thinking = answer = ""
    for piece in (*splitter.feed(text), *splitter.finish()):
        if piece.part is Part.THINKING:
            thinking += piece.text
        elif piece.part is Part.ANSWER:
            answer += piece.text
        elif piece.part is Part.RESTART:
            thinking, answer = thinking + answer, ""
    return thinking.strip(), answer


class ThinkingSplitter:
    """A reader of a model's text as it comes; what may become a tag is kept back until it is known."""

    def __init__(self, opened: Tag | None = None) -> None:
        """Begin with the answer, or inside of the thinking that the prompt opened."""
        self.tag = opened
        self._has_thought = opened is not None
        self._held = ""
        self._answer = ""
        self._is_stopped = False

    @property
    def is_thinking(self) -> bool:
        """Whether what comes now is thinking."""
        return self.tag is not None

    @property
    def is_stopped(self) -> bool:
        """Whether a stop token was written: nothing more is taken."""
        return self._is_stopped

    def close(self) -> None:
        """Take what comes from now on as the answer: the thinking was ended from outside."""
        self.tag, self._held = None, ""

    def feed(self, text: str) -> list[Piece]:
        """Return the pieces that are known after some more text."""
        self._held += text
        return list(self._pieces(is_last=False))

    def finish(self) -> list[Piece]:
        """Return what was kept back: no more text comes."""
        return list(self._pieces(is_last=True))

    def _pieces(self, is_last: bool) -> Iterator[Piece]:
        while self._held and not self._is_stopped:
            marks = self._marks()
            place, mark = _first(self._held, marks, 0)
            while mark and not self._counts(mark, self._held[:place]):
                place, mark = _first(self._held, marks, place + 1)
            if not is_last and mark and _may_grow(self._held[place:], marks):
                return  # <|start|> may become <|start|>assistant<|channel|>final…
            if not mark:
                keep = 0 if is_last else _tail(self._held, marks)
                ready = self._held[: len(self._held) - keep]
                self._held = self._held[len(ready) :]
                yield from self._plain(ready)
                return
            before, self._held = self._held[:place], self._held[place + len(mark) :]
            yield from self._plain(before)
            yield from self._mark(mark)

    def _marks(self) -> Sequence[str]:
        if self.tag is None:
            return _ANSWER_MARKS
        # Some models close with another tag than they opened with.
        return _ANGLE_CLOSES if self.tag in _ANGLES else (self.tag.close,)

    def _counts(self, mark: str, before: str) -> bool:
        """Return whether a mark is one, and not a text about marks."""
        if self.tag is not None:
            return True
        answer = self._answer + before
        if (answer and answer[-1] in _QUOTES) or answer.count(_FENCE) % 2:
            return False
        is_first = not answer.strip()
        if mark in _OPENS:
            return is_first or answer.endswith("\n")
        if mark in _LEADS:
            return is_first or mark.startswith(_STOPS)
        if mark in _CLOSES and mark not in _STOPS:
            return is_first or not (self._has_thought or _CLOSES[mark] in answer.lower())
        return _PAIRED.get(mark, "\0") not in answer.lower()

    def _mark(self, mark: str) -> Iterator[Piece]:
        if self.tag is not None:
            self.tag = None
        elif mark in _OPENS:
            self.tag, self._has_thought = _OPENS[mark], True
        elif mark in _LEADS and not self._answer.strip():
            pass
        elif mark in _STOPS or mark in _LEADS:
            self._is_stopped = True
            self._held = ""
            yield Piece(Part.STOP, mark)
        elif not self._has_thought:
            self._has_thought, self._answer = True, ""
            yield Piece(Part.RESTART, "")

    def _plain(self, text: str) -> Iterator[Piece]:
        if self.tag is not None:
            if text:
                yield Piece(Part.THINKING, text)
            return
        if self._has_thought and not self._answer:
            text = text.lstrip()
        if text:
            self._answer += text
            yield Piece(Part.ANSWER, text)


_OPENS = {tag.open: tag for tag in TAGS}
_CLOSES = {tag.close: tag.open for tag in TAGS}
_ANGLE_CLOSES = tuple(tag.close for tag in _ANGLES)
# Longest first: of two that begin at one place the longer one is meant.
_ANSWER_MARKS = tuple(sorted({*_OPENS, *_CLOSES, *_LEADS, *_STOPS}, key=len, reverse=True))
_FIRST_CHARACTERS = frozenset(mark[0] for mark in _ANSWER_MARKS)


def _first(text: str, marks: Sequence[str], start: int) -> tuple[int, str]:
    """Return the place and the mark that comes first in a text; the mark is "" when there is none."""
    lowered = text.lower()
    found = [(place, -len(mark), mark) for mark in marks if (place := lowered.find(mark.lower(), start)) >= 0]
    if not found:
        return len(text), ""
    place, _, mark = min(found)
    return place, mark


def _may_grow(end: str, marks: Sequence[str]) -> bool:
    """Return whether the end of a text may become a mark that is longer than what is there."""
    return any(len(mark) > len(end) and mark.lower().startswith(end.lower()) for mark in marks)


def _tail(text: str, marks: Sequence[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a mark."""
    longest = max(map(len, marks))
    for place in range(max(len(text) - longest + 1, 0), len(text)):
        if text[place] in _FIRST_CHARACTERS and _may_grow(text[place:], marks):
            return len(text) - place
    return 0
