"""Thinking is told from the answer, however its tags are torn, and stop tokens that are written end the answer."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.thinking import (
    TAGS,
    Part,
    Tag,
    ThinkingSplitter,
    opened_in,
    split_thinking,
    thinks,
    without_thinking,
)

ANSWER = "Rye bread needs sourdough [1]."


def torn(text: str, cuts: list[int], prompt: str = "") -> tuple[str, str, list[Part]]:
    """Split a text that comes in pieces; return the thinking, the answer and what else was told."""
    splitter = ThinkingSplitter(opened_in(prompt))
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [piece for a, b in pairwise(places) for piece in splitter.feed(text[a:b])] + splitter.finish()
    thinking = answer = ""
    told = []
    for piece in pieces:
        if piece.part is Part.THINKING:
            thinking += piece.text
        elif piece.part is Part.ANSWER:
            answer += piece.text
        else:
            told.append(piece.part)
            if piece.part is Part.RESTART:
                thinking, answer = answer, ""
    return thinking.strip(), answer, told


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: tag.open)
def test_every_kind_of_tag_is_known(tag: Tag) -> None:
    assert split_thinking(f"{tag.open}\nHmm, bread.\n{tag.ending}{ANSWER}") == ("Hmm, bread.", ANSWER)
    assert split_thinking(f"Hmm, bread.{tag.ending}{ANSWER}", tag) == ("Hmm, bread.", ANSWER)


@given(st.lists(st.integers(0, 200), max_size=60), st.sampled_from(TAGS))
def test_tags_that_are_torn_over_tokens_are_still_tags(cuts: list[int], tag: Tag) -> None:
    text = f"{tag.open}Is 3 < 4? [a] |b| <i>.{tag.ending}{ANSWER}<|im_end|>\n<|im_start|>user\nMore?"
    assert torn(text, cuts) == ("Is 3 < 4? [a] |b| <i>.", ANSWER, [Part.STOP])


@given(st.lists(st.integers(0, 200), max_size=40))
def test_a_closing_tag_alone_makes_thinking_of_what_came_before(cuts: list[int]) -> None:
    assert torn(f"Okay, the user asks.\n</think>\n\n{ANSWER}", cuts) == (
        "Okay, the user asks.",
        ANSWER,
        [Part.RESTART],
    )


@given(st.text(alphabet='ab<>/|[]` \n"think', max_size=40), st.lists(st.integers(0, 60), max_size=30))
def test_a_text_is_split_alike_however_it_comes(text: str, cuts: list[int]) -> None:
    whole = split_thinking(text)
    thinking, answer, _ = torn(text, cuts)
    assert (thinking, answer) == whole


@pytest.mark.parametrize(
    "stop",
    [
        "<|im_end|>",
        "<|eot_id|>",
        "</s>",
        "<end_of_turn>",
        "<|endoftext|>",
        "<｜end▁of▁sentence｜>",
        "<|end|>",
    ],
)
def test_a_stop_token_that_is_written_ends_the_answer(stop: str) -> None:
    assert split_thinking(f"{ANSWER}{stop}\nuser: and cake?") == ("", ANSWER)


@pytest.mark.parametrize(
    "lead",
    ["<|im_start|>assistant\n", "<|start_header_id|>assistant<|end_header_id|>\n\n", "<start_of_turn>model\n",
     "<|channel|>final<|message|>", "<|start|>assistant<|channel|>final<|message|>", "<answer>"],
)  # fmt: skip
def test_what_a_template_should_have_written_before_the_answer_is_dropped(lead: str) -> None:
    assert split_thinking(f"{lead}{ANSWER}")[1].strip() == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "The block ends with `</think>` in the template.",
        "Write “<think>” before it.",
        "The tags <think> and </think> stand around it.",
        "A turn ends with `<|im_end|>`.",
        "```\n<think>\nx\n</think>\n<|im_end|>\n```\nThat is all.",
        "<s>old</s> new",
        "The mark `[INST]` begins a turn and `[/INST]` ends it.",
        "if a < b and b[0] > c | d: <em>yes</em>",
        "  an answer keeps its white space \n",
        "",
    ],
)
def test_a_text_about_tags_is_an_answer(text: str) -> None:
    assert split_thinking(text) == ("", text)


def test_thinking_may_come_in_several_blocks_and_end_with_a_tag_of_another_name() -> None:
    assert split_thinking("<think>one</think>\n<think>two</thinking>\nYes.") == ("onetwo", "Yes.")
    assert split_thinking("First.\n<think>two</think>\nYes.") == ("two", "First.\n\nYes.")


def test_thinking_without_an_end_is_no_answer() -> None:
    assert split_thinking("<think>and on and on") == ("and on and on", "")
    splitter = ThinkingSplitter()
    splitter.feed("<think>and on")
    assert splitter.is_thinking
    splitter.close()
    assert [(p.part, p.text) for p in splitter.feed("\nYes.")] == [(Part.ANSWER, "Yes.")]


def test_a_prompt_that_opens_the_thinking_is_recognised() -> None:
    prompt = "<|im_start|>assistant\n<think>\n"
    tag = opened_in(prompt)
    assert tag is not None
    assert tag.open == "<think>"
    assert without_thinking(prompt) == prompt + "\n</think>\n\n"
    assert opened_in("<|im_start|>assistant\n<think>\n\n</think>\n\n") is None
    assert without_thinking("<|im_start|>assistant\n") == "<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("template", "known"),
    [
        ("{{ content.split('</think>')[-1] }}", True),
        ("<|channel|>analysis<|message|>", True),
        ("[THINK]", True),
        ("<|user|>{{ content }}<|end|>", False),
        ("", False),
    ],
)
def test_a_template_that_knows_of_thinking_is_recognised(template: str, known: bool) -> None:
    assert thinks(template) is known
