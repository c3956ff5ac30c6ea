"""The table of candidates says how each came to its place."""

from __future__ import annotations

import pytest
from driving import column
from pytestqt.qtbot import QtBot

from app.shared.candidate_table import HIT_COLUMNS, CandidateTable
from app.widgets.theme import Theme
from rag.index.rows import Hit, ListRank

HITS = (
    Hit(1, 1, "a.txt", "/a.txt", "page 1", "page", 1, 0, 10, "Rye bread needs time.", 4, 1, 0.5, 3, 2.5, 1, 0.4, 0.71,
        1, (ListRank("dense", 1, 0.5), ListRank("BM25", 3, 2.5)), (), 1),
    Hit(2, 1, "a.txt", "/a.txt", "", "", None, 20, 30, "Tags are kept.", 3, None, 0.1, 2, 1.0, 9, 0.1, None, 9,
        (ListRank("BM25", 2, 1.0),), ("put last: a table of contents or an index",), None, "beyond 1 passages"),
    Hit(3, 1, "a.txt", "/a.txt", "", "", None, 40, 50, "Put in besides.", 3, rank=10,
        moves=("put in: the whole document fits",), marker=2),
)  # fmt: skip


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> CandidateTable:
    made = CandidateTable(theme, "candidates of a test", "Nothing.")
    qtbot.addWidget(made)
    made.show_hits(HITS, "Said at first.")
    return made


def find(table: CandidateTable, words: str) -> str:
    table.find_box.setText(words)
    table.find_words()
    return table.explanation.text()


def test_every_rank_and_score_has_a_column(table: CandidateTable) -> None:
    shown = {title: column(table.table, title) for title in (c.title for c in HIT_COLUMNS)}
    assert shown["#"][:2] == ["1", "9"]
    assert shown["In prompt"][:2] == ["[1]", "beyond 1 passages"]
    assert (shown["Dense rank"][:2], shown["Cosine"][:2]) == (["1", "–"], ["0.500", "0.100"])
    assert (shown["BM25 rank"][:2], shown["BM25"][:2]) == (["3", "2"], ["2.500", "1.000"])
    assert (shown["Fused rank"][:2], shown["Fused"][:2]) == (["1", "9"], ["0.400", "0.100"])
    assert shown["Reranked"][:2] == ["0.710", "–"]
    assert shown["Document"][0] == "a.txt"
    assert table.explanation.text() == "Said at first."


def test_words_find_a_passage_and_tell_what_became_of_it(table: CandidateTable) -> None:
    assert find(table, "RYE  bread") == (
        "[1] is the passage of a.txt, page 1, candidate 1. It was number 1 of dense, number 3 of BM25 and number 1 "
        "after fusion."
    )
    assert find(table, "tags are") == (
        "Candidate 9 is the passage of a.txt; it was left out: beyond 1 passages. It was number 2 of BM25 and lost "
        "7 places at fusion (9); then put last: a table of contents or an index."
    )
    assert table.table.selected_records() == [HITS[1]]
    assert find(table, "besides").endswith("It was put in: the whole document fits.")


def test_words_that_no_candidate_has_are_asked_for_elsewhere(qtbot: QtBot, table: CandidateTable) -> None:
    with qtbot.waitSignal(table.find_requested) as asked:
        assert find(table, "sourdough") == "No candidate contains these words in sequence."
    assert asked.args == ["sourdough"]
    assert find(table, "  ") == ""
