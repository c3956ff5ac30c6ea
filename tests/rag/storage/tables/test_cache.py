"""The tables of the cache: one answer for a question in a space, one hit for a trace, and no text of either."""

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.cache import CachedAnswer, CacheHit
from rag.storage.tables.contents import Content, content_of, is_text, marked_columns


def test_a_question_has_one_answer_in_a_space() -> None:
    assert not saves(row(CachedAnswer, id=1, question_key="k"), row(CachedAnswer, id=2, question_key="k"))
    assert saves(row(CachedAnswer, id=1, question_key="k"), row(CachedAnswer, id=2, question_key="l"))


def test_what_a_fresh_answer_said_is_unknown_until_it_is_asked() -> None:
    kept = stored(row(CacheHit, trace_id="t", same_meaning=None, same_citations=None))
    assert (kept["same_meaning"], kept["same_citations"]) == (None, None)
    assert not saves(row(CacheHit, trace_id="t"), row(CacheHit, trace_id="t"))


def test_no_column_contains_words_of_a_document() -> None:
    kinds = (Content.COPY, Content.DERIVED, Content.WRITTEN, Content.QUESTION, Content.DOCUMENT)
    assert not {"cachedanswer", "cachehit"} & {table.name for table, _ in marked_columns(*kinds)}


def test_one_answer_may_be_kept_for_several_questions_and_given_again_often() -> None:
    kept = [row(CachedAnswer, question_key=key, space="s", trace_id="t") for key in "abc"]
    assert saves(*kept)
    assert saves(*(row(CacheHit, trace_id=each, source_trace="t") for each in "uvw"))


@pytest.mark.parametrize("vector", [None, b"", b"\x00\x01" * 8])
def test_a_question_is_kept_with_its_vector_or_without(vector: bytes | None) -> None:
    assert stored(row(CachedAnswer, question_key="k", vector=vector))["vector"] == vector


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("similarity", None),
        ("prompt_tokens", 0),
        ("completion_tokens", 0),
        ("saved_ms", 0.0),
        ("checked_ms", None),
        ("fresh_trace", ""),
        ("same_citations", None),
        ("same_meaning", None),
    ],
)
def test_a_new_hit_saved_nothing_yet_and_is_not_checked(column: str, value: object) -> None:
    assert stored(row(CacheHit, trace_id="t"))[column] == value


@pytest.mark.parametrize("same", [True, False])
def test_a_check_that_found_a_difference_is_not_one_that_was_not_made(same: bool) -> None:
    kept = stored(row(CacheHit, trace_id="t", checked_ms=5, same_meaning=same, same_citations=not same))
    assert (kept["same_meaning"], kept["same_citations"]) == (same, not same)


@pytest.mark.parametrize("model", [CachedAnswer, CacheHit])
def test_every_text_column_is_marked_as_technical(model: type[SQLModel]) -> None:
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    assert {content_of(column) for column in table.columns if is_text(column)} == {Content.TECHNICAL}
