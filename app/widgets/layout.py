"""Small widgets that the pages share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTextBrowser,
    QTextEdit,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.widgets.theme import FONT_PX, SMALL_SPACE, SPACE, STATUS_COLOURS, VERDICT_COLOURS, Theme
from rag.text.plurals import counted

_LONG_WORD = 40  # characters
_NOTICE_MS = 9000  # how long a notice stays that asks for nothing


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """A label with one of the style sheet's roles: title, section, muted, small, value, bad."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


def button(
    text: str,
    action: Callable[[], Any] | None = None,
    *,
    primary: bool = False,
    link: bool = False,
    tip: str = "",
) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setProperty("link", link)
    made.setToolTip(tip)
    made.setAccessibleName(text)
    if action is not None:
        made.clicked.connect(lambda _checked=False: action())
    return made


class IconButton(QToolButton):
    """A button with an icon alone: name and tooltip are compulsory."""

    def __init__(self, theme: Theme, icon: str, name: str, action: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self.setObjectName("iconButton")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setIconSize(QSize(18, 18))
        if action is not None:
            self.clicked.connect(lambda _checked=False: action())
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "text_muted"))


def scrolled(content: QWidget) -> QScrollArea:
    """The content in an area that scrolls up and down."""
    content.setObjectName(content.objectName() or "content")
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def row(*widgets: QWidget | int, margins: int = 0, spacing: int = SMALL_SPACE) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(margins, margins, margins, margins)
    layout.setSpacing(spacing)
    for widget in widgets:
        if isinstance(widget, int):
            layout.addStretch(widget)
        else:
            layout.addWidget(widget)
    return layout


class Panel(QFrame):
    """A surface with a border and an optional heading."""

    def __init__(self, heading: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(SPACE, SPACE - 2, SPACE, SPACE)
        self.body.setSpacing(SMALL_SPACE + 2)
        self.heading_row = QHBoxLayout()
        if heading:
            self.heading_row.addWidget(label(heading, "section"))
            self.heading_row.addStretch(1)
            self.body.addLayout(self.heading_row)


class ElidedLabel(QLabel):
    """A line that shortens with an ellipsis when there is no room; the tooltip and Copy have all of it."""

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        copy = QAction("Copy", self)
        copy.triggered.connect(lambda: QApplication.clipboard().setText(self.text()))
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleName(text)
        self.setToolTip(text)

    def shown_text(self) -> str:
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment()), self.shown_text())
        painter.end()


class StatusPill(QWidget):
    """A word on a tinted ground: a status, a verdict, a count, a fallback that was taken."""

    def __init__(
        self, theme: Theme, text: str = "", kind: str = "text_muted", parent: QWidget | None = None
    ) -> None:
        """kind: a status, a verdict, or a colour's name."""
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_status(text, kind)

    def set_status(self, text: str, kind: str = "", solid: bool = False) -> None:
        """An empty kind looks the text up among the statuses and verdicts."""
        kind = kind or text
        self.text, self._solid = text, solid
        self._colour = STATUS_COLOURS.get(kind) or VERDICT_COLOURS.get(kind) or kind
        if self._colour not in self._theme.values:
            self._colour = "text_muted"
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._font())
        padding = 8 if self._solid else 14
        return QSize(max(metrics.horizontalAdvance(self.text) + padding, 18), metrics.height() + 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._colour, 255 if self._solid else 34))
        radius = self.height() / 2 if self._solid else 5
        painter.drawRoundedRect(self.rect(), radius, radius)
        painter.setPen(self._theme.colour("accent_text" if self._solid else self._colour))
        painter.setFont(self._font())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text)
        painter.end()

    def _font(self) -> QFont:
        font = self.font()
        font.setPixelSize(FONT_PX - (3 if self._solid else 2))
        font.setWeight(QFont.Weight.DemiBold)
        return font


