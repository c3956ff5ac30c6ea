"""The whole of it, in the real window with the real starter models: drop, version, ask, flags, trace, graph."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QTextDocumentFragment
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.routes import PAGES, TITLES
from app.widgets.layout import EmptyState
from rag.asking.rows import TraceFilter, list_traces
from rag.knowledge.rows import get_collection, list_collections, list_versions
from rag.sample.rows import SAMPLE_COLLECTION, sample_questions
from rag.storage.data_folder import lock_holder
from rag.text.markdown import plain_text

pytestmark = pytest.mark.models
SLOW_MS = 300_000


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory
) -> MainWindow:
    return make_real_window(tmp_path_factory.mktemp("walk") / "data")


def drop(window: MainWindow, *paths: Path) -> None:
    """What happens when files are dragged over the window and let go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(300, 300), action, data, left, none))
    assert window.overlay.isVisible()
    assert "Drop to add" in window.overlay.text
    window.dropEvent(QDropEvent(QPointF(300, 300), action, data, left, none))
    assert not window.overlay.isVisible()


def idle(window: MainWindow) -> bool:
    return window._console.engine.is_ready and not window._console.engine.tasks


def ask(qtbot: QtBot, window: MainWindow, question: str) -> object:
    """Type a question, press Enter, wait for the end; gives the card."""
    window.show_page("ask")
    page = window.pages.ask
    qtbot.keyClicks(page.question, question)
    qtbot.keyClick(page.question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page._task is None, timeout=SLOW_MS)
    return page.conversation.cards[-1]


def test_the_first_start_prepares_the_sample_and_offers_three_questions(
    qtbot: QtBot, window: MainWindow
) -> None:
    empty = window.pages.overview._stack.currentWidget()
    assert isinstance(empty, EmptyState)
    report = window.pages.collections.report.table.records_model
    qtbot.waitUntil(lambda: report.rowCount() >= 4, timeout=SLOW_MS)  # each file as it is read
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    assert window.current_page == "collections"
    assert get_collection(window._console.database, SAMPLE_COLLECTION).document_count >= 4
    window.show_page("ask")
    offered = [b.text() for b in window.pages.ask._samples.findChildren(QAbstractButton)]
    assert offered == sample_questions()
    assert len(offered) == 3


def test_a_sample_question_is_answered_cited_and_checked(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.ask
    qtbot.waitUntil(lambda: page.model_box.currentData() is not None, timeout=SLOW_MS)
    first = page._samples.findChildren(QAbstractButton)[0]
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page._task is None, timeout=SLOW_MS)
    card = page.conversation.cards[-1]
    assert "21 days" in card.answer_text
    assert card.answer.shown_text(0, len(card.answer_text)) == plain_text(card.answer_text)
    assert re.fullmatch(r"\d+ of \d+ chunks from \d+ of 5 documents", card.packed.text())
    assert card.flags.text().startswith("1 of 1 sentence has its words in the sources")


def test_a_source_opens_as_a_page_with_its_passage_marked(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.ask
    card = page.conversation.cards[-1]
    link = next(b for b in card.findChildren(QAbstractButton) if "aurora-3-manual.pdf" in b.text())
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.sources.page_view.rectangle_count > 0, timeout=SLOW_MS)
    assert "page 2 of 3" in page.sources._place.text()
    card._open_claim(0)
    assert page.sources.claim_panel._verdict.text() == "Words in source"
    evidence = QTextDocumentFragment.fromHtml(page.sources.claim_panel._evidence.text()).toPlainText()
    assert "21 days" in evidence


def test_dropped_files_become_a_collection_of_their_own(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "meeting.md").write_text("# Meeting\n\nThe budget for 2031 is 4.2 million euros.\n", "utf-8")
    (tmp_path / "broken.docx").write_bytes(b"PK not really")
    drop(window, tmp_path)
    database = window._console.database
    qtbot.waitUntil(
        lambda: any(c.name == "Documents" and c.version_number == 1 for c in list_collections(database)),
        timeout=SLOW_MS,
    )
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    page = window.pages.collections
    outcomes = {Path(o.path).name: o for o in page.report.table.records_model.records}
    assert outcomes["broken.docx"].outcome == "failed"
    assert outcomes["broken.docx"].detail.endswith(".")
    assert page.current.name == "Documents"
    assert "1 failed" in window.toasts.text


