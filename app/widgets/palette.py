"""The command palette and the list of shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QGridLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, scaled


@dataclass(frozen=True)
class Command:
    """A thing that the program can do, for the palette, the shortcuts and the menus."""

    title: str
    run: Callable[[], Any]
    shortcut: str = ""
    keywords: str = ""


class CommandPalette(QDialog):
    """A list of commands that is filtered by a few letters and run with Enter."""

    def __init__(self, commands: Sequence[Command], parent: QWidget) -> None:
        """Offer these commands."""
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self._commands = list(commands)
        self._field, self._list = QLineEdit(), QListWidget()
        self._field.setPlaceholderText("Type a command")
        self._field.setAccessibleName("Type a command")
        self._list.setAccessibleName("Commands")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setItemDelegate(_CommandDelegate(self._list))
        self._list.setUniformItemSizes(True)
        self._nothing = label("No command has these letters", "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self._field)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list, 1)
        self._field.textChanged.connect(self._filter)
        self._field.installEventFilter(self)
        self._list.itemActivated.connect(lambda _item: self._run())
        self._list.itemClicked.connect(lambda _item: self._run())
        self.resize(scaled(520), scaled(380))
        self._filter("")

    def popup(self) -> None:
        """Open below the top of the window, ready to type."""
        parent = self.parentWidget()
        if parent is not None:
            centre = parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, 80))
            self.move(centre)
        self.show()
        self._field.setFocus()

    def visible_titles(self) -> list[str]:
        """Return the titles of the commands that have the letters typed so far."""
        return [self._list.item(n).data(Qt.ItemDataRole.UserRole).title for n in range(self._list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the list while the field has the focus."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self._list.count():
                self._list.setCurrentRow((self._list.currentRow() + step) % self._list.count())
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        self._list.clear()
        scored = [
            (score, command)
            for command in self._commands
            if (score := fuzzy_score(text, command)) is not None
        ]
        for _, command in sorted(scored, key=lambda pair: pair[0]):
            item = QListWidgetItem(command.title)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{command.title}, {command.shortcut}")
            item.setData(Qt.ItemDataRole.UserRole, command)
            self._list.addItem(item)
        self._list.setCurrentRow(0)
        self._nothing.setVisible(not scored)

    def _run(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            command = item.data(Qt.ItemDataRole.UserRole)
            self.close()
            command.run()


class _CommandDelegate(QStyledItemDelegate):
    """A painter of a command with its keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return a height that is easy to hit."""
        return QSize(super().sizeHint(option, index).width(), scaled(30))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the title, and the keys in a muted colour."""
        super().paint(painter, option, index)
        command = index.data(Qt.ItemDataRole.UserRole)
        painter.setPen(option.palette.placeholderText().color())
        sides = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(option.rect.adjusted(0, 0, -10, 0), int(sides), command.shortcut)


class ShortcutsDialog(QDialog):
    """A list of which keys do what."""

    def __init__(self, shortcuts: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """List the shortcuts, pairs of the keys and what they do."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        content = QWidget()
        grid = QGridLayout(content)
        grid.setHorizontalSpacing(2 * SPACE)
        grid.setVerticalSpacing(SMALL_SPACE)
        grid.setColumnStretch(0, 1)
        for number, (keys, action) in enumerate(shortcuts):
            shown = label(keys)
            shown.setObjectName("keys")
            grid.addWidget(label(action), number, 0)
            grid.addWidget(shown, number, 1, Qt.AlignmentFlag.AlignRight)
        grid.setRowStretch(len(shortcuts), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(scrolled(content), 1)
        layout.addLayout(row(1, button("Close", self.reject)))
        self.resize(scaled(460), scaled(min(120 + 28 * len(shortcuts), 560)))


def fuzzy_score(text: str, command: Command) -> int | None:
    """Return how far the letters of a text are spread in a command's words, None when one is missing."""
    target = f"{command.title} {command.keywords}".lower()
    wanted = "".join(text.lower().split())
    if not wanted:
        return 0
    if text.lower().strip() in target:
        return target.index(text.lower().strip())
    position, spread = -1, 100
    for letter in wanted:
        following = target.find(letter, position + 1)
        if following < 0:
            return None
        spread += following - position
        position = following
    return spread
