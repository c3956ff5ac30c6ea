"""The shared widgets: what the user sees and clicks."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.charts import Bar, RangeBrush, Series, TimeChart, Waterfall
from app.item_models import PAGE, Column, RecordTable, RecordTableModel
from app.theme import Theme
from app.widgets import AnswerView, Banner, Command, CommandPalette, PassageView, flag_summary, fuzzy_score
from rag.data_folder import RESOURCES
from rag.events import ClaimResult

COLUMNS = (
    Column("Name", lambda r: r[0], 120),
    Column("Count", lambda r: str(r[1]), 60, right=True, sort=lambda r: r[1]),
)


def claim(text: str, start: int, verdict: str, score: float | None = 0.9) -> ClaimResult:
    return ClaimResult(text, start, start + len(text), verdict, score, evidence_marker=1, evidence_text="e")


def underline(view: AnswerView, position: int) -> QTextCharFormat.UnderlineStyle:
    cursor = QTextCursor(view.document())
    cursor.setPosition(position + 1)
    return cursor.charFormat().underlineStyle()


def test_both_themes_name_the_same_colours_and_every_icon_can_be_drawn(theme: Theme) -> None:
    light = dict(theme.values)
    for path in (RESOURCES / "icons").glob("*.svg"):
        assert not theme.pixmap(path.stem, "text", 24).toImage().allGray() or path.stem != "ragdeck"
    theme.apply("dark")
    assert theme.is_dark
    assert set(theme.values) == set(light)
    theme.apply("light")


def test_a_table_model_keeps_qts_rules(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setUseFetchMore(False)  # it would fetch inside its own reset
    model.set_records([("b", 10), ("A", 9), ("c", 100)])
    model.sort(0)
    assert [r[0] for r in model.records] == ["A", "b", "c"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert [r[1] for r in model.records] == [100, 10, 9]
    rows = [(str(n), n) for n in range(PAGE + 30)]
    model.set_source(lambda offset, limit: rows[offset : offset + limit])
    assert model.rowCount() == PAGE
    model.fetchMore(model.index(-1, -1))
    assert model.rowCount() == PAGE + 30
    assert tester.model() is model


def test_enter_activates_a_row_and_ctrl_c_copies_it(qtbot: QtBot, theme: Theme) -> None:
    from PySide6.QtWidgets import QApplication

    table = RecordTable(COLUMNS, theme, "test_table", "Nothing here.")
    qtbot.addWidget(table)
    table.set_records([("a", 1), ("b", 2)])
    table.selectRow(1)
    with qtbot.waitSignal(table.record_activated) as caught:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert caught.args == [("b", 2)]
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "b\t2"


def test_sentences_are_underlined_by_their_verdict_even_behind_an_emoji(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    text = "🙂 Fine [1]. Wrong one. Odd one."
    view.set_answer(text, [1])
    view.set_claims(
        [
            claim("🙂 Fine [1].", 0, "supported"),
            claim("Wrong one.", 12, "unsupported"),
            claim("Odd one.", 23, "check"),
        ],
        [1],
    )
    assert underline(view, 3) == QTextCharFormat.UnderlineStyle.NoUnderline
    assert underline(view, 14) == QTextCharFormat.UnderlineStyle.WaveUnderline
    assert underline(view, 25) == QTextCharFormat.UnderlineStyle.DotLine
    assert view.toPlainText() == text


def test_a_citation_is_a_link_only_when_it_was_in_the_prompt(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("One [1] and nine [9].", [1])
    html = view.toHtml()
    assert "cite:1" in html
    assert "cite:9" not in html
    cursor = QTextCursor(view.document())
    cursor.setPosition(5)
    with qtbot.waitSignal(view.citation_clicked) as caught:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cursorRect(cursor).center())
    assert caught.args == [1]


def test_clicking_a_sentence_names_its_claim(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("First one. Second one.", [])
    view.set_claims([claim("First one.", 0, "supported"), claim("Second one.", 11, "check")], [])
    cursor = QTextCursor(view.document())
    cursor.setPosition(15)
    with qtbot.waitSignal(view.claim_clicked) as caught:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cursorRect(cursor).center())
    assert caught.args == [1]


def test_an_answer_never_loads_what_a_model_names(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer('<img src="file:///etc/passwd"> ![x](http://127.0.0.1:9/x.png)', [])
    assert "<img" in view.toPlainText()
    assert view.loadResource(2, QUrl.fromLocalFile(str(tmp_path))) is None


def test_the_summary_counts_by_verdict() -> None:
    claims = [claim("a", 0, "supported"), claim("b", 1, "check"), claim("c", 2, "not checkable", None)]
    assert flag_summary(claims) == "1 of 2 sentences have support; 1 to check"
    assert flag_summary([claims[2]]) == "No sentence of this answer can be checked"


def test_a_passage_is_marked_where_it_stands(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.show_passage("🙂 before the passage after", 13, 20)
    assert view.marked_text == "passage"


def test_the_palette_filters_and_runs(qtbot: QtBot) -> None:
    ran: list[str] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    commands = [
        Command("Go to Traces", lambda: ran.append("traces")),
        Command("Add files", lambda: ran.append("add")),
    ]
    palette = CommandPalette(commands, parent)
    palette.popup()
    qtbot.keyClicks(palette._field, "adfi")
    assert palette.visible_titles() == ["Add files"]
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert ran == ["add"]
    assert fuzzy_score("zzz", commands[0]) is None


def test_a_notice_can_be_acted_on_and_dismissed(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    ran: list[int] = []
    banner.show_notice("Something happened.", "bad", "Undo", lambda: ran.append(1))
    assert banner.isVisibleTo(None) or not banner.isHidden()
    qtbot.mouseClick(banner._action, Qt.MouseButton.LeftButton)
    assert ran == [1]
    assert banner.isHidden()


def test_bars_stack_hover_names_the_value_and_a_click_opens_the_trace(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    chart = TimeChart(theme, "Tokens", "tokens")
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.show()
    x = np.array([1_000_000.0, 1_000_100.0])
    ids = ("t1", "t2")
    chart.set_bars(
        [
            Series("prompt", x, np.array([10.0, 20.0]), ids),
            Series("completion", x, np.array([5.0, 6.0]), ids),
        ],
        60,
    )
    assert chart.value_at(QPointF(1_000_100, 22)).startswith("completion: 6 tokens")
    assert chart.value_at(QPointF(1_000_000, 3)).startswith("prompt: 10 tokens")
    assert chart.value_at(QPointF(1_000_050, 3)) == ""
    chart.set_range(999_900, 1_000_200)
    qtbot.wait(30)
    scene = chart.plot.getPlotItem().vb.mapViewToScene(QPointF(1_000_100, 3))
    with qtbot.waitSignal(chart.point_clicked) as caught:
        position = chart.plot.mapFromScene(scene)
        qtbot.mouseClick(
            chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(position.x(), position.y())
        )
    assert caught.args == ["t2"]
    chart.export_csv(tmp_path / "a.csv")
    assert "completion,6.0,t2" in (tmp_path / "a.csv").read_text("utf-8")
    chart.export_png(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_points_have_percentiles_and_survive_nothing_and_nan(qtbot: QtBot, theme: Theme) -> None:
    chart = TimeChart(theme, "Latency", "ms")
    qtbot.addWidget(chart)
    chart.set_points([])
    x = np.arange(1000.0, 1100.0)
    chart.set_points(
        [Series("first token", x, np.append(np.arange(99.0), np.nan), tuple(map(str, range(100))))]
    )
    assert chart._levels[0] == ("p50", 49.0)
    theme.apply("dark")
    theme.apply("light")


def test_the_brush_says_which_range_was_chosen(qtbot: QtBot, theme: Theme) -> None:
    brush = RangeBrush(theme)
    qtbot.addWidget(brush)
    brush.set_data(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 0.0, 10.0, 0.0)
    with qtbot.waitSignal(brush.range_changed) as caught:
        brush.region.setRegion((2, 5))
    assert caught.args == [pytest.approx(2), pytest.approx(5)]


def test_the_waterfall_speaks_its_spans(qtbot: QtBot, theme: Theme) -> None:
    chart = Waterfall(theme)
    qtbot.addWidget(chart)
    chart.set_bars([Bar("embed", 0, 12, "", 0), Bar("generate", 12, 400, "", 1)])
    chart.resize(400, chart.sizeHint().height())
    chart.grab()
    assert chart.accessibleDescription() == "embed 12 ms; generate 388 ms"
