"""Saves a graph as a picture or as its values, to a file that a person names."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.console import Console
from app.widgets.charts import TimeChart


def save_chart(parent: QWidget, console: Console, chart: TimeChart, kind: str, name: str) -> None:
    """Ask for a file and save a graph to it.

    Args:
        parent: What the dialog belongs to.
        console: Told when the file cannot be written.
        chart: The graph.
        kind: "PNG" for a picture, "CSV" for the values.
        name: The file name that is suggested, without its ending.
    """
    ending = kind.lower()
    path, _ = QFileDialog.getSaveFileName(
        parent, f"Save as {kind}", f"{name}.{ending}", f"{kind} (*.{ending})"
    )
    if not path:
        return
    try:
        chart.export_png(Path(path)) if kind == "PNG" else chart.export_csv(Path(path))
    except OSError as error:
        console.notice.emit(f"{path} could not be written: {error.strerror}.", "bad")