class Card(QFrame):
    """One figure at a glance."""

    clicked = Signal()

    def __init__(self, title: str, clickable: bool = True) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setProperty("clickable", clickable)
        self._title = title
        if clickable:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 11, 14, 12)
        layout.setSpacing(2)
        self._value_row = QHBoxLayout()
        self._value_row.setSpacing(SPACE)
        self._value, self._detail = label("–", "value"), label("", "small", wrap=True)
        layout.addWidget(label(title, "muted"))
        self._value_row.addWidget(self._value)
        layout.addLayout(self._value_row)
        layout.addWidget(self._detail)
        self.setFixedHeight(112)

    def set_value(self, value: str, detail: str = "", role: str = "value") -> None:
        self._value.setText(value)
        self._detail.setText(detail)
        self.setAccessibleName(f"{self._title}: {value}. {detail}")

    @property
    def value(self) -> str:
        return self._value.text()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if self.property("clickable") and event.button() == Qt.MouseButton.LeftButton and inside:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if self.property("clickable") and event.key() in keys:
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class EmptyState(QWidget):
    """What a page without content says and offers."""

    def __init__(self, theme: Theme, icon: str, title: str, sentence: str, *actions: QPushButton) -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self._picture, self._title, self._sentence = (
            QLabel(),
            label(title, "title"),
            label(sentence, "muted", wrap=True),
        )
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (self._picture, self._title, self._sentence):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        self._sentence.setMinimumWidth(200)
        if actions:
            layout.addSpacing(SPACE)
            layout.addLayout(row(1, *actions, 1))
        layout.addStretch(2)
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self._picture.setPixmap(self._theme.pixmap(self._icon, "muted_mark", 48))


class SearchField(QLineEdit):
    """A line to filter by; says what was typed once typing pauses."""

    searched = Signal(str)

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(True)
        self._pause = QTimer(self, singleShot=True, interval=180)
        self._pause.timeout.connect(lambda: self.searched.emit(self.text()))
        self.textChanged.connect(lambda _text: self._pause.start())


class Banner(QFrame):
    """A notice above a page that does not block; gone with a click."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._text = label("", wrap=True)
        self._action = button("", link=True)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        self._run: Callable[[], Any] | None = None
        self._action.clicked.connect(self._act)
        layout = row(self._text, self._action, IconButton(theme, "cancel", "Dismiss this notice", self.hide))
        layout.setContentsMargins(SPACE, 4, 4, 4)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    def show_notice(
        self, text: str, kind: str = "info", action: str = "", run: Callable[[], Any] | None = None
    ) -> None:
        self._text.setText(text)
        self._run = run
        self._timer.stop()
        if kind == "info" and run is None:
            self._timer.start(_NOTICE_MS)
        self._action.setText(action)
        self._action.setAccessibleName(action)
        self._action.setVisible(bool(action))
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.show()

    @property
    def text(self) -> str:
        return self._text.text()

    def _act(self) -> None:
        self.hide()
        if self._run is not None:
            self._run()


class DropOverlay(QWidget):
    """Covers the window while files are dragged over it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_text(self, text: str) -> None:
        self.text = text
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.colour("window", 225))
        painter.setPen(QPen(self._theme.colour("accent"), 2.5, Qt.PenStyle.DashLine))
        painter.setBrush(self._theme.colour("accent_soft", 160))
        painter.drawRoundedRect(self.rect().adjusted(22, 22, -22, -22), 14, 14)
        picture = self._theme.pixmap("load", "accent", 56)
        centre = self.rect().center()
        painter.drawPixmap(centre.x() - 28, centre.y() - 64, picture)
        painter.setPen(self._theme.colour("text"))
        font = self.font()
        font.setPixelSize(18)
        painter.setFont(font)
        painter.drawText(
            self.rect().adjusted(60, 40, -60, 0),
            int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
            self.text,
        )
        painter.end()


def page_shortcut(number: int) -> str:
    """Of the page with this number, from 1: there are nine digits for Ctrl (Ctrl+0 fits a drawn page)."""
    return f"Ctrl+{number}" if number < 10 else f"Ctrl+Alt+{number - 9}"


