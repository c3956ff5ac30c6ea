"""A text belongs to the topic of its nearest example."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FakeEmbedder

from rag.guardrails.topics import find, learn

ENCODE = FakeEmbedder().encode
BLOCKED = {"medicine": ["Which dose of the medicine should I take?"]}
ALLOWED = {"baking": ["Which flour should I take for the bread?", "How long does the bread bake?"]}


def test_a_text_near_a_blocked_example_is_found_with_topic_and_cosine() -> None:
    topics = learn(BLOCKED, {}, ENCODE)
    found = find("Which dose of medicine should my child take?", topics, 0.5, ENCODE)
    assert [f.kind for f in found] == ["medicine"]
    assert found[0].score > 0.5
    assert "cosine" in found[0].reason


@pytest.mark.parametrize(
    "text", ["Which flour should I take for the rye bread?", "Where is the station?", " "]
)
def test_a_text_nearer_to_what_is_allowed_or_near_to_nothing_is_let_through(text: str) -> None:
    assert find(text, learn(BLOCKED, ALLOWED, ENCODE), 0.5, ENCODE) == []


def test_with_allowed_topics_alone_everything_else_is_off_topic() -> None:
    topics = learn({}, ALLOWED, ENCODE)
    assert find("How long does rye bread bake?", topics, 0.5, ENCODE) == []
    found = find("Who won the football match yesterday?", topics, 0.5, ENCODE)
    assert [f.kind for f in found] == ["off topic"]


def test_without_examples_nothing_is_found() -> None:
    assert find("Anything", learn({"empty": []}, {}, ENCODE), 0.0, ENCODE) == []


def test_all_examples_are_made_into_vectors_at_once_blocked_ones_first() -> None:
    embedder = FakeEmbedder()
    topics = learn(BLOCKED, ALLOWED, embedder.encode)
    assert topics.names == ("medicine", "baking", "baking")
    assert topics.is_blocked == (True, False, False)
    assert topics.vectors.shape[0] == embedder.embedded_count == 3


def test_of_a_long_text_the_beginning_alone_is_compared_and_all_of_it_is_meant() -> None:
    topics = learn(BLOCKED, {}, ENCODE)
    question = "Which dose of the medicine should I take? "
    text = question + "x " * 40_000
    read: list[str] = []

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        read.extend(texts)
        return ENCODE(texts)

    found = find(text, topics, 0.0, encode)
    assert [len(one) for one in read] == [2_000]
    assert [(one.start, one.end) for one in found] == [(0, len(text))]


def test_the_same_words_as_an_example_are_as_near_as_can_be() -> None:
    (found,) = find(BLOCKED["medicine"][0], learn(BLOCKED, ALLOWED, ENCODE), 0.99, ENCODE)
    assert found.score == pytest.approx(1.0, abs=1e-5)
    assert found.reason == "close to an example of the topic medicine (cosine 1.00)"


@pytest.mark.parametrize(("threshold", "is_found"), [(0.0, True), (0.5, True), (1.01, False)])
def test_a_blocked_topic_has_to_be_as_near_as_the_threshold(threshold: float, is_found: bool) -> None:
    topics = learn(BLOCKED, {}, ENCODE)
    assert bool(find("Which dose of the medicine should I take?", topics, threshold, ENCODE)) is is_found


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_text_is_about_nothing_and_is_not_embedded(text: str) -> None:
    def encode(_: Sequence[str]) -> npt.NDArray[np.float32]:
        raise AssertionError("nothing is to be compared")

    assert find(text, learn({}, ALLOWED, ENCODE), 0.5, encode) == []


def test_what_is_off_topic_is_the_surer_the_farther_it_is() -> None:
    topics = learn({}, ALLOWED, ENCODE)
    near = find("Which flour should I take for a holiday?", topics, 1.01, ENCODE)[0]
    far = find("Who won the football match yesterday?", topics, 1.01, ENCODE)[0]
    assert 0 <= near.score < far.score <= 1
    assert "the nearest allowed topic is baking" in near.reason
