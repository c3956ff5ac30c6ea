"""The tables of the cache: one answer for a question in a space, one hit for a trace, and no text of either."""

from table_rows import row, saves, stored

from rag.storage.tables.cache import CachedAnswer, CacheHit
from rag.storage.tables.contents import Content, marked_columns


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
