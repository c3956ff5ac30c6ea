"""The tree and timeline of steps: virtual, walked with keys, never broken by what senders get wrong."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from agent_spans import handoff, model, rows_of, span, tool
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.pages.traces.steps.tree import StepTree, bar_of, open_depth
from app.pages.traces.steps.tree_model import (
    COST,
    KIND,
    SERIES,
    STEP,
    TIMELINE,
    TOKENS,
    TOOK,
    StepTreeModel,
    cell_text,
    tip_of,
    took,
)
from app.widgets.theme import Theme
from rag.interchange.agents.rows import StepRow
from rag.interchange.rows import StepKind


@pytest.fixture
def tree(qtbot: QtBot, theme: Theme) -> Iterator[StepTree]:
    made = StepTree(theme)
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    yield made


def shown(tree: StepTree) -> list[str]:
    """Return the names of the rows that are unfolded, indented."""
    found, index = [], tree.steps_model.index(0, 0)
    while index.isValid():
        step = tree.steps_model.step_at(index)
        assert step is not None
        found.append("  " * step.depth + step.name)
        index = tree.indexBelow(index)
    return found


def test_steps_are_a_tree_as_they_called_each_other(tree: StepTree) -> None:
    tree.set_steps(rows_of(handoff()))
    assert shown(tree)[:5] == [
        "Agent workflow",
        "  triage",
        "    chat",
        "    handoff to refunds",
        "  refunds",
    ]
    assert tree.number == 1
    QAbstractItemModelTester(tree.steps_model, QAbstractItemModelTester.FailureReportingMode.Fatal)


def test_arrow_keys_walk_and_fold(qtbot: QtBot, tree: StepTree) -> None:
    tree.set_steps(rows_of(handoff()))
    with qtbot.waitSignal(tree.step_selected) as chosen:
        qtbot.keyClick(tree, Qt.Key.Key_Down)
    assert chosen.args[0].name == "triage"
    qtbot.keyClick(tree, Qt.Key.Key_Left)
    assert shown(tree)[1:3] == ["  triage", "  refunds"]
    qtbot.keyClick(tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text().startswith("triage\tagent\tfrom 0 to 5,000 ms\t5,000 ms")


def test_a_step_deep_below_is_unfolded_when_it_is_chosen(tree: StepTree) -> None:
    tree.set_steps(rows_of([span(1), *(span(n, n - 1) for n in range(2, 30))]))
    tree.collapseAll()
    tree.choose(29)
    assert len(shown(tree)) == 29 and tree.number == 29


def test_columns_that_nobody_told_are_hidden(tree: StepTree) -> None:
    tree.set_steps(rows_of([span(1), tool(2, 1, "x", "a")]))
    assert tree.isColumnHidden(TOKENS) and tree.isColumnHidden(COST)
    tree.set_steps(rows_of(handoff()))
    assert not tree.isColumnHidden(TOKENS) and not tree.isColumnHidden(COST)
    tree.set_steps([])
    assert tree.number == 0 and shown(tree) == []


def test_cells_say_failure_in_words_and_texts_are_plain(tree: StepTree) -> None:
    (step,) = rows_of([tool(1, 0, "<b>x</b>\ny", "a", "Error: <i>off</i>")])
    tree.set_steps([step])
    index = tree.steps_model.index(0, STEP)
    assert index.data() == "<b>x</b> y" and cell_text(step, KIND) == "tool, failed"
    assert "&lt;i&gt;off" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert "Failed: Error: <i>off</i>" in index.data(Qt.ItemDataRole.AccessibleDescriptionRole)
    assert cell_text(step, TIMELINE) == "from 0 to 1,000 ms"


def test_rows_without_a_known_parent_are_first_ones_and_rings_end(theme: Theme) -> None:
    first, second = rows_of([span(1), span(2, 1)])
    made = StepTreeModel(theme)
    made.set_steps(
        [replace(first, parent_id=second.span_id), second, replace(second, span_id="x", parent_id="?")]
    )
    assert made.rowCount() == 2 and made.rowCount(made.index(0, 0)) == 1
    assert not made.index(5, 0).isValid() and made.parent(QModelIndex()) == QModelIndex()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)


def wide(children: int, grandchildren: int) -> list[StepRow]:
    spans = [span(1), *(span(2 + n, 1) for n in range(children))]
    return rows_of([*spans, *(span(100_000 + n, 2) for n in range(grandchildren))])


@pytest.mark.parametrize(
    ("children", "grandchildren", "depth"), [(3, 2, None), (3, 20, 0), (12, 12, 0), (4, 5, 1), (30, 0, 0)]
)
def test_a_large_tree_is_unfolded_as_far_as_it_can_be_read(
    children: int, grandchildren: int, depth: int | None
) -> None:
    most = 9 if depth == 1 else 8
    steps = wide(children, grandchildren)
    if depth == 1:
        steps += [replace(steps[-1], span_id=f"d{n}", depth=3) for n in range(9)]
        most = 10
    assert open_depth(steps, most) == depth


def test_ten_thousand_steps_are_asked_for_as_they_are_seen(tree: StepTree) -> None:
    steps = wide(100, 9_899)
    asked = 0
    data = tree.steps_model.data

    def counting(index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        nonlocal asked
        asked += 1
        return data(index, role)

    tree.steps_model.data = counting  # type: ignore[method-assign]
    tree.set_steps(steps)
    tree.grab()
    assert 0 < asked < 10_000 and len(shown(tree)) == 101


def test_bars_stay_inside_and_are_seen() -> None:
    first = rows_of([span(1, end=10), model(2, 1, start=2, end=4)])
    assert bar_of(first[0], 10_000, 100) == (0, 100)
    assert bar_of(first[1], 10_000, 100) == (20, 20)
    instant = replace(first[1], start_ms=10_000, end_ms=10_000)
    assert bar_of(instant, 10_000, 100) == (98, 2)
    assert took(9_999) == "9,999 ms" and took(12_345) == "12.3 s"


(PLAIN,) = rows_of([span(1, name="step")])


@pytest.mark.parametrize(
    ("changes", "column", "text"),
    [
        ({"name": " two\n words "}, STEP, "two words"),
        ({"name": "", "tool": "look"}, STEP, "look"),
        ({"name": ""}, STEP, "chain"),
        ({"kind": StepKind.LLM}, KIND, "model"),
        ({"kind": StepKind.LLM, "error": "off"}, KIND, "model, failed"),
        ({"start_ms": 0.4, "end_ms": 12_345.6}, TIMELINE, "from 0 to 12,346 ms"),
        ({"start_ms": 0, "end_ms": 10_000}, TOOK, "10.0 s"),
        ({"start_ms": 5, "end_ms": 5}, TOOK, "0 ms"),
        ({}, TOKENS, ""),
        ({"prompt_tokens": 0}, TOKENS, "0"),
        ({"prompt_tokens": 1_200, "completion_tokens": 34}, TOKENS, "1,234"),
        ({"prompt_tokens": 1, "total_tokens": 5}, TOKENS, "5"),
        ({}, COST, ""),
        ({"cost_usd": 0.0}, COST, "$0.0000"),
        ({"cost_usd": 1234.5}, COST, "$1,234.5000"),
    ],
)
def test_a_cell_says_what_was_told_and_nothing_else(
    changes: dict[str, object], column: int, text: str
) -> None:
    assert cell_text(replace(PLAIN, **changes), column) == text


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"error": "it is off"}, "Failed: it is off"),
        ({"clock": "its end was before its start"}, "Times: its end was before its start"),
        ({"is_orphan": True}, "The step above it never arrived."),
        ({"is_counted": False}, "Another step is about the same call; it is counted there."),
    ],
)
def test_a_tip_says_what_is_odd_about_a_step(changes: dict[str, object], line: str) -> None:
    assert line in tip_of(replace(PLAIN, **changes)).splitlines()
    assert tip_of(PLAIN).splitlines() == ["step", "chain, from 0.0 to 1,000.0 ms"]


def test_a_tip_stays_short_whatever_a_sender_writes() -> None:
    assert len(tip_of(replace(PLAIN, name="x" * 9_999, error="y" * 9_999))) < 1_000


@given(
    st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.floats(0.001, 1e7), st.floats(2, 5_000)
)  # fmt: skip
def test_a_bar_is_inside_and_seen_whatever_the_times_are(
    start: float, end: float, total: float, width: float
) -> None:
    left, length = bar_of(replace(PLAIN, start_ms=start, end_ms=end), total, width)
    assert 2 <= length <= width and 0 <= left <= width - length


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (0.4, "0 ms"), (1_234.5, "1,234 ms"), (10_000, "10.0 s"), (3_600_000, "3,600.0 s")],
)
def test_a_time_is_in_milliseconds_and_a_long_one_in_seconds(milliseconds: float, text: str) -> None:
    assert took(milliseconds) == text


def test_headers_have_titles_and_figures_stand_to_the_right(theme: Theme) -> None:
    made = StepTreeModel(theme)
    horizontal = Qt.Orientation.Horizontal
    assert [made.headerData(n, horizontal) for n in range(made.columnCount())] == [
        "Step", "Kind", "Timeline", "Took", "Tokens", "Cost",
    ]  # fmt: skip
    role = Qt.ItemDataRole.TextAlignmentRole
    assert [made.headerData(n, horizontal, role) is not None for n in range(6)] == [False] * 3 + [True] * 3
    assert made.headerData(0, Qt.Orientation.Vertical) is None


def test_a_model_without_steps_and_a_wrong_index_have_no_data(theme: Theme) -> None:
    made = StepTreeModel(theme)
    assert made.rowCount() == 0 and made.step_at(QModelIndex()) is None
    assert made.data(QModelIndex()) is None
    made.set_steps([PLAIN])
    assert not made.index(0, 99).isValid() and not made.index(-1, 0).isValid()
    assert made.rowCount(made.index(0, 1)) == 0, "steps are below the first column alone"
    made.set_steps([])
    assert made.rowCount() == 0


def test_a_failed_step_is_in_another_colour(theme: Theme) -> None:
    made = StepTreeModel(theme)
    made.set_steps([PLAIN, replace(PLAIN, span_id="x", error="off")])
    role = Qt.ItemDataRole.ForegroundRole
    assert made.data(made.index(0, STEP), role) is None
    assert made.data(made.index(1, STEP), role) == theme.colour("bad")
    assert made.data(made.index(1, TIMELINE), role) is None


def test_every_kind_of_step_has_a_colour() -> None:
    assert set(SERIES) == set(StepKind)
