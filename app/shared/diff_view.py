"""Two versions of a document side by side: chunks added and removed, words changed, the rest folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QTextBrowser, QWidget

from app.widgets.buttons import IconButton
from app.widgets.labels import label
from app.widgets.layout import column, row
from app.widgets.theme import Theme
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.text.plurals import counted

_CONTEXT = 1  # unchanged chunks shown around a change
_MOST_SHOWN = 400  # changes drawn at once: a rich text of more takes seconds to lay out


class _Browser(QTextBrowser):
    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing, whatever a document's text names."""
        return None


class DiffView(QWidget):
    """A view of ChunkChanges in which next and previous go from change to change."""

    def __init__(
        self,
        theme: Theme,
        heading: Callable[[ChunkRow], str] | None = None,
        same: str = "No chunk of this document differs.",
        unfolded: int = 0,
    ) -> None:
        """Make an empty view.

        Args:
            theme: The colours.
            heading: Names a chunk above its text; its position and place by default.
            same: What is said when nothing differs.
            unfolded: How many unchanged chunks at the beginning are shown in any case.
        """
        super().__init__()
        self._same, self._unfolded = same, unfolded
        self._theme = theme
        self._heading = heading or (lambda chunk: f"chunk {chunk.position + 1} {chunk.place}")
        self._changes: tuple[ChunkChange, ...] = ()
        self._open: set[int] = set()
        self._current = -1
        self._count = 0
        self._text = label("", "muted")
        self._browser = _Browser()
        self._browser.setOpenLinks(False)
        self._browser.setAccessibleName("Both versions side by side")
        self._browser.anchorClicked.connect(self._unfold)
        self.previous = IconButton(theme, "chevron-up", "Previous change (Shift+F7)", lambda: self.step(-1))
        self.next = IconButton(theme, "chevron-down", "Next change (F7)", lambda: self.step(1))
        self.previous.setShortcut("Shift+F7")
        self.next.setShortcut("F7")
        column(row(self._text, 1, self.previous, self.next), (self._browser, 1), holder=self)
        theme.changed.connect(self._draw)
        self.clear()

    def clear(self, sentence: str = "Choose a document above to see what changed in it.") -> None:
        """Show a sentence and no changes."""
        self._changes, self._open, self._current, self._count = (), set(), -1, 0
        self._text.setText(sentence)
        self._browser.clear()
        self._enable()

    def show_changes(self, changes: Sequence[ChunkChange]) -> None:
        """Show these changes, the first of them in view."""
        self._changes, self._open, self._current = tuple(changes), set(), -1
        self._draw()
        self.step(1)

    def step(self, by: int) -> None:
        """Go on by so many changes, or back."""
        if self._count:
            self._current = min(max(self._current + by, 0), self._count - 1)
            self._browser.scrollToAnchor(f"change{self._current}")
            self._say()

    @property
    def summary(self) -> str:
        """The line above the texts: which change of how many."""
        return self._text.text()

    @property
    def shown_text(self) -> str:
        """What is shown of both versions, without its styles."""
        return self._browser.toPlainText()

    def _unfold(self, link: QUrl) -> None:
        position = self._browser.verticalScrollBar().value()
        self._open.add(int(link.toString().removeprefix("fold:")))
        self._draw()
        self._browser.verticalScrollBar().setValue(position)

    def _draw(self) -> None:
        if not self._changes:
            return
        rows: list[str] = []
        self._count = 0
        position = 0
        while position < len(self._changes) and self._count < _MOST_SHOWN:
            change = self._changes[position]
            if change.kind != ChunkChangeKind.SAME:
                rows.append(self._row(change, f'<a name="change{self._count}"></a>'))
                self._count += 1
                position += 1
                continue
            end = position
            while end < len(self._changes) and self._changes[end].kind == ChunkChangeKind.SAME:
                end += 1
            rows.extend(self._unchanged(position, end))
            position = end
        if position < len(self._changes):
            rows.append(f'<tr><td colspan="2">… {len(self._changes) - position:,} more chunks</td></tr>')
        ground, line = self._colour("surface"), self._colour("border")
        self._browser.setHtml(
            f'<table width="100%" cellspacing="1" cellpadding="6" bgcolor="{line}" '
            f'style="background:{ground}">{"".join(rows)}</table>'
        )
        self._say()

    def _unchanged(self, begin: int, end: int) -> list[str]:
        """Return the rows of a stretch without changes: its ends as context, a fold for the middle."""
        head = min(begin + (_CONTEXT if begin > 0 else self._unfolded), end)
        tail = end - (_CONTEXT if end < len(self._changes) else 0)
        if begin in self._open or tail - head <= 0:
            return [self._row(change) for change in self._changes[begin:end]]
        fold = (
            f'<tr><td colspan="2" align="center" bgcolor="{self._colour("sunken")}">'
            f'<a href="fold:{begin}" style="color:{self._colour("accent")}">'
            f"{counted(tail - head, 'unchanged chunk')}</a></td></tr>"
        )
        before = [self._row(change) for change in self._changes[begin:head]]
        return [*before, fold, *(self._row(change) for change in self._changes[tail:end])]

    def _row(self, change: ChunkChange, anchor: str = "") -> str:
        if change.kind == ChunkChangeKind.CHANGED:
            old = "".join(self._word(op, text, "old") for op, text, _ in change.words)
            new = "".join(self._word(op, text, "new") for op, _, text in change.words)
        else:
            old = escape(change.old.text) if change.old else ""
            new = escape(change.new.text) if change.new else ""
        gone = change.kind in (ChunkChangeKind.REMOVED, ChunkChangeKind.EXCLUDED)
        came = change.kind in (ChunkChangeKind.ADDED, ChunkChangeKind.INCLUDED)
        excluded = change.kind == ChunkChangeKind.EXCLUDED
        note = f"<i>excluded: {escape(change.reason)}</i><br>" if excluded else ""
        return (
            f"<tr>{self._cell(anchor + self._head(change.old), old, 'bad' if gone else '')}"
            f"{self._cell(self._head(change.new), note + new, 'good' if came else '')}</tr>"
        )

    def _cell(self, head: str, text: str, tint: str) -> str:
        ground = self._blend(tint) if tint else self._colour("surface")
        return (
            f'<td width="50%" valign="top" bgcolor="{ground}">'
            f'<span style="color:{self._colour("text_muted")}">{head}</span>'
            f'<div style="white-space:pre-wrap">{text}</div></td>'
        )

    def _head(self, chunk: ChunkRow | None) -> str:
        return f"{escape(self._heading(chunk))}<br>" if chunk is not None else ""

    def _word(self, operation: str, text: str, side: str) -> str:
        if operation == "equal" or not text:
            return escape(text)
        ground = self._blend("bad" if side == "old" else "good", 90)
        strike = ";text-decoration:line-through" if side == "old" else ""
        return f'<span style="background-color:{ground}{strike}">{escape(text)}</span>'

    def _colour(self, name: str) -> str:
        return self._theme.colour(name).name()

    def _blend(self, name: str, strength: int = 34) -> str:
        """Return a colour thinned over the surface, because rich text knows no transparency."""
        top, ground = self._theme.colour(name), self._theme.colour("surface")
        pairs = ((top.red(), ground.red()), (top.green(), ground.green()), (top.blue(), ground.blue()))
        parts = [(strength * a + (255 - strength) * b) // 255 for a, b in pairs]
        return "#" + "".join(f"{part:02x}" for part in parts)

    def _say(self) -> None:
        if self._count:
            self._text.setText(f"Change {max(self._current, 0) + 1} of {self._count:,}")
        else:
            self._text.setText(self._same)
        self._enable()

    def _enable(self) -> None:
        self.previous.setEnabled(self._count > 0 and self._current > 0)
        self.next.setEnabled(self._count > 0 and self._current < self._count - 1)
