"""Which questions are the same in other words, and by which rule others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.cache.agreement import RULES, differences

SAME = [
    ("How do I enable 2FA?", "Can you tell me how I enable 2FA?"),
    ("How do I enable 2FA?", "how do i enable 2FA, please"),
    ("In 1990, who won the cup?", "Who won the cup in 1990?"),
    ("What is the height of the tower in Bremen?", "How tall is the tower in Bremen?"),
    ("What is the height of the tower?", "What's the tower's height?"),
    ("Which organisation organised it?", "which organization organized it"),
    ("Why isn't the server starting?", "Why is the server not starting?"),
    ("When did the Tesla factory open?", "when did the tesla factory open"),
    ("How many boats leave at noon?", "What is the number of boats leaving at noon?"),
    ("Who built the bridge?", "Which person constructed the bridge?"),
]
DIFFERENT = [
    ("numbers", "Who won in 1990?", "Who won in 1991?"),
    ("numbers", "Is it 5 km long?", "Is it 5 miles long?"),
    ("numbers", "What happened on 4 May 1990?", "What happened on 5 May 1990?"),
    ("identifiers", "What is section 4.4.6?", "What is section 4.4.7?"),
    ("identifiers", "What does XR-2075 need?", "What does XR-2076 need?"),
    ("names", "How high is the tide at Bremen?", "How high is the tide at Bergen?"),
    ("names", "What did WHO say about Bremen?", "What did NATO say about Bremen?"),
    ("negations", "Why is the server starting?", "Why is the server not starting?"),
    ("negations", "Which boats leave with passengers?", "Which boats leave without passengers?"),
    ("units", "How many miles is it to the sea?", "How many kilometres is it to the sea?"),
    ("question", "Who opened the factory?", "Why opened the factory?"),
    ("question", "How long is the bridge?", "How many is the bridge?"),
    ("tense", "Who is the president of France?", "Who was the president of France?"),
    ("tense", "Can I delete the file?", "Must I delete the file?"),
    ("deciding words", "Who was the first president?", "Who was the last president?"),
    ("deciding words", "Which files are all there?", "Which files are only there?"),
    ("content words", "How do I enable 2FA?", "How do I disable 2FA?"),
    ("content words", "What does the employer pay?", "What does the employee pay?"),
    ("roles", "Who did the Broncos beat?", "Who beat the Broncos?"),
    ("roles", "What does a flight from Paris to Rome cost?", "What does a flight from Rome to Paris cost?"),
    ("roles", "Who was elected in 2010?", "Who elected in 2010?"),
    ("roles", "What grew 100 years before the war?", "What grew 100 years after the war?"),
    ("language", "Wie hoch steigt die Flut in der Stadt?", "Wie hoch steigt die Flut in der Stadt?"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_for_the_same_question_agree_in_both_directions(one: str, other: str) -> None:
    assert differences(one, other) == []
    assert differences(other, one) == []


@pytest.mark.parametrize(("rule", "one", "other"), DIFFERENT)
def test_a_near_miss_is_told_apart_by_its_rule_with_a_reason(rule: str, one: str, other: str) -> None:
    for found in (differences(one, other), differences(other, one)):
        assert rule in [difference.rule for difference in found]
        assert all(difference.reason for difference in found)


def test_every_rule_is_needed_by_a_near_miss() -> None:
    assert {rule for rule, _, _ in DIFFERENT} == set(RULES)


def test_a_reason_names_what_differs() -> None:
    (found,) = [d for d in differences("Who won in 1990?", "Who won in 1991?") if d.rule == "numbers"]
    assert found.reason == "other figures: 1990 and 1991"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_compared_alike_in_both_directions(one: str, other: str) -> None:
    assert [d.rule for d in differences(one, other)] == [d.rule for d in differences(other, one)]
