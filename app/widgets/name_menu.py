"""A menu of tags or labels to give and take away, and of a label why it is moved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from app.widgets.labels import as_it_is


def pick_name(parent: QWidget, title: str, usual: Sequence[str], given: Sequence[str]) -> str:
    """Let the user pick a name from a menu or type one; empty when nothing was picked.

    Args:
        parent: The widget in front of which the menu opens.
        title: The title of the box for another name.
        usual: Names that are offered always.
        given: Names that are given already, which are ticked.
    """
    menu = QMenu(parent)
    for name in dict.fromkeys((*usual, *given)):
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(name in given)
    other = menu.addAction("Another…")
    chosen = menu.exec(parent.cursor().pos())
    if chosen is None:
        return ""
    if chosen is not other:
        return chosen.text()
    name, accepted = QInputDialog.getText(parent, title, "Name:")
    return name.strip() if accepted else ""


def pick_label_move(
    parent: QWidget, number: int, labels: Sequence[str]
) -> tuple[str, int | None, str] | None:
    """Ask which label moves and why; None when nothing was picked.

    Args:
        parent: The widget in front of which the menu opens.
        number: The number of the version that gets the label or loses it.
        labels: The labels that this version has.

    Returns:
        The label, the number of the version that gets it (None where it is taken away), and the reason.
    """
    name = pick_name(parent, "Label", ("production", "staging"), labels)
    if not name:
        return None
    taken = name in labels
    what = f"Remove “{name}” from version {number}" if taken else f"Move “{name}” to version {number}"
    note, accepted = QInputDialog.getText(parent, "Label", as_it_is(f"{what}. Reason, for the log:"))
    return (name, None if taken else number, note) if accepted else None