class NavigationRail(QFrame):
    """The pages, as icons with a word."""

    page_requested = Signal(str)

    def __init__(self, theme: Theme, pages: Sequence[tuple[str, str, str]]) -> None:
        """pages: (key, title, icon)."""
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName("Pages")
        self._theme = theme
        self._buttons: dict[str, tuple[QToolButton, str]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 10, 6, 10)
        layout.setSpacing(4)
        logo = QLabel()
        logo.setPixmap(theme.pixmap("ragdeck", size=32))
        logo.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(logo)
        layout.addSpacing(8)
        for number, (key, title, icon) in enumerate(pages, 1):
            made = QToolButton()
            made.setText(title)
            made.setCheckable(True)
            made.setAutoExclusive(True)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            made.setIconSize(QSize(20, 20))
            made.setFixedSize(78, 52)
            made.setAccessibleName(title)
            made.setToolTip(f"{title} ({page_shortcut(number)})")
            made.clicked.connect(lambda _checked=False, k=key: self.page_requested.emit(k))
            self._buttons[key] = (made, icon)
            layout.addWidget(made)
        layout.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def set_current(self, key: str) -> None:
        self._buttons[key][0].setChecked(True)
        self._tint()

    def button(self, key: str) -> QToolButton:
        return self._buttons[key][0]

    def set_badge(self, key: str, count: int) -> None:
        """A number at the corner of a page's button; none when it is 0."""
        made = self.button(key)
        pill = made.findChild(StatusPill)
        if pill is None:
            pill = StatusPill(self._theme, parent=made)
            pill.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        pill.set_status("99+" if count > 99 else str(count), "accent", solid=True)
        pill.setVisible(count > 0)
        pill.resize(pill.sizeHint())
        pill.move(made.width() - pill.width() - 2, 2)
        title = made.text()
        made.setAccessibleName(f"{title}, {count} new" if count else title)

    def _tint(self) -> None:
        for made, icon in self._buttons.values():
            made.setIcon(self._theme.icon(icon, "accent" if made.isChecked() else "text_muted"))


