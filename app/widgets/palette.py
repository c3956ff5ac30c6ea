"""The command palette, the way to everything, and the list of shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    SignalInstance,
)
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFont, QKeyEvent, QPainter
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
from rag.text.word_starts import SCATTERED, grade

RECENT = "Recent"
_MOST_OF_A_GROUP = 8  # once something is typed
_EDGE = 10  # pixels beside the texts of a line


@dataclass(frozen=True)
class Command:
    """A thing that the program can do, for the palette, the shortcuts and the menus.

    Attributes:
        title: What it is called.
        run: What it does.
        shortcut: Its keys.
        keywords: Further words that it is found by.
        group: The heading that it stands under in the palette.
        detail: What tells it from others, at the right.
        key: By which it is known again when it was used; empty: its title.
        quiet: Whether it is offered only once something was typed.
    """

    title: str
    run: Callable[[], Any]
    shortcut: str = ""
    keywords: str = ""
    group: str = "Actions"
    detail: str = ""
    key: str = ""
    quiet: bool = False

    @property
    def name(self) -> str:
        """By which it is known again."""
        return self.key or self.title


class Finder(Protocol):
    """What finds more than the commands that are known at once; it answers a little later."""

    found: SignalInstance  # the text that was searched for, and a list of Commands

    def search(self, text: str) -> None:
        """Begin to search; a search that began before may be left out."""


class CommandPalette(QDialog):
    """A list of everything there is to do and to open, filtered by a few letters and run with Enter."""

    def __init__(
        self,
        commands: Sequence[Command],
        parent: QWidget,
        *,
        recent: Sequence[Command] = (),
        finder: Finder | None = None,
        used: Callable[[Command], object] | None = None,
    ) -> None:
        """Offer these commands.

        Args:
            commands: What is known at once.
            parent: The window.
            recent: What was used last, the latest first; it stands on top wherever it fits.
            finder: Finds more.
            used: Is told what was chosen, before that is run.
        """
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self._commands, self._recent, self._used = list(commands), list(recent), used
        self._finder = finder
        self._found: list[Command] = []
        self._pending = ""  # the text whose search has not ended
        self._run_when_found = False
        self._field, self._list = QLineEdit(), QListWidget()
        self._field.setPlaceholderText("Find a page, an action, a document, a trace, a setting…")
        self._field.setAccessibleName("Find anything")
        self._list.setAccessibleName("What was found")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setItemDelegate(_CommandDelegate(self._list))
        self._list.setUniformItemSizes(True)
        self._nothing = label("", "muted", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self._field)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list, 1)
        self._field.textChanged.connect(self._search)
        self._field.installEventFilter(self)
        self._list.itemClicked.connect(lambda _item: self._run())
        self._list.currentItemChanged.connect(lambda _now, _before: self._announce())
        if finder is not None:
            finder.found.connect(self._take)
        room = parent.size()
        self.resize(
            min(scaled(640), room.width() - 20), min(scaled(440), max(room.height() - 100, scaled(200)))
        )
        self._search("")

    def popup(self) -> None:
        """Open below the top of the window, ready to type."""
        parent = self.parentWidget()
        if parent is not None:
            below = min(80, max(parent.height() - self.height() - 10, 0))
            self.move(parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, below)))
        self.show()
        self._field.setFocus()

    def visible_titles(self) -> list[str]:
        """Return the titles that are offered for the letters typed so far, without the headings."""
        return [command.title for command in self._shown() if command is not None]

    def visible_groups(self) -> list[str]:
        """Return the headings that are shown, in order."""
        items = (self._list.item(number) for number in range(self._list.count()))
        return [item.text() for item in items if item.data(Qt.ItemDataRole.UserRole) is None]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the list while the field has the focus."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            page = max(self._list.height() // scaled(30) - 1, 1)
            keys = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: page,
                Qt.Key.Key_PageUp: -page,
            }
            step = keys.get(Qt.Key(event.key()))
            if step is not None:
                self._move(step)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run_when_found = bool(self._pending)  # never what only seems to be the first
                if not self._run_when_found:
                    self._run()
                return True
        return super().eventFilter(watched, event)

    # --- what is shown ------------------------------------------------------------------------------------

    def _search(self, text: str) -> None:
        self._found, self._run_when_found = [], False
        self._pending = text.strip()
        if self._finder is None or not self._pending:
            self._pending = ""
        else:
            self._finder.search(self._pending)
        self._show()

    def _take(self, text: str, found: list[Command]) -> None:
        """Show what the finder found, unless something else is searched for by now."""
        if text != self._pending:
            return
        self._pending, self._found = "", list(found)
        self._show()
        if self._run_when_found:
            self._run()

    def _show(self) -> None:
        """List what fits; the line that a person moved to stays the one that Enter runs."""
        chosen = self._current() if self._list.currentRow() > 1 else None
        self._list.clear()
        for heading, commands in grouped(self._field.text(), self._recent, [*self._commands, *self._found]):
            self._add_heading(heading)
            for command in commands:
                item = QListWidgetItem(command.title)
                spoken = (command.title, command.detail, command.shortcut, heading)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(part for part in spoken if part))
                item.setData(Qt.ItemDataRole.UserRole, command)
                self._list.addItem(item)
        shown = self._shown()
        again = next((n for n, each in enumerate(shown) if each and chosen and each.name == chosen.name), 1)
        self._list.setCurrentRow(again if shown else -1)
        self._nothing.setText(
            "Searching…"
            if self._pending
            else f"Nothing is called “{self._field.text().strip()}”. Try fewer letters."
        )
        self._nothing.setVisible(not shown)
        self._list.setVisible(bool(shown))

    def _add_heading(self, heading: str) -> None:
        item = QListWidgetItem(heading)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self._list.addItem(item)

    def _shown(self) -> list[Command | None]:
        """Return the lines of the list; a heading is None."""
        return [
            self._list.item(number).data(Qt.ItemDataRole.UserRole) for number in range(self._list.count())
        ]

    def _current(self) -> Command | None:
        item = self._list.currentItem()
        found: Command | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return found

    def _move(self, step: int) -> None:
        """Go on by some lines, over headings, and round from one end to the other."""
        lines = [number for number, command in enumerate(self._shown()) if command is not None]
        if not lines:
            return
        at = lines.index(self._list.currentRow()) if self._list.currentRow() in lines else -1
        far = at + step
        self._list.setCurrentRow(
            lines[far % len(lines) if abs(step) == 1 else min(max(far, 0), len(lines) - 1)]
        )
        if self._list.currentRow() == lines[0]:
            self._list.scrollToTop()  # its heading

    def _announce(self) -> None:
        """Tell screen readers which line Enter would run: the focus stays in the field."""
        item = self._list.currentItem()
        said = str(item.data(Qt.ItemDataRole.AccessibleTextRole) or "") if item is not None else ""
        self._field.setAccessibleDescription(said)
        if said and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._field, said))

    def _run(self) -> None:
        command = self._current()
        if command is not None:
            self.close()
            if self._used is not None:
                self._used(command)
            command.run()


def grouped(
    typed: str, recent: Sequence[Command], commands: Iterable[Command]
) -> list[tuple[str, list[Command]]]:
    """Return the commands that fit what was typed, under their headings, the best first.

    Recent ones stand on top. A command whose letters are merely scattered over its title is offered when
    nothing else fits.
    """
    typed = typed.strip()
    offered = (command for command in commands if typed or not command.quiet)
    marked = [(mark, command) for command in offered if (mark := _grade(typed, command)) is not None]
    latest = [
        command for command in recent if (mark := _grade(typed, command)) is not None and mark < SCATTERED
    ]
    if latest or any(mark < SCATTERED for mark, _ in marked):
        marked = [pair for pair in marked if pair[0] < SCATTERED]
    taken = {command.name for command in latest}
    groups: dict[str, list[tuple[int, Command]]] = {}
    for mark, command in marked:
        if command.name not in taken:
            taken.add(command.name)
            groups.setdefault(command.group, []).append((mark, command))
    for pairs in groups.values():
        pairs.sort(key=lambda pair: pair[0])
    order = sorted(groups, key=lambda group: groups[group][0][0]) if typed else list(groups)
    most = _MOST_OF_A_GROUP if typed else None
    shown = [(group, [command for _, command in groups[group][:most]]) for group in order]
    return [(RECENT, latest[:_MOST_OF_A_GROUP]), *shown] if latest else shown


def _grade(typed: str, command: Command) -> int | None:
    return grade(typed, command.title, f"{command.keywords} {command.detail}")


class _CommandDelegate(QStyledItemDelegate):
    """A painter of a command with its keys, or what tells it from others, at the right; and of headings."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return a height that is easy to hit."""
        return QSize(scaled(100), scaled(30))

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Shorten a title that would reach into what stands at the right."""
        super().initStyleOption(option, index)
        command = index.data(Qt.ItemDataRole.UserRole)
        if command is None:
            option.font.setWeight(QFont.Weight.DemiBold)
            option.displayAlignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
            return
        right = self._right(option, command)
        room = option.rect.width() - option.fontMetrics.horizontalAdvance(right) - 4 * _EDGE
        option.text = option.fontMetrics.elidedText(command.title, Qt.TextElideMode.ElideRight, room)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the title, and the keys or the detail in a muted colour."""
        super().paint(painter, option, index)
        command = index.data(Qt.ItemDataRole.UserRole)
        if command is not None:
            painter.setPen(option.palette.placeholderText().color())
            sides = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(option.rect.adjusted(0, 0, -_EDGE, 0), int(sides), self._right(option, command))

    def _right(self, option: QStyleOptionViewItem, command: Command) -> str:
        """Return what stands at the right, in at most half of the line."""
        return option.fontMetrics.elidedText(
            command.shortcut or command.detail, Qt.TextElideMode.ElideRight, option.rect.width() // 2
        )


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
