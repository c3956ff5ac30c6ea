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
    ("In which year was the bridge built?", "What year was the bridge built?"),
    ("How much does the bread cost?", "how much does a bread cost"),
    ("Where is the harbour?", "In what place is the harbour?"),
    ("How old is the bridge?", "What is the age of the bridge?"),
    ("Who's the author of the book?", "Who is the writer of the book?"),
    ("What is the maximum speed of the boat?", "What is the max speed of the boat?"),
    ("Does the boat leave at noon?", "I wonder: does the boat leave at noon"),
    ("Is the tide “high” at Bremen?", 'Is the tide "high" at Bremen?'),
    ("Where do boats leave from during winter?", "Where do boats leave from in winter?"),
    ("Why can't I start the server?", "Why cannot I start the server?"),
    ("How long must the bread rest?", "How long does the bread have to rest?"),
    ("What kind of bread is it?", "What type of bread is it?"),
    ("Who was elected in 2010?", "In 2010, who was elected?"),
    ("How many films did she make?", "How many movies did she make, please?"),
    ("Which bread rises?", "What bread rises?"),
    ("Why did the boat stop?", "For what reason did the boat stop?"),
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
    ("numbers", "What costs 5 %?", "What costs 50 %?"),
    ("numbers", "Which files are larger than 1.5 GB?", "Which files are larger than 15 GB?"),
    ("numbers", "Is it 3 hours long?", "Is it long?"),
    ("identifiers", "What does RFC-2119 say?", "What does it say?"),
    ("names", "Who met Anna in Rome?", "Who met Berta in Rome?"),
    ("names", "Where is Mount Etna?", "Where is the mount?"),
    ("negations", "Who is allowed to enter?", "Who is not allowed to enter?"),
    ("negations", "Who never came?", "Who came?"),
    ("negations", "What is not in the box?", "What is never in the box?"),
    ("units", "How many days does it take?", "How many weeks does it take?"),
    ("question", "When does the boat leave?", "Where does the boat leave?"),
    ("question", "How often does the boat leave?", "How long does the boat leave?"),
    ("question", "Who and when?", "Who?"),
    ("tense", "When will the boat leave?", "When did the boat leave?"),
    ("tense", "How much does the bread cost?", "How much did the bread cost?"),
    ("tense", "What is the number of boats in Bremen?", "What was the number of boats in Bremen?"),
    ("tense", "What is the amount of flour in it?", "What was the amount of flour in it?"),
    ("tense", "What are the names of the kings?", "What were the names of the kings?"),
    ("tense", "Who has to leave?", "Who had to leave?"),
    ("tense", "Does the boat leave?", "Could the boat leave?"),
    ("tense", "Should I rest the bread?", "May I rest the bread?"),
    ("deciding words", "Which boats usually leave?", "Which boats sometimes leave?"),
    ("deciding words", "Which boats often leave?", "Which boats leave?"),
    ("deciding words", "What is the oldest boat?", "What is the newest boat?"),
    ("deciding words", "Who came too?", "Who came?"),
    ("deciding words", "What is the minimum?", "What is the maximum?"),
    ("content words", "What does rye bread need?", "What does bread need?"),
    ("content words", "Who increased the price?", "Who decreased the price?"),
    ("content words", "What is the bread of the baker?", "What is the baker?"),
    ("roles", "Did the cat see the dog?", "Did the dog see the cat?"),
    ("roles", "Is the box on the table?", "Is the box under the table?"),
    ("roles", "Who gave the book to the girl?", "Who gave the girl to the book?"),
    ("language", "?", "?"),
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


@pytest.mark.parametrize(
    ("rule", "one", "other", "reason"),
    [
        ("numbers", "Is it 5 km long?", "Is it 5 miles long?", "their figures have other units"),
        ("names", "Who met Anna?", "Who met Berta?", "other names: anna and berta"),
        ("names", "Who met Anna?", "Who met her?", "other names: anna and none"),
        (
            "identifiers",
            "What does XR-2075 need?",
            "What does it need?",
            "other identifiers: XR-2075 and none",
        ),
        ("negations", "Who came?", "Who never came?", "other negations: none and never"),
        ("negations", "Who is not there?", "Who is not not there?", "other negations: none and not"),
        ("units", "How many days?", "How many weeks?", "other units: day and week"),
        ("question", "Who opened it?", "Why opened it?", "other question words: who and why"),
        ("tense", "Is it open?", "Was it open?", "one asks about the present, the other about the past"),
        ("tense", "Can it open?", "Must it open?", "other auxiliary verbs: can and must"),
        ("deciding words", "Who is first?", "Who is last?", "other words that decide: first and last"),
        ("content words", "What is bread?", "What is salt?", "other words: bread and salt"),
        ("roles", "Who was elected?", "Who elected?", "one is passive, the other active"),
        ("language", "?", "?", "the rules know English alone"),
    ],
)
def test_each_rule_says_its_reason_in_words(rule: str, one: str, other: str, reason: str) -> None:
    reasons = {found.rule: found.reason for found in differences(one, other)}
    assert reasons.get(rule) == reason


@pytest.mark.parametrize("question", [one for one, _ in SAME])
def test_a_question_agrees_with_itself_and_its_frame_and_its_capitals(question: str) -> None:
    assert differences(question, question) == []
    assert differences(question, f"  Please tell me: {question} ") == []
    assert differences(question, f"{question[0].lower()}{question[1:]}") == []


@pytest.mark.parametrize("name", list(RULES))
def test_differences_come_in_the_order_of_the_rules(name: str) -> None:
    rules = list(RULES)
    for wanted, one, other in DIFFERENT:
        if wanted == name:
            places = [rules.index(found.rule) for found in differences(one, other)]
            assert places == sorted(places)
