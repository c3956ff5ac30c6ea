"""What goes into the prompt fits the budget, and everything else has a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.asking.packing import pack
from rag.index.rows import Hit
from rag.settings import RetrievalSettings

HIT = Hit(1, 1, "a.txt", "/a.txt", "page 1", "page", 1, 0, 10, "some words", 2)


hits = st.lists(
    st.tuples(st.text("abc ", min_size=1, max_size=40), st.integers(0, 3), st.integers(0, 50), st.booleans()),
    max_size=25,
)


@given(hits, st.integers(1, 8), st.integers(1, 120))
def test_packing_numbers_what_fits_and_gives_every_other_hit_a_reason(
    rows: list[tuple[str, int, int, bool]], most: int, budget: int
) -> None:
    given_hits = [
        replace(
            HIT,
            chunk_id=n,
            document_id=d,
            text=text,
            start=s,
            end=s + len(text),
            dropped="low" if low else None,
        )
        for n, (text, d, s, low) in enumerate(rows)
    ]
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text.split())

    packed = pack(given_hits, RetrievalSettings(max_passages=most), count, budget).hits
    assert [hit.chunk_id for hit in packed] == [hit.chunk_id for hit in given_hits]
    markers = [hit.marker for hit in packed if hit.marker is not None]
    assert markers == list(range(1, len(markers) + 1))
    assert len(markers) <= most
    assert all((hit.marker is None) == (hit.dropped is not None) for hit in packed)
    kept = [hit for hit in packed if hit.marker is not None]
    cost = sum(len(f"[{hit.marker}] {hit.document}, {hit.place}\n{hit.text}\n\n".split()) for hit in kept)
    assert cost <= budget
    assert len({hit.text for hit in kept}) == len(kept)


def chunk(number: int, document: int = 1, place: str = "page 1", words: int = 8) -> Hit:
    """A chunk of words of its own, in its document's order."""
    text = " ".join(f"w{document}-{number}-{n}" for n in range(words))
    return replace(
        HIT, chunk_id=100 * document + number, document_id=document, document=f"d{document}", place=place,
        start=100 * number, end=100 * number + 90, text=text, fused_rank=0,
    )  # fmt: skip


DOCUMENTS = {
    1: [chunk(n) for n in range(4)],
    2: [chunk(n, 2, "table 1" if n > 1 else "page 1") for n in range(8)],
}


def read(document: int) -> Sequence[Hit]:
    return DOCUMENTS[document]


def candidates(*pairs: tuple[int, int]) -> list[Hit]:
    """Candidates in this order, as (document, number of the chunk)."""
    return [replace(DOCUMENTS[d][n], rank=rank, fused_rank=rank) for rank, (d, n) in enumerate(pairs, 1)]


def count(text: str) -> int:
    return len(text.split())


def shown(hits: Sequence[Hit]) -> list[int]:
    return [hit.chunk_id for hit in sorted(hits, key=lambda hit: hit.marker or 0) if hit.marker is not None]


def test_a_small_document_that_is_hit_twice_goes_in_whole_behind_its_best_passage() -> None:
    found = candidates((1, 2), (1, 0), (2, 5))
    packed = pack(found, RetrievalSettings(), count, 400, read)
    assert shown(packed.hits) == [102, 100, 101, 103, 205]
    added = [hit for hit in packed.hits if hit.rank > len(found)]
    assert [hit.moves for hit in added] == [("put in: the whole document fits",)] * 2
    assert shown(pack(found, RetrievalSettings(whole_documents=False), count, 400, read).hits) == [
        102,
        100,
        205,
    ]


def test_a_document_that_is_hit_once_or_takes_too_much_stays_as_it_is() -> None:
    once = candidates((1, 2), (2, 5))
    assert shown(pack(once, RetrievalSettings(), count, 400, read).hits) == [102, 205]
    twice = candidates((2, 5), (2, 1))
    assert shown(pack(twice, RetrievalSettings(), count, 150, read).hits) == [205, 201]


def test_a_question_for_a_list_gets_its_table_first_and_is_told_what_is_missing() -> None:
    packed = pack(candidates((2, 5), (1, 0)), RetrievalSettings(), count, 80, read, wants_all=True)
    assert shown(packed.hits)[:4] == [202, 203, 204, 205]
    assert packed.notes == (
        "the question asks for a list, and the model sees 6 of 8 passages of d2: the answer may be incomplete",
    )
    whole = pack(candidates((2, 5), (1, 0)), RetrievalSettings(), count, 400, read, wants_all=True)
    assert shown(whole.hits)[:8] == [200 + n for n in range(8)]
    assert whole.notes == ()


def test_neighbours_stand_around_their_passage() -> None:
    settings = RetrievalSettings(neighbours=1, whole_documents=False)
    packed = pack(candidates((2, 5), (1, 0)), settings, count, 400, read)
    assert shown(packed.hits) == [204, 205, 206, 100, 101]
    assert {hit.moves for hit in packed.hits if hit.rank > 2} == {
        ("put in: next to candidate 1",),
        ("put in: next to candidate 2",),
    }


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 3)), min_size=1, max_size=8, unique=True),
    st.integers(10, 300),
    st.booleans(),
    st.integers(0, 2),
)
def test_no_candidate_is_lost_whatever_is_put_in(
    pairs: list[tuple[int, int]], budget: int, wants_all: bool, neighbours: int
) -> None:
    found = candidates(*pairs)
    packed = pack(found, RetrievalSettings(neighbours=neighbours), count, budget, read, wants_all)
    ids = [hit.chunk_id for hit in packed.hits]
    assert len(ids) == len(set(ids))
    assert ids[: len(found)] == [hit.chunk_id for hit in found]
    assert all((hit.marker is None) == (hit.dropped is not None) for hit in packed.hits)
    cost = sum(
        count(f"[{hit.marker}] {hit.document}, {hit.place}\n{hit.text}\n\n")
        for hit in packed.hits
        if hit.marker
    )
    assert cost <= budget
