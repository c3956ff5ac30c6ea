"""The questions that a first start suggests."""

from rag.sample.rows import SAMPLE_PIPELINES, sample_questions


def test_the_suggested_questions_are_few_and_different() -> None:
    questions = sample_questions()
    assert 2 <= len(questions) <= 8
    assert len(set(questions)) == len(questions)
    assert all(question.endswith("?") and len(question) < 100 for question in questions)


def test_the_two_pipelines_have_names_of_their_own() -> None:
    assert len(set(SAMPLE_PIPELINES)) == 2
