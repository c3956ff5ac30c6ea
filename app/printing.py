"""Prints HTML to a PDF file with Qt's own means: for the window, and for the command line without one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QGuiApplication,
    QPageLayout,
    QPageSize,
    QPainter,
    QPalette,
    QPdfWriter,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextTable,
)

from rag.errors import RagError

_DPI = 96  # one unit of the document is one pixel of a screen
_MARGINS_MM = QMarginsF(15, 15, 15, 18)
_FOOTER = 30  # units below the text of a page
_FOOTER_COLOUR = "#5b6675"


class _Document(QTextDocument):
    """A document that loads nothing: what it shows is in its own text."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Return nothing, whatever the text names."""
        return ""


def print_pdf(html: str, title: str, path: str) -> int:
    """Print HTML to a PDF file on A4 and return how many pages it has.

    Args:
        html: Plain enough for QTextDocument.
        title: In the footer of each page, and in the properties of the file.
        path: The file; one that is there is replaced.

    Raises:
        RagError: The file cannot be written.
    """
    application = _application()
    part = Path(f"{path}.part")
    try:
        part.write_bytes(b"")  # Qt would only say that it cannot
    except OSError as error:
        raise RagError(f"{path} cannot be written to ({error.strerror}). Choose another folder.") from error
    writer = QPdfWriter(str(part))
    writer.setResolution(_DPI * 12)  # text is placed as finely as it is printed
    writer.setPageLayout(
        QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, _MARGINS_MM,
                    QPageLayout.Unit.Millimeter)
    )  # fmt: skip
    writer.setTitle(title)
    writer.setCreator("Ragdeck")
    painter = QPainter()
    if not painter.begin(writer):
        raise RagError(f"{path} cannot be written to. Choose another folder.")
    scale = writer.logicalDpiX() / _DPI
    painter.scale(scale, scale)
    page = QRectF(0, 0, writer.width() / scale, writer.height() / scale)
    document = _document(html, page)
    _keep_together(document)
    count = document.pageCount()
    try:
        for number in range(count):
            if number:
                writer.newPage()
            _print_page(painter, document, page, number)
            _print_footer(painter, page, title, f"{number + 1} / {count}")
    finally:
        painter.end()
    del writer  # closes the file
    try:
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RagError(f"{path} cannot be written to ({error.strerror}). Choose another folder.") from error
    del application
    return count


def _application() -> QGuiApplication:
    """Return the window's application, or one that needs no display."""
    running = QGuiApplication.instance()
    if isinstance(running, QGuiApplication):
        return running
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QGuiApplication(sys.argv[:1])


def _document(html: str, page: QRectF) -> QTextDocument:
    document = _Document()
    document.setUndoRedoEnabled(False)
    document.setDocumentMargin(0)
    document.setDefaultFont(QFont("sans-serif", 9))
    document.setHtml(html)
    document.setPageSize(QSizeF(page.width(), page.height() - _FOOTER))
    return document


def _keep_together(document: QTextDocument) -> None:
    """Begin a page before a heading whose text is on the next one, and before a box that would be torn."""
    layout, height = document.documentLayout(), document.pageSize().height()

    def page_of(where: float) -> int:
        return int(where // height)

    block = document.begin()
    while block.isValid():
        top = layout.blockBoundingRect(block).top()
        table = QTextCursor(block).currentTable()
        if table is not None and table.rows() * table.columns() == 1:
            box = layout.frameBoundingRect(table)
            if block == table.firstCursorPosition().block() and page_of(box.top()) != page_of(box.bottom()):
                _begin_page(block, table)
        elif block.blockFormat().headingLevel():
            below = block.next()
            while below.isValid() and below.blockFormat().headingLevel():
                below = below.next()
            end = layout.blockBoundingRect(below).bottom() if below.isValid() else top
            if page_of(top) != page_of(end):
                _begin_page(block, None)
        block = block.next()


def _begin_page(block: QTextBlock, table: QTextTable | None) -> None:
    always = QTextFormat.PageBreakFlag.PageBreak_AlwaysBefore
    if table is not None:
        box = table.format()
        box.setPageBreakPolicy(always)
        table.setFormat(box)
    else:
        heading = block.blockFormat()
        heading.setPageBreakPolicy(always)
        QTextCursor(block).setBlockFormat(heading)


def _print_page(painter: QPainter, document: QTextDocument, page: QRectF, number: int) -> None:
    height = document.pageSize().height()
    context = QAbstractTextDocumentLayout.PaintContext()
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Text, Qt.GlobalColor.black)  # whatever the colours of the desktop are
    context.palette = palette
    context.clip = QRectF(0, number * height, page.width(), height)
    painter.save()
    painter.translate(QPointF(0, -number * height))
    painter.setClipRect(context.clip)
    document.documentLayout().draw(painter, context)
    painter.restore()


def _print_footer(painter: QPainter, page: QRectF, title: str, number: str) -> None:
    line = QRectF(0, page.height() - _FOOTER + 12, page.width(), _FOOTER - 12)
    painter.save()
    font = QFont("sans-serif")
    font.setPixelSize(9)  # points would be those of the printer
    painter.setFont(font)
    painter.setPen(QColor(_FOOTER_COLOUR))
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, title)
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, number)
    painter.restore()
