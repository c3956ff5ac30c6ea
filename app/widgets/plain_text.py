"""Shows texts of others as they are: a document's text, a file's name, what a model wrote.

Qt guesses whether a tooltip, a label, a message or a legend is HTML, and HTML opens the files that it names.
`tests/app/widgets/test_plain_text.py` holds that nothing of the window leaves the guess to Qt.
"""

from __future__ import annotations

from html import escape
from typing import Any

from pyqtgraph import LegendItem, PlotWidget
from PySide6.QtWidgets import QWidget


def as_it_is(text: str) -> str:
    """Return what Qt shows as this text, wherever it guesses whether a text is HTML."""
    if "<" not in text:
        return text  # Qt takes it for plain
    lines = escape(text).replace("\n", "<br>")
    return f'<qt><span style="white-space:pre-wrap">{lines}</span></qt>'


def set_tip(widget: QWidget, text: str) -> None:
    """Show this text as the tooltip of a widget, whatever it contains."""
    widget.setToolTip(as_it_is(text))


class PlainLegend(LegendItem):
    """A legend whose names are texts and not HTML."""

    def addItem(self, item: Any, name: str) -> None:
        """Add a line for an item of the plot."""
        super().addItem(item, escape(name))


def add_legend(plot: PlotWidget, **options: Any) -> PlainLegend:
    """Give a plot a legend. options: as of pyqtgraph's LegendItem."""
    legend = PlainLegend(**options)
    plot.getPlotItem().legend = legend  # where the items that are added look for it
    legend.setParentItem(plot.getPlotItem().vb)
    return legend
