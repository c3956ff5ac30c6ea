"""The guide in a window of its own, beside the page that it explains: sections, search, pictures."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage, QResizeEvent, QTextBlockFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QTextEdit,
    QWidget,
)

from app.help.sections import GUIDE, Section, find, read_sections
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, row
from app.widgets.navigation import SearchField
from app.widgets.theme import SPACE, Theme, scaled

_PICTURE = re.compile(r"^pictures/[\w-]+\.webp$")
_SECTION = re.compile(r"^([a-z-]+)\.md$")
_SIZE = (900, 640)


class GuideView(QTextBrowser):
    """A view of one section. It loads the guide's own pictures and nothing else."""

    section_wanted = Signal(str)

    def __init__(self) -> None:
        """Make an empty view."""
        super().__init__()
        self.setAccessibleName("Guide")
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.document().setDocumentMargin(SPACE)
        self.anchorClicked.connect(self.follow)
        self._section: Section | None = None
        self._words: list[str] = []

    def show_section(self, section: Section, words: str = "") -> None:
        """Show a section from its beginning, or from the first of some words, which are marked."""
        self._section, self._words = section, words.split()
        self._draw()
        self.verticalScrollBar().setValue(0)
        if marks := self._mark():
            self.setTextCursor(marks[0].cursor)  # type: ignore[attr-defined]
            self.ensureCursorVisible()
            cursor = self.textCursor()
            cursor.clearSelection()
            self.setTextCursor(cursor)

    def follow(self, link: QUrl) -> None:
        """Go to another section, or hand an address of the web to the desktop: it was clicked on."""
        if link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)
        elif found := _SECTION.match(link.toString()):
            self.section_wanted.emit(found.group(1))

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load a picture of the guide, no wider than the view."""
        text = name.toString() if isinstance(name, QUrl) else name
        if kind != QTextDocument.ResourceType.ImageResource.value or not _PICTURE.match(text):
            return None
        image = QImage(str(GUIDE / text))
        room = max(self.viewport().width() - 3 * SPACE, 100)
        if image.width() > room:
            image = image.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures into the new width, and stay where the reader was."""
        super().resizeEvent(event)
        if self._section is not None and event.size().width() != event.oldSize().width():
            bar = self.verticalScrollBar()
            share = bar.value() / max(bar.maximum(), 1)
            self._draw()
            self._mark()
            bar.setValue(round(share * bar.maximum()))

    def _draw(self) -> None:
        assert self._section is not None
        self.document().clear()
        features = QTextDocument.MarkdownFeature
        self.document().setMarkdown(
            self._section.text, features.MarkdownDialectGitHub | features.MarkdownNoHTML
        )
        self._space()

    def _space(self) -> None:
        """Put room between paragraphs, and more above a heading: Qt's Markdown has none."""
        block = self.document().begin()
        while block.isValid():
            cursor, look = QTextCursor(block), QTextBlockFormat()
            look.setBottomMargin(scaled(4 if block.textList() else 8))
            if block.blockFormat().headingLevel() > 1:
                look.setTopMargin(scaled(12))
            cursor.mergeBlockFormat(look)
            block = block.next()

    def _mark(self) -> list[QTextEdit.ExtraSelection]:
        """Mark every place of the words that were searched for, and return the marks."""
        marks = []
        for word in self._words:
            cursor = QTextCursor(self.document())
            while not (cursor := self.document().find(word, cursor)).isNull():
                mark = QTextEdit.ExtraSelection()
                mark.cursor = cursor  # type: ignore[attr-defined]
                mark.format.setBackground(self.palette().highlight())  # type: ignore[attr-defined]
                mark.format.setForeground(self.palette().highlightedText())  # type: ignore[attr-defined]
                marks.append(mark)
        marks.sort(key=lambda mark: mark.cursor.selectionStart())  # type: ignore[attr-defined]
        self.setExtraSelections(marks)
        return marks


class GuideWindow(QDialog):
    """A window with the sections of the guide, which blocks nothing: read beside it what it explains."""

    page_wanted = Signal(str)

    def __init__(self, theme: Theme, pages: dict[str, str], parent: QWidget) -> None:
        """Show the first section.

        Args:
            theme: The colours.
            pages: The title of each page of the program by its key.
            parent: The program's window.
        """
        super().__init__(parent)
        self.setWindowTitle("Guide")
        self.setAccessibleName("Guide")
        self._pages = pages
        self._sections = read_sections()
        self.search = SearchField("Search the guide")
        self.list = QListWidget()
        self.list.setAccessibleName("Sections")
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = label("No section has these words. Try a single one.", "muted", wrap=True)
        self.view = GuideView()
        self.page_button = button("", self._go)
        left = column(self.search, self.nothing, (self.list, 1))
        right = column((self.view, 1), row(1, self.page_button, button("Close", self.close)))
        column(Splitter("guide/splitter", left, right, (230, 640), stretch=(0, 1)), holder=self)
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self.list.currentItemChanged.connect(lambda item, _before: item is not None and self._show(item))
        self.search.searched.connect(self.look_for)
        self.view.section_wanted.connect(self.open_at)
        theme.changed.connect(self._redraw)
        self.resize(scaled(_SIZE[0]), scaled(_SIZE[1]))
        self.look_for("")

    @property
    def key(self) -> str:
        """The key of the section that is shown."""
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole).key if item is not None else ""

    def open_at(self, key: str) -> None:
        """Come to the front with a section; the search is over."""
        self.search.clear()
        self.look_for("", key)
        self.show()
        self.raise_()
        self.activateWindow()
        self.list.setFocus()

    def look_for(self, words: str, key: str = "") -> None:
        """List the sections that have all of these words, and show the one with this key, or the first."""
        hits = find(self._sections, words)
        self.list.clear()
        for hit in hits:
            item = QListWidgetItem(hit.section.title + (f"\n{hit.excerpt}" if words.split() else ""))
            item.setData(Qt.ItemDataRole.UserRole, hit.section)
            item.setSizeHint(QSize(0, scaled(78 if words.split() else 26)))
            self.list.addItem(item)
        self.nothing.setVisible(not hits)
        keys = [hit.section.key for hit in hits]
        self.list.setCurrentRow(keys.index(key) if key in keys else 0)

    def _show(self, item: QListWidgetItem) -> None:
        section: Section = item.data(Qt.ItemDataRole.UserRole)
        self.view.show_section(section, self.search.text())
        title = self._pages.get(section.key, "")
        self.page_button.setVisible(bool(title))
        self.page_button.setText(f"Go to {title}")
        self.page_button.setAccessibleName(self.page_button.text())

    def _redraw(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self._show(item)

    def _go(self) -> None:
        self.page_wanted.emit(self.key)