def test_text_sources_open_with_the_passage_marked(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.ask
    page.choose_collection("Documents")
    card = ask(qtbot, window, "What is the budget for 2031?")
    hit = next(h for h in card._hits if h.marker == 1)
    page.sources.show_hit(hit)
    assert page.sources._stack.currentWidget() is page.sources.passage_view
    assert page.sources.passage_view.marked_text == hit.text


def test_nothing_found_says_so(qtbot: QtBot, window: MainWindow) -> None:
    card = ask(qtbot, window, "Which penguin species lives in Antarctica?")
    assert "the model was not asked" in card.answer.toPlainText()


def test_esc_stops_an_answer_and_its_trace_says_cancelled(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.ask
    page.choose_collection(SAMPLE_COLLECTION)
    window.show_page("ask")
    page.ask("What does the Aurora 3 measure and what does it cost and who made it?")
    qtbot.waitUntil(lambda: page.conversation.cards[-1].status.text().startswith("Reading"), timeout=SLOW_MS)
    window.activateWindow()
    next(c for c in window.commands if c.shortcut == "Esc").run()
    qtbot.waitUntil(lambda: page._task is None, timeout=SLOW_MS)
    assert page.conversation.cards[-1].status.text() == "Stopped"
    assert list_traces(window._console.database, TraceFilter())[0].status == "cancelled"


def test_killing_the_engine_while_it_answers_shows_a_sentence_and_loses_nothing(
    qtbot: QtBot, window: MainWindow
) -> None:
    page = window.pages.ask
    versions = list_versions(window._console.database, 1)
    page.ask("What does the Aurora 3 measure?")
    qtbot.waitUntil(lambda: page.conversation.cards[-1].status.text().startswith("Reading"), timeout=SLOW_MS)
    process = window._console.engine.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    qtbot.waitUntil(lambda: page._task is None, timeout=SLOW_MS)
    assert "started again" in page.conversation.cards[-1].flags.text()
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    assert window._console.engine.process_id != process
    assert list_traces(window._console.database, TraceFilter())[0].status == "interrupted"
    assert list_versions(window._console.database, 1) == versions
    card = ask(qtbot, window, sample_questions()[0])
    assert "21 days" in card.answer_text


def test_killing_the_engine_while_it_ingests_leaves_no_half_version(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for number in range(30):
        lines = [f"Fact {number}.{line}: the value of item {line} is {number * line}." for line in range(60)]
        (tmp_path / f"facts-{number}.txt").write_text("\n".join(lines), "utf-8")
    database = window._console.database
    before = get_collection(database, "Documents")
    window.show_page("collections")
    window.pages.collections.choose("Documents")
    drop(window, tmp_path)
    qtbot.waitUntil(
        lambda: window.ingests.is_busy and "mbedding" in window.pages.collections.progress._detail.text(),
        timeout=SLOW_MS,
    )
    os.kill(window._console.engine.process_id or 0, signal.SIGKILL)
    qtbot.waitUntil(lambda: not window.ingests.is_busy, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    assert get_collection(database, "Documents").active_version_id == before.active_version_id
    drop(window, tmp_path)
    qtbot.waitUntil(
        lambda: get_collection(database, "Documents").document_count == before.document_count + 30,
        timeout=SLOW_MS,
    )
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)


def test_a_second_instance_is_told_who_holds_the_folder(window: MainWindow) -> None:
    holder = lock_holder(window._console.engine.folder)
    assert holder is not None
    assert "the Ragdeck window" in holder
    assert str(window._console.engine.process_id) in holder


def test_the_traces_page_lists_filters_and_shows(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("traces")
    page = window.pages.traces
    everything = page.table.records_model.rowCount()
    assert everything >= 6
    qtbot.keyClicks(page.search, "sunlight")
    qtbot.waitUntil(lambda: page.table.records_model.rowCount() < everything, timeout=5000)
    view = page.view
    for row in range(page.table.records_model.rowCount()):  # the same question again came from the cache
        page.table.selectRow(row)
        if view.prompt.toPlainText():
            break
    assert "sunlight" in view.question.text()
    assert view.waterfall._bars
    assert any(hit.marker == 1 for hit in view.hits.records_model.records)
    assert all(hit.dropped for hit in view.hits.records_model.records if hit.marker is None)
    assert "Question: How long" in view.prompt.toPlainText()
    for number in range(view.tabs.count()):
        view.tabs.setCurrentIndex(number)
        view.grab()
    page.search.clear()
    page.verdict_box.setCurrentIndex(page.verdict_box.findData("flagged"))
    assert all(t.flag_count for t in page.table.records_model.records)
    page.verdict_box.setCurrentIndex(0)


def test_the_graphs_show_the_asks_and_a_bar_opens_its_trace(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("overview")
    page = window.pages.overview
    qtbot.waitUntil(lambda: page.cards["questions"].value != "–", timeout=5000)
    page.refresh()
    assert int(page.cards["questions"].value) >= 6
    assert page.cards["collections"].value == "2"
    assert int(page.cards["failures"].value) >= 1
    series = page.tokens._series
    assert [s.name for s in series] == ["prompt", "cached", "completion"]
    assert sum(series[2].y) > 0
    page.stack_box.setCurrentIndex(1)
    assert "SmolLM2-135M-Instruct.Q4_1" in [s.name for s in page.tokens._series]
    page.bucket_box.setCurrentIndex(1)
    assert sum(s.y.sum() for s in page.tokens._series) > 0
    page.bucket_box.setCurrentIndex(0)
    trace_id = page.latency._series[0].ids[0]
    page.latency.point_clicked.emit(trace_id)
    assert window.current_page == "traces"
    assert window.pages.traces.view.question.text()


def test_the_models_page_forecasts_loads_tries_and_unloads(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("models")
    page = window.pages.models
    assert "demo model" in page.table.records_model.index(0, 0).data()
    assert "it needs about" in page.memory.text()
    qtbot.mouseClick(page.unload_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "No model is loaded" in page.state.text() and idle(window), timeout=SLOW_MS)
    qtbot.mouseClick(page.load_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.state.text().startswith("Loaded"), timeout=SLOW_MS)
    page.prompt.setPlainText("Say hello.")
    qtbot.mouseClick(page.test_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "tokens/s written" in page.speed.text(), timeout=SLOW_MS)
    assert page.output.toPlainText()
    assert window.status("model") == "SmolLM2-135M-Instruct.Q4_1"


def test_a_dropped_file_that_is_no_model_is_refused_with_a_sentence(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "fake.gguf").write_bytes(b"not a model")
    drop(window, tmp_path / "fake.gguf")
    qtbot.waitUntil(lambda: "not a GGUF file" in window.toasts.text, timeout=SLOW_MS)


def test_settings_are_saved_as_they_change(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("settings")
    box = next(b for b in window.pages.settings.findChildren(QComboBox) if b.accessibleName() == "theme")
    box.setCurrentIndex(box.findData("dark"))
    qtbot.waitUntil(lambda: window._console.theme.is_dark, timeout=SLOW_MS)
    assert 'theme = "dark"' in (window._console.engine.folder / "settings.toml").read_text("utf-8")
    box.setCurrentIndex(box.findData("light"))
    qtbot.waitUntil(lambda: not window._console.theme.is_dark, timeout=SLOW_MS)


def test_the_keyboard_reaches_everything(qtbot: QtBot, window: MainWindow) -> None:
    window.activateWindow()
    for page in PAGES:
        key = page.key
        command = next(c for c in window.commands if c.shortcut == page.shortcut)
        command.run()
        assert window.current_page == key
    palette = window.open_palette()
    qtbot.keyClicks(palette._field, "ask a question")
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.current_page == "ask", timeout=SLOW_MS)  # Enter waits for the search
    dialog = window.show_shortcuts()
    dialog.reject()


def test_everything_that_can_be_used_has_a_name_for_screen_readers(window: MainWindow) -> None:
    for key in TITLES:
        page: QWidget = getattr(window.pages, key)
        for widget in (
            *page.findChildren(QAbstractButton),
            *page.findChildren(QComboBox),
            *page.findChildren(QLineEdit),
        ):
            if widget.objectName().startswith(("qt_", "Scroll")) or isinstance(widget.parent(), QComboBox):
                continue
            inside_editor = widget.parent().metaObject().className() in (
                "QSpinBox",
                "QDoubleSpinBox",
                "SearchField",
                "QLineEdit",
                "QTableView",
                "RecordTable",
                "QTabBar",
            )
            if not inside_editor:
                named = widget.accessibleName() or (
                    widget.text() if isinstance(widget, QAbstractButton) else ""
                )
                assert named, f"{key}: {widget.metaObject().className()} {widget.objectName()}"


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_pictured(
    qtbot: QtBot, window: MainWindow, colours: str, size: tuple[int, int]
) -> None:
    """Written to screenshots/ beside the tests; two of them stand in the README."""
    folder = Path(os.environ.get("RAGDECK_SCREENSHOTS", Path(__file__).resolve().parents[2] / "screenshots"))
    folder.mkdir(exist_ok=True)
    window._console.theme.apply(colours)
    window.toasts.clear()
    window.resize(*size)
    for key in TITLES:
        window.show_page(key)
        if key == "traces":
            window.pages.traces.table.selectRow(0)
            window.pages.traces.view.tabs.setCurrentIndex(0)
        qtbot.wait(250)
        picture = window.grab().toImage()
        assert picture.width() == size[0] * window.devicePixelRatio()
        shades = {
            picture.pixel(x, y) for x in range(0, picture.width(), 17) for y in range(0, picture.height(), 13)
        }
        assert len(shades) > 12, f"{key} is empty"
        picture.save(str(folder / f"{key}-{colours}-{size[0]}.png"))
    window._console.theme.apply("light")


def test_the_window_remembers_its_page(window: MainWindow) -> None:
    from PySide6.QtCore import QSettings

    window.show_page("models")
    window.close()
    assert QSettings().value("window/page") == "models"
    assert lock_holder(window._console.engine.folder) is None
    assert QApplication.instance() is not None
