"""The menu of a table's rows: the same for all tables, with what a page adds to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.widgets.labels import as_it_is
from app.widgets.tables.export import Form

Entries = Sequence[tuple[str, Callable[[], object]]]  # what an entry says, and what it does


@dataclass(frozen=True)
class Links:
    """What the program knows to do with some records, wherever they are listed.

    Attributes:
        opens: The objects that they name, each opened in its page.
        commands: Lines for a terminal that do or show the same; what each does, and the line.
    """

    opens: Entries = ()
    commands: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Rows:
    """Rows of a table that a menu is asked for.

    Attributes:
        text: Gives the rows with tabs between their cells.
        json: Gives the rows as JSON.
        cell: The text of the cell that was clicked; None: the click was not on one.
        count: How many rows these are.
        total: How many the table has; None: more than were read so far.
    """

    text: Callable[[], str]
    json: Callable[[], str]
    cell: str | None
    count: int
    total: int | None


def row_menu(
    parent: QWidget, rows: Rows, actions: Entries, links: Links, export: Callable[[Form, bool], object]
) -> QMenu:
    """Return the menu of some rows: open, what the page does with them, copy, and export.

    Args:
        parent: The table.
        rows: The selected rows.
        actions: What the page does with them.
        links: What is known of them elsewhere.
        export: Writes the selected rows (True) or all rows (False) to a file.
    """
    menu = QMenu(parent)
    for group in (links.opens, actions):
        _add(menu, group)
        if group:
            menu.addSeparator()
    if rows.count:
        _add_copies(menu, rows)
        _add_commands(menu, links.commands)
    whole = rows.total is None or rows.total > rows.count
    for form in Form:
        name = form.upper()
        if rows.count > 1 or not whole:
            what = "the selected rows" if whole else "the list"
            menu.addAction(f"Export {what} as {name}…", partial(export, form, whole))
        if whole:
            menu.addAction(f"Export all rows as {name}…", partial(export, form, False))
    return menu


def copy_text(text: str) -> None:
    """Put a text on the clipboard."""
    QApplication.clipboard().setText(text)


def entry_text(text: str) -> str:
    """Return a text as an entry of a menu shows it: "&" would mark a letter."""
    return text.replace("&", "&&")


def _add(menu: QMenu, entries: Entries) -> None:
    for title, action in entries:
        menu.addAction(entry_text(title), action)


def _add_copies(menu: QMenu, rows: Rows) -> None:
    copied = menu.addAction("Copy", lambda: copy_text(rows.text()))
    copied.setShortcut(QKeySequence.StandardKey.Copy)  # shown; the table itself takes the key
    if rows.cell is not None:
        cell = rows.cell
        menu.addAction("Copy cell", lambda: copy_text(cell))
    menu.addAction("Copy as JSON", lambda: copy_text(rows.json()))


def _add_commands(menu: QMenu, commands: Sequence[tuple[str, str]]) -> None:
    if len(commands) == 1:
        menu.addAction("Copy as command line", lambda: copy_text(commands[0][1]))
    elif commands:
        below = menu.addMenu("Copy as command line")
        below.setToolTipsVisible(True)
        for title, line in commands:
            action = below.addAction(entry_text(title), partial(copy_text, line))
            action.setToolTip(as_it_is(line))
