"""A graph is saved where a person says, and what cannot be written is said."""

from pathlib import Path

import pytest
from driving import notices
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.chart_export import save_chart
from app.widgets.charts import TimeChart


@pytest.mark.parametrize("kind", ["PNG", "CSV"])
def test_a_graph_is_saved_where_a_person_says(
    qtbot: QtBot, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    chart = TimeChart(console.theme, "Cost", "EUR", parent)
    asked: list[str] = []
    for path in ("", str(tmp_path / "x"), str(tmp_path / "no" / "x")):
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *a, _path=path: (asked.append(a[2]), (_path, ""))[1]
        )
        save_chart(parent, console, chart, kind, "costs")
    assert asked == [f"costs.{kind.lower()}"] * 3
    assert (tmp_path / "x").stat().st_size > 0
    assert [text for text, _ in notices(console)] == [
        f"{tmp_path / 'no' / 'x'} could not be written: No such file or directory."
    ]
