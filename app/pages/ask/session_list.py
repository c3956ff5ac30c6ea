"""The list of sessions: searched, renamed in place, pinned, and deleted with an Undo."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QMenu, QWidget

from app.console import Console, Offer
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.labels import as_it_is, label
from app.widgets.layout import column
from app.widgets.navigation import SearchField
from app.widgets.theme import scaled
from rag import operations
from rag.asking.sessions.rows import SessionRow, list_sessions
from rag.text.plurals import counted

_MOST = 200  # that are listed; the search finds the others
_LONGEST = 200  # characters of a title in the list
_ID, _TITLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class SessionList(QWidget):
    """Sessions by name, the pinned ones first, then the one that was asked last."""

    chosen = Signal(str)  # its id
    deleted = Signal(str)

    def __init__(self, console: Console) -> None:
        """Fill with `refresh`."""
        super().__init__()
        self._console = console
        self._rows: dict[str, SessionRow] = {}
        self._current = ""
        self.search = SearchField("Search sessions")
        self.search.searched.connect(lambda _text: self.refresh())
        self.list = QListWidget()
        self.list.setAccessibleName("Sessions")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.list.currentItemChanged.connect(self._choose)
        self.list.itemChanged.connect(self._rename)
        self.list.installEventFilter(self)
        self.note = label("", "small", wrap=True)
        self.rename_button = button("Rename", self.rename_current, tip="Give the session a name (F2)")
        self.pin_button = button("Pin", self.pin_current, tip="Put the session at the top of the list")
        self.delete_button = button(
            "Delete", self.delete_current, tip="Take the session out of the list (Del)"
        )
        tools = Toolbar(self.rename_button, self.pin_button, self.delete_button, 1)
        column(self.search, self.note, (self.list, 1), tools, holder=self)

    @property
    def titles(self) -> list[str]:
        """The sessions that are listed."""
        return [self.list.item(place).text() for place in range(self.list.count())]

    def refresh(self) -> None:
        """Read the sessions again; the one that is open stays chosen."""
        if self.list.state() == QAbstractItemView.State.EditingState:
            return  # a name is being typed
        rows = list_sessions(self._console.database, self.search.text(), limit=_MOST + 1)
        self._rows = {row.id: row for row in rows[:_MOST]}
        with QSignalBlocker(self.list):
            self.list.clear()
            for row in self._rows.values():
                self.list.addItem(self._item(row))
        searched = bool(self.search.text().strip())
        empty = (
            "No session has these words."
            if searched
            else "Every session is kept here, by its first question."
        )
        more = f"The last {_MOST} are listed. Search for older ones." if len(rows) > _MOST else ""
        self.note.setText(more if rows else empty)
        self.note.setVisible(bool(self.note.text()))
        self.mark(self._current)

    def mark(self, session_id: str) -> None:
        """Show which session is open, without opening it again."""
        self._current = session_id
        with QSignalBlocker(self.list):
            found = next((i for i in self._items() if i.data(_ID) == session_id), None)
            self.list.setCurrentItem(found)  # type: ignore[arg-type]
            if found is None:
                self.list.clearSelection()
        row = self._rows.get(session_id)
        reason = "" if row is not None else "Choose a session first"
        for made in (self.rename_button, self.pin_button, self.delete_button):
            allow(made, reason)
        self.pin_button.setText("Unpin" if row is not None and row.is_pinned else "Pin")
        self.pin_button.setAccessibleName(self.pin_button.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Delete the session on Del."""
        is_press = event.type() == QEvent.Type.KeyPress
        if is_press and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Delete:
            self.delete_current()
            return True
        return super().eventFilter(watched, event)

    # --- what can be done with the session that is open ---------------------------------------------------

    def rename_current(self) -> None:
        """Let a person type another name in the list; an empty one brings the first question back."""
        item = self.list.currentItem()
        if item is not None:
            self.list.setFocus()
            self.list.editItem(item)

    def pin_current(self) -> None:
        """Put the session at the top, or back in its place."""
        row = self._rows.get(self._current)
        if row is not None:
            self._console.run(
                operations.pin_session, self._changed, session_id=row.id, pinned=not row.is_pinned
            )

    def delete_current(self) -> None:
        """Take the session out of the list, with an Undo."""
        row = self._rows.get(self._current)
        if row is not None:
            self._console.run(
                operations.delete_session, lambda _done: self._say_deleted(row), session_id=row.id
            )

    def _say_deleted(self, row: SessionRow) -> None:
        self._changed()
        self.deleted.emit(row.id)
        self._console.offer.emit(
            Offer(
                f"Deleted the session “{shortened(row.title, 60)}”. Its traces are kept.",
                "Undo",
                lambda: self._undelete(row.id),
                f"session {row.id}",
            )
        )

    def _undelete(self, session_id: str) -> None:
        def show(_done: object) -> None:
            self._changed()
            self.chosen.emit(session_id)

        self._console.run(operations.undelete_session, show, session_id=session_id)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(_ID) != self._current:
            self.chosen.emit(item.data(_ID))

    def _rename(self, item: QListWidgetItem) -> None:
        if item.text() != item.data(_TITLE):
            self._console.run(
                operations.rename_session, self._changed, session_id=item.data(_ID), name=item.text()
            ).failed.connect(lambda *_: self.refresh())

    def _changed(self, _done: object = None) -> None:
        self.refresh()
        self._console.data_changed.emit()

    # --- making -------------------------------------------------------------------------------------------

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(place) for place in range(self.list.count())]

    def _item(self, row: SessionRow) -> QListWidgetItem:
        title = shortened(row.title, _LONGEST)
        item = QListWidgetItem(title)
        item.setData(_ID, row.id)
        item.setData(_TITLE, title)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        if row.is_pinned:
            item.setIcon(self._console.theme.icon("pin", "text_muted"))
        asked = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.asked_ms / 1000))
        about = f"{counted(row.question_count, 'question')}, last asked {asked}\nAsks “{row.collection}”"
        item.setToolTip(as_it_is(f"{title}\n{about}{', pinned' if row.is_pinned else ''}"))
        return item

    def _open_menu(self, place: QPoint) -> None:
        if self.list.itemAt(place) is None:
            return
        menu = QMenu(self)
        for made in (self.rename_button, self.pin_button, self.delete_button):
            menu.addAction(made.text(), made.click)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(place))

    def sizeHint(self) -> QSize:
        """Return a width at which most names can be told apart."""
        return QSize(scaled(210), super().sizeHint().height())


def shortened(text: str, most: int) -> str:
    """Return a text in one line, cut where it is longer than so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
