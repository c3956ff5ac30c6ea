"""The tree and timeline of steps: virtual, walked with keys, never broken by what senders get wrong."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from agent_spans import handoff, model, rows_of, span, tool
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.pages.traces.steps.tree import StepTree, bar_of, open_depth
from app.pages.traces.steps.tree_model import (
    COST,
    KIND,
    STEP,
    TIMELINE,
    TOKENS,
    StepTreeModel,
    cell_text,
    took,
)
from app.widgets.theme import Theme
from rag.interchange.agents.rows import StepRow


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
