"""The first hour with Ragdeck, done by real clicks and keys in the real window with the starter models.

    python -m tests.window.first_hour

A folder is dropped, ten questions are asked, a flagged answer is looked into, chunk size and prompt are changed
and proved, both are rolled back, and a document is erased. Events go to the window as the system sends them,
so that what is covered, disabled or out of sight cannot be used. A click, a key with a meaning (Enter,
Ctrl+K) and a drop count one each; letters of a text that a person has to think of count nothing. It prints
how many there were: at most 60, and no file format is ever typed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from app.application import make_application, make_window
from app.main_window import MainWindow
from rag.asking.rows import TraceDetail, TraceFilter, get_trace, list_traces
from rag.knowledge.rows import get_collection, list_collections, list_documents, list_versions
from rag.prompts.rows import list_prompts
from rag.sample.rows import SAMPLE_COLLECTION

W = TypeVar("W", bound=QWidget)
MOST = 60
COLLECTION = "Documents"
_WAIT_S = float(os.environ.get("FIRST_HOUR_WAIT_S", "600"))
_NONE, _CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
DOCUMENTS = {
    "harbour.md": "# Harbour rules\n\nBoats up to 12 metres pay 18 euros a night. Larger boats pay 31 euros. The "
    "harbour master answers on channel 73. The crane lifts at most 6.5 tonnes and is closed in January.\n\n"
    "## Water and power\n\nFresh water is free between 8 and 20 o'clock. Electricity costs 0.42 euros a "
    "kilowatt-hour. Cables must be taken in at night.\n",
    "kiosk.txt": "The kiosk opens at 7 in the morning and closes at 22. Breakfast costs 9.50 euros. Dogs are welcome "
    "on the terrace. On Mondays the kitchen is closed and only cake is sold.\n",
    "prices.csv": "item,price in euros\nShower token,2.00\nWashing machine,4.50\nSauna for an hour,12.00\n",
    "members.txt": "Members pay 240 euros a year. Guests of members may stay two nights free of charge. The board "
    "meets on the first Thursday of the month. Anna Brandt keeps the keys.\n",
}
QUESTIONS = (
    "What does a boat of 10 metres pay a night?",
    "How much does the crane lift?",
    "On which channel does the harbour master answer?",
    "When is fresh water free?",
    "What does electricity cost?",
    "When does the kiosk close?",
    "What does breakfast cost?",
    "What does a shower token cost?",
    "How much do members pay a year?",
    "Why is the crane closed in January and who repairs it?",
)


class Hands:
    """Hands and eyes of a person: they find what is in sight by its name, click it, type, and wait."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.done: list[str] = []  # what was clicked and which keys were pressed, in order
        self.counts: Counter[str] = Counter()
        self.part = ""
        window.activateWindow()
        self.wait(window.isActiveWindow, "the window in front")  # else no key reaches it

    @property
    def count(self) -> int:
        """How many clicks and keys there were."""
        return len(self.done)

    def begin(self, part: str) -> None:
        """Begin a part of the hour, for the account."""
        self.part = part
        print(f"{part} …", flush=True)

    # --- looking ------------------------------------------------------------------------------------------

    def see(self, kind: type[W], name: str, inside: QWidget | None = None) -> W:
        """Return the widget in sight with this name or text; wait until there is one that can be used."""
        found: list[W] = []

        def look() -> bool:
            found[:] = [w for w in self._in_sight(kind, inside) if name in _names(w) and w.isEnabled()]
            return bool(found)

        self.wait(look, f"“{name}”")
        return found[0]

    def _in_sight(self, kind: type[W], inside: QWidget | None) -> Iterator[W]:
        top = inside or QApplication.activePopupWidget() or QApplication.activeModalWidget() or self.window
        for widget in top.findChildren(kind):
            if widget.isVisible():
                yield widget

    def wait(self, until: Callable[[], Any], what: str) -> None:
        """Wait until something is so; the event loop goes on."""
        end = time.monotonic() + _WAIT_S
        while not until():
            QTest.qWait(30)
            if time.monotonic() > end:
                raise AssertionError(f"After {self.part}: {what} did not come within {_WAIT_S} s.")

    def wait_idle(self) -> None:
        """Wait until the engine has done everything that was asked for."""
        engine = self.window._console.engine
        self.wait(lambda: engine.is_ready and not engine.tasks, "the end of the engine's work")
        QTest.qWait(50)

    # --- acting -------------------------------------------------------------------------------------------

    def see_box(self) -> QMessageBox:
        """Return the box that asks for a yes, as soon as it is there."""
        self.wait(lambda: any(self._in_sight(QMessageBox, self.window)), "the question")
        return next(self._in_sight(QMessageBox, self.window))

    def click(self, widget: QWidget, at: QPoint | None = None, right: bool = False, name: str = "") -> None:
        """Click in the middle of a widget, or at a place in it. What covers it would get the click."""
        top = widget.window()
        place = widget.mapTo(top, at or widget.rect().center())
        hit = top.childAt(place) or top
        assert hit is widget or widget.isAncestorOf(hit), (
            f"{widget} is covered by {hit} of {hit.parentWidget()}"
        )
        if not top.isActiveWindow() and QApplication.activePopupWidget() is None:
            top.activateWindow()  # what a window manager does with a window that is clicked
            self.wait(top.isActiveWindow, "the window in front")
        self._note(name or next(filter(None, _names(widget)), "place"))
        button = Qt.MouseButton.RightButton if right else Qt.MouseButton.LeftButton
        QTest.mouseClick(top.windowHandle(), button, _NONE, place)
        QTest.qWait(20)

    def press(self, name: str, inside: QWidget | None = None) -> None:
        """Click the button with this name."""
        self.click(self.see(QAbstractButton, name, inside))

    def go_to(self, page: str) -> None:
        """Click a page in the rail."""
        self.press(page, self.window.rail)
        self.wait(lambda: self.window.windowTitle().startswith(page), f"the page {page}")
        self.wait_idle()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NONE) -> None:
        """Press a key that means something."""
        self._note(f"{'Ctrl+' if modifiers & _CTRL else ''}{key.name.removeprefix('Key_')}")
        self._send(key, modifiers)

    def type(self, text: str) -> None:
        """Type a text, which counts nothing."""
        QTest.keyClicks(QApplication.focusWidget() or self.window, text)
        QTest.qWait(20)

    def replace(self, field: QWidget, text: str) -> None:
        """Click into a field, choose all of it, and type."""
        self.click(field)
        self.key(Qt.Key.Key_A, _CTRL)
        self.type(text)

    def choose_row(self, table: QAbstractItemView, row: int, right: bool = False) -> None:
        """Click a row of a table."""
        place = table.visualRect(table.model().index(row, 0)).center()
        self.click(table.viewport(), QPoint(max(place.x(), 8), place.y()), right, f"row {row + 1}")

    def choose_tab(self, title: str, inside: QWidget) -> None:
        """Click a tab."""
        for bar in self._in_sight(QTabBar, inside):
            for number in range(bar.count()):
                if bar.tabText(number) == title:
                    self.click(bar, bar.tabRect(number).center(), name=title)
                    return
        raise AssertionError(f"There is no tab “{title}” in sight.")

    def drop(self, folder: Path) -> None:
        """Drop a folder on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(folder))])
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        self._note("drop")
        QApplication.sendEvent(self.window, QDragEnterEvent(QPoint(300, 300), copy, data, left, _NONE))
        QApplication.sendEvent(self.window, QDropEvent(QPointF(300, 300), copy, data, left, _NONE))

    def when_open(self, *acts: Callable[[QWidget], object]) -> None:
        """Do these one after the other, each in the next menu or dialog that waits for an answer."""
        waiting = list(acts)
        done: list[QWidget] = []

        def look() -> None:
            shown = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            if shown is not None and shown not in done:
                done.append(shown)
                waiting.pop(0)(shown)
            if waiting:
                QTimer.singleShot(60, look)

        QTimer.singleShot(60, look)

    def pick(self, text: str) -> Callable[[QWidget], None]:
        """Return what clicks the entry with this text in a menu."""

        def click(menu: QWidget) -> None:
            assert isinstance(menu, QMenu)
            action = next(found for found in menu.actions() if found.text().replace("&", "") == text)
            self.click(menu, menu.actionGeometry(action).center(), name=text)

        return click

    def _send(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NONE) -> None:
        target = QApplication.activePopupWidget() or QApplication.activeModalWidget() or self.window
        QTest.keyClick(target.windowHandle(), key, modifiers)
        QTest.qWait(20)

    def _note(self, what: str) -> None:
        self.done.append(what)
        self.counts[self.part] += 1


def _names(widget: QWidget) -> tuple[str, str]:
    text = widget.text().replace("&", "") if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName(), text


# --- the hour ---------------------------------------------------------------------------------------------


def first_hour(window: MainWindow, folder: Path) -> Hands:
    """Do the whole of it, and return the hands with their account.

    Args:
        window: The window as it is on its very first start.
        folder: An empty folder for the documents.
    """
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    hands = Hands(window)
    database = window._console.database
    hands.begin("Waiting for the sample")
    hands.wait(lambda: any(c.name == SAMPLE_COLLECTION for c in list_collections(database)), "the sample")
    hands.wait_idle()
    import_folder(hands, folder)
    ask_ten_questions(hands)
    wrong = find_a_wrong_answer(hands)
    change_chunks_and_prove_it(hands)
    change_prompt_and_prove_it(hands, wrong)
    roll_back(hands)
    erase(hands)
    return hands


def import_folder(hands: Hands, folder: Path) -> None:
    """Drop the folder; every file of it is read, though nobody said what kind it is."""
    hands.begin("Import a folder")
    hands.drop(folder)
    database = hands.window._console.database
    hands.wait(lambda: any(c.name == COLLECTION for c in list_collections(database)), "the collection")
    hands.wait_idle()
    assert get_collection(database, COLLECTION).document_count == len(DOCUMENTS)


def ask_ten_questions(hands: Hands) -> None:
    """Ask one after the other, with Enter."""
    hands.begin("Ten questions")
    hands.go_to("Ask")
    ask(hands, *QUESTIONS)
    asked = [
        trace.question
        for trace in list_traces(hands.window._console.database, TraceFilter(collection=COLLECTION))
    ]
    assert set(asked) >= set(QUESTIONS), asked


def ask(hands: Hands, *questions: str) -> None:
    page = hands.window.pages.ask
    hands.click(hands.see(QPlainTextEdit, "Question", page))
    hands.wait(page.question.hasFocus, "the cursor in the question")
    for question in questions:
        hands.type(question)
        hands.key(Qt.Key.Key_Return)
        hands.wait(lambda: not page.question.toPlainText(), "the sending of the question")
        hands.wait_idle()


def find_a_wrong_answer(hands: Hands) -> TraceDetail:
    """Let the palette list the flagged answers, and look at what is wrong with the first."""
    hands.begin("Find a wrong one")
    hands.key(Qt.Key.Key_K, _CTRL)
    hands.type("flagged answers")
    hands.key(Qt.Key.Key_Return)
    page = hands.window.pages.traces
    hands.wait(lambda: hands.window.current_page == "traces", "the page Traces")
    hands.wait(lambda: page.table.model().rowCount() > 0, "a flagged answer")
    hands.choose_row(page.table, 0)
    hands.choose_tab("Flags", page)
    hands.choose_row(page.view.claims, 0)
    trace = get_trace(hands.window._console.database, page.table.selected_records()[0].id)
    assert trace.flag_count
    print(f"  {trace.question} – {trace.answer.strip()!r}: {trace.flag_count} flagged", flush=True)
    return trace


def change_chunks_and_prove_it(hands: Hands) -> None:
    """Build a trial with short chunks beside the version in use, compare both on what was asked, and use it."""
    hands.begin("Change the chunk size and prove it")
    window = hands.window
    page, database = window.pages.versions, window._console.database
    hands.go_to("Versions")
    if page.collection_name != COLLECTION:
        hands.click(page.history.collection_box)
        hands.type(COLLECTION)
        hands.key(Qt.Key.Key_Return)
    hands.press("Try other settings…", page)
    hands.replace(hands.see(QWidget, "Maximum chunk size, in tokens"), "40")
    hands.replace(hands.see(QWidget, "Overlap of neighbouring chunks, in tokens"), "0")
    hands.press("Build")
    collection = get_collection(database, COLLECTION)
    hands.wait(lambda: any(v.trial for v in list_versions(database, collection.id)), "the trial")
    hands.wait_idle()
    hands.press("Compare", page.comparison)
    hands.wait(lambda: page.comparison.line.text(), "the comparison")
    hands.wait_idle()
    print(f"  {page.comparison.line.text()}", flush=True)
    if not hands.see(QAbstractButton, "Make active", page).isEnabled():
        hands.choose_row(page.history.table, 0)
    hands.press("Make active", page)
    hands.wait(lambda: get_collection(database, COLLECTION).version_number == 2, "the trial in use")
    hands.wait_idle()


def change_prompt_and_prove_it(hands: Hands, wrong: TraceDetail) -> None:
    """Add a sentence to the prompt, use it, and ask the question again that was answered wrongly."""
    hands.begin("Change the prompt and prove it")
    window = hands.window
    page, database = window.pages.prompts, window._console.database
    hands.go_to("Prompts")
    hands.click(page.system)
    hands.key(Qt.Key.Key_End, _CTRL)
    hands.type(" Answer with a few words of the passages.")
    hands.key(Qt.Key.Key_S, _CTRL)
    hands.wait(lambda: list_prompts(database)[0].latest == 2, "the new version of the prompt")
    hands.wait_idle()
    hands.when_open(hands.pick("production"), lambda _dialog: hands.key(Qt.Key.Key_Return))
    hands.press("Label…", page)
    hands.wait(lambda: dict(list_prompts(database)[0].labels).get("production") == 2, "the label")
    hands.wait_idle()
    hands.go_to("Ask")
    ask(hands, wrong.question)
    again = get_trace(database, list_traces(database, TraceFilter(collection=COLLECTION))[0].id)
    assert (again.question, again.version_number) == (wrong.question, 2)
    print(
        f"  {again.answer.strip()!r}: {wrong.flag_count} flagged before, {again.flag_count} now", flush=True
    )


def roll_back(hands: Hands) -> None:
    """Take both changes back; the index is verified."""
    hands.begin("Roll back")
    window = hands.window
    database = window._console.database
    hands.go_to("Prompts")
    hands.press("Roll back", window.pages.prompts)
    hands.wait(lambda: dict(list_prompts(database)[0].labels).get("production") == 1, "the old prompt")
    hands.wait_idle()
    hands.go_to("Versions")
    hands.press("Undo", window.pages.versions)
    hands.wait(lambda: get_collection(database, COLLECTION).version_number == 1, "the old version")
    hands.wait_idle()
    print(f"  {window.toasts.text}", flush=True)


def erase(hands: Hands) -> None:
    """Erase a document for good, by its menu."""
    hands.begin("Erase")
    window = hands.window
    database = window._console.database
    hands.go_to("Collections")
    page = window.pages.collections
    if page.collection_name != COLLECTION:
        row = next(n for n, c in enumerate(page.table.records_model.records) if c.name == COLLECTION)
        hands.choose_row(page.table, row)
    hands.wait_idle()
    hands.choose_tab("Documents", page)
    table = page.documents.table
    hands.wait(lambda: table.model().rowCount() == len(DOCUMENTS), "the documents")
    row = next(n for n, found in enumerate(table.records_model.records) if found.name == "members.txt")
    hands.when_open(hands.pick("Erase for good…"))
    hands.choose_row(table, row, right=True)
    hands.press("Erase", hands.see_box())
    collection = get_collection(database, COLLECTION)

    def gone() -> bool:
        version = get_collection(database, COLLECTION).active_version_id
        return "members.txt" not in {d.name for d in list_documents(database, version or collection.id)}

    hands.wait(gone, "the end of the document")
    hands.wait_idle()
    print(f"  {window.toasts.text}", flush=True)


def main() -> int:
    """Run it on a data folder of its own and print the account."""
    with tempfile.TemporaryDirectory(prefix="first-hour-") as name:
        data, documents = Path(name) / "data", Path(name) / "harbour"
        data.mkdir()
        documents.mkdir()
        window = make_window(make_application(data), data)
        window.resize(1280, 800)
        window.show()
        window.activateWindow()
        began = time.monotonic()
        try:
            hands = first_hour(window, documents)
        finally:
            window.close()
        for part, count in hands.counts.items():
            print(f"{count:4}  {part}")
        print(f"{hands.count:4}  clicks and keys in {time.monotonic() - began:.0f} s; at most {MOST}")
        return 0 if hands.count <= MOST else 1


if __name__ == "__main__":
    raise SystemExit(main())