class ProgressPanel(Panel):
    """An ingest at work: what it does, how far it is, and how to stop it."""

    cancel_requested = Signal()
    pause_requested = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title, self._detail, self._rate = label("", "section"), label("", "muted"), label("", "small")
        self._files, self._chunks = QProgressBar(), QProgressBar()
        self._files.setAccessibleName("Progress over all files")
        self._chunks.setAccessibleName("Progress over the chunks read so far")
        self._pause = button("Pause", self._toggle)
        self._paused = False
        top = row(self._title, 1, self._rate, self._pause, button("Cancel", self.cancel_requested.emit))
        self.body.addLayout(top)
        self.body.addWidget(self._files)
        self.body.addWidget(self._chunks)
        self.body.addWidget(self._detail)
        self.hide()

    def begin(self, title: str) -> None:
        self._title.setText(title)
        self._detail.setText("Waiting for the engine…")
        self._rate.clear()
        self._files.setRange(0, 0)
        self._chunks.setRange(0, 1)
        self._set_paused(False)
        self.show()

    def update_progress(self, event: Any) -> None:
        """event: rag.events.IngestProgress."""
        self._files.setRange(0, max(event.bytes_total, 1) // 1024 + 1)
        self._files.setValue(event.bytes_done // 1024)
        self._chunks.setRange(0, max(event.chunks_total, 1))
        self._chunks.setValue(min(event.chunks_done, max(event.chunks_total, 1)))
        name = re.split(r"[\\/]", event.file)[-1] if event.file else ""
        self._detail.setText(
            f"{event.stage.capitalize()}  {name}   ·   {event.files_done:,} of {counted(event.files_total, 'file')}"
        )
        parts = [f"{event.chunks_per_s:.0f} chunks/s"] if event.chunks_per_s else []
        if event.remaining_s is not None:
            parts.append(f"about {_duration(event.remaining_s)} left")
        self._rate.setText("   ".join(parts))

    def _toggle(self) -> None:
        self._set_paused(not self._paused)
        self.pause_requested.emit(self._paused)

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused
        self._pause.setText("Resume" if paused else "Pause")
        self._pause.setAccessibleName(self._pause.text())


@dataclass(frozen=True)
class Command:
    """Something the program can do, for the palette, the shortcuts and the menus."""

    title: str
    run: Callable[[], Any]
    shortcut: str = ""
    keywords: str = ""


class CommandPalette(QDialog):
    """Ctrl+K: type a few letters, press Enter."""

    def __init__(self, commands: Sequence[Command], parent: QWidget) -> None:
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
        self.resize(520, 380)
        self._filter("")

    def popup(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            centre = parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, 80))
            self.move(centre)
        self.show()
        self._field.setFocus()

    def visible_titles(self) -> list[str]:
        return [self._list.item(n).data(Qt.ItemDataRole.UserRole).title for n in range(self._list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
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
    """A command with its keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), 30)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        command = index.data(Qt.ItemDataRole.UserRole)
        painter.setPen(option.palette.placeholderText().color())
        sides = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(option.rect.adjusted(0, 0, -10, 0), int(sides), command.shortcut)


class ShortcutsDialog(QDialog):
    """Which keys do what."""

    def __init__(self, shortcuts: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """shortcuts: (keys, what they do)."""
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
        self.resize(460, min(120 + 28 * len(shortcuts), 560))


def fuzzy_score(text: str, command: Command) -> int | None:
    """How far the letters of text are spread in the command's words; None when they are not all there."""
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


class KeyValueGrid(QWidget):
    """Pairs of a name and a value that can be selected and copied."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(SPACE)
        self._layout.setVerticalSpacing(4)
        self._layout.setColumnStretch(1, 1)

    def set_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it lives until the event loop is idle
                widget.deleteLater()
        for number, (name, value) in enumerate(pairs):
            name_label, value_label = label(name, "muted"), _value_label(value)
            self._layout.addWidget(name_label, number, 0, Qt.AlignmentFlag.AlignTop)
            self._layout.addWidget(value_label, number, 1)


def _value_label(value: str) -> QLabel:
    """A long word, such as a fingerprint, cannot wrap: it is shortened and copied from its menu."""
    if max(map(len, value.split()), default=0) > _LONG_WORD:
        return ElidedLabel(value, Qt.TextElideMode.ElideMiddle)
    made = label(value, wrap=True)
    keyboard, mouse = (
        Qt.TextInteractionFlag.TextSelectableByKeyboard,
        Qt.TextInteractionFlag.TextSelectableByMouse,
    )
    made.setTextInteractionFlags(keyboard | mouse)
    return made


class AnswerView(QTextBrowser):
    """An answer as plain text: citations are links, sentences are underlined by their verdict.

    The text is kept exactly, so that the offsets of claims fit. Nothing is ever loaded: a model's output may
    name images and files.
    """

    citation_clicked = Signal(int)
    claim_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._claims: list[Any] = []
        self._markers: set[int] = set()
        self.setObjectName("answer")
        self.setAccessibleName("Answer")
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._follow)  # by mouse, or by Tab and Enter
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        theme.changed.connect(self._restyle)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        return None

    def set_answer(self, text: str, markers: Sequence[int] = ()) -> None:
        """markers: the numbers that were in the prompt; other [n] stay plain text."""
        self._claims = []
        self._markers = set(markers)
        self.setPlainText(_same_length(text))
        self._restyle()

    def append_text(self, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(_same_length(text), QTextCharFormat())

    def set_claims(self, claims: Sequence[Any], markers: Sequence[int]) -> None:
        """claims: rag.events.ClaimResult in order."""
        self._claims = list(claims)
        self._markers = set(markers)
        self._restyle()

    def claim_at(self, position: int) -> int | None:
        for index, claim in enumerate(self._claims):
            if claim.start <= position < claim.end:
                return index
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        index = self._claim_under(position)
        claim = self._claims[index] if index is not None else None
        over = bool(self.anchorAt(position)) or (claim is not None and claim.verdict != "not checkable")
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.IBeamCursor)
        if claim is not None and claim.verdict != "not checkable":
            QToolTip.showText(event.globalPosition().toPoint(), claim_summary(claim), self)
        else:
            QToolTip.hideText()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton or self.textCursor().hasSelection():
            return
        position = event.position().toPoint()
        if self.anchorAt(position):
            return
        index = self._claim_under(position)
        if index is not None:
            self.claim_clicked.emit(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _follow(self, link: QUrl) -> None:
        if link.scheme() == "cite":
            self.citation_clicked.emit(int(link.path()))

    def _claim_under(self, position: QPoint) -> int | None:
        cursor = self.cursorForPosition(position)
        rectangle = self.cursorRect(cursor)
        beside = cursor.atBlockEnd() and position.x() > rectangle.right() + rectangle.height()
        if beside or abs(rectangle.center().y() - position.y()) > rectangle.height():
            return None
        return self.claim_at(_code_points(self.toPlainText(), cursor.position()))

    def _fit(self) -> None:
        height = int(self.document().size().height()) + 4
        if height != self.height():
            self.setFixedHeight(max(height, 24))

    def _restyle(self) -> None:
        text = self.toPlainText()
        everything = QTextCursor(self.document())
        everything.select(QTextCursor.SelectionType.Document)
        plain = QTextCharFormat()
        plain.setForeground(self._theme.colour("text"))
        everything.setCharFormat(plain)
        for claim in self._claims:
            mark = verdict_format(claim.verdict, self._theme)
            if mark is not None:
                self._cursor(text, claim.start, claim.end).mergeCharFormat(mark)
        for match in re.finditer(r"\[(\d{1,3})\]", text):
            if int(match.group(1)) in self._markers:
                link = QTextCharFormat()
                link.setAnchor(True)
                link.setAnchorHref(f"cite:{match.group(1)}")
                link.setForeground(self._theme.colour("accent"))
                link.setFontWeight(600)
                self._cursor(text, match.start(), match.end()).mergeCharFormat(link)

    def _cursor(self, text: str, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(_utf16(text, start))
        cursor.setPosition(_utf16(text, end), QTextCursor.MoveMode.KeepAnchor)
        return cursor


def verdict_format(verdict: str, theme: Theme) -> QTextCharFormat | None:
    """The underline of a verdict; None for those without a mark."""
    if verdict not in ("check", "unsupported", "contradicted", "no evidence"):
        return None
    mark = QTextCharFormat()
    colour = theme.colour(VERDICT_COLOURS[verdict])
    styles = {
        "check": QTextCharFormat.UnderlineStyle.DotLine,
        "unsupported": QTextCharFormat.UnderlineStyle.WaveUnderline,
        "contradicted": QTextCharFormat.UnderlineStyle.WaveUnderline,
        "no evidence": QTextCharFormat.UnderlineStyle.DashUnderline,
    }
    mark.setUnderlineStyle(styles[verdict])
    mark.setUnderlineColor(colour)
    if verdict == "contradicted":
        tint = QColor(colour)
        tint.setAlpha(38)
        mark.setBackground(tint)
    return mark


def claim_summary(claim: Any) -> str:
    """A claim's verdict in a line: what was found, and how sure the detector is."""
    parts = [claim.verdict.capitalize()]
    if claim.reason:
        parts.append(claim.reason)
    if claim.score is not None:
        parts.append(f"risk {claim.score:.2f}")
    if claim.evidence_marker is not None:
        parts.append(f"nearest: [{claim.evidence_marker}]")
    return "  ·  ".join(parts)


class PassageView(QPlainTextEdit):
    """A text with one passage marked and in view."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._range = (0, 0)
        self.setReadOnly(True)
        self.setObjectName("plain")
        self.setAccessibleName("Source text")
        theme.changed.connect(self._mark)

    def show_passage(self, text: str, start: int, end: int) -> None:
        text = _same_length(text)
        self.setPlainText(text)
        self._range = (_utf16(text, start), _utf16(text, end))
        self._mark()
        QTimer.singleShot(0, self._scroll)

    @property
    def marked_text(self) -> str:
        return (
            self.toPlainText()
            .encode("utf-16-le")[2 * self._range[0] : 2 * self._range[1]]
            .decode("utf-16-le")
        )

    def _mark(self) -> None:
        selection = QTextEdit.ExtraSelection()
        selection.format.setBackground(self._theme.colour("highlight"))
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        cursor.setPosition(self._range[1], QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        self.setExtraSelections([selection])

    def _scroll(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        self.setTextCursor(cursor)
        self.centerCursor()


class PageView(QScrollArea):
    """A page of a PDF as an image with rectangles over the quoted passage.

    Ctrl and the wheel zoom, Ctrl+0 fits the width; Page Up and Page Down scroll, and at the page's edge want the page before or after.
    """

    page_wanted = Signal(int)  # -1 the page before, 1 the one after

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._image = QImage()
        self._rectangles: Sequence[tuple[float, float, float, float]] = ()
        self._zoom = 1.0
        self._canvas = QLabel()
        self._canvas.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setWidget(self._canvas)
        self.setWidgetResizable(True)
        self.setAccessibleName("Page of the source")
        theme.changed.connect(self._draw)

    def show_page(self, page: Any) -> None:
        """page: rag.reports.RenderedPage."""
        self._image = QImage(
            page.rgb, page.width, page.height, page.width * 3, QImage.Format.Format_RGB888
        ).copy()
        self._rectangles = page.rectangles
        self._draw()
        if page.rectangles:
            top = min(rectangle[1] for rectangle in page.rectangles) * self._scale()
            QTimer.singleShot(0, lambda: self.verticalScrollBar().setValue(int(top - 60)))

    @property
    def rectangle_count(self) -> int:
        return len(self._rectangles)

    def zoom(self, factor: float) -> None:
        self._zoom = min(max(self._zoom * factor, 0.4), 4.0)
        self._draw()

    def fit_width(self) -> None:
        self._zoom = 1.0
        self._draw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.zoom(1.15 if event.angleDelta().y() > 0 else 1 / 1.15)
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_0 and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.fit_width()
        elif event.key() == Qt.Key.Key_PageDown and bar.value() == bar.maximum():
            self.page_wanted.emit(1)
        elif event.key() == Qt.Key.Key_PageUp and bar.value() == bar.minimum():
            self.page_wanted.emit(-1)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def _scale(self) -> float:
        if self._image.isNull():
            return 1.0
        return max(self.viewport().width() - 4, 100) / self._image.width() * self._zoom

    def _draw(self) -> None:
        if self._image.isNull():
            return
        scale = self._scale()
        ratio = self.devicePixelRatioF()
        picture = QPixmap.fromImage(
            self._image.scaledToWidth(
                int(self._image.width() * scale * ratio), Qt.TransformationMode.SmoothTransformation
            )
        )
        picture.setDevicePixelRatio(ratio)
        painter = QPainter(picture)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("page_mark", 90))
        for x, y, width, height in self._rectangles:
            painter.drawRect(int(x * scale), int(y * scale), int(width * scale) + 1, int(height * scale) + 1)
        painter.end()
        self._canvas.setPixmap(picture)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _same_length(text: str) -> str:
    """Qt makes one character of \\r\\n, and every offset behind it would be wrong by one."""
    return text.replace("\r\n", " \n")


def _utf16(text: str, offset: int) -> int:
    """Qt counts UTF-16 units, Python code points: they differ after an emoji."""
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, position: int) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * position].decode("utf-16-le", "ignore"))
