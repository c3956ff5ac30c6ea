"""An answer is split into its sentences without losing a letter, and what claims nothing is told from what does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.grounding.sentences import Sentence, is_checkable, is_refusal, plain_text, split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opened. It closed.", ["It opened.", "It closed."]),
        ("Dr. Smith met Mr. Jones at 5 p.m. on Monday.", ["Dr. Smith met Mr. Jones at 5 p.m. on Monday."]),
        ("It was sold by J. Smith. He left.", ["It was sold by J. Smith.", "He left."]),
        ("Use tools, e.g. Hammers. Stop.", ["Use tools, e.g. Hammers.", "Stop."]),
        ("The answer is no. The rule holds.", ["The answer is no.", "The rule holds."]),
        ("See no. 5 and fig. 3 there.", ["See no. 5 and fig. 3 there."]),
        ("He lives in the U.S. The city is big.", ["He lives in the U.S.", "The city is big."]),
        ("It weighs 3.5 kg. Version 1.2.3 is out.", ["It weighs 3.5 kg.", "Version 1.2.3 is out."]),
        ("It opened. [1] It closed.[2] End [3].", ["It opened. [1]", "It closed.[2]", "End [3]."]),
        ("It opened.\n[1]\nIt closed.", ["It opened.\n[1]", "It closed."]),
        ("- one item\n- two. Then more.\n1. three", ["- one item", "- two.", "Then more.", "1. three"]),
        ("桥开了。车很多！你好？", ["桥开了。", "车很多！", "你好？"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("# Title\nText here.", ["# Title", "Text here."]),
        ("Run:\n```\na. b. c\n\nd\n```\nDone.", ["Run:", "```\na. b. c\n\nd\n```", "Done."]),
        ("```\nnever closed. Really", ["```\nnever closed. Really"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("the bridge was\nopened in May.", ["the bridge was\nopened in May."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_text_is_split_into_its_sentences(text: str, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == expected


_ALPHABET = st.sampled_from(
    [*"ab1 A.?![]()|#-*`~:\n\t。é👍", "Dr. ", "[1]", "```\n", "\r\n", "\x0c", "| a |\n", "- "]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_ALPHABET, max_size=60).map("".join) | st.text(max_size=80))
def test_offsets_match_and_nothing_but_space_is_lost(text: str) -> None:
    sentences = split_sentences(text)
    position = 0
    for sentence in sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= position
        assert not text[position : sentence.start].strip()
        position = sentence.end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    "text",
    [
        "Which bridge do you mean?",
        "Hello!",
        "You're welcome!",
        "Here is a summary of the passages:",
        "Here is a summary.",
        "According to the passages:",
        "I cannot answer this question.",
        "The passages do not mention the price.",
        "The price is not mentioned in the passages.",
        "Unable to answer based on given passages.",
        "I hope this helps!",
        "## Opening hours",
        "**Opening hours**",
        "```\nx = 1\n```",
        "👍",
        "42",
    ],
)
def test_what_claims_nothing_is_not_checkable(text: str) -> None:
    assert not any(is_checkable(sentence) for sentence in split_sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "The bridge opened in 2019.",
        "- The hall is open on Mondays",
        "Based on the passages, the bridge opened in 2019.",
        "The document does not require a signature.",
        "The data does not leave your computer.",
        "桥是2019年开通的。",
        "| Bridge | 2019 |",
    ],
)
def test_what_claims_something_is_checkable(text: str) -> None:
    assert all(is_checkable(sentence) for sentence in split_sentences(text))


def test_an_answer_is_a_refusal_only_when_it_claims_nothing_else() -> None:
    assert is_refusal("I'm sorry. The passages do not mention the price.")
    assert not is_refusal("The passages do not mention the price. The bridge opened in 2019.")
    assert not is_refusal("The bridge opened in 2019.")
    assert not is_refusal("")


def test_a_sentence_keeps_its_offsets_when_made_by_hand() -> None:
    assert is_checkable(Sentence("The bridge opened in 2019.", 0, 26))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("# Title\nText.", ["heading", "prose"]),
        ("**Bold line**\nText.", ["heading", "prose"]),
        ("**Bold** begins a sentence.", ["prose"]),
        ("- one\n* two\n1) three\n(a) four", ["item"] * 4),
        ("> - quoted item", ["item"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["heading", "heading", "row"]),
        ("~~~\ncode\n~~~\nText.", ["code", "prose"]),
        ("- First. Then prose.", ["item", "prose"]),
    ],
)
def test_each_sentence_knows_what_it_is(text: str, kinds: list[str]) -> None:
    assert [sentence.kind for sentence in split_sentences(text)] == kinds


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It costs 5 … and more.", 1),
        ("It ended… Then it began.", 2),
        ("Really?! Yes.", 2),
        ("Mr. J. R. R. Tolkien wrote it.", 1),
        ("See fig. 3 and nos. 4 and 5.", 1),
        ("Open from 9 a.m. to 5 p.m. daily.", 1),
        ("It was in Jan. The snow fell.", 2),
        ("Is it 3.5? It is.", 2),
        ("- item that\n  wraps here", 1),
        ("One line\n\nanother line", 2),
        ("It says so (see [3]). Next.", 2),
    ],
)
def test_full_stops_that_end_nothing_are_passed_over(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        ("The bridge opened [1][2].", "The bridge opened."),
        ("The bridge [1, 3] opened [4–6].", "The bridge opened."),
        ("- **Bold** and `code`", "Bold and code"),
        ("1. First step", "First step"),
        ("> * quoted", "quoted"),
        ("nothing to do", "nothing to do"),
        ("[1]", ""),
    ],
)
def test_a_sentence_is_plain_without_markers_bullets_and_emphasis(sentence: str, plain: str) -> None:
    assert plain_text(sentence) == plain


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot answer this question.",
        "I'm unable to find that.",
        "There is no information about prices in the passages.",
        "The documents don't mention it.",
        "Sorry.",
        "It is impossible to say.",
        "- The passages do not specify the year.",
    ],
)
def test_the_ways_of_declining_are_known(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "The gate cannot be opened at night.",
        "The museum does not sell tickets.",
        "```\nI cannot answer\n```",
        "The station is not mentioned on any map.",
    ],
)
def test_a_denial_in_the_subject_matter_is_no_refusal(answer: str) -> None:
    assert not is_refusal(answer)


@given(st.lists(_ALPHABET, max_size=40).map("".join))
def test_splitting_a_sentence_again_leaves_it_in_its_words(text: str) -> None:
    for sentence in split_sentences(text):
        again = split_sentences(sentence.text)
        assert "".join("".join(s.text.split()) for s in again) == "".join(sentence.text.split())


_WHOLE = (
    "The pump moves water.",
    "Is the valve open?",
    "Stop!",
    "Dr. Smith measured 3.5 kg.",
    "It was sold, e.g. in Bremen.",
    "The U.S. office is small.",
    "He said “Go.”",
)


@given(st.lists(st.sampled_from(_WHOLE), min_size=1, max_size=6), st.sampled_from([" ", "  ", "\n\n", " \n"]))
def test_sentences_that_were_put_together_come_apart_again(sentences: list[str], between: str) -> None:
    assert [found.text for found in split_sentences(between.join(sentences))] == sentences


@given(st.lists(st.sampled_from(_WHOLE), min_size=1, max_size=5), st.sampled_from(["- ", "* ", "• "]))
def test_every_item_of_a_list_is_a_sentence_of_its_own(sentences: list[str], bullet: str) -> None:
    found = split_sentences("\n".join(bullet + sentence for sentence in sentences))
    assert [sentence.text for sentence in found] == [bullet + sentence for sentence in sentences]
    assert all(sentence.kind == "item" for sentence in found)
