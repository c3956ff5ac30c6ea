"""Fingerprints: the same content has one, whatever its order, and any other content has another."""

from hypothesis import given
from hypothesis import strategies as st

from rag.storage.fingerprints import content_fingerprint, texts_fingerprint

facts = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=6)


@given(facts, st.randoms())
def test_the_order_of_documents_and_exclusions_does_not_matter(
    rows: list[tuple[str, str]], chance: object
) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert content_fingerprint("e", rows, rows) == content_fingerprint("e", mixed, mixed)


def test_every_part_of_the_content_counts() -> None:
    prints = [
        content_fingerprint("e", [("a", "1"), ("b", "2")]),
        content_fingerprint("f", [("a", "1"), ("b", "2")]),
        content_fingerprint("e", [("a", "1")]),
        content_fingerprint("e", [("a", "1"), ("b", "3")]),
        content_fingerprint("e", [("a", "1", "b", "2")]),
        content_fingerprint("e", [("a", "1"), ("b", "2")], [("1", "c", "0", "boilerplate")]),
        content_fingerprint("e", [], [("a", "1"), ("b", "2")]),
        content_fingerprint("e", []),
    ]
    assert len(set(prints)) == len(prints)
    assert all(len(value) == 64 for value in prints)


def test_texts_count_once_and_in_any_order() -> None:
    assert texts_fingerprint("e", ["a", "b", "a"]) == texts_fingerprint("e", ["b", "a"])
    assert texts_fingerprint("e", ["a"]) != texts_fingerprint("e", ["b"])
    assert texts_fingerprint("e", ["a"]) != texts_fingerprint("f", ["a"])


def test_a_text_that_is_no_unicode_has_a_fingerprint() -> None:
    assert content_fingerprint("e", [("\ud800", "1")]) != content_fingerprint("e", [("\ud801", "1")])
