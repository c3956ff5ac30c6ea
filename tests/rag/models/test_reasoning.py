"""Thinking is kept apart from the answer, counted apart, and ended when its budget is used up."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fakes import ScriptedModel

from rag.models.language_model import GenerationEnd, PromptRead, Token
from rag.models.reasoning import AnswerRestarted, Written, thinking_room, write
from rag.settings import GenerationSettings

SETTINGS = GenerationSettings(max_answer_tokens=16, max_thinking_tokens=8)
ANSWER = "Rye bread needs sourdough [1]."


class Torn(ScriptedModel):
    """Writes its answer letter by letter."""

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        text = self.then if self.then and len(self.tokenized) > 1 else self.answer
        yield PromptRead(len(tokens), len(tokens), 0)
        for letter in text[: settings.max_answer_tokens]:
            yield Token(letter, -0.1)
        yield GenerationEnd("stop" if len(text) <= settings.max_answer_tokens else "length", len(text))


def run(
    model: ScriptedModel, settings: GenerationSettings = SETTINGS, prompt: str = "user: Bread?"
) -> tuple[Written, list[Any]]:
    written = Written()
    events = list(write(model, prompt, settings, written))
    streamed = "".join(e.text for e in events if isinstance(e, Token) and not e.is_thinking)
    if not any(isinstance(e, AnswerRestarted) for e in events):
        assert streamed == written.answer
    end = events[-1]
    assert isinstance(end, GenerationEnd)
    assert (end.finish_reason, end.completion_tokens, end.thinking_tokens) == (
        written.finish_reason,
        len(written.logprobs),
        written.thinking_tokens,
    )
    return written, events


def test_an_answer_without_thinking_is_as_it_was() -> None:
    written, events = run(ScriptedModel(ANSWER))
    assert (written.thinking, written.answer, written.thinking_tokens) == ("", ANSWER, 0)
    assert (written.finish_reason, len(written.logprobs), written.notes) == ("stop", 5, [])
    assert [type(e) for e in events[:2]] == [PromptRead, PromptRead]


def test_thinking_is_kept_apart_and_counted_apart() -> None:
    written, events = run(ScriptedModel(f"<think> Hmm, rye. </think> {ANSWER}"))
    assert (written.thinking, written.answer) == ("Hmm, rye.", ANSWER)
    assert (written.thinking_tokens, len(written.logprobs)) == (4, 5)
    assert "".join(e.text for e in events if isinstance(e, Token) and e.is_thinking).strip() == "Hmm, rye."
    assert written.notes == []


def test_tags_that_are_torn_over_tokens_never_reach_the_answer() -> None:
    settings = SETTINGS.model_copy(update={"max_answer_tokens": 99, "max_thinking_tokens": 99})
    written, events = run(Torn("<thinking>Hmm.</thinking>\n\nYes.<|im_end|>\nuser: more"), settings)
    assert (written.thinking, written.answer, written.finish_reason) == ("Hmm.", "Yes.", "stop")
    assert "".join(e.text for e in events if isinstance(e, Token) and not e.is_thinking) == "Yes."
    assert (written.thinking_tokens, len(written.logprobs)) == (25 + 2, 4)
    assert written.notes == ["the answer ends where the model wrote <|im_end|>"]


def test_a_template_that_opens_the_thinking_needs_no_opening_tag() -> None:
    written, _ = run(
        ScriptedModel(f"Hmm, rye. </think> {ANSWER}"), prompt="user: Bread?\nassistant: <think>\n"
    )
    assert (written.thinking, written.answer) == ("Hmm, rye.", ANSWER)


def test_a_closing_tag_alone_restarts_the_answer() -> None:
    written, events = run(ScriptedModel(f"Hmm, rye. </think> {ANSWER}"))
    assert any(isinstance(e, AnswerRestarted) for e in events)
    assert (written.thinking, written.answer) == ("Hmm, rye.", ANSWER)
    assert (written.thinking_tokens, len(written.logprobs)) == (3, 5)


@pytest.mark.parametrize(
    ("tag", "ending"),
    [("<think>", "\n</think>\n\n"),
     ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")],
)  # fmt: skip
def test_thinking_that_takes_too_long_is_ended_and_the_answer_begins(tag: str, ending: str) -> None:
    model = ScriptedModel(tag + " hmm" * 100, then=ANSWER)
    written, events = run(model)
    assert written.answer == ANSWER
    assert written.thinking_tokens == 8
    assert written.thinking == " ".join(["hmm"] * 7)
    assert model.tokenized[-1].startswith("user: Bread?" + tag)
    assert model.tokenized[-1].endswith(ending)
    assert written.notes == ["the thinking was ended after 8 tokens"]
    assert sum(isinstance(e, PromptRead) for e in events) == 2, "the prompt was read once"


def test_a_model_that_ends_inside_its_thinking_is_asked_for_its_answer() -> None:
    written, _ = run(ScriptedModel("<think> hmm", then=ANSWER))
    assert (written.thinking, written.answer) == ("hmm", ANSWER)
    assert written.notes == ["the model ended inside of its thinking, so it was asked for its answer"]


def test_a_budget_of_nothing_lets_a_model_answer_at_once() -> None:
    settings = SETTINGS.model_copy(update={"max_thinking_tokens": 0})
    model = ScriptedModel("hmm hmm", then=ANSWER)
    written, _ = run(model, settings, "assistant: <think>\n")
    assert (written.thinking, written.answer, written.notes) == ("", ANSWER, [])
    assert model.tokenized[-1].endswith("<think>\n\n</think>\n\n")
    written, _ = run(ScriptedModel("<think> hmm", then=ANSWER), settings)
    assert (written.answer, written.notes) == (ANSWER, [])


def test_a_model_that_never_stops_thinking_has_no_answer() -> None:
    written, _ = run(ScriptedModel("<think>" + " hmm" * 99))
    assert written.answer == ""
    assert written.finish_reason == "length"
    assert "hmm" in written.thinking


def test_an_answer_is_cut_at_its_own_limit_however_long_the_thinking_was() -> None:
    written, _ = run(ScriptedModel("<think> a b </think> " + "word " * 40))
    assert (len(written.logprobs), written.finish_reason, written.thinking) == (16, "length", "a b")
    assert written.answer.split() == ["word"] * 16


def test_thinking_leaves_room_for_the_answer_in_a_short_context() -> None:
    model = ScriptedModel("<think>" + " hmm" * 500, then=ANSWER)
    model.context = 60
    written, _ = run(model, SETTINGS.model_copy(update={"max_thinking_tokens": 400}))
    assert written.thinking_tokens == 60 - 2 - 16 - 24
    assert written.answer == ANSWER


def test_closing_the_generator_keeps_what_there_was() -> None:
    written = Written()
    stream = write(ScriptedModel("<think> one two three </think> Yes."), "user: x", SETTINGS, written)
    for _ in range(4):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert written.thinking.split()[:1] == ["one"]
    assert written.answer == ""


def test_room_is_kept_for_the_thinking_of_models_that_think() -> None:
    model = ScriptedModel()
    assert thinking_room(model, SETTINGS) == 0
    model.header = model.header.__class__(**{**vars(model.header), "chat_template": "{{ x }}<think>"})
    assert thinking_room(model, SETTINGS) == 8


def test_a_schema_goes_to_the_model_and_leaves_no_room_for_thinking() -> None:
    grammars: list[str] = []

    class Following(ScriptedModel):
        def generate(
            self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
        ) -> Iterator[Any]:
            grammars.append(grammar)
            return super().generate(tokens, settings, grammar)

    written = Written()
    prompt = "user: Bread?<think>"  # a template that opens the thinking
    list(write(Following('{"a": 1}'), prompt, SETTINGS, written, schema='{"type": "object"}'))
    assert written.answer == '{"a": 1}' and written.thinking == "" and "root ::=" in grammars[0]
