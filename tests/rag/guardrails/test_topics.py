"""A text belongs to the topic of its nearest example."""

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
